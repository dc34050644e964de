#!/bin/sh
# The probes behind restore-to-temp: real backups under names of every kind, a production that
# moved on by 47 orders, and one that lost rows.
# time limit: 300 s
. "${0%/*}/lib.sh"
need jq

pg_start || exit 3
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
sql "CREATE DATABASE shop"
sql "$SHOP" "
	CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE countries (code text);
	INSERT INTO orders (created_at) SELECT now() - g * interval '1 min' - interval '1 min' FROM generate_series(1, 5000) g;
	INSERT INTO countries VALUES ('at'), ('de')"
mkdir backups
as_pg "$PG_BIN/pg_dump" -Fc -d "$SHOP" >dump
sleep 1
sql "$SHOP" "INSERT INTO orders SELECT FROM generate_series(1, 47)"

# verify NAME STATUS: the dump under this name.
verify() {
	rm -f backups/*
	cp -p dump "backups/$1"
	fetch-latest --records "$SCRATCH/backups" >fetched
	PRODUCTION=$SHOP expect_status "$2" \
		restore-to-temp --records -- sh -c 'check-freshness --records | compare-counts --records' <fetched
	expect_nothing_left
}

explained() {
	verify "$1" 0
	expect_records 'any(.subject == "public.orders" and .status == "ok"
		and .summary == "5,000 (production: 5,047) - 47 newer than the recovery point")'
	expect_check row-count ok public.countries
	expect_check latest-transaction ok
	expect_check verified-rpo ok
}
t "the header tells when: 47 newer orders are explained" explained shop.dump
t "a name with the time" explained "shop-$(date -u +%Y%m%d_%H%M%S).dump"
t "a name with the day alone" explained "shop-$(date -u +%Y-%m-%d).dump"
t "a name in local time, ahead of UTC" explained "shop-$(date -u -d '+3 hours' +%Y%m%d_%H%M%S).dump"

lost() {
	sql "$SHOP" "INSERT INTO orders (created_at) SELECT now() - interval '3 days'"
	verify shop.dump 2
	expect_records 'any(.subject == "public.orders" and .status == "critical"
		and (.summary | test("47 newer than the recovery point, 1 from before the recovery point missing")))'
	expect_check temporary-server ok
}
t "one row that the backup lacks is found among them" lost
