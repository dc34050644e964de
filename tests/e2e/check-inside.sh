#!/bin/sh
# check-integrity in a running server, by amcheck and by the files: what is sound passes; a changed page
# of a table or an index, a lost or cut file is found, and the relation named.
. "${0%/*}/lib.sh"
need jq python3

[ -n "$PG_BIN" ] || {
	echo "skip - check-inside.sh # needs PostgreSQL"
	exit 0
}

stop() { as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -m fast -w -s stop; }
start() { pg_run "$PG_SOCKET" -c listen_addresses=; }
file() { echo "$PG_SOCKET/data/$(sql "SELECT pg_relation_filepath('$1')")"; }

pg_start || exit 3
sql "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 5000) g; CREATE INDEX ti ON t (m);
	CREATE TABLE u (n int) PARTITION BY RANGE (n); CREATE TABLE u1 PARTITION OF u FOR VALUES FROM (0) TO (9);
	CREATE MATERIALIZED VIEW v AS SELECT * FROM t; CREATE INDEX vh ON t USING hash (g); CREATE SEQUENCE s;
	CREATE TABLE lost (n int PRIMARY KEY); CREATE TABLE big (v text); ALTER TABLE big ALTER v SET STORAGE EXTERNAL;
	INSERT INTO big VALUES (repeat('x', 100000)); CREATE TABLE c AS SELECT 'a'::text COLLATE \"C\" k;
	INSERT INTO lost VALUES (1), (2); INSERT INTO u VALUES (1); CREATE UNLOGGED TABLE w (n int PRIMARY KEY); CHECKPOINT"
TABLE=$(file t) INDEX=$(file ti) HASH=$(file vh) VIEW=$(file v) PART=$(file u1) LOST=$(file lost_pkey)
TOAST=$(file "$(sql "SELECT reltoastrelid::regclass FROM pg_class WHERE relname = 'big'")")
stop
cp -a "$PG_SOCKET/data" "$PG_SOCKET/good"

# inside STATUS [OPTION...]: what check-integrity says of the server as the records name it.
inside() {
	want=$1
	shift
	jq -nc --arg dsn "$PG_DSN" '{record: "instance", conninfo: $dsn, database: "postgres", databases: ["postgres"]}' >in
	expect_status "$want" sh -c 'check-integrity --records "$@" <in' sh "$@"
}

sound() {
	start
	# Functions of the same names are not those of amcheck.
	sql "CREATE FUNCTION bt_index_check(regclass) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE data_corrupted; END';
		CREATE FUNCTION verify_heapam(oid) RETURNS TABLE (blkno int, offnum int, msg text) LANGUAGE sql
			AS 'SELECT 1, 1, ''decoy'''"
	inside 0
	for check in heap-integrity index-integrity index-valid relation-files; do
		expect_check $check ok postgres
	done
	expect_records 'any(.check == "index-integrity" and (.summary | contains("1 of other kinds (hash) it cannot look at")))'
	inside 0 --deep --jobs 3
	inside 0 --max-seconds 1h
	stop
}
t "a sound server passes, by amcheck's own functions; what they cannot look at is told" sound

# Several faults at a time, of which each has a finding of its own; the same bytes again mend them.
pages() {
	for fault in "$TABLE 8216 3" "$VIEW 24 3" "$PART 24 3" "$TOAST 24 3" "$HASH 8216 3"; do
		# shellcheck disable=SC2086  # words
		flip $fault
	done
	start
	inside 2 --jobs 2
	for name in public.t public.v public.u1 "pg_toast.pg_toast_$(sql "SELECT 'big'::regclass::oid")"; do
		expect_check heap-integrity critical "$name"
	done
	expect_out 'block 1'
	expect_check index-integrity ok postgres
	stop
	for fault in "$TABLE 8216 3" "$VIEW 24 3" "$PART 24 3" "$TOAST 24 3" "$HASH 8216 3"; do
		# shellcheck disable=SC2086  # words
		flip $fault
	done
}
t "changed line pointers of tables, views, partitions and toast are found; a hash index it cannot look at" pages

index() {
	flip "$INDEX" $((8192 * 2 - 24)) 1
	start
	inside 2 --deep
	expect_check index-integrity critical public.ti
	expect_check heap-integrity ok postgres
	stop
	flip "$INDEX" $((8192 * 2 - 24)) 1
}
t "a changed key of an index is found" index

# One of each: gone, cut inside a page, emptied, torn from its segment; and one too many.
files() {
	rm "$LOST"
	truncate -s -100 "$TABLE"
	: >"$INDEX"
	cp "$VIEW" "$VIEW.2"
	cp "$VIEW" "$(dirname "$VIEW")/99999"
	start
	inside 2
	expect_check relation-files critical public.lost_pkey
	expect_check relation-files critical public.t
	expect_check relation-files critical public.ti
	expect_check relation-files critical public.v
	expect_records "any(.check == \"relation-files\" and (.summary | test(\"missing: base/[0-9]+/${VIEW##*/}.1\$\")))"
	expect_check index-integrity critical public.lost_pkey
	expect_records 'any(.check == "relation-files" and any(.metrics[]?; .name == "orphaned_files" and .value == 1))'
	stop
	for file in "$LOST" "$TABLE" "$INDEX"; do
		cp -a "$PG_SOCKET/good${file#"$PG_SOCKET"/data}" "$file"
	done
	rm "$VIEW.2"
	start
	inside 0
	expect_records 'any(.check == "relation-files" and (.summary | contains("belong to none of them")))'
}
t "files that are missing, cut, emptied or without their predecessor are found; an orphan is noted" files

# Its sort order is another than when it was built: as after an upgrade of the C library.
order() {
	sql "INSERT INTO c VALUES ('B'); CREATE INDEX ci ON c (k)"
	inside 0
	sql "UPDATE pg_attribute SET attcollation = 'en-x-icu'::regcollation WHERE attname = 'k';
		UPDATE pg_index SET indcollation = array_to_string(ARRAY['en-x-icu'::regcollation::oid], ' ')::oidvector
		WHERE indexrelid = 'ci'::regclass"
	inside 2
	expect_check index-integrity critical public.ci
	sql "REINDEX INDEX ci"
	inside 0
}
t "an index whose sort order changed under it is found" order

unfinished() {
	sql "CREATE TABLE twice AS SELECT 1 AS n FROM generate_series(1, 2)"
	not sql "CREATE UNIQUE INDEX CONCURRENTLY never ON twice (n)"
	inside 1
	expect_check index-valid warning postgres
	expect_out 'never is not valid'
	expect_check relation-files ok postgres
	sql "DROP INDEX never"
}
t "an index that was never finished is a warning" unfinished

# In a view of the file system of its own, where the extension's files are covered.
missing() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	share=$("$PG_BIN/pg_config" --sharedir)/extension
	mkdir -p empty
	sql "DROP EXTENSION amcheck"
	stop
	# shellcheck disable=SC2016  # expanded by the inner shell
	unshare --mount sh -ec 'mount --bind "$1" "$2"; shift 2; "$@"' sh "$SCRATCH/empty" "$share" \
		setpriv --reuid=postgres --regid=postgres --init-groups "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -w -s \
		-l "$PG_SOCKET/server.log" -o "-c unix_socket_directories=$PG_SOCKET -c listen_addresses=" start ||
		skip "optional: no file systems can be mounted here"
	started "$(head -n 1 "$PG_SOCKET/data/postmaster.pid")" INT
	inside 3
	expect_check index-integrity unknown
	expect_out 'postgresql-contrib'
	expect_check relation-files ok
}
t "without amcheck it is unknown, and the package is named" missing
