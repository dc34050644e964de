#!/bin/sh
# recovery.sh [SEGMENTS]: how long it takes to recover a base backup with so many segments of 16 MB of WAL
# (40): restore-to-temp, and the same by hand: a copy of the backup, restore_command = cp, pg_ctl start.
# By hand once as the backup's server was set up, and once without waiting for the disk, as ours: the ratio
# is to that one. Needs three times the WAL in $BENCH_DIR (default /var/tmp).
BENCH_DIR=${BENCH_DIR:-/var/tmp}
BP_SCRATCH=$(mktemp -d "$BENCH_DIR/bp-bench.XXXXXX") || exit 3
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"
need python3 jq
segments=${1:-40}

pg_init "$SCRATCH/source" || exit 3
PG_SOCKET=$SCRATCH/source
PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
A=$PG_SOCKET/archive
as_pg mkdir "$A"
echo "making $segments segments of WAL ..." >&2
pg_run "$PG_SOCKET" -c listen_addresses= -c archive_mode=on "-c 'archive_command=cp %p $A/%f'" -c max_wal_size=8GB \
	-c shared_buffers=512MB || exit 3
sql "CREATE TABLE t (g bigint PRIMARY KEY, v text)"
as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$PG_SOCKET/base" -c fast --no-sync -X none 2>/dev/null || exit 3
while [ "$(find "$A" -type f | wc -l)" -lt "$segments" ]; do
	sql "INSERT INTO t SELECT g, md5(g::text) FROM generate_series((SELECT coalesce(max(g), 0) + 1 FROM t),
		(SELECT coalesce(max(g), 0) + 300000 FROM t)) g"
	sql "UPDATE t SET v = md5(v) WHERE g % 10 = 0"
done
last=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
wait_for 60 test -e "$A/$last" || exit 3
rows=$(sql "SELECT count(*) FROM t")
pg_stop source
sync

# From the copy of the backup to the first correct answer, in seconds; then the replay alone.
by_hand() {
	rm -rf "$PG_SOCKET/hand"
	as_pg mkdir "$PG_SOCKET/hand"
	begun=$(date +%s.%N)
	as_pg cp -a "$PG_SOCKET/base" "$PG_SOCKET/hand/data"
	as_pg touch "$PG_SOCKET/hand/data/recovery.signal"
	as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/hand/data" -l "$PG_SOCKET/hand/log" -w -t 600 -s -o "-c listen_addresses= \
		-c unix_socket_directories=$PG_SOCKET/hand -c hot_standby=off -c archive_mode=off -c log_line_prefix='%n ' \
		-c 'restore_command=cp $A/%f %p' $*" start </dev/null
	# pg_ctl returns when the recovery has begun.
	tries=6000
	until [ "$(sql "host=$PG_SOCKET/hand user=postgres dbname=postgres" "SELECT count(*) FROM t" 2>/dev/null)" = "$rows" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || exit 3
		sleep 0.05
	done
	ended=$(date +%s.%N)
	as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/hand/data" -m immediate -w -s stop
	awk -v all="$(echo "$ended $begun" | awk '{ print $1 - $2 }')" '/redo starts/ { from = $1 }
		/redo done/ { to = $1 } END { printf "%.2f %.2f", all, to - from }' "$PG_SOCKET/hand/log"
}

ours() {
	restore-to-temp --records --backup "$PG_SOCKET/base" --wal-source "$A" >records || exit 3
	jq -rs 'map(select(.check == "restore-time")) | .[0].metrics | map({(.name): .value}) | add
		| "\(.restore_seconds) \(.replay_seconds + .consistent_seconds)"' records
}

# row NAME "ALL REPLAY" "ALL REPLAY" of what it is compared with.
row() {
	echo "$2 $3" | awk -v name="$1" -v mb="$((segments * 16))" '{
		printf "%-34s %7.2f s %6.2f x   replay %7.2f s, %5.0f MB/s\n", name, $1, $3 / $1, $2, mb / $2 }'
}

segments=$(find "$A" -type f -name '????????????????????????' | wc -l)
echo "$((segments * 16)) MB of WAL, $(nproc) processors"
as_it_is=$(by_hand) || exit 3
hand=$(by_hand -c fsync=off -c shared_buffers=1GB) || exit 3
row "by hand, as it is set up" "$as_it_is" "$hand"
row "by hand, fsync=off" "$hand" "$hand"
row "restore-to-temp" "$(ours)" "$hand"
