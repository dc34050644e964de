#!/bin/sh
# check-freshness: the age of a backup, of the data in it, and of the last verification.
. "${0%/*}/lib.sh"
need jq

NOW=2026-02-17T06:10:42Z

# fresh STATUS [OPTION...]: at NOW, with the file "input" on its standard input.
fresh() {
	want_status=$1
	shift
	expect_status "$want_status" check-freshness --records --now "$NOW" "$@" <input
}

# backup TAKEN MODIFIED [NAME]
backup() {
	printf '{"record":"backup","label":"shop","name":"%s"' "${3:-shop.dump}"
	[ -z "$1" ] || printf ',"taken_at":"%s"' "$1"
	[ -z "$2" ] || printf ',"modified_at":"%s"' "$2"
	echo '}'
}

ages() {
	backup 2026-02-17T01:58:42Z 2026-02-17T02:05:00Z >input
	fresh 0
	expect_check backup-age ok ""
	expect_records 'any(.check == "backup-age" and .summary == "4 h 12 min (limit 26 h)" and .observed == "2026-02-17T01:58:42.000Z"
		and any(.metrics[]; .name == "backup_age_seconds" and .value == 15120 and .unit == "s" and .crit == "93600"))'
	expect_no_check latest-transaction
	expect_no_check last-verified
	fresh 2 --max-age 4h
	MAX_BACKUP_AGE=4h fresh 2
	expect_check backup-age critical ""
	fresh 1 -w 3600 -c 86400
	fresh 2 -w 3600 -c 7200
	fresh 0 -c 86400
}
t "the age of a backup, against a duration or ranges" ages

the_newest_counts() {
	{
		backup 2026-02-15T01:58:42Z 2026-02-15T02:05:00Z old
		backup 2026-02-17T01:58:42Z 2026-02-17T02:05:00Z new
		backup 2026-02-16T01:58:42Z 2026-02-17T05:00:00Z copied-later
	} >input
	fresh 0
	expect_records 'any(.check == "backup-age" and .status == "ok" and .backup == "new")'
	[ "$(grep -c '"record":"check"' "$OUT")" -eq 1 ]
}
t "of a listing the newest counts, by the time in its name" the_newest_counts

future() {
	backup 2026-02-18T00:00:01Z '' >input
	fresh 3
	expect_out 'in the future: a wrong clock, or local time taken for UTC'
	# the file's own time is sound: the name's is local time
	backup 2026-02-17T08:05:00Z 2026-02-17T06:06:00Z >input
	fresh 0
	# clocks that differ a little are no future
	backup 2026-02-17T06:11:42Z '' >input
	fresh 0
	expect_out '"backup_age_seconds","value":0'
}
t "a time in the future is unknown" future

nothing() {
	: >input
	fresh 3
	expect_check nothing-checked unknown
	fresh 3 --max-age 26h
	expect_check backup-age unknown
	fresh 3 --rpo-target 24h
	expect_check latest-transaction unknown
	expect_check verified-rpo unknown
	fresh 3 --max-verified-age 26h
	expect_check last-verified unknown
	backup '' '' >input
	fresh 3
	expect_check backup-age unknown ""
	# a restore was expected and there is none: not some other server that PGHOST names
	backup 2026-02-17T01:58:42Z '' >input
	PGHOST=/nonexistent fresh 3 --rpo-target 24h
	expect_out 'no instance record'
	expect_check backup-age ok
}
t "what is asked for and cannot be measured is unknown" nothing

# run AT STATUS VERIFIED
run() {
	printf '{"record":"run","label":"shop","at":"%s","status":"%s","verified":%s,' "$1" "$2" "$3"
	printf '"backup":{"name":"shop.dump","taken_at":"2026-02-17T01:58:42Z"}}\n'
}

# plugin STATUS [OPTION...]
plugin() {
	want_status=$1
	shift
	expect_status "$want_status" check-freshness --nagios --now "$NOW" --history history --label shop "$@"
}

verified() {
	mkdir -p history
	run 2026-02-16T06:10:42Z ok true >history/shop.jsonl
	run 2026-02-16T07:10:42Z critical false >>history/shop.jsonl
	run 2026-02-17T05:10:42Z ok false >>history/shop.jsonl
	plugin 0 --max-verified-age 26h
	expect_out "^CHECK-FRESHNESS OK - verified 24 h ago \(limit 26 h\) \| .*verified_age_seconds.*=86400s;;93600"
	plugin 2 --max-verified-age 23h
	expect_out '^CHECK-FRESHNESS CRITICAL'
	plugin 0
	plugin 3 --now 2026-02-15T00:00:00Z
	expect_out 'in the future'
	# of another label nothing is known
	expect_status 2 check-freshness --nagios --now $NOW --history history --label other
	expect_out 'never verified'
	expect_status 2 check-freshness --nagios --history nosuch --label shop
	# the backup of the last run
	plugin 0 --max-age 26h
	expect_out '4 h 12 min'
	plugin 2 --max-age 4h
	echo '{"cut' >>history/shop.jsonl
	plugin 1
	expect_out 'unreadable'
}
t "as a plugin: when was a backup last proved?" verified

not_by_itself() {
	# an empty pipeline must not be ok because yesterday was
	: >input
	HISTORY=history fresh 3 --label shop
	expect_check nothing-checked unknown
}
t "a history does not make an empty stream ok" not_by_itself

pg_start || exit 3
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
sql "CREATE DATABASE shop"
sql "$SHOP" "
	CREATE TABLE orders (id int, created_at timestamptz, due_date timestamptz, expires_at timestamptz);
	INSERT INTO orders SELECT g, '2026-02-17 01:00:42+00'::timestamptz - g * interval '1 min', '2027-01-01', '2099-01-01'
		FROM generate_series(0, 1000) g;
	CREATE TABLE users (id int, created_at timestamptz, updated_at timestamptz);
	INSERT INTO users VALUES (1, '2024-01-01Z', '2026-02-17 01:58:42+00');
	CREATE TABLE plans (id int, at timestamptz);
	INSERT INTO plans VALUES (1, '2026-02-17 01:59:42+00'), (2, '2030-01-01');
	CREATE TABLE never (id int, created_at timestamptz);
	INSERT INTO never VALUES (1, NULL), (2, '-infinity'), (3, '1970-01-01')"

# instance [TAKEN [MODIFIED]]
instance() {
	backup "${1-2026-02-17T01:58:43Z}" "${2-2026-02-17T02:05:00Z}"
	printf '{"record":"instance","label":"shop","conninfo":"host=%s user=postgres","database":"shop"}\n' "$PG_SOCKET"
}

newest_row() {
	instance >input
	fresh 0 --rpo-target 24h
	expect_records 'any(.check == "latest-transaction" and .summary == "2026-02-17 01:58:42 UTC - within 24 h"
		and .table == "public.users" and .time_column == "updated_at" and .observed == "2026-02-17T01:58:42.000Z")'
	expect_records 'any(.check == "verified-rpo" and .summary == "4 h 12 min (target 24 h)"
		and any(.metrics[]; .name == "rpo_seconds" and .value == 15120 and .crit == "86400"))'
	fresh 2 --rpo-target 4h
	expect_check verified-rpo critical
	expect_check latest-transaction warning
	RPO_TARGET=4h fresh 2
	fresh 0
	expect_out '"summary":"4 h 12 min"'
}
t "the newest row, without plans and due dates, is the measured RPO" newest_row

stale() {
	instance >input
	NOW=2026-03-10T06:00:00Z
	instance 2026-03-10T02:00:00Z 2026-03-10T02:05:00Z >input
	fresh 2
	expect_check backup-age ok
	expect_check latest-transaction critical
	expect_out 'though the backup is younger than 26 h'
	NOW=2026-02-19T06:00:00Z
	instance 2026-02-19T02:00:00Z 2026-02-19T02:05:00Z >input
	fresh 1
	expect_check latest-transaction warning
}
t "a file of today with rows of three weeks ago is critical, of two days a warning" stale

# baseline SNAPSHOT-TIME
baseline() {
	echo "{\"format\":\"backup-probes baseline\",\"v\":1,\"tables\":{},\"schema\":{},\"sequences\":{},\"large_objects\":{\"rows\":0},\"snapshot_at\":\"$1\"}"
}

witnesses() {
	NOW=2026-02-17T06:10:42Z
	instance >input
	baseline 2026-02-17T01:59:42Z >shop.counts.json
	fresh 0 --rpo-target 24h --baseline shop.counts.json
	expect_records 'any(.check == "recovery-point" and .summary == "2026-02-17 01:59:42 UTC, by its baseline'"'"'s snapshot"
		and .observed == "2026-02-17T01:59:42.000Z")'
	expect_records 'any(.check == "verified-rpo" and .summary == "4 h 11 min (target 24 h), by its baseline'"'"'s snapshot")'
	# beside the backup
	jq -c 'if .record == "backup" then .path = "shop.dump" else . end' input >with-path
	mv with-path input
	touch shop.dump
	baseline 2026-02-17T01:59:42Z >shop.dump.counts.json
	fresh 0
	expect_check recovery-point ok
	fresh 0 --baseline none
	expect_no_check recovery-point
	# an old backup under a new name
	baseline 2026-01-27T01:59:42Z >shop.dump.counts.json
	fresh 2
	expect_check recovery-point critical
	expect_out 'its baseline is 21 d older'
	baseline 2026-02-17T09:00:00Z >shop.dump.counts.json
	fresh 3
	expect_check recovery-point unknown
	expect_out 'in the future'
	echo nonsense >shop.dump.counts.json
	fresh 2
	expect_check recovery-point critical
	rm shop.dump.counts.json
	# without a restored database: as deep as DEPTH=inspect looks
	backup 2026-02-17T01:58:43Z 2026-02-17T02:05:00Z >input
	fresh 0 --baseline shop.counts.json
	expect_check recovery-point ok
	expect_no_check verified-rpo
}
t "the baseline's snapshot is the best witness, and disagreements are found" witnesses

replayed() {
	instance | sed '/instance/s/}$/,"recovery_point":"2026-02-17T04:10:42Z","recovery_point_by":"last-commit"}/' >input
	fresh 2 --rpo-target 1h
	expect_records 'any(.check == "verified-rpo" and (.summary | test("^2 h .*by the last commit that was replayed")))'
	fresh 1 --rpo-target 3h
	expect_check verified-rpo ok
	expect_check recovery-point ok
	expect_check latest-transaction warning
}
t "the last replayed commit counts before rows" replayed

worst() {
	{
		backup 2026-02-14T01:58:43Z 2026-02-14T02:05:00Z a
		backup 2026-02-15T01:58:43Z 2026-02-15T02:05:00Z b
		backup 2026-02-16T01:58:43Z 2026-02-16T02:05:00Z c
		instance
	} >input
	fresh 0 --rpo-target 24h
	expect_records 'any(.check == "verified-rpo"
		and .summary == "4 h 12 min (target 24 h); up to 28 h 12 min before the next one, with a backup every 24 h"
		and any(.metrics[]; .name == "worst_rpo_seconds" and .value == 101520))'
}
t "with a listing the worst case just before the next backup is told" worst

named() {
	instance >input
	fresh 0 --time-column orders.created_at
	expect_records 'any(.check == "latest-transaction" and .observed == "2026-02-17T01:00:42.000Z")'
	fresh 0 --time-column orders.created_at --time-column plans.at
	expect_records 'any(.check == "latest-transaction" and .observed == "2026-02-17T01:59:42.000Z")'
	fresh 3 --time-column orders.nosuch
	expect_check latest-transaction unknown orders.nosuch
	fresh 3 --time-column never.created_at
	expect_check latest-transaction unknown
	TIME_COLUMN=public.orders.created_at fresh 0
	expect_out '2026-02-17T01:00:42'
}
t "named time columns alone are looked at" named

local_time() {
	sql "CREATE DATABASE berlin"
	sql "host=$PG_SOCKET user=postgres dbname=berlin" "CREATE TABLE t (created_at timestamp);
		INSERT INTO t VALUES ('2026-02-17 02:58:42')"
	instance | sed 's/"database":"shop"/"database":"berlin"/' >input
	fresh 3
	expect_check latest-transaction unknown
	expect_out 'local time\? \(--time-zone\)'
	fresh 0 --time-zone Europe/Berlin
	expect_out '2026-02-17 01:58:42 UTC'
	fresh 3 --time-zone "x'; DROP TABLE t; --"
	fresh 3 --time-zone Nowhere/Land
	expect_out 'Nowhere/Land'
}
t "local time is not taken for UTC, and can be named" local_time

no_columns() {
	sql "CREATE DATABASE plain"
	sql "host=$PG_SOCKET user=postgres dbname=plain" "CREATE TABLE t (id int); INSERT INTO t VALUES (1)"
	instance | sed 's/"database":"shop"/"database":"plain"/' >input
	fresh 0
	expect_no_check latest-transaction
	fresh 3 --rpo-target 24h
	expect_check latest-transaction unknown
	expect_check verified-rpo unknown
}
t "without a time column the RPO is not measured, and says so when asked" no_columns

this_run() {
	instance >input
	mkdir -p empty
	fresh 0 --history empty --max-verified-age 26h
	expect_records 'any(.check == "last-verified" and .status == "ok" and (.summary | test("by this run")))'
}
t "while a backup is being verified, yesterday's failure is no reason to fail today" this_run

server_gone() {
	instance >input
	pg_stop production
	fresh 3 --rpo-target 24h
	expect_check latest-transaction unknown
	expect_check verified-rpo unknown
	expect_check backup-age ok
}
t "a restored server that is gone is unknown" server_gone

words() {
	expect_status 3 check-freshness --max-age soon
	expect_err '90s, 15m, 26h'
	expect_status 3 check-freshness operand
	expect_status 3 check-freshness --nosuch
}
t "wrong words are refused" words
