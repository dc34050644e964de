#!/bin/sh
# verify-backup with a physical backup: a base backup and an archive of WAL, on a real production
# server. RPO, RTO, rows and integrity stand in one report; damage is found by what looks for it.
# sanitizers: no, its tools run under them in the other files
. "${0%/*}/lib.sh"
need jq python3

unset LABEL BACKUP_SOURCE HISTORY REPORT_DIR WORK_DIR TIMEOUT PRODUCTION
make_backup() {
	mkdir "$SCRATCH/production"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$SCRATCH/production"
	PG_SOCKET=$SCRATCH/production
	A=$PG_SOCKET/archive
	as_pg mkdir "$A" "$PG_SOCKET/backups"
	as_pg "$PG_BIN/initdb" -D "$PG_SOCKET/data" -U postgres -k --wal-segsize=1 --no-sync -A trust
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	pg_run "$PG_SOCKET" -c listen_addresses= -c archive_mode=on "-c 'archive_command=cp %p $A/%f'"
	sql "CREATE DATABASE shop"
	pg_slim
	SHOP="host=$PG_SOCKET user=postgres dbname=shop"
	sql "$SHOP" "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamptz NOT NULL)"
	sql "$SHOP" "INSERT INTO orders SELECT g, now() - g * interval '1 minute' FROM generate_series(1, 5000) g"
	BASE=$PG_SOCKET/backups/base-$(date -u +%Y%m%dT%H%M%SZ)
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$BASE" -c fast --no-sync
	# What only the archive has.
	sql "$SHOP" "INSERT INTO orders SELECT g, now() FROM generate_series(5001, 5010) g"
	last=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
	wait_for 20 test -e "$A/$last"
	INDEX=$(sql "$SHOP" "SELECT pg_relation_filepath('orders_pkey')")
	sql "$SHOP" "INSERT INTO orders SELECT g, now() FROM generate_series(5011, 5013) g"
}
prepare make_backup
cat >shop.conf <<CONF
LABEL=shop
BACKUP_SOURCE=$PG_SOCKET/backups
WAL_SOURCE=$A
INTEGRITY=yes
PRODUCTION="$SHOP"
RPO_TARGET=24h
RTO_TARGET=30m
WORK_DIR=$SCRATCH/work
HISTORY=$SCRATCH/shop.jsonl
REPORT_DIR=$SCRATCH/reports
CONF

# verify STATUS [KEY=VALUE...]: the job ends so, and nothing remains. The report: $OUT, in JSON $REPORT.
verify() {
	verdict=$1
	shift
	rm -f shop.jsonl
	expect_status "$verdict" env "$@" verify-backup shop.conf
	REPORT=$SCRATCH/reports/shop/latest/report.json
	expect_no_file work/shop
	expect_nothing_left
}

# finding CHECK STATUS [SUBJECT]: what the report of the last run says.
finding() {
	jq -e --arg check "$1" --arg status "$2" --arg subject "${3-*}" 'any(.checks[]; .check == $check
		and .status == $status and ($subject == "*" or .subject == $subject))' "$REPORT" >/dev/null || {
		jq -r '.checks[] | "\(.check) \(.subject) \(.status): \(.summary)"' "$REPORT"
		say_failed "no check $1 with status $2"
	}
}

good() {
	verify 0
	for check in backup-files page-checksums control-file backup-manifest wal-archive recovery-target restore \
		verified-rpo verified-rto latest-transaction; do
		finding $check ok
	done
	for check in heap-integrity index-integrity index-valid; do
		finding $check ok shop
		finding $check ok postgres
	done
	# What the archive has is there; what it does not have yet is newer than the recovery point.
	expect_out 'public.orders row count +5,010 \(production: 5,013\) - 3 newer'
}
t "a base backup with its archive: RPO, RTO, rows and integrity in one report" good

damaged() {
	rm -rf damaged
	mkdir damaged
	cp -a "$BASE" damaged/
	BAD=damaged/${BASE##*/}
	flip "$BAD/$INDEX" $((8192 * 2 - 24))
	verify 2 BACKUP_SOURCE="$SCRATCH/damaged" INTEGRITY=deep INTEGRITY_TIME=1h
	finding page-checksums critical
	finding backup-file critical "$INDEX"
	finding index-integrity critical public.orders_pkey
}
t "one changed byte of an index is found in the files and in the restored server" damaged

wrong() {
	expect_status 3 env INTEGRITY=some verify-backup shop.conf
	expect_err 'INTEGRITY=some: take yes, deep or no'
	expect_status 3 env INTEGRITY_TIME=some verify-backup shop.conf
	expect_err 'INTEGRITY_TIME'
}
t "a bad value is one line that names its key" wrong
