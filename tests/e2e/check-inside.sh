#!/bin/sh
# check-integrity in a running server, by amcheck and by the files: what is sound passes; a changed page
# of a table or an index, a lost or cut file is found, and the relation named.
. "${0%/*}/lib.sh"
need jq python3
need_pg

stop() { as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -m fast -w -s stop; }
start() { pg_run "$PG_SOCKET" -c listen_addresses=; }
file() { echo "$PG_SOCKET/data/$(sql "SELECT pg_relation_filepath('$1')")"; }

pg_start || exit 3
sql "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 5000) g; CREATE INDEX ti ON t (m);
	CREATE TABLE u (n int) PARTITION BY RANGE (n); CREATE TABLE u1 PARTITION OF u FOR VALUES FROM (0) TO (9);
	CREATE TABLE u2 PARTITION OF u FOR VALUES FROM (9) TO (19); CREATE TABLE t2 AS SELECT * FROM t LIMIT 9;
	CREATE MATERIALIZED VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW v2 AS SELECT * FROM t;
	CREATE SEQUENCE s; CREATE SEQUENCE s2; CREATE INDEX t2i ON t2 (m);
	CREATE TABLE lost (n int PRIMARY KEY); CREATE TABLE big (v text); ALTER TABLE big ALTER v SET STORAGE EXTERNAL;
	INSERT INTO big VALUES (repeat('x', 100000)); CREATE TABLE big2 AS SELECT * FROM big; CREATE TABLE c AS
	SELECT 'a'::text COLLATE \"C\" k; INSERT INTO lost VALUES (1), (2); INSERT INTO u VALUES (1), (10);
	CREATE UNLOGGED TABLE w (n int PRIMARY KEY); CREATE TABLE o AS SELECT g i, box(point(g, g), point(1, 2)) b,
	ARRAY[g] a, int4range(g, g + 9) r FROM generate_series(1, 50) g; $(for n in 1 2; do
		echo "CREATE INDEX hash$n ON o USING hash (i); CREATE INDEX brin$n ON o USING brin (i);
		CREATE INDEX gist$n ON o USING gist (b); CREATE INDEX gin$n ON o USING gin (a);
		CREATE INDEX spgist$n ON o USING spgist (r);"
	done)"
DSN1="${PG_DSN%postgres}template1"
for db in db2 db3; do sql "$DSN1" "CREATE DATABASE $db TEMPLATE postgres"; done
sql CHECKPOINT
TABLE=$(file t) INDEX=$(file ti) VIEW=$(file v) LOST=$(file lost_pkey)
TOAST=$(sql "SELECT 'big'::regclass::oid") TOAST2=$(sql "SELECT 'big2'::regclass::oid")

# The plan of PostgreSQL's src/bin/pg_amcheck/t/003_check.pl: in each database a relation, whether its first
# page gets junk (where its line pointers begin) or its file goes, the check that finds it, with what words. Other kinds of indexes amcheck
# cannot look at: "-" (that a file is missing is found there, too). Nothing befalls db3.
cat >plan <<PLAN
postgres|t|junk|heap-integrity|line pointer
postgres|ti|junk|index-integrity|"ti"
postgres|v|junk|heap-integrity|line pointer
postgres|u1|junk|heap-integrity|line pointer
postgres|pg_toast.pg_toast_$TOAST|junk|heap-integrity|line pointer
postgres|s|junk|heap-integrity|line pointer
postgres|hash1|junk|-|
postgres|gist1|junk|-|
postgres|gin1|junk|-|
postgres|brin1|junk|-|
postgres|spgist1|junk|-|
postgres|t2|lost|heap-integrity|No such file
postgres|t2i|lost|index-integrity|lacks a main
postgres|v2|lost|heap-integrity|No such file
postgres|u2|lost|heap-integrity|No such file
postgres|pg_toast.pg_toast_$TOAST2|lost|heap-integrity|No such file
postgres|s2|lost|heap-integrity|No such file
postgres|hash2|lost|-|
postgres|gist2|lost|-|
postgres|gin2|lost|-|
postgres|brin2|lost|-|
postgres|spgist2|lost|-|
db2|t|lost|heap-integrity|No such file
db2|ti|lost|index-integrity|lacks a main
PLAN
while IFS='|' read -r db name rest; do
	echo "$db|$name|$rest|$(sql "${PG_DSN%postgres}$db" "SELECT pg_relation_filepath('$name')")"
done <plan >planned
stop
cp -a "$PG_SOCKET/data" "$PG_SOCKET/good"

# inside STATUS [OPTION...]: what check-integrity says of the server, or $DATABASES of it, as the records name it.
DATABASES=
inside() {
	want=$1
	shift
	# shellcheck disable=SC2086  # words
	jq -nc --arg dsn "$PG_DSN" '{record: "instance", conninfo: $dsn, database: "postgres",
		databases: ($ARGS.positional | if . == [] then ["postgres"] else . end)}' --args $DATABASES >in
	expect_status "$want" sh -c 'check-integrity --records "$@" <in' sh "$@"
}

sound() {
	DATABASES='postgres db2 db3'
	start
	# Functions of the same names are not those of amcheck.
	sql "CREATE FUNCTION bt_index_check(regclass) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE data_corrupted; END';
		CREATE FUNCTION verify_heapam(oid) RETURNS TABLE (blkno int, offnum int, msg text) LANGUAGE sql
			AS 'SELECT 1, 1, ''decoy'''"
	inside 0
	for check in heap-integrity index-integrity index-valid relation-files; do
		for db in $DATABASES; do expect_check $check ok "$db"; done
	done
	expect_records 'any(.check == "index-integrity" and (.summary
		| contains("10 of other kinds (brin, gin, gist, hash, spgist) it cannot look at")))'
	inside 0 --deep --jobs 3
	inside 0 --max-seconds 1h
	stop
}
t "a sound server passes, by amcheck's own functions; what they cannot look at is told" sound

# All at a time, as there, of which each has a finding of its own.
planned() {
	while IFS='|' read -r _ _ fault _ _ file; do
		if [ "$fault" = lost ]; then
			rm "$PG_SOCKET/data/$file"
		else
			printf '\120\125\241\252\120\325\240\252\0\0\1\0\0\200\0\0\17\200\0\0\0\200\36\0\377\377\377\377' |
				dd of="$PG_SOCKET/data/$file" bs=1 seek=24 conv=notrunc status=none
		fi
	done <planned
	start
	DATABASES='postgres db2 db3'
	inside 2 --jobs 2
	expect_no_err
	for check in heap-integrity index-integrity index-valid relation-files; do expect_check $check ok db3; done
	while IFS='|' read -r _ name fault check words _; do
		case $name in *.*) ;; *) name=public.$name ;; esac
		[ "$fault" = junk ] || expect_check relation-files critical "$name"
		if [ "$check" != - ]; then
			expect_check "$check" critical "$name"
			jq -es --arg check "$check" --arg name "$name" --arg words "$words" 'any(.check == $check
				and .subject == $name and (.summary | test($words)))' "$OUT" >/dev/null ||
				say_failed "not found for its reason: $name"
		elif [ "$fault" = junk ]; then
			expect_records "all(.subject != \"$name\")"
		fi
	done <planned
	stop
	rm -rf "$PG_SOCKET/data"
	cp -a "$PG_SOCKET/good" "$PG_SOCKET/data"
}
t "each fault of pg_amcheck's own plan is found, in its database alone; sequences, too, which it leaves out" planned

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

# As 005_opclass_damage.pl does it. That the function is in a library that is not here is no damage.
opclass() {
	sql "CREATE FUNCTION up(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN a = b THEN 0 WHEN a > b
			THEN 1 ELSE -1 END'; CREATE FUNCTION down(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT
			CASE WHEN a = b THEN 0 WHEN a > b THEN -1 ELSE 1 END';
		CREATE OPERATOR CLASS fickle FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
			OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 up(int, int);
		CREATE TABLE f AS SELECT generate_series(1, 1000) i; CREATE INDEX fi ON f (i fickle)"
	inside 0
	sql "UPDATE pg_amproc SET amproc = 'down'::regproc WHERE amproc = 'up'::regproc"
	inside 2
	expect_check index-integrity critical public.fi
	expect_out 'item order invariant violated for index .*fi'
	sql "UPDATE pg_proc SET prolang = (SELECT oid FROM pg_language WHERE lanname = 'c'), prosqlbody = NULL,
		probin = '/nonexistent', prosrc = 'down' WHERE oid = 'down'::regproc"
	inside 3
	expect_check index-integrity unknown postgres
	expect_out '1 of [0-9]+ B-tree indexes could not be looked at: .*nonexistent'
	sql "DROP TABLE f"
	inside 0
}
t "an operator class that orders differently now is found; one whose library is missing is unknown" opclass

# From PostgreSQL 17 on amcheck looks for them.
duplicates() {
	[ "$(sql "SHOW server_version_num")" -ge 170000 ] || skip "optional: needs PostgreSQL 17"
	sql "CREATE TABLE d AS SELECT 1 AS n; CREATE UNIQUE INDEX di ON d (n)"
	inside 0 --deep
	sql "UPDATE pg_index SET indisunique = false WHERE indexrelid = 'di'::regclass; INSERT INTO d VALUES (1);
		UPDATE pg_index SET indisunique = true WHERE indexrelid = 'di'::regclass"
	inside 0
	inside 2 --deep
	expect_check index-integrity critical public.di
	expect_out 'uniqueness is violated'
	sql "DROP TABLE d"
}
t "a unique index with duplicates is found" duplicates

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
