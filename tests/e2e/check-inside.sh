#!/bin/sh
# check-inside: check-integrity in a running server, by amcheck: what is sound passes, a changed page
# of a table or an index is found, and the relation named.
. "${0%/*}/lib.sh"
need jq python3

[ -n "$PG_BIN" ] || {
	echo "skip - check-inside.sh # needs PostgreSQL"
	exit 0
}
pg_start || exit 3
sql "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 5000) g; CREATE INDEX ti ON t (m); CHECKPOINT"
TABLE=$PG_SOCKET/data/$(sql "SELECT pg_relation_filepath('t')")
INDEX=$PG_SOCKET/data/$(sql "SELECT pg_relation_filepath('ti')")

inside() {
	want=$1
	shift
	jq -nc --arg dsn "$PG_DSN" '{record: "instance", conninfo: $dsn, database: "postgres", databases: ["postgres"]}' >in
	expect_status "$want" sh -c 'check-integrity --records "$@" <in' sh "$@"
}

sound() {
	inside 0
	expect_check heap-integrity ok postgres
	expect_check index-integrity ok postgres
	expect_check index-valid ok
	inside 0 --deep
}
t "a sound server passes" sound

# damage FILE OFFSET COUNT: while the server is down; the same again mends it.
damage() {
	as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -m fast -w -s stop
	flip "$@"
	pg_run "$PG_SOCKET" -c listen_addresses=
}

heap() {
	damage "$TABLE" 8216 3
	inside 2
	expect_check heap-integrity critical public.t
	expect_out 'block 1'
	damage "$TABLE" 8216 3
	inside 0
}
t "changed line pointers of a table are found, with their block" heap

index() {
	damage "$INDEX" $((8192 * 2 - 24)) 1
	inside 2 --deep
	expect_check index-integrity critical public.ti
	damage "$INDEX" $((8192 * 2 - 24)) 1
	inside 0 --deep
}
t "a changed key of an index is found" index
