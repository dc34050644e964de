#!/bin/sh
# compare-counts --dump: the rows in a dump beside production's, and beside a baseline, without a
# restore.
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq
need_pg

pg_start || exit 1
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
sql 'CREATE DATABASE shop'
sql "$SHOP" "CREATE TABLE orders (id int, created_at timestamptz);
	INSERT INTO orders SELECT g, '2026-02-17 01:00Z'::timestamptz + g * interval '1 second' FROM generate_series(1, 1000) g;
	CREATE TABLE codes (id int); INSERT INTO codes VALUES (1), (2);
	CREATE TABLE none (id int);
	CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM orders"
"$PG_BIN/pg_dumpall" -d "$PG_DSN" -f all.sql
"$PG_BIN/pg_dump" -Fc -d "$SHOP" -f shop.dump

# compared STATUS DUMP [FILTER]: with the counts as jq's FILTER changes them.
compared() {
	inspect-dump --records --time-column created_at "$2" | jq -c "${3-.}" >records
	expect_status "$1" compare-counts --dump --records --production "$SHOP" --all <records
}

same() {
	for f in shop.dump all.sql; do
		compared 0 "$f"
		expect_check row-count ok public.orders
		expect_check row-count ok public.v
		expect_check tables-compared ok
	done
}
t "the same rows are ok, of a pg_dumpall too" same

lost() {
	compared 2 shop.dump 'if .check == "dump-rows" and .subject == "public.orders" then .observed = 900 else . end'
	expect_check row-count critical public.orders
	compared 2 shop.dump 'select(.check != "dump-rows" or .subject != "public.orders")'
	expect_check row-count critical public.orders
	compared 2 shop.dump 'if .subject == "public.codes" then .observed = 0 else . end'
	expect_check row-count critical public.codes
	compared 2 shop.dump 'if .subject == "public.codes" then .status = "critical" else . end'
	expect_check row-count critical public.codes
}
t "rows, or a table, missing in the dump are critical" lost

nothing() {
	expect_status 3 compare-counts --dump --records --production "$SHOP" </dev/null
	expect_check tables-compared unknown
	inspect-dump --records shop.dump >records
	expect_status 1 compare-counts --dump --records <records
	expect_check tables-compared warning
}
t "nothing compared is never ok" nothing

moved_on() {
	sql "$SHOP" "INSERT INTO orders SELECT g, '2026-02-18 00:00Z' FROM generate_series(1001, 1047) g; INSERT INTO codes VALUES (3)"
	compared 1 shop.dump
	expect_records 'any(.subject == "public.orders" and .status == "ok" and .metrics[2].value == 0 and .expected == 1047)'
	expect_check row-count warning public.codes
	sql "$SHOP" "DELETE FROM orders WHERE id <= 60"
	compared 1 shop.dump
	expect_check row-count warning public.orders
	expect_status 0 compare-counts --dump --records --production "$SHOP" --all --tolerance 60 <records
}
t "production's new rows are no loss, what it deleted is a warning" moved_on

sql 'CREATE DATABASE odd'
ODD="host=$PG_SOCKET user=postgres dbname=odd"
sql "$ODD" "
	CREATE TABLE people (id int PRIMARY KEY, name text, at timestamptz, x float8);
	CREATE TABLE \"Odd \"\"na.me\" (\"a b\" text, twice int GENERATED ALWAYS AS (2) STORED);
	CREATE TABLE bare (); CREATE SEQUENCE \"an \"\"odd\" INCREMENT -2; CREATE SEQUENCE new;
	DO 'BEGIN FOR i IN 1..70 LOOP EXECUTE ''CREATE SEQUENCE s'' || i; END LOOP; END';
	SELECT nextval('\"an \"\"odd\"') FROM generate_series(1, 20);
	CREATE TABLE void (id int);
	CREATE UNLOGGED TABLE fleeting (id int);
	CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	CREATE TABLE parent (id int); CREATE TABLE child (more int) INHERITS (parent);
	INSERT INTO people SELECT g, 'name ' || g, '2026-02-17 01:00Z'::timestamptz + g * interval '1 s', g / 3.0 FROM generate_series(1, 3000) g;
	INSERT INTO \"Odd \"\"na.me\" VALUES (E'tab\\tand\\nline'), (NULL), ('\\N'), ('\\.');
	INSERT INTO bare DEFAULT VALUES;
	INSERT INTO fleeting VALUES (1);
	INSERT INTO parted SELECT g, '2026-03-03' FROM generate_series(1, 100) g;
	INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
	ALTER DATABASE odd SET timezone = 'Asia/Kathmandu';
	SELECT count(lo_from_bytea(g, decode(md5(g::text), 'hex'))) FROM generate_series(70001, 70005) g" >/dev/null

# captured FILE OPTION...: a dump and its baseline.
captured() {
	file=$1
	shift
	expect_status 0 capture-counts --checksum=copy --beside "$file" --database "$ODD" -- \
		"$PG_BIN/pg_dump" "$@" --snapshot=@SNAPSHOT@ -f "$file" "$ODD"
}

# beside STATUS FILE BASELINE [FILTER]: the dump beside the baseline.
beside() {
	inspect-dump --records --checksum "$2" | jq -c "${4-.}" >records
	expect_status "$1" compare-counts --dump --records --checksum --baseline "$3.counts.json" <records
}

equal() {
	for how in p c d t; do
		captured "odd.$how" -F$how
		beside 0 "odd.$how" "odd.$how"
		expect_records 'any(.check == "baseline-rows" and .status == "ok" and .subject == ""
			and (.summary | test("8 tables, 3,108 rows.*to the last byte")))'
		expect_check baseline ok
		expect_check baseline-sequences ok ""
		[ $how = p ] || expect_check baseline-large-objects ok ""
	done
	"$PG_BIN/pg_dumpall" -d "$PG_DSN" | gzip >everything.gz
	beside 1 everything.gz odd.p 'if .check == "dump-rows" then del(.checksum) else . end'
	expect_check baseline-rows ok ""
	expect_check baseline-content warning ""
	# more than one record takes, and those of one database among several
	expect_records 'map(select(.check == "dump-sequences" and .database == "odd") | .metrics[0].value) | add == 72'
	expect_check baseline-sequences ok ""
}
t "a dump of every format equals its baseline, to the last byte" equal

# A row as long as before, a row less, a table less: found, named, and nothing else is.
found() {
	beside 2 "$1" odd.p "${4-.}"
	jq -es --arg check "$2" --arg subject "$3" 'map(select(.check? and .tool == "compare-counts" and .status != "ok"))
		| length == 1 and .[0].check == $check and .[0].subject == $subject' "$OUT" >/dev/null ||
		say_failed "$1: $(jq -c 'select(.status? != "ok")' "$OUT")"
}

damage() {
	sed 's/^1234\tname 1234\t/1234\tname 1235\t/' odd.p >flipped.sql
	found flipped.sql baseline-content public.people
	sed '/^77\tname 77\t/d' odd.p >less.sql
	found less.sql baseline-rows public.people
	found odd.p baseline-rows 'public."Odd ""na.me"' \
		'select(.check != "dump-rows" or (.table | test("Odd") | not))'
	found odd.p baseline-rows public.void \
		'if .table? == "public.void" then .status = "critical" else . end'
	found odd.c baseline-large-objects "" \
		'if .check == "dump-complete" then (.metrics[] | select(.name == "objects") | .value) = 4 else . end'
	# a sequence that stands elsewhere, and one that is not there
	sed '/^SELECT.*setval.*odd/s/true/false/' odd.p >sequence.sql
	found sequence.sql baseline-sequences 'public."an ""odd"'
	expect_out 'stands at -39 \(never used\); the baseline has -39'
	sed '/^SELECT.*public.new/d' odd.p >sequence.sql
	found sequence.sql baseline-sequences public.new
	inspect-dump --records --checksum odd.p | jq -c 'select(.table? != "public.void")' >records
	expect_status 0 compare-counts --dump --records --checksum --exclude void --baseline odd.p.counts.json <records
}
t "a changed byte, a lost row, table or object is found, named, and nothing else" damage

weaker() {
	"$PG_BIN/pg_dump" --inserts -f inserts.sql "$ODD"
	beside 1 inserts.sql odd.p
	expect_check baseline-content warning ""
	expect_check baseline-rows ok ""
	inspect-dump --records odd.p >records
	expect_status 0 compare-counts --dump --records --baseline odd.p.counts.json <records
	expect_status 1 compare-counts --dump --records --checksum --baseline odd.p.counts.json <records
	# other bytes for the same rows are no damage
	"$PG_BIN/pg_dump" -E LATIN1 -f latin.sql "$ODD"
	beside 1 latin.sql odd.p
	expect_check baseline-rows ok ""
	expect_status 3 compare-counts --dump --records --baseline odd.p.counts.json </dev/null
	expect_check tables-compared unknown
}
t "what cannot be compared to the byte is a warning, no alarm" weaker

sidecar() {
	mkdir backups
	mv odd.c odd.c.counts.json backups
	# shellcheck disable=SC2016
	expect_status 0 sh -c 'fetch-latest --records backups | CHECKSUM=yes inspect-dump --records |
		CHECKSUM=yes compare-counts --dump --records'
	expect_check baseline ok
	expect_check baseline-rows ok ""
	fetch-latest --records backups >records
	expect_status 0 sh -c "inspect-dump --records <records |
		compare-counts --dump --records --all --production '$ODD'"
	expect_check baseline ok
	expect_check tables-compared ok
	# what production got since the snapshot is new
	sql "CREATE DATABASE restored TEMPLATE odd"
	sql "$ODD" "INSERT INTO people VALUES (5000, 'new', now())"
	expect_status 0 compare-counts --records --all --time-column people.at --baseline odd.p.counts.json \
		--restored "host=$PG_SOCKET user=postgres dbname=restored" --production "$ODD"
	expect_records 'any(.check == "tables-compared" and (.summary | test("the baseline.s snapshot")))'
}
t "the baseline is found beside the backup, and production is looked at too" sidecar
