# shellcheck shell=sh
# Sourced after tests/e2e/lib.sh: what is expected of the backups of every program that keeps them. S is
# the source, PG_DSN the server that they are of.

# expect_daily_job SAID ROWS: verify-backup proves the newest, which has ROWS orders; its keeper verified it.
expect_daily_job() {
	cat >"$SCRATCH/conf" <<-EOT
		LABEL=shop
		BACKUP_SOURCE="$S"
		PRODUCTION="$PG_DSN"
		HISTORY=$SCRATCH/history.jsonl
		WORK_DIR=$TMPDIR/work
		RTO_TARGET=10m
		RPO_TARGET=1h
		TIME_COLUMN=at
		VERIFY_REPOSITORY=yes
	EOT
	expect_status 0 verify-backup "$SCRATCH/conf"
	expect_out 'Verified RTO'
	expect_out "$1"
	expect_out "orders.* row count.*$2"
}

# expect_judged WAL BACKUP: those of good.jsonl have a size, an age and a number that can be judged, and
# check-wal reads the segments in WAL; BACKUP is what it calls the window of the newest.
expect_judged() {
	size-trend --records <"$SCRATCH/good.jsonl" >"$SCRATCH/trend"
	expect_status 0 check-freshness --records --max-age 1h <"$SCRATCH/trend"
	expect_check backup-size ok
	expect_check backup-age ok
	expect_status 0 check-retention --records --daily 1 <"$SCRATCH/good.jsonl"
	expect_check retention ok daily
	expect_status 0 check-wal --records --archive "$1" <"$SCRATCH/good.jsonl"
	expect_check wal-archive ok
	expect_check wal-window ok "$2"
}
