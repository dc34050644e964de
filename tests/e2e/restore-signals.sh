#!/bin/sh
# restore-to-temp: whatever is killed, with whatever, whenever: nothing stays. MOMENTS says after how
# many seconds, when more of them are wanted.
# time limit: 600 s
# sanitizers: no, it counts what kills leave behind
. "${0%/*}/lib.sh"
need jq pgrep perl
need_pg

make_dumps() {
	shop_start
	sql "$SHOP" "CREATE TABLE users (id int PRIMARY KEY, email text);
		INSERT INTO users SELECT g, md5(g::text) FROM generate_series(1, 200000) g;
		CREATE INDEX ON users (email); CREATE INDEX ON users (reverse(email))"
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc -f custom.dump
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp -f plain.sql
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp | gzip >plain.sql.gz
	"$PG_BIN/pg_dump" -d "$SHOP" -Ft -f tar.tar
}

prepare make_dumps

# Starts one in a session of its own (a shell's background ignores SIGINT); its pid in $pid.
begin() {
	: >"$OUT"
	cat >run-it <<-EOS
		exec restore-to-temp --records --backup $1 -- sh -c 'sleep 3; cat'
	EOS
	perl -e '$SIG{INT} = $SIG{QUIT} = "DEFAULT"; setpgrp; exec "sh", "run-it"' \
		</dev/null >"$OUT" 2>"$ERR" &
	pid=$!
}

segments() { awk 'NR > 1 && $7 == 0' /proc/sysvipc/shm | wc -l; }

# Nothing of that run is there any more: no directory, no process in it, no shared memory.
gone() {
	expect_nothing_left >/dev/null && [ "$(segments)" -le "$segments" ]
}

# All that is below a process, however deep.
below() {
	[ -n "$1" ] || return 0
	for child in $(pgrep -P "$1"); do
		echo "$child"
		below "$child"
	done
}

# strike SIGNAL TARGET DELAY FILE: TARGET is the supervisor, its work, its watchdog, or anybody.
strike() {
	segments=$(segments)
	begin "$4"
	sleep "$3"
	# Until it has its name, it could be taken for the work.
	[ "$2" != all ] || wait_for 10 pgrep -P "$pid" -x watchdog
	watchdog=$(pgrep -P "$pid" -x watchdog | head -n 1)
	work=$(pgrep -P "$pid" | grep -vx "${watchdog:-none}" | head -n 1)
	case $2 in
	supervisor) victim=$pid ;;
	watchdog) victim=$watchdog ;;
	work) victim=$work ;;
	group) victim=-$pid ;;
	all) victim="$pid $work $(below "$work")" ;; # but the watchdog
	postmaster) victim=$(find_postmaster) ;;
	anybody) victim=$(pgrep -g "${work:-$pid}" | shuf -n 1) ;;
	esac
	# shellcheck disable=SC2086  # a list
	[ -z "$victim" ] || kill -s "$1" -- $victim 2>/dev/null || true
	status=0
	wait "$pid" || status=$?
	wait_for 30 gone || {
		ls -la "$TMPDIR"
		say_failed "SIG$1 to the $2 after $3 s of $4: something is left"
	}
}

find_postmaster() {
	cat "$TMPDIR"/backup-probes-*/data/postmaster.pid 2>/dev/null | head -n 1
}

# A signal that we can answer: the stream still ends as it should, with an unknown.
answered() {
	for delay in ${MOMENTS:-0.1 0.8 2}; do
		strike "$1" "$2" "$delay" "$3"
		[ "$status" -eq 3 ] || say_failed "status $status after $delay s"
		expect_records '.[-1].event == "end" and .[-1].status == "unknown"'
		expect_check interrupted unknown
		expect_check temporary-server ok
	done
}
t "SIGTERM at any moment" answered TERM supervisor custom.dump
t "SIGHUP at any moment" answered HUP supervisor tar.tar
t "Ctrl-C, which reaches the whole foreground group" answered INT group plain.sql.gz

killed() {
	for delay in ${MOMENTS:-0.05 0.9 2.2}; do
		strike KILL "$1" "$delay" "$2"
	done
}
t "kill -9 of the supervisor: the watchdog cleans up" killed supervisor custom.dump
t "kill -9 of the supervisor in a script" killed supervisor plain.sql
t "kill -9 of the work: the supervisor cleans up" killed work tar.tar
t "kill -9 of the watchdog: the supervisor cleans up" killed watchdog custom.dump
t "kill -9 of the postmaster" killed postmaster plain.sql
t "kill -9 of all but the watchdog, which cleans up" killed all plain.sql
t "kill -9 of anybody in the work's group" killed anybody plain.sql.gz

quit_signal() { strike QUIT supervisor 1.5 custom.dump; }
t "SIGQUIT of the supervisor: the watchdog cleans up" quit_signal

# Supervisor and watchdog at once: nobody is left to clean up, but the next run does.
nobody_left() {
	segments=$(segments)
	begin plain.sql
	sleep 1.2
	watchdog=$(pgrep -P $pid -x watchdog)
	work=$(pgrep -P $pid | grep -vx "$watchdog")
	kill -s KILL "$watchdog" "$pid" "$work"
	for p in $(pgrep -g "$work"); do kill -s KILL "$p" 2>/dev/null || true; done
	wait $pid || true
	not expect_nothing_left >/dev/null
}
next_run_reaps() {
	nobody_left
	expect_status 0 restore-to-temp --text --backup custom.dump
	expect_err 'removed what 1 earlier run left'
	wait_for 5 gone
}
t "when nobody is left to clean up, the next run does" next_run_reaps

# What only looks like ours stays: a name alone, a mark that somebody else made.
reap() {
	nobody_left
	mkdir -p "$TMPDIR/backup-probes-abcdef/data" "$TMPDIR/backup-probes-ABCDEF"
	echo '1 1 x' >"$TMPDIR/backup-probes-ABCDEF/owner"
	[ "$(id -u)" -ne 0 ] || chown postgres "$TMPDIR/backup-probes-ABCDEF/owner"
	expect_status 0 restore-to-temp --records --reap
	expect_check leftovers ok
	expect_records 'any(.check == "leftovers" and .metrics[0].value == 1)'
	[ -d "$TMPDIR/backup-probes-abcdef/data" ]
	[ "$(id -u)" -ne 0 ] || [ -e "$TMPDIR/backup-probes-ABCDEF/owner" ]
	rm -r "$TMPDIR/backup-probes-abcdef" "$TMPDIR/backup-probes-ABCDEF"
	wait_for 5 gone
	expect_status 0 restore-to-temp --records --reap
	expect_records 'any(.check == "leftovers" and .metrics[0].value == 0)'
}
t "--reap removes what dead runs left, and nothing else" reap

# A live run is no leftover.
living_run_is_spared() {
	begin custom.dump
	sleep 1
	restore-to-temp --records --backup plain.sql >other.jsonl
	wait $pid || true
	expect_records 'any(.check == "restore" and .status == "ok")'
	expect_nothing_left
}
t "a run that lives is not reaped by another" living_run_is_spared

keep() {
	cat >run-it <<-EOS
		exec restore-to-temp --records --keep --backup custom.dump
	EOS
	perl -e '$SIG{INT} = "DEFAULT"; setpgrp; exec "sh", "run-it"' </dev/null >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 30 grep -q 'Ctrl-C' "$ERR"
	socket=$(sed -n 's/.*psql -h \([^ ]*\) .*/\1/p' "$ERR")
	[ "$(sql "host=$socket user=postgres dbname=shop" 'SELECT count(*) FROM users')" = 200000 ]
	kill -s INT $pid
	status=0
	wait $pid || status=$?
	[ $status -eq 0 ] || say_failed "status $status"
	expect_no_check interrupted
	expect_check temporary-server ok
	expect_nothing_left
}
t "--keep holds the server until Ctrl-C" keep

keep_for() {
	expect_status 0 restore-to-temp --records --keep-for 1s --timeout 60s --backup custom.dump
	expect_err 'it is removed at 20[0-9-]*T[0-9:.]*Z, or by Ctrl-C'
	expect_check temporary-server ok
	expect_no_check timeout
	expect_nothing_left
}
t "--keep-for removes it when the time has come" keep_for
