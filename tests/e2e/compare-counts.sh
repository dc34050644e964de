#!/bin/sh
# compare-counts: a real dump restored beside a production that moves on, and what must be found.
# time limit: 300 s
. "${0%/*}/lib.sh"
need jq

pg_start || exit 3
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
GOOD="host=$PG_SOCKET user=postgres dbname=good"
BACK="host=$PG_SOCKET user=postgres dbname=back"

# Rows of the last month; nothing in the last minutes before the dump.
sql "CREATE DATABASE shop"
sql "$SHOP" "
	CREATE TABLE users (id serial PRIMARY KEY, name text,
		created_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE orders (id bigserial PRIMARY KEY, user_id int, due_date date,
		created_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE countries (code text PRIMARY KEY, name text);
	CREATE TABLE settings (key text, value text);
	CREATE TABLE nothing (id int);
	CREATE TABLE audit (id bigserial, event_time timestamptz NOT NULL, what text)
		PARTITION BY RANGE (event_time);
	CREATE TABLE audit_old PARTITION OF audit FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
	CREATE TABLE audit_new PARTITION OF audit FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
	CREATE UNLOGGED TABLE cache (key text, value text);
	INSERT INTO users (name, created_at)
		SELECT 'u' || g, now() - interval '30 days' + g * interval '10 min'
		FROM generate_series(1, 4000) g;
	INSERT INTO orders (user_id, due_date, created_at)
		SELECT g % 4000, current_date + 30, now() - g * interval '1 min' - interval '5 min'
		FROM generate_series(1, 20000) g;
	INSERT INTO audit (event_time, what)
		SELECT now() - g * interval '1 min' - interval '5 min', repeat('x', 60)
		FROM generate_series(1, 30000) g;
	INSERT INTO countries VALUES ('at', 'Austria'), ('de', 'Germany');
	INSERT INTO settings SELECT g, g FROM generate_series(1, 7) g;
	INSERT INTO cache VALUES ('a', 'b');
	CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) FROM orders GROUP BY 1;"
as_pg "$PG_BIN/pg_dump" -Fc -f "$TMPDIR/shop.dump" -d "$SHOP"
TAKEN=$(date -u +%FT%TZ)
sql "CREATE DATABASE good"
as_pg "$PG_BIN/pg_restore" -d "$GOOD" "$TMPDIR/shop.dump"

# The records that fetch-latest and restore-to-temp would write.
records() {
	printf '{"record":"backup","name":"shop.dump","newest":true,"taken_at":"%s","modified_at":"%s"}\n' \
		"${1:-$TAKEN}" "${2:-$TAKEN}"
	printf '{"record":"instance","conninfo":"host=%s user=postgres","database":"back","databases":["back"]}\n' \
		"$PG_SOCKET"
}

# restored [SQL]: the good restore, damaged by SQL.
restored() {
	sql "DROP DATABASE IF EXISTS back"
	sql "CREATE DATABASE back TEMPLATE good"
	[ $# -eq 0 ] || sql "$BACK" "$1"
}

# compare STATUS [OPTION...]
compare() {
	want_status=$1
	shift
	records >input
	expect_status "$want_status" compare-counts --records --production "$SHOP" "$@" <input
}

equal_is_ok() {
	restored
	compare 0 --all
	expect_check row-count ok public.orders
	expect_check row-count ok public.audit_new
	expect_check row-count ok public.nothing
	expect_check row-count ok public.cache
	expect_check row-count ok public.totals
	expect_check tables-compared ok
	expect_records 'any(.check == "row-count" and .subject == "public.orders" and .observed == 20000
		and .expected == 20000 and (.summary | test("^20,000 \\(production: 20,000\\) - match$"))
		and any(.metrics[]; .name == "unexplained_rows" and .value == 0 and .crit == "0"))'
	# the parent's rows are its partitions'
	expect_records 'all(.subject != "public.audit")'
	# and what came in went out first
	expect_records '.[0].record == "backup" and .[0].newest and any(.record == "instance")'
}
t "a faithful restore matches in every table" equal_is_ok

new_rows_are_explained() {
	restored
	sql "$SHOP" "BEGIN; INSERT INTO orders (user_id) SELECT g FROM generate_series(1, 47) g; COMMIT"
	compare 0
	expect_check row-count ok public.orders
	expect_records 'any(.subject == "public.orders" and .summary ==
		"20,000 (production: 20,047) - 47 newer than the recovery point")'
	expect_records 'any(.check == "row-count" and .time_column == "created_at")'
}
t "47 orders since the backup are explained" new_rows_are_explained

lost() {
	restored "$1"
	compare 2 --all
	expect_check row-count critical "$2"
	expect_records "any(.subject == \"$2\" and any(.metrics[];
		.name == \"unexplained_rows\" and .value == $3))"
	expect_records "all(.check != \"row-count\" or .subject == \"$2\" or .status == \"ok\")"
}
t "one lost row is found" lost "DELETE FROM orders WHERE id = 777" public.orders 1
t "a lost newest row is found" \
	lost "DELETE FROM orders WHERE created_at = (SELECT max(created_at) FROM orders)" public.orders 1
t "1,000 lost newest rows do not excuse themselves" lost "DELETE FROM orders WHERE id IN
	(SELECT id FROM orders ORDER BY created_at DESC LIMIT 1000)" public.orders 1000
t "lost oldest rows are found" lost "DELETE FROM audit_new WHERE id IN
	(SELECT id FROM audit_new ORDER BY event_time LIMIT 5)" public.audit_new 5
t "a row too many is found" lost "INSERT INTO users (name, created_at)
	VALUES ('ghost', '2026-01-01')" public.users 1
t "a row lost in a table without a time column is found" \
	lost "DELETE FROM settings WHERE key = '3'" public.settings 1
t "an emptied table is found" lost "TRUNCATE countries" public.countries 2
t "a dropped table is found" lost "DROP TABLE settings" public.settings 7
t "a dropped partition is found" lost "DROP TABLE audit_new" public.audit_new 30000

small_but_missing() {
	restored "DROP TABLE settings; TRUNCATE countries"
	compare 2 --top 1
	expect_check row-count critical public.settings
	expect_check row-count critical public.countries
	expect_records '[.[] | select(.check == "row-count")] | length == 3'
}
t "a small table that is missing or empty is found among the largest" small_but_missing

missing_in_production() {
	restored "CREATE TABLE stray (id int); INSERT INTO stray VALUES (1)"
	compare 1
	expect_check row-count warning public.stray
	expect_records 'any(.summary == "1, but production has no such table")'
}
t "a table that production does not have is a warning" missing_in_production


tolerances() {
	restored "DELETE FROM settings WHERE key IN ('1', '2')"
	compare 2 --tolerance 1
	compare 0 --tolerance 2
	expect_records 'any(.subject == "public.settings" and (.summary | test("within the tolerance")))'
	compare 2 --tolerance 28%
	compare 0 --tolerance 29%
	TOLERANCE=2 compare 0
	sql "$BACK" "TRUNCATE settings"
	compare 2 --tolerance 100%
	expect_check row-count critical public.settings
}
t "a tolerance allows for rows or a share, never for an emptied table" tolerances

choosing() {
	restored
	compare 0 --top 2
	expect_records '[.[] | select(.check == "row-count").subject] == ["public.audit_new", "public.orders"]'
	expect_records 'any(.check == "tables-compared" and (.summary | test("^2 of 9 tables compared, [0-9.]+ % of the data")))'
	compare 0 --table 'set*' --table public.users
	expect_records '[.[] | select(.check == "row-count").subject] | sort == ["public.settings", "public.users"]'
	compare 0 --all --exclude 'audit_*' --exclude public.totals
	expect_records '[.[] | select(.check == "row-count").subject | select(test("audit|totals"))] == []'
	EXCLUDE_TABLES='audit_* totals' COMPARE_TABLES=1 compare 0
	expect_records '[.[] | select(.check == "row-count").subject] == ["public.orders"]'
	COMPARE_TABLES=all compare 0
	expect_records '[.[] | select(.check == "row-count")] | length == 9'
	compare 3 --table nosuch
	expect_check tables-compared unknown nosuch
	compare 3 --all --exclude '*'
	expect_check tables-compared unknown ""
}
t "tables are chosen by size, by pattern, and a pattern that matches nothing is unknown" choosing

no_time_column() {
	restored
	sql "$SHOP" "INSERT INTO settings VALUES ('new', 'x')"
	compare 2
	expect_records 'any(.subject == "public.settings" and .status == "critical"
		and (.summary | test("no time column")))'
	sql "$SHOP" "DELETE FROM settings WHERE key = 'new'"
}
t "a difference without a time column is critical and says why" no_time_column

named_column() {
	restored
	sql "$SHOP" "ALTER TABLE settings ADD zeit timestamptz DEFAULT NULL"
	sql "$BACK" "ALTER TABLE settings ADD zeit timestamptz DEFAULT NULL"
	sql "$SHOP" "INSERT INTO settings VALUES ('new', 'x', now())"
	compare 2
	compare 0 --time-column settings.zeit
	expect_records 'any(.subject == "public.settings" and .time_column == "zeit")'
	TIME_COLUMN='public.settings.zeit created_at' compare 0
	compare 3 --time-column settings.value --table users
	expect_check tables-compared unknown settings.value
	sql "$SHOP" "DELETE FROM settings WHERE key = 'new'; ALTER TABLE settings DROP zeit"
}
t "a named time column explains; one that is not there is unknown" named_column

alone() {
	restored
	records >input
	expect_status 1 compare-counts --records <input
	expect_check tables-compared warning
	expect_records 'any(.check == "tables-compared" and (.summary | test("nothing was compared")))'
	expect_records 'any(.subject == "public.orders" and .observed == 20000 and .status == "ok")'
	sql "$BACK" "TRUNCATE users, orders, countries, settings, audit, cache; REFRESH MATERIALIZED VIEW totals"
	expect_status 3 compare-counts --records <input
	expect_check tables-compared unknown
}
t "without production the rows are counted and nothing is called compared" alone

all_empty() {
	sql "CREATE DATABASE void1"
	sql "CREATE DATABASE void2"
	sql "host=$PG_SOCKET user=postgres dbname=void1" "CREATE TABLE t (id int)"
	sql "host=$PG_SOCKET user=postgres dbname=void2" "CREATE TABLE t (id int)"
	expect_status 3 compare-counts --records --restored "host=$PG_SOCKET user=postgres dbname=void1" \
		--production "host=$PG_SOCKET user=postgres dbname=void2"
	expect_check tables-compared unknown
	expect_records 'any(.summary | strings | test("empty on both sides"))'
	sql "host=$PG_SOCKET user=postgres dbname=void1" "DROP TABLE t"
	sql "host=$PG_SOCKET user=postgres dbname=void2" "DROP TABLE t"
	expect_status 3 compare-counts --records --restored "host=$PG_SOCKET user=postgres dbname=void1" \
		--production "host=$PG_SOCKET user=postgres dbname=void2"
	expect_check tables-compared unknown
}
t "0 against 0 on everything is unknown" all_empty

many_jobs() {
	restored
	for jobs in 1 2 8; do
		compare 0 --all --jobs $jobs
		expect_records '[.[] | select(.check == "row-count" and .status == "ok")] | length == 9'
	done
	expect_status 3 compare-counts --jobs 0
	expect_status 3 compare-counts --jobs 33
}
t "one connection or many count the same" many_jobs

local_names() {
	restored
	sql "$SHOP" "DELETE FROM orders WHERE id > 20000; INSERT INTO orders (user_id, created_at)
		SELECT g, now() FROM generate_series(1, 5) g"
	# the name's time lies after the file's: the newest rows decide
	later=$(date -u -d '+5 hours' +%FT%TZ)
	records "$later" "$TAKEN" >input
	expect_status 0 compare-counts --records --production "$SHOP" <input
	expect_records 'any(.subject == "public.orders" and (.summary | test("5 newer")))'
	# only a date, and the loss of rows from before it
	sql "$BACK" "DELETE FROM audit_new WHERE id = 100"
	records "$(date -u +%FT00:00:00Z)" "$TAKEN" >input
	expect_status 2 compare-counts --records --production "$SHOP" <input
	expect_check row-count critical public.audit_new
	expect_check row-count ok public.orders
}
t "a name in local time, or with no more than a date, does no harm" local_names

unsure() {
	restored
	records "$(date -u +%FT00:00:00Z)" "$(date -u +%FT%TZ)" >input
	expect_status 1 compare-counts --records --production "$SHOP" --table orders <input
	expect_records 'any(.subject == "public.orders" and .status == "warning"
		and (.summary | test("5 newer than the recovery point; new or lost")))'
	expect_status 0 compare-counts --records --production "$SHOP" --table orders \
		--recovery-point "$TAKEN" <input
}
t "where nothing tells new rows from lost ones, that is a warning" unsure

deleted_there() {
	restored
	sql "$SHOP" "DELETE FROM users WHERE id <= 3"
	compare 0
	expect_records 'any(.subject == "public.users" and .status == "ok"
		and (.summary | test("3 deleted in production since")))'
	sql "$BACK" "INSERT INTO users (name, created_at) VALUES ('ghost', '2026-01-01')"
	compare 2
	expect_records 'any(.subject == "public.users" and .status == "critical"
		and (.summary | test("4 not in production: deleted there since, or never there")))'
}
t "rows that production deleted are named as such" deleted_there
