#!/bin/sh
# audit-setup: what is missing on a real server and among its backups, each said once.
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq

# Well set up.
serve() { pg_run "$PG_SOCKET" -c listen_addresses= -c fsync=on "$@"; }
pg_init "$SCRATCH/production" || exit 1
PG_SOCKET=$SCRATCH/production
PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
as_pg "$PG_BIN/pg_checksums" --enable -D "$PG_SOCKET/data" >log/checksums 2>&1
serve -c archive_mode=on -c 'archive_command=false\ %p' || exit 1
sql 'CREATE DATABASE shop'
sql 'CREATE DATABASE billing'
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
sql "$SHOP" 'CREATE TABLE orders (id int PRIMARY KEY)'
mkdir dumps
dump() { as_pg "$PG_BIN/pg_dump" -h "$PG_SOCKET" -U postgres -Fc "$1" >"dumps/$2"; }
dump shop a.dump
dump billing billing-latest.dump
PRODUCTION="host=$PG_SOCKET user=postgres dbname=postgres"
export PRODUCTION
audit() {
	want_status=$1
	shift
	list-backups --records dumps >listing
	expect_status "$want_status" audit-setup --records "$@" <listing
}

whole() {
	audit 0
	expect_check database-covered ok shop
	expect_records 'any(.check == "database-covered" and .subject == "shop" and (.summary | test("a.dump")))'
	expect_check database-covered ok billing
	expect_not_out '"subject":"postgres"'
	for check in roles-kept point-in-time page-checksums crash-safety restore-host supported-version; do
		expect_check $check ok
	done
	expect_check left-out ok shop
}

settings() {
	as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -m fast -w -s stop
	as_pg "$PG_BIN/pg_checksums" --disable -D "$PG_SOCKET/data" >log/checksums 2>&1
	serve -c fsync=off -c full_page_writes=off -c archive_mode=on -c archive_command=/bin/true || return
	audit 2
	expect_check page-checksums warning
	expect_records 'any(.check == "point-in-time" and .status == "critical" and (.summary | test("is ./bin/true.")))'
	expect_records 'any(.check == "crash-safety" and .status == "critical" and (.summary | test("fsync is off.*full_page_writes")))'
	pg_stop
	serve || return
	audit 1
	expect_records 'any(.check == "point-in-time" and .status == "warning" and (.summary | test("not archived")))'
}

no_backup() {
	sql 'CREATE DATABASE "forgotten one"'
	sql 'CREATE ROLE clerk LOGIN'
	audit 2
	expect_check database-covered critical 'forgotten one'
	expect_records 'any(.check == "database-covered" and (.summary | test("none of the 2 listed backups is of it")))'
	expect_check roles-kept warning
	as_pg "$PG_BIN/pg_dumpall" -h "$PG_SOCKET" -U postgres --globals-only >dumps/globals.sql
	audit 1 --without 'forgotten one'
	expect_not_out 'forgotten one'
	expect_check roles-kept ok
	touch -d '40 days ago' dumps/a.dump
	audit 2
	expect_records 'any(.check == "database-covered" and .subject == "shop" and .status == "critical" and (.summary | test("40 d old")))'
	audit 2 --max-age 60d
	expect_check database-covered ok shop
}

left_out() {
	sql "$SHOP" 'CREATE UNLOGGED TABLE sessions AS SELECT generate_series(1, 10000) AS id'
	audit 2
	expect_records 'any(.check == "left-out" and .subject == "shop" and .status == "warning" and (.summary | test("public.sessions \\(")))'
	expect_check left-out ok billing
}

cluster() {
	as_pg "$PG_BIN/pg_dumpall" -h "$PG_SOCKET" -U postgres >all.sql
	mkdir whole && mv all.sql whole/
	list-backups --records whole >listing
	expect_status 1 audit-setup --records <listing
	expect_check database-covered ok 'forgotten one'
	jq -c 'if .record == "backup" then .name = "20260217-015842F" | .source = "pgbackrest:main" | del(.path) else . end' \
		listing >kept
	expect_status 1 audit-setup --records <kept
	expect_check database-covered ok 'forgotten one'
	expect_check roles-kept ok
}

no_input() {
	expect_status 1 audit-setup --records </dev/null
	expect_check database-covered warning
	expect_status 3 env -u PRODUCTION audit-setup --records </dev/null
	expect_err 'name the server'
	expect_status 3 audit-setup --records --production "host=$PG_SOCKET/none user=postgres" </dev/null
	expect_check database-covered unknown
	expect_status 3 audit-setup --records --production 'host=x password=secret' </dev/null
	expect_err 'leave out the password'
	expect_not_err 'secret'
	expect_status 1 audit-setup --records --pg-bindir /nowhere </dev/null
	expect_check restore-host warning
}

plain_user() {
	sql 'REVOKE CONNECT ON DATABASE billing FROM PUBLIC'
	list-backups --records dumps >listing
	expect_status 2 audit-setup --records --production "host=$PG_SOCKET user=clerk dbname=shop" <listing
	expect_check left-out unknown billing
	expect_check database-covered ok billing
	expect_check point-in-time warning
}
t "a server and its listed backups: each database is found in a backup, by header or name" whole
t "settings that lose data are critical or warnings, and name the way out" settings
t "a database without a recent backup is critical; roles that nothing holds are a warning" no_backup
t "what no physical backup holds is named" left_out
t "a dump of the whole cluster covers all" cluster
t "no listing is a warning; a server that cannot be asked is unknown" no_input
t "a role without rights gets an answer on all that it may see" plain_user
