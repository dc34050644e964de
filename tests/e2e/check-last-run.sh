#!/bin/sh
# check-last-run, and the files in ci/nagios and ci/icinga2: real daemons read them, run the plugins
# and get their findings.
. "${0%/*}/lib.sh"

# a_day AGE STATUS: the run of so long ago, into the history.
a_day() {
	at=$(date -u -d "$1 ago" +%Y-%m-%dT%H:%M:%S.000Z)
	run=$(date -u -d "$at" +R%s)
	{
		a_run shop "$run" restore=ok "row-count/public.orders=$2"
		jq -nc --arg run "$run" '{record: "backup", tool: "fetch-latest", $run, label: "shop",
			name: "\($run).dump", bytes: 1000000, newest: true}'
	} | jq -c --arg at "$at" '.at = $at' |
		emit-report --now "$at" --history "$SCRATCH/history/" --quiet >"$SCRATCH/log/report" || true
}
mkdir history
a_day '2 days' ok
a_day '3 hours' critical

takes_over() {
	expect_status 2 check-last-run --records --history history/ --label shop
	expect_check last-run critical
	expect_check row-count critical public.orders
	expect_no_check restore
	a_day '1 hour' ok
	expect_status 0 check-last-run --nagios --history history/ --label shop
	expect_out "^CHECK-LAST-RUN OK - the last run, 1 h( 0 min)? ago, was ok \| 'run_age_seconds'=3[0-9.]+s;;93600"
}
t "it takes over the verdict of the last run, and its findings" takes_over

silence() {
	expect_status 2 check-last-run --records --history history/ --label shop --max-age 30m
	expect_check last-run critical
	expect_out 'verification has stopped'
	expect_status 2 check-last-run --records --history history/ --label blog
	expect_out 'never verified: no run in history/ for blog'
	expect_status 3 check-last-run --nagios --label shop
	expect_out '^check-last-run UNKNOWN - --history is missing'
	expect_status 3 check-last-run --records --history history/shop.jsonl/x
	expect_check last-run unknown
	{ cat history/shop.jsonl; echo "{"; } >torn.jsonl
	expect_status 0 check-last-run --records --history torn.jsonl --label shop
	expect_status 3 check-last-run --records --now 2026-01-01T00:00:00Z --history history/ --label shop
	expect_out 'in the future'
}
t "a run too long ago, none, no history and a torn line are each what they are" silence

# here FILE...: with the plugins and histories of this test.
here() {
	for file; do
		sed -e "s,/usr/local/lib/nagios/plugins,$SCRATCH/plugins,g" -e "s,/usr/local/bin/,$BIN/,g" \
			-e "s,/var/lib/backup-probes/,$SCRATCH/history/,g" -e "s,/srv/backups/shop,$SCRATCH/backups,g" \
			"$ROOT/ci/$file"
	done
}
mkdir plugins backups
for probe in check-last-run check-freshness size-trend; do
	ln -s "$BIN/$probe" "plugins/check_backup_$(echo "${probe#check-}" | tr - _)"
done
echo '-- PostgreSQL database dump' >backups/shop.sql
chmod -R a+rX history backups

# Nagios refuses root.
as_monitor=
[ "$(id -u)" -ne 0 ] || as_monitor="setpriv --reuid=nobody --regid=nogroup --clear-groups"

# state_of SERVICE: "STATE OUTPUT" of its last check, from Nagios' status file.
state_of() {
	tr -d '\t' <nagios/status.dat | awk -F = -v want="$1" '
		/^servicestatus/ { name = state = text = ""; checked = 0 }
		$1 == "service_description" { name = $2 }
		$1 == "current_state" { state = $2 }
		$1 == "has_been_checked" { checked = $2 }
		$1 == "plugin_output" { text = substr($0, index($0, "=") + 1) }
		/^}/ && name == want && checked { print state, text }
		/^}/ { name = "" }'
}

sees_bad_backup() {
	state_of "backup of shop: last verification" | grep '^2 CHECK-LAST-RUN CRITICAL - .*orders'
}

nagios_runs() {
	mkdir -p nagios/spool
	# Every 3 seconds (interval_length) instead of every 30 minutes.
	here nagios/commands.cfg nagios/services.cfg | sed "s,\(check_interval  *\)30,\13," >nagios/objects.cfg
	cat >>nagios/objects.cfg <<-'CFG'
		define command {
			command_name  alive
			command_line  /bin/true
		}
		define timeperiod {
			timeperiod_name  24x7
			alias            always
			sunday           00:00-24:00
			monday           00:00-24:00
			tuesday          00:00-24:00
			wednesday        00:00-24:00
			thursday         00:00-24:00
			friday           00:00-24:00
			saturday         00:00-24:00
		}
		define contact {
			contact_name                   admin
			host_notification_commands     alive
			service_notification_commands  alive
			host_notification_period       24x7
			service_notification_period    24x7
		}
		define contactgroup {
			contactgroup_name  admins
			members            admin
		}
		define host {
			host_name           backup1
			address             127.0.0.1
			check_command       alive
			max_check_attempts  1
			check_period        24x7
			contact_groups      admins
		}
	CFG
	cat >nagios/nagios.cfg <<-CFG
		cfg_file=$SCRATCH/nagios/objects.cfg
		log_file=$SCRATCH/nagios/nagios.log
		object_cache_file=$SCRATCH/nagios/objects.cache
		status_file=$SCRATCH/nagios/status.dat
		lock_file=$SCRATCH/nagios/pid
		temp_file=$SCRATCH/nagios/tmp
		temp_path=$SCRATCH/nagios
		check_result_path=$SCRATCH/nagios/spool
		state_retention_file=$SCRATCH/nagios/retention.dat
		command_file=$SCRATCH/nagios/cmd
		query_socket=$SCRATCH/nagios/query
		interval_length=1
		status_update_interval=1
		service_inter_check_delay_method=n
		illegal_macro_output_chars=\`~\$&|'"<>
		enable_notifications=0
		check_for_updates=0
		use_syslog=0
	CFG
	chmod -R a+rwX nagios
	# shellcheck disable=SC2086  # several words, or none
	expect_status 0 $as_monitor nagios4 -v nagios/nagios.cfg
	expect_out 'Total Warnings: 0'
	$as_monitor nagios4 nagios/nagios.cfg >"$SCRATCH/log/nagios" 2>&1 &
	started $!
	wait_for 20 sh -c 'grep -c has_been_checked=1 nagios/status.dat | grep -qx 6'
	for service in 'last verification' verified size newest; do
		state_of "backup of shop: $service"
	done >"$OUT"
	expect_out '^0 CHECK-LAST-RUN OK - '
	expect_out '^0 CHECK-FRESHNESS OK - '
	expect_out '^0 SIZE-TREND OK - '
	expect_out '^0 LIST-BACKUPS OK - 1 backup'
	# What is bad is seen at the next check.
	a_day '1 minute' critical
	chmod -R a+rX history
	wait_for 60 sees_bad_backup
}
has_nagios() { command -v nagios4 >/dev/null || skip "needs nagios4"; nagios_runs; }
t "a real Nagios takes the files, runs the plugins, and sees a bad backup" has_nagios

nrpe_answers() {
	command -v nrpe >/dev/null || skip "needs nagios-nrpe-server"
	port=$(free_port)
	here nagios/nrpe.cfg >nrpe.cfg
	cat >>nrpe.cfg <<-CFG
		server_port=$port
		server_address=127.0.0.1
		allowed_hosts=127.0.0.1
		nrpe_user=nobody
		nrpe_group=nogroup
		pid_file=$SCRATCH/nrpe.pid
		dont_blame_nrpe=0
		command_timeout=30
	CFG
	nrpe -c "$SCRATCH/nrpe.cfg" -f -n >"$SCRATCH/log/nrpe" 2>&1 &
	started $!
	wait_for 10 sh -c "grep -qi ':$(printf %04X "$port") 0*:0000 0A' /proc/net/tcp"
	# check_nrpe is in another package: its question is asked here, as version 2 of the protocol.
	python3 - "$port" backup_last_run_shop >"$OUT" <<-'PY'
		import socket, struct, sys, zlib
		command = sys.argv[2].encode()
		packet = struct.pack("!hhIh1024s2x", 2, 1, 0, 0, command)
		packet = packet[:4] + struct.pack("!I", zlib.crc32(packet)) + packet[8:]
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
		s.sendall(packet)
		answer = b""
		while len(answer) < len(packet):
		    more = s.recv(4096)
		    if not more:
		        break
		    answer += more
		code = struct.unpack("!h", answer[8:10])[0]
		print(code, answer[10:].split(b"\0")[0].decode())
	PY
	expect_out '^2 CHECK-LAST-RUN CRITICAL - '
}
t "a real NRPE answers with the plugin's finding" nrpe_answers

icinga_takes() {
	command -v icinga2 >/dev/null || skip "needs icinga2-bin"
	{
		echo 'include <itl>'
		echo 'object Endpoint "here" {}'
		echo 'object Zone "here" { endpoints = [ "here" ] }'
		here icinga2/commands.conf icinga2/services.conf
		cat <<-'CONF'
			object Host "backup1" {
				check_command = "dummy"
				vars.backups["shop"] = { backup_max_age = "26h" }
				vars.backups["blog"] = { }
			}
		CONF
	} >icinga2.conf
	mkdir icinga
	chmod 777 icinga
	chmod a+r icinga2.conf
	expect_status 0 icinga2 daemon -C -c "$SCRATCH/icinga2.conf" -D NodeName=here -D ZoneName=here \
		-D DataDir="$SCRATCH/icinga" -D CacheDir="$SCRATCH/icinga" -D LogDir="$SCRATCH/icinga" \
		-D SpoolDir="$SCRATCH/icinga" -D InitRunDir="$SCRATCH/icinga"
	expect_out 'Instantiated 6 Services'
	expect_not_out '(warning|critical)/'
}
t "Icinga 2's own check takes its files without a warning" icinga_takes
