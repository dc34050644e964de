#!/bin/sh
# Base backups in every layout that pg_basebackup makes are restored; what is damaged, hostile or of
# another version is told; and nothing that the backed-up server was set up to do happens.
# time limit: 400 s
. "${0%/*}/lib.sh"
need jq python3 tar gcc
need_pg

CANARY=$SCRATCH/source/canary

base() {
	dir=$1
	shift
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$PG_SOCKET/$dir" -c fast --no-sync "$@"
}

# What this server is set up to do in its own files would be noticed in $CANARY: each library that is
# loaded, each command that runs, each connection that is made.
make_source() {
	pg_init "$SCRATCH/source"
	as_pg rm -r "$SCRATCH/source/data"
	as_pg "$PG_BIN/initdb" -D "$SCRATCH/source/data" -U postgres -k --wal-segsize=1 --no-sync -A trust
	PG_SOCKET=$SCRATCH/source
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	as_pg mkdir "$PG_SOCKET/space" "$CANARY"
	cat >"$SCRATCH/job.c" <<-C
		#include <fcntl.h>
		__attribute__((constructor)) static void run(void)
		{ (void)open("$CANARY/library", O_CREAT | O_WRONLY, 0600); }
	C
	gcc -shared -fPIC -o "$SCRATCH/job.so" "$SCRATCH/job.c"
	chmod 755 "$SCRATCH/job.so"
	pg_run "$PG_SOCKET" -c listen_addresses=
	sql "CREATE DATABASE shop"
	pg_slim
	shop="host=$PG_SOCKET user=postgres dbname=shop"
	sql "$shop" "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 20000) g"
	base single.tar.d -Ft -X fetch
	sql "CREATE TABLESPACE elsewhere LOCATION '$PG_SOCKET/space'"
	sql "$shop" "CREATE TABLE far TABLESPACE elsewhere AS SELECT g FROM generate_series(1, 5000) g"
	sql "$shop" "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=$PORT dbname=x' PUBLICATION p
		WITH (connect=false); ALTER SUBSCRIPTION s ENABLE"
	sql "ALTER DATABASE shop SET session_preload_libraries = '$SCRATCH/job.so'"
	base plain -T "$PG_SOCKET/space=$PG_SOCKET/space-copy"
	base tars -Ft
	base tars-gzip -Ft -z
	base tars-zstd -Ft --compress=server-zstd
	base tars-lz4 -Ft --compress=server-lz4
	pg_stop source
}

PORT=$(free_port)
prepare make_source
PLAIN=$SCRATCH/source/plain

# counts DATABASE QUERY: what it says of the restored server is in $TMPDIR/said.
restored() {
	expect_status 3 restore-to-temp --records --backup "$@" -- "$PG_BIN/psql" -XqAt -o "$TMPDIR/said" \
		-c "SELECT (SELECT count(*) FROM t), to_regclass('far') IS NOT NULL"
	for check in isolation backup-format backup-complete restore recovery-target verified-rto temporary-server; do
		expect_check $check ok
	done
	expect_nothing_left
}

layouts() {
	for how in plain tars tars-gzip tars-zstd tars-lz4; do
		restored "source/$how"
		[ "$(cat "$TMPDIR/said")" = '20000|t' ] || say_failed "$how: $(cat "$TMPDIR/said")"
		expect_out '1 tablespace'
	done
	restored source/single.tar.d/base.tar
	[ "$(cat "$TMPDIR/said")" = '20000|f' ]
	expect_records 'any(.record == "instance" and .database == "shop" and .databases == ["shop", "postgres"])'
}
t "a directory, sets of tars in each compression, and a single tar are restored" layouts

not_shut_off() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to forbid namespaces"
	setpriv --bounding-set -sys_admin true 2>/dev/null || skip "setpriv cannot drop capabilities"
	expect_status 3 setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		restore-to-temp --records --backup source/plain
	expect_check isolation warning
	expect_check restore unknown
	expect_out 'its WAL may write wherever postgres may'
	expect_nothing_left
}
t "where nothing keeps WAL from this machine's files it is not replayed" not_shut_off

# The plain backup, which has no template1 to begin in, with a superuser of another name (whose old row
# stays) and a database that takes no connections.
owned() {
	mkdir -m 711 owned
	cp -a "$PLAIN" owned/data
	rm owned/data/backup_manifest
	[ "$(id -u)" -ne 0 ] || chown postgres: owned
	as_pg "$PG_BIN/postgres" --single -D "$SCRATCH/owned/data" -c fsync=off shop >"$SCRATCH/log/single" 2>&1 <<-SQL
		UPDATE pg_authid SET rolname = 'the owner' WHERE oid = 10
		CREATE ROLE postgres LOGIN
		ALTER DATABASE postgres WITH ALLOW_CONNECTIONS false
	SQL
	expect_status 3 restore-to-temp --records --backup owned/data -- sh -c "
		echo \$PGUSER >$TMPDIR/who; '$PG_BIN/psql' -XqAt -o $TMPDIR/said -c 'SELECT rolname FROM pg_roles WHERE oid = 10'"
	expect_check restore ok
	[ "$(cat "$TMPDIR/who" "$TMPDIR/said" | uniq)" = 'the owner' ] || say_failed "$(cat "$TMPDIR/who" "$TMPDIR/said")"
	expect_records 'any(.record == "instance" and (.conninfo | contains("the owner"))
		and .databases == ["shop"])'
}
t "the superuser may have any name, and template1 be gone" owned

# A hand that listens where the server would connect to.
listen() {
	python3 - "$PORT" "$CANARY/connection" <<-'PYTHON' &
		import socket, sys
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("127.0.0.1", int(sys.argv[1])))
		s.listen()
		print("listening", file=open(sys.argv[2] + ".ready", "w"))
		while True:
		    c, _ = s.accept()
		    open(sys.argv[2], "w").close()
		    c.close()
	PYTHON
	started $!
	wait_for 10 test -e "$CANARY/connection.ready"
	rm "$CANARY/connection.ready"
}

dangerous() {
	rm -rf danger "${CANARY:?}"/*
	mkdir -m 711 danger
	cp -a "$PLAIN" danger/data
	cat >>danger/data/postgresql.conf <<-CONF
		archive_mode = always
		archive_command = 'touch $CANARY/archive_command'
		restore_command = 'touch $CANARY/restore_command; false'
		archive_cleanup_command = 'touch $CANARY/archive_cleanup_command'
		recovery_end_command = 'touch $CANARY/recovery_end_command'
		primary_conninfo = 'host=127.0.0.1 port=$PORT user=postgres'
		external_pid_file = '$CANARY/pid'
		listen_addresses = '*'
		logging_collector = on
		log_directory = '$CANARY'
	CONF
	echo "session_preload_libraries = '$SCRATCH/job.so'" >>danger/data/postgresql.auto.conf
	echo 'local all all reject' >danger/data/pg_hba.conf
	as_pg touch danger/data/standby.signal
}

# The proof of the test itself: started as it is, it does all that.
sings() {
	dangerous
	listen
	cp -a danger danger-live
	as_pg "$PG_BIN/postgres" -D "$SCRATCH/danger-live/data" -p "$(free_port)" -c fsync=off \
		-c "unix_socket_directories=$SCRATCH/source" -c listen_addresses= >"$SCRATCH/log/live" 2>&1 &
	wait_for 10 test -s danger-live/data/postmaster.pid
	live=$(head -n 1 danger-live/data/postmaster.pid)
	started "$live" QUIT
	wait_for 10 test -e "$CANARY/restore_command" -a -e "$CANARY/connection" -a -e "$CANARY/pid" ||
		{ cat "$SCRATCH/log/live" "$CANARY"/*.log; return 1; }
	kill -s QUIT "$live"
	wait_for 10 not kill -0 "$live"
}
t "started as it is, the backup runs its commands and connects to its primary" sings

silent() {
	dangerous
	# Worse than that: libraries that are not there, another cluster's data, keys that are missing.
	cat >>danger/data/postgresql.conf <<-CONF
		shared_preload_libraries = 'pg_cron, $SCRATCH/job.so'
		data_directory = '$SCRATCH/source/data'
		hba_file = '/nonexistent'
		ssl = on
		ssl_cert_file = 'nonexistent.crt'
	CONF
	expect_status 3 restore-to-temp --records --backup danger/data -- sh -c "
		'$PG_BIN/psql' -XqAt -o $TMPDIR/said -c 'SELECT count(*) FROM t' &&
		sleep 1 && '$PG_BIN/psql' -XqAt -o $TMPDIR/settings -c \"SELECT string_agg(setting, '|' ORDER BY name)
			FROM pg_settings WHERE name IN ('archive_mode', 'listen_addresses', 'primary_conninfo',
			'session_preload_libraries', 'shared_preload_libraries', 'max_logical_replication_workers',
			'ssl', 'unix_socket_permissions')\" &&
		'$PG_BIN/psql' -XqAt -o $TMPDIR/workers -c \"SELECT backend_type FROM pg_stat_activity
			WHERE backend_type ~ 'logical|walreceiver|archiver|cron'\""
	expect_check recovery-target ok
	expect_check restore ok
	[ "$(cat "$TMPDIR/said")" = 20000 ]
	[ "$(cat "$TMPDIR/settings")" = 'off||0||||off|0700' ] || say_failed "settings: $(cat "$TMPDIR/settings")"
	[ ! -s "$TMPDIR/workers" ] || say_failed "workers: $(cat "$TMPDIR/workers")"
	[ -z "$(ls -A "$CANARY")" ] || say_failed "the canary sings: $(ls -A "$CANARY")"
}
t "restored, it archives nothing, runs nothing, loads nothing and connects to nobody" silent

# A copy of the plain backup, to be damaged.
copy() {
	rm -rf bad
	cp -a "${1:-$PLAIN}" bad
}

critical() {
	expect_status 2 restore-to-temp --records --backup bad
	expect_check "$1" critical
	expect_out "$2"
	expect_nothing_left
}

damaged() {
	copy
	rm bad/global/pg_control
	critical backup-complete 'it has no global/pg_control'
	copy
	flip bad/global/pg_control 20
	critical backup-complete 'pg_control'
	copy
	: >bad/PG_VERSION
	critical backup-complete 'PG_VERSION'
	copy
	rm "bad/$(cd bad && find base -name 1259 | head -n 1)"
	critical backup-complete '1 files are missing'
	copy
	rm bad/backup_manifest
	find bad/base -name 1259 -exec rm {} +
	critical restore 'no server starts on it|could not'
	copy
	rm bad/pg_wal/0*
	critical restore 'WAL that its recovery begins with'
	copy
	rm bad/backup_label
	critical backup-complete 'first of all backup_label'
	rm bad/backup_manifest
	expect_status 1 restore-to-temp --records --backup bad
	expect_check backup-complete warning
	expect_out 'no backup_label'
	copy
	truncate -s 100 bad/backup_manifest
	critical backup-complete 'backup_manifest'
}
t "a backup that lacks what its recovery needs is critical, and says what" damaged

tars() {
	copy source/tars-gzip
	truncate -s -1000 bad/base.tar.gz
	critical backup-complete 'truncated'
	copy source/tars-gzip
	rm bad/[0-9]*.tar.gz
	critical backup-complete 'the tablespace [0-9]+ is missing'
	copy source/tars
	rm bad/pg_wal.tar
	critical restore 'WAL that its recovery begins with'
	copy
	rm bad/pg_tblspc/*
	critical backup-complete 'files are missing'
	copy
	ln -sfn /nonexistent "bad/$(cd bad && echo pg_tblspc/*)"
	critical backup-complete 'its link leads to what is not there'
}
t "a missing tablespace, a cut tar and missing WAL are critical" tars

# hostile NAME TYPE [LINK]: a tar with such a member before the good ones.
hostile() {
	python3 - source/tars/base.tar bad/base.tar "$@" <<-'PYTHON'
		import io, shutil, sys, tarfile
		source, to, name, kind = sys.argv[1:5]
		with tarfile.open(to, "w") as out:
		    m = tarfile.TarInfo(name)
		    m.type = {"file": tarfile.REGTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
		              "device": tarfile.CHRTYPE, "fifo": tarfile.FIFOTYPE}[kind]
		    m.linkname = "/etc/passwd" if kind in ("link", "hard") else ""
		    m.size = 4 if kind == "file" else 0
		    out.addfile(m, io.BytesIO(b"evil"))
	PYTHON
	critical backup-complete "$3"
}

refused() {
	copy source/tars
	hostile ../escaped file 'leads out'
	hostile /tmp/bp-escaped file 'leads out'
	hostile base/../../../escaped file 'leads out'
	hostile base/1/1259 link 'a link'
	hostile base/1/1259 hard 'a link'
	hostile base/1/1259 device 'no file or directory'
	hostile base/1/1259 fifo 'no file or directory'
	expect_no_file /tmp/bp-escaped
	copy
	mkfifo bad/base/5/9999
	critical backup-complete 'neither a file nor a directory'
	copy
	ln -s /etc/passwd bad/base/5/9999
	critical backup-complete 'a link'
}
t "names that lead out, links and devices are refused" refused

strange() {
	copy
	echo 14 >bad/PG_VERSION
	rm bad/backup_manifest
	expect_status 3 restore-to-temp --records --backup bad
	expect_out 'install postgresql-14'
	copy
	printf 'INCREMENTAL FROM LSN: 0/2000028\nINCREMENTAL FROM TLI: 1\n' >>bad/backup_label
	rm bad/backup_manifest
	critical backup-chain 'builds on: no backup beside it began at 0/2000028 on timeline 1'
	expect_status 3 restore-to-temp --records --backup "$PLAIN" --max-disk 1MB
	expect_out 'max-disk'
	expect_nothing_left
}
t "another version and too little room are unknown, half a chain is critical, with a way out" strange

killed() {
	restore-to-temp --records --backup "$PLAIN" --wal-source "$SCRATCH" -- sleep 60 >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 20 grep -q '"instance"' "$OUT"
	kill -s KILL $pid
	wait $pid || :
	wait_for 20 expect_nothing_left
}
t "kill -9 leaves neither the server nor the process that fetches WAL" killed
