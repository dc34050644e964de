#!/bin/sh
# compare-counts --dump: the rows in a dump beside production's, without a restore.
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq

[ -n "$PG_BIN" ] || {
	echo "skip - inspect-compare.sh # needs PostgreSQL"
	exit 0
}

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
