#!/bin/sh
# integrity.sh [MEGABYTES]: how long it takes to look at a base backup of MEGABYTES (3072): check-
# integrity, which compares the manifest and looks at all pages, pg_verifybackup, which only does the
# former, and pg_checksums, which only does the latter; and pgbackrest verify of the same cluster in a
# repository, uncompressed, where it is installed. In one run, from the page cache, best of three. Needs
# four and a half times that in $BENCH_DIR (default /var/tmp).
BENCH_DIR=${BENCH_DIR:-/var/tmp}
BP_SCRATCH=$(mktemp -d "$BENCH_DIR/bp-bench.XXXXXX") || exit 3
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"
need python3
size=${1:-3072}

mkdir source
[ "$(id -u)" -ne 0 ] || chown postgres: source
as_pg "$PG_BIN/initdb" -D "$SCRATCH/source/data" -U postgres -k --no-sync -A trust >log/initdb || exit 3
PG_SOCKET=$SCRATCH/source
PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
echo "making a cluster of about $size MB ..." >&2
# Filling tables that the same transaction has made writes no WAL then.
pg_run "$PG_SOCKET" -c listen_addresses= -c wal_level=minimal -c max_wal_senders=0 \
	-c max_wal_size=16GB -c shared_buffers=512MB -c autovacuum=off || exit 3
for i in 1 2 3 4 5 6; do
	sql "BEGIN; CREATE TABLE t$i AS SELECT g, sha512(g::text::bytea) || sha512((g + $i)::text::bytea) AS v
		FROM generate_series(1, $size / 6 * 6000) g; COMMIT" || exit 3
done
pg_stop source
as_pg "$PG_BIN/pg_ctl" -D "$SCRATCH/source/data" -l "$SCRATCH/source/server.log" -w -s -o \
	"-c unix_socket_directories=$PG_SOCKET -c listen_addresses= -c fsync=off" start </dev/null
for sums in SHA256 CRC32C; do
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$PG_SOCKET/$sums" -c fast --no-sync \
		"--manifest-checksums=$sums" || exit 3
done
as_pg "$PG_BIN/pg_ctl" -D "$SCRATCH/source/data" -m fast -w -s stop
sync

best() { "$E2E/best" "$@"; } # E2E: where this file is

# row NAME "WALL CPU MB" BASE: BASE is the wall time that it is compared with.
row() {
	echo "$2 $3" | awk -v name="$1" '{ printf "%-34s %7.2f s %6.2f x %7.2f s cpu %7.1f MB\n", name, $1, $4 / $1, $2, $3 }'
}

jobs=$(nproc)
echo "base backup of $(du -sm "$PG_SOCKET/SHA256" | cut -f 1) MB, $jobs processors"
pages=$(best "$PG_BIN/pg_checksums" --check -D "$SCRATCH/source/data") || exit 3
row "pg_checksums" "$pages" "${pages%% *}"
for sums in SHA256 CRC32C; do
	theirs=$(best "$PG_BIN/pg_verifybackup" "$PG_SOCKET/$sums") || exit 3
	both=$(echo "$theirs $pages" | awk '{ printf "%.2f %.2f %.1f", $1 + $4, $2 + $5, $3 }')
	ours=$(best check-integrity --records "$PG_SOCKET/$sums") || exit 3
	one=$(best check-integrity --records --jobs 1 "$PG_SOCKET/$sums") || exit 3
	echo "manifest of $sums:"
	row "pg_verifybackup" "$theirs" "${theirs%% *}"
	row "pg_verifybackup && pg_checksums" "$both" "${theirs%% *}"
	row "check-integrity" "$ours" "${theirs%% *}"
	row "check-integrity --jobs 1" "$one" "${theirs%% *}"
	first=${first:-$ours} # SHA-256
	awk "BEGIN { printf \"check-integrity is %.2f times faster than both\\n\", ${both%% *} / ${ours%% *} }"
done
command -v pgbackrest >/dev/null || exit 0
# A backup of the stopped cluster: there is no WAL to look at.
cat >pgbackrest.conf <<CONF
[global]
repo1-path=$PG_SOCKET/repository
lock-path=$PG_SOCKET/lock
log-path=$PG_SOCKET/lock
log-level-file=off
compress-type=none
process-max=$jobs
[bench]
pg1-path=$PG_SOCKET/data
CONF
set -- pgbackrest --config="$SCRATCH/pgbackrest.conf" --stanza=bench
as_pg "$@" --no-online stanza-create >log/pgbackrest || exit 3
as_pg "$@" --no-online --type=full backup >>log/pgbackrest || exit 3
verified=$(best setpriv --reuid="$(stat -c %u "$PG_SOCKET")" --clear-groups "$@" verify) || exit 3
echo "the same cluster in a repository, with SHA-1:"
row "pgbackrest verify" "$verified" "${verified%% *}"
row "check-integrity, SHA-256" "$first" "${verified%% *}"
row "check-integrity, CRC-32C" "$ours" "${verified%% *}"
