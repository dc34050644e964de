#!/bin/sh
# restore-to-temp: what it cannot do here is unknown, says so in one message, and leaves nothing.
# time limit: 600 s
# sanitizers: no, its tools run under them in the other files
. "${0%/*}/lib.sh"
need jq
need_pg

make_dumps() {
	shop_start
	sql "$SHOP" "CREATE TABLE users (id int PRIMARY KEY, email text);
		INSERT INTO users SELECT g, md5(g::text) FROM generate_series(1, 3000) g;
		CREATE TABLE filler (t text); ALTER TABLE filler ALTER t SET STORAGE EXTERNAL;
		INSERT INTO filler SELECT repeat('x', 2000000) FROM generate_series(1, 110)"
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc -f custom.dump
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp -T filler -f plain.sql
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp | gzip >big.sql.gz
}

prepare make_dumps

refused() {
	expect_status 3 "$@"
	expect_nothing_left
}

usage() {
	refused restore-to-temp --nonsense
	expect_err 'unknown option|--help'
	refused restore-to-temp --backup
	refused restore-to-temp --timeout soon --backup custom.dump
	expect_err 'timeout'
	refused restore-to-temp --durability maybe --backup custom.dump
	expect_err 'neither fast nor faithful'
	refused restore-to-temp --jobs 0 --backup custom.dump
	expect_err 'jobs'
	refused restore-to-temp --max-disk many --backup custom.dump
	refused restore-to-temp --rto-target 20 minutes --backup custom.dump
}
t "wrong usage names the option" usage

nothing_to_restore() {
	refused restore-to-temp --records
	expect_out 'put fetch-latest before restore-to-temp, or name it with --backup'
	refused restore-to-temp --records --backup nonexistent
	expect_out 'nonexistent: No such file or directory'
	mkfifo fifo
	refused restore-to-temp --records --backup fifo
	expect_out 'neither a file nor a directory'
	refused sh -c 'echo "{\"record\":\"backup\",\"name\":\"x\",\"path\":\"/x\"}" | restore-to-temp --records'
	expect_out 'no record on standard input names one that is here'
}
t "no backup to restore is unknown" nothing_to_restore

no_server() {
	mkdir nobin
	refused restore-to-temp --records --pg-bindir "$SCRATCH/nobin" --backup custom.dump
	expect_out 'there is no initdb in it'
	printf '#!/bin/sh\necho "postgres (PostgreSQL) 9.6.1"\n' >nobin/postgres
	printf '#!/bin/sh\n' | tee nobin/initdb >nobin/pg_restore
	chmod -R a+rx nobin
	PG_BINDIR=$SCRATCH/nobin refused restore-to-temp --records --backup custom.dump
	expect_out 'it is PostgreSQL 9.6.1, and the dump needs [0-9]+ or newer; install postgresql-'
	printf '#!/bin/sh\necho "postgres (PostgreSQL) 99.1"\n' >nobin/postgres
	printf '#!/bin/sh\necho "initdb: error: broken" >&2; exit 1\n' >nobin/initdb
	refused restore-to-temp --records --pg-bindir "$SCRATCH/nobin" --backup custom.dump
	expect_out 'initdb exited with status 1: broken'
}
t "no fitting server names what to install" no_server

unusable_directory() {
	refused restore-to-temp --records --work-dir "$SCRATCH/nonexistent" --backup custom.dump
	expect_out_or_err 'nonexistent'
	mkdir closed
	chmod 700 closed
	[ "$(id -u)" -eq 0 ] || return 0
	refused restore-to-temp --records --work-dir "$SCRATCH/closed" --backup custom.dump
	expect_out 'may not go there'
}
expect_out_or_err() { cat "$OUT" "$ERR" | grep -qE -e "$1" || say_failed "nowhere: $1"; }
t "a work directory that cannot be used" unusable_directory

wrong_user() {
	if [ "$(id -u)" -eq 0 ]; then
		refused restore-to-temp --records --run-as root --backup custom.dump
		expect_out 'refuses to run as root'
		refused restore-to-temp --records --run-as no-such-user-x --backup custom.dump
		expect_out 'no such user'
		expect_status 0 restore-to-temp --records --run-as nobody --backup custom.dump
		expect_out 'user nobody, without a network'
	else
		refused restore-to-temp --records --run-as root --backup custom.dump
		expect_out 'only root can become somebody else'
	fi
}
t "users that will not do" wrong_user

disk_limit() {
	refused restore-to-temp --records --max-disk 1MB --backup custom.dump
	expect_out 'it may take [0-9.]+ MB \(for [0-9]+ kB of data, packed with gzip; tables: 2, large objects: 0, indexes: 1\), and --max-disk allows 1.0 MB'
	refused restore-to-temp --records --max-disk 1MB --backup plain.sql
	expect_out 'it may take [0-9.]+ MB, and --max-disk allows 1.0 MB'
	# Small when packed, large when restored: the limit holds on the way, too.
	refused restore-to-temp --records --max-disk 170MB --backup big.sql.gz
	expect_out 'more disk than --max-disk allows'
}
t "a limit on disk space, before and on the way" disk_limit

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o size="$1",mode=1777 none small 2>/dev/null || skip "mounting is not permitted"
	status=0
	refused restore-to-temp --records --work-dir "$SCRATCH/small" --backup "$2" || status=$?
	ls -A small >small.list
	umount small
	rmdir small
	[ $status -eq 0 ]
	[ ! -s small.list ] || say_failed "left in the full file system: $(cat small.list)"
}
too_small() {
	full_disk 50m custom.dump
	expect_out 'it may take [0-9.]+ MB \(for .*indexes: 1\), and [0-9.]+ MB are free'
}
fills_up() {
	full_disk 190m "$1"
	expect_check restore unknown
	expect_out '(disk is full|No space left).*[ (][0-9.]+ MB (were|are) free, .*by estimate [0-9.]+ MB are needed'
}
t "a disk that is too small is told before" too_small
t "a disk that fills up under a script is no finding against the backup" fills_up big.sql.gz
t "a disk that fills up under pg_restore is no finding against the backup" fills_up custom.dump

command_fails() {
	expect_status 3 restore-to-temp --records --backup plain.sql -- no-such-command
	expect_check command unknown
	expect_out 'run no-such-command: No such file'
	expect_status 3 restore-to-temp --records --backup plain.sql -- true
	expect_out 'true wrote no check'
	expect_status 3 restore-to-temp --records --backup plain.sql -- sh -c 'kill -9 $$'
	expect_out 'sh killed by signal 9'
	expect_status 3 restore-to-temp --records --backup plain.sql -- sh -c 'exit 42'
	expect_out 'sh exited with status 42'
	ok='echo "{\"record\":\"check\",\"check\":\"c\",\"status\":\"ok\",\"summary\":\"s\"}"'
	expect_status 0 restore-to-temp --records --backup plain.sql -- sh -c "$ok"
	expect_no_check command
	expect_status 2 restore-to-temp --records --backup plain.sql -- sh -c "$ok; exit 2"
	expect_check temporary-server ok
	expect_nothing_left
}
t "COMMAND's failures are ours" command_fails

limits_under_command() {
	refused restore-to-temp --records --max-disk 170MB --backup plain.sql -- psql -Xqc \
		"CREATE TABLE more (t text); ALTER TABLE more ALTER t SET STORAGE EXTERNAL;
		INSERT INTO more SELECT repeat('x', 2000000) FROM generate_series(1, 2000)"
	expect_check restore ok
	expect_check limits unknown
	expect_out 'ended under COMMAND: it took more disk than --max-disk allows: [0-9]+ MB of 170 MB'
	expect_check temporary-server ok
	# Memory: no session takes too much, all of them do.
	cat >greedy <<-'EOS'
		for i in 1 2 3 4; do psql -XqAtc "DO \$\$ DECLARE a text := repeat('x', 150000000);
			BEGIN PERFORM pg_sleep(10); END \$\$" 2>/dev/null & done; wait
	EOS
	refused restore-to-temp --records --max-memory 400MB --backup plain.sql -- sh ./greedy
	expect_check restore ok
	expect_out 'ended under COMMAND: it took more memory than --max-memory allows: [0-9]+ MB of 400 MB'
	expect_check temporary-server ok
	# Connections: of a hundred at a time some are refused.
	cat >crowd <<-'EOS'
		for i in $(seq 100); do psql -XqAtc 'SELECT pg_sleep(1)' & done 2>&1 |
			grep -c 'too many clients' >refused
	EOS
	expect_status 3 restore-to-temp --records --jobs 1 --backup plain.sql -- sh ./crowd
	expect_no_check limits
	[ "$(cat refused)" -gt 0 ]
	# Held for people, too; and without a COMMAND that fills it nothing is ended.
	restore-to-temp --records --max-disk 170MB --keep-for 60s --backup plain.sql >kept.jsonl 2>kept.err &
	kept=$!
	wait_for 30 grep -q 'psql -h' kept.err
	dir=$(sed -n 's/.*psql -h \([^ ]*\) .*/\1/p' kept.err)
	as_pg "$PG_BIN/psql" -Xq -h "$dir" -U postgres -d restored -c "CREATE TABLE more (t text); ALTER TABLE more ALTER t
		SET STORAGE EXTERNAL; INSERT INTO more SELECT repeat('x', 2000000) FROM generate_series(1, 2000)" || true
	wait $kept || true
	jq -es 'any(.check == "limits" and .status == "unknown" and (.summary | test("removed early")))' kept.jsonl
	expect_nothing_left
}
t "the limits hold while COMMAND or people use the server" limits_under_command

closed_directory() {
	[ "$(id -u)" -eq 0 ] || skip "needs root, who may enter any directory"
	mkdir -m 700 private
	cp plain.sql custom.dump private
	chmod 644 private/*
	expect_status 0 restore-to-temp --records --backup private/custom.dump
	expect_check restore ok
	expect_status 0 restore-to-temp --records --backup private/plain.sql
	expect_nothing_left
}
t "a backup in a directory that only root may enter is restored" closed_directory

out_of_time() {
	expect_status 3 restore-to-temp --records --timeout 2s --backup plain.sql -- sleep 60
	expect_check timeout unknown
	expect_check temporary-server ok
	expect_records '.[-1].event == "end"'
	expect_nothing_left
}
t "--timeout ends it, and cleans up" out_of_time

closed_output() {
	expect_status 3 sh -c 'restore-to-temp --records --backup plain.sql >&-'
	expect_status 3 sh -c 'restore-to-temp --records --backup plain.sql >/dev/full'
	expect_nothing_left
}
t "a closed or full standard output is unknown" closed_output

isolation_required() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to forbid namespaces"
	setpriv --bounding-set -sys_admin true 2>/dev/null || skip "setpriv cannot drop capabilities"
	expect_status 3 setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		restore-to-temp --records --require-isolation --backup plain.sql
	expect_out 'isolation is required'
	expect_status 1 setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		restore-to-temp --records --backup plain.sql
	expect_check isolation warning
	expect_check restore ok
	expect_nothing_left
}
t "isolation: a warning where it is not possible, a refusal where it is required" isolation_required

two_at_once() {
	restore-to-temp --records --backup custom.dump >first 2>&1 &
	first=$!
	expect_status 0 restore-to-temp --records --backup plain.sql
	wait $first
	expect_nothing_left
}
t "two runs at once do not disturb each other" two_at_once
