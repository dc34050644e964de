#!/bin/sh
# inspect-dump beside programs that only decompress the same file, and beside a restore with
# count(*). One run, one machine: the ratios are what counts. ROWS=N makes the dump larger.
set -eu
BIN=${BIN:-build/bin}
ROWS=${ROWS:-1500000}
PG_BIN=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -1)
[ -n "$PG_BIN" ] || {
	echo "needs PostgreSQL"
	exit 0
}
DIR=$(mktemp -d /tmp/bp-bench.XXXXXX)
chmod 711 "$DIR"
as_pg() {
	if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi
}
finish() {
	as_pg "$PG_BIN/pg_ctl" -D "$DIR/pg/data" -m immediate stop >/dev/null 2>&1 || true
	rm -rf "$DIR"
}
trap finish EXIT
trap 'exit 3' INT TERM HUP

mkdir -m 777 "$DIR/pg"
as_pg "$PG_BIN/initdb" -D "$DIR/pg/data" -A trust -U postgres >/dev/null
as_pg "$PG_BIN/pg_ctl" -D "$DIR/pg/data" -l "$DIR/pg/log" -w start \
	-o "-c listen_addresses='' -k $DIR/pg -c fsync=off -c full_page_writes=off" >/dev/null
export PGHOST="$DIR/pg" PGUSER=postgres
"$PG_BIN/createdb" shop
for table in a b; do
	"$PG_BIN/psql" -Xq -d shop -c "CREATE TABLE $table AS SELECT g AS id, 'order number ' || g || ' ' || md5(g::text) AS note,
		now() AS made, g * 1.5 AS amount FROM generate_series(1, $ROWS / 2) g; CREATE INDEX ON $table (id)"
done
"$PG_BIN/pg_dump" -d shop -Fp -f "$DIR/plain.sql"
"$PG_BIN/pg_dump" -d shop -Fc -f "$DIR/custom"
gzip -k "$DIR/plain.sql"
! command -v zstd >/dev/null || zstd -q "$DIR/plain.sql"

# The best of three, in seconds.
best() {
	for _ in 1 2 3; do
		before=$(date +%s.%N)
		"$@" >/dev/null
		echo "$before $(date +%s.%N)"
	done | awk '{ t = $2 - $1; if (NR == 1 || t < min) min = t } END { printf "%.3f", min }'
}

ratio() { awk -v ours="$2" -v theirs="$3" -v name="$1" 'BEGIN { printf "%-58s %7.3f s %7.3f s  %6.2f\n", name, ours, theirs, theirs / ours }'; }

inspect() { "$BIN/inspect-dump" --records "$1"; }

restore() {
	"$PG_BIN/createdb" again
	"$PG_BIN/pg_restore" -d again -j 2 "$DIR/custom"
	"$PG_BIN/psql" -XqAt -d again -c 'SELECT count(*) FROM a' -c 'SELECT count(*) FROM b'
	"$PG_BIN/dropdb" again
}

echo "inspect-dump beside                                           ours    theirs   ratio"
gz=$(best inspect "$DIR/plain.sql.gz")
for peer in 'gzip -dc' 'pigz -dc' 'igzip -dc'; do
	# shellcheck disable=SC2086  # a program and its option
	! command -v "${peer%% *}" >/dev/null || ratio "$peer, plain.sql.gz" "$gz" "$(best $peer "$DIR/plain.sql.gz")"
done
if [ -e "$DIR/plain.sql.zst" ]; then
	ratio "zstd -dc, plain.sql.zst" "$(best inspect "$DIR/plain.sql.zst")" "$(best zstd -dc "$DIR/plain.sql.zst")"
fi
ours=$(best inspect "$DIR/custom")
ratio "pg_restore -f /dev/null, custom" "$ours" "$(best "$PG_BIN/pg_restore" -f /dev/null "$DIR/custom")"
ratio "pg_restore -j 2 into a running server, count(*)" "$ours" "$(best restore)"
ratio "without --checksum (ours: with it), plain.sql" "$(best "$BIN/inspect-dump" --records --checksum "$DIR/plain.sql")" \
	"$(best inspect "$DIR/plain.sql")"
awk -v kb="$({ command time -f %M "$BIN/inspect-dump" --records "$DIR/custom" >/dev/null; } 2>&1 || echo 0)" \
	'BEGIN { if (kb > 0) printf "memory: %.1f MiB at most\n", kb / 1024 }'
