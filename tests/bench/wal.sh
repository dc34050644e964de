#!/bin/sh
# wal.sh [SEGMENTS]: how long it takes to look at an archive of so many segments of 16 MB (40): check-
# wal, and pg_waldump of each segment or of all in one process, which verifies the same records and
# prints them, or not. In one run, from the page cache, best of three.
BENCH_DIR=${BENCH_DIR:-/var/tmp}
BP_SCRATCH=$(mktemp -d "$BENCH_DIR/bp-bench.XXXXXX") || exit 3
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"
need python3
segments=${1:-40}

mkdir archive
chmod 777 archive
pg_init "$SCRATCH/source" || exit 3
PG_SOCKET=$SCRATCH/source
PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
pg_run "$PG_SOCKET" -c listen_addresses= -c archive_mode=on \
	-c "archive_command='cp %p $SCRATCH/archive/%f'" -c max_wal_size=4GB || exit 3
sql "CREATE TABLE t (g bigint PRIMARY KEY, v text)"
# A segment holds some 90,000 records of this.
while [ "$(find archive -type f | wc -l)" -lt "$segments" ]; do
	sql "INSERT INTO t SELECT g, md5(g::text) FROM generate_series((SELECT coalesce(max(g), 0) + 1 FROM t),
		(SELECT coalesce(max(g), 0) + 300000 FROM t)) g"
done
pg_stop source
n=$(find archive -type f -name '????????????????????????' | wc -l)

best() { "$E2E/best" "$@"; } # E2E: where this file is

each() {
	# shellcheck disable=SC2016  # expanded by the inner shell
	best sh -c 'for f in archive/*; do "$0" "$@" "$f" || exit; done' "$PG_BIN/pg_waldump" "$@"
}

# row NAME FIGURES: how often it fits into each of theirs, by the clock and by processor time.
row() {
	echo "$2 $theirs $quiet $chain $n" | awk -v name="$1" '{ printf "%-26s %7.2f ms %7.2f ms cpu %6.1f MB",
		name, 1000 * $1 / $13, 1000 * $2 / $13, $3
		for (i = 4; i < 13; i += 3) printf "%7.1f x %5.1f x", $i / $1, $(i + 1) / $2
		print "" }'
}

first=$(find archive -type f -printf '%f\n' | sort | head -n 1)
last=$(find archive -type f -printf '%f\n' | sort | tail -n 1)
theirs=$(each) || exit 3
quiet=$(each --quiet) || exit 3
# shellcheck disable=SC2016  # expanded by the inner shell
# One process for all of them. Behind the last record it says that there is no more.
chain=$(best sh -c '"$0" "$@" || :' "$PG_BIN/pg_waldump" --quiet -p archive "$first" "$last") || exit 3
all=$(best check-wal --records --archive archive) || exit 3
one=$(best check-wal --records --jobs 1 --archive archive) || exit 3
echo "$n segments of 16 MB, $(nproc) processors; a segment each; behind it: of pg_waldump, of it with"
echo "--quiet, of that in one process for all segments: so many times as fast, with so much less processor time"
row "pg_waldump" "$theirs"
row "pg_waldump --quiet" "$quiet"
row "pg_waldump --quiet, all" "$chain"
row "check-wal" "$all"
row "check-wal --jobs 1" "$one"
