#!/bin/sh
# inspect-dump beside the fastest programs that only decompress the same file, and beside a restore
# with count(*). One run, one machine: the ratios are what counts, above 1 inspect-dump is faster.
# ROWS=N makes the dump larger.
set -eu
BIN=${BIN:-build/bin}
ROWS=${ROWS:-3000000}
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
for format in p c t d; do
	"$PG_BIN/pg_dump" -d shop -F$format -f "$DIR/dump.$format"
done
gzip -c "$DIR/dump.p" >"$DIR/dump.p.gz"
has() { command -v "$1" >/dev/null; }
! has zstd || zstd -qk "$DIR/dump.p"
! has lz4 || lz4 -q "$DIR/dump.p" "$DIR/dump.p.lz4"
! has pzstd || pzstd -q "$DIR/dump.p" -o "$DIR/dump.p.frames.zst"
! has bgzip || bgzip -c "$DIR/dump.p" >"$DIR/dump.p.members.gz"

# The best of so many runs (five), in seconds.
best() {
	for _ in $(seq "${RUNS:-5}"); do
		before=$(date +%s.%N)
		"$@" >/dev/null 2>&1
		echo "$before $(date +%s.%N)"
	done | awk '{ t = $2 - $1; if (NR == 1 || t < min) min = t } END { printf "%.3f", min }'
}

ratio() { awk -v ours="$2" -v theirs="$3" -v name="$1" 'BEGIN { printf "%-58s %7.3f s %7.3f s  %6.2f\n", name, ours, theirs, theirs / ours }'; }

# inspect-dump beside programs with the same file: FILE 'PROGRAM OPTIONS'...
beside() {
	file=$1
	shift
	[ -e "$DIR/$file" ] || return 0
	ours=$(best "$BIN/inspect-dump" --records "$DIR/$file")
	for peer in "$@"; do
		# shellcheck disable=SC2086  # a program and its options
		! has "${peer%% *}" || ratio "$peer, $file" "$ours" "$(best $peer "$DIR/$file")"
	done
}

unpack_parts() { find "$1" -name '*.gz' -print0 | xargs -0 -P "$(nproc)" -n 1 igzip -dc; }

restore() {
	"$PG_BIN/createdb" again
	"$PG_BIN/pg_restore" -d again -j 2 "$DIR/dump.c"
	"$PG_BIN/psql" -XqAt -d again -c 'SELECT count(*) FROM a' -c 'SELECT count(*) FROM b'
	"$PG_BIN/dropdb" again
}

echo "inspect-dump beside                                           ours    theirs   ratio"
beside dump.p 'wc -l'
beside dump.t 'wc -l'
beside dump.p.gz 'igzip -dc' 'pigz -dc' 'gzip -dc'
beside dump.p.zst 'zstd -dc'
beside dump.p.lz4 'lz4 -dc'
beside dump.p.frames.zst 'pzstd -dc' 'zstd -dc'
beside dump.p.members.gz "bgzip -@$(nproc) -dc" 'igzip -dc'
if has igzip; then
	beside dump.d unpack_parts
	ratio "the same files of dump.d by igzip -dc, dump.c" "$(best "$BIN/inspect-dump" --records "$DIR/dump.c")" \
		"$(best unpack_parts "$DIR/dump.d")"
fi
beside dump.c "$PG_BIN/pg_restore -f /dev/null"
ratio "pg_restore -j 2 into a running server, count(*)" "$(best "$BIN/inspect-dump" --records "$DIR/dump.c")" "$(RUNS=1 && best restore)"
ratio "without --checksum (ours: with it), dump.p" "$(best "$BIN/inspect-dump" --records --checksum "$DIR/dump.p")" \
	"$(best "$BIN/inspect-dump" --records "$DIR/dump.p")"
for file in "$DIR"/dump.*; do
	{ command time -f %M "$BIN/inspect-dump" --records "$file" >/dev/null; } 2>&1 || echo 0
done | awk '$1 > most { most = $1 } END { if (most > 0) printf "memory: %.1f MiB at most\n", most / 1024 }'
