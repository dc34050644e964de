#!/bin/sh
# restore.sh [MEGABYTES [ROW...]]: how long a restore takes, of one database in one run: the usual
# script, psql and pg_restore tuned by hand, and restore-to-temp. MEGABYTES (2048) is about the size
# of the database. Needs five times that in $BENCH_DIR (default /var/tmp). ROW: only the rows whose
# names have this word in them; with BENCH_DUMPS=DIR the dumps are kept there, for the next such part.
#
# cpu, disk: the seconds that the processors of this machine were busy, and what its disks have
# written meanwhile, whoever asked for it: on a quiet machine those of the restore. own: of these
# seconds those of restore-to-temp's own processes, as seen once a second.
BENCH_DIR=${BENCH_DIR:-/var/tmp}
BP_SCRATCH=$(mktemp -d "$BENCH_DIR/bp-bench.XXXXXX") || exit 3
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"
need zstd jq
size=${1:-2048}
[ $# -eq 0 ] || shift
jobs=$(nproc)
PATH=$PG_BIN:$PATH

# --- the database ----------------------------------------------------------------------------

make_dumps() {
	pg_start source || exit 3
	sql "CREATE DATABASE shop" || exit 3
	source_dsn="host=$PG_SOCKET user=postgres dbname=shop"
	echo "making a database of about $size MB ..." >&2
	# One unit is about 1 MB: of the rows, of what indexes them, and of large objects.
	"$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -v n=$((size * 4 / 3)) -d "$source_dsn" >/dev/null <<'SQL' || exit 3
SET max_parallel_workers_per_gather = 0;
CREATE TABLE customer (id bigint PRIMARY KEY, name text NOT NULL, email text UNIQUE,
	since timestamptz NOT NULL, profile jsonb NOT NULL);
INSERT INTO customer SELECT g, md5(g::text), md5('e' || g) || '@example.org',
	'2020-01-01Z'::timestamptz + g * interval '1 minute',
	jsonb_build_object('lang', 'l' || g % 20, 'tags', jsonb_build_array(g % 7, g % 11), 'score', g)
	FROM generate_series(1, :n * 400) g;
CREATE INDEX ON customer USING gin (profile jsonb_path_ops);
CREATE INDEX ON customer (since);
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customer,
	placed timestamptz NOT NULL, total numeric(12,2) NOT NULL, note text);
INSERT INTO orders SELECT g, 1 + g % (:n * 400), '2024-01-01Z'::timestamptz + g * interval '7 seconds',
	(g % 100000) / 100.0, repeat(md5(g::text), 3) FROM generate_series(1, :n * 1200) g;
CREATE INDEX ON orders (customer);
CREATE INDEX ON orders (placed);
CREATE INDEX ON orders (total, id);
CREATE TABLE event (id bigint NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, data jsonb)
	PARTITION BY RANGE (at);
SELECT format('CREATE TABLE event_%s PARTITION OF event FOR VALUES FROM (%L) TO (%L)', m,
	make_timestamptz(2025, m, 1, 0, 0, 0, 'UTC'), make_timestamptz(2025, m, 1, 0, 0, 0, 'UTC') + interval '1 month')
	FROM generate_series(1, 12) m \gexec
INSERT INTO event SELECT g, '2025-01-01Z'::timestamptz + (g % 525600) * interval '1 minute',
	'k' || g % 9, jsonb_build_object('v', g, 'w', md5(g::text)) FROM generate_series(1, :n * 900) g;
ALTER TABLE event ADD PRIMARY KEY (id, at);
CREATE INDEX ON event (kind, at);
CREATE TABLE item (orders bigint NOT NULL REFERENCES orders, line int NOT NULL, sku text NOT NULL,
	qty int NOT NULL, PRIMARY KEY (orders, line));
INSERT INTO item SELECT 1 + g / 2, g % 2, 'sku-' || g % 5000, g % 9 FROM generate_series(0, :n * 2200) g;
CREATE INDEX ON item (sku);
CREATE MATERIALIZED VIEW by_day AS SELECT date_trunc('day', placed) AS day, sum(total)
	FROM orders GROUP BY 1;
SELECT lo_from_bytea(0, convert_to(repeat(md5(g::text), 500), 'UTF8')) FROM generate_series(1, :n / 4) g;
SQL
	mkdir dumps
	chmod 777 dumps
	pg_dump -d "$source_dsn" -f dumps/plain.sql
	gzip -c dumps/plain.sql >dumps/plain.gz
	zstd -q dumps/plain.sql -o dumps/plain.zst
	pg_dump -d "$source_dsn" -Fc -f dumps/custom
	pg_dump -d "$source_dsn" -Fd -j "$jobs" -f dumps/directory
	rm dumps/plain.sql
	chmod -R a+rX dumps
	expected=$(sql "$source_dsn" "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM event)
		+ (SELECT count(*) FROM item) + (SELECT count(*) FROM customer)")
	megabytes=$(sql "$source_dsn" "SELECT pg_database_size('shop') >> 20")
	pg_stop source
	rm -rf source
	printf 'expected=%s megabytes=%s\n' "$expected" "$megabytes" >dumps/facts
}

DUMPS=${BENCH_DUMPS:-$SCRATCH/dumps}
if [ ! -s "$DUMPS/facts" ]; then
	make_dumps
	[ "$DUMPS" = "$SCRATCH/dumps" ] || mv dumps "$DUMPS" || exit 3
fi
# shellcheck source=/dev/null
. "$DUMPS/facts"
sync

# --- measuring -------------------------------------------------------------------------------

written() {
	awk '$3 !~ /^(loop|ram|dm-|zram)/ && !($3 ~ /[0-9]p?[0-9]+$/ && $3 !~ /^nvme[0-9]+n[0-9]+$/) \
		{ s += $10 } END { print int(s / 2048) }' /proc/diskstats
}

now() { date +%s.%N; }

# row NAME WALL CPU OWN MB: one line of the table; the first one is what the others are compared with.
row() {
	[ -s "$DUMPS/first" ] || echo "$2" >"$DUMPS/first"
	first=$(cat "$DUMPS/first")
	awk -v name="$1" -v wall="$2" -v cpu="$3" -v own="$4" -v mb="$5" -v first="$first" \
		'BEGIN { printf "%-40s %7.1f s %6.2f x %7.1f s %6.1f %% %7d MB\n", name, wall, first / wall, \
			cpu, 100 * own / cpu, mb }'
}

# The CPU seconds of this machine so far, but for waiting.
busy() {
	awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) / '"$(getconf CLK_TCK)"' }' /proc/stat
}

# Once a second, what each process of the tool has used so far: "PID TICKS".
watch_own() {
	trap 'kill "$!"; exit' TERM
	while sleep 1 & wait $!; do
		for pid in $(pgrep -f "^restore-to-temp .*$DUMPS/"); do
			sed -n 's/^\([0-9]*\) (.*) //p' "/proc/$pid/stat" | awk -v pid="$pid" '{ print pid, $12 + $13 }'
		done 2>/dev/null
	done >"$SCRATCH/log/own"
}

# The seconds of them all.
own_seconds() {
	awk '{ t[$1] = $2 } END { for (p in t) s += t[p]; print s / '"$(getconf CLK_TCK)"' }' "$SCRATCH/log/own"
}

wanted=$*
is_wanted() {
	for pattern in $wanted; do
		case $1 in *"$pattern"*) return 0 ;; esac
	done
	[ -z "$wanted" ]
}

# measure NAME COMMAND...
measure() {
	name=$1
	shift
	is_wanted "$name" || return 0
	watch_own &
	watcher=$!
	disk=$(written) cpu=$(busy) began=$(now)
	("$@") >"$SCRATCH/log/run" 2>&1 || { echo "$name failed:" >&2; tail -n 5 "$SCRATCH/log/run" >&2; }
	ended=$(now)
	row "$name" "$(awk "BEGIN { print $ended - $began }")" \
		"$(awk "BEGIN { print $(busy) - $cpu }")" "$(own_seconds)" $(($(written) - disk))
	kill $watcher
	wait $watcher 2>/dev/null
	sync
}

# --- by hand ---------------------------------------------------------------------------------

tuned="-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal
	-c max_wal_senders=0 -c autovacuum=off -c max_wal_size=16GB -c checkpoint_timeout=1h
	-c shared_buffers=1GB -c maintenance_work_mem=512MB"

# server SETTINGS...: a new one, as a child of this shell, so that its CPU time counts.
server() {
	mkdir "$SCRATCH/hand"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$SCRATCH/hand"
	as_pg initdb -D "$SCRATCH/hand/data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust
	as_pg postgres -D "$SCRATCH/hand/data" -c listen_addresses= \
		-c "unix_socket_directories=$SCRATCH/hand" "$@" &
	until as_pg pg_isready -q -h "$SCRATCH/hand"; do sleep 0.02; done
	PGHOST=$SCRATCH/hand PGUSER=postgres
	export PGHOST PGUSER
	createdb shop
}

# What was restored must be all of it, or the figure is worth nothing.
check_and_stop() {
	[ "$(sql dbname=shop "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM event)
		+ (SELECT count(*) FROM item) + (SELECT count(*) FROM customer)")" = "$expected" ]
	good=$?
	kill -s INT "$(head -n 1 "$SCRATCH/hand/data/postmaster.pid")"
	wait
	rm -rf "$SCRATCH/hand"
	return $good
}

usual_script() {
	server
	gunzip -c "$DUMPS/plain.gz" | psql -q -d shop
	check_and_stop
}

tuned_psql() {
	# shellcheck disable=SC2086  # a list
	server $tuned
	"$@" | psql -q -1 -d shop
	check_and_stop
}

tuned_pg_restore() {
	# shellcheck disable=SC2086  # a list
	server $tuned
	pg_restore -j "$jobs" -d shop "$@"
	check_and_stop
}

# --- restore-to-temp -------------------------------------------------------------------------

# Its COMMAND counts, as check_and_stop does.
ours() {
	restore-to-temp --records --work-dir "$SCRATCH/tmp" --backup "$@" -- sh -c "
		[ \"\$(psql -XqAt -c 'SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM event)
			+ (SELECT count(*) FROM item) + (SELECT count(*) FROM customer)')\" = $expected ] &&
		echo '{\"record\":\"check\",\"check\":\"rows\",\"status\":\"ok\",\"summary\":\"all\"}'" \
		>"$SCRATCH/log/records"
	status=$?
	[ $status -le 1 ] || jq -r 'select(.record == "check" and .status != "ok").summary' \
		"$SCRATCH/log/records"
	[ $status -le 1 ]
}

empty_server_by_hand() {
	as_pg initdb -D "$SCRATCH/empty" -U postgres -E UTF8 --locale=C.UTF-8 -A trust &&
		as_pg pg_ctl -D "$SCRATCH/empty" -w -o "-c listen_addresses= -c unix_socket_directories=$SCRATCH/tmp" \
			start >/dev/null 2>&1
}

start_seconds() {
	jq -r 'select(.check == "restore-time").metrics[] | select(.name == "start_seconds").value' \
		"$SCRATCH/log/records"
}

echo "database of $megabytes MB, $jobs processors; dumps: $(du -sm "$DUMPS"/[cdp]* |
	awk '{ sub(/.*\//, "", $2); printf "%s%s %s MB", s, $2, $1; s = ", " }')"
printf '%-40s %9s %8s %9s %8s %10s\n' '' wall ratio cpu own disk
measure "usual script: gunzip | psql" usual_script
measure "psql -1, tuned, plain.gz" tuned_psql gunzip -c "$DUMPS/plain.gz"
measure "psql -1, tuned, plain.zst" tuned_psql zstd -dcq "$DUMPS/plain.zst"
measure "pg_restore -j $jobs, tuned, custom" tuned_pg_restore -Fc "$DUMPS/custom"
measure "pg_restore -j $jobs, tuned, directory" tuned_pg_restore -Fd "$DUMPS/directory"
for dump in plain.gz plain.zst custom directory; do
	measure "restore-to-temp, $dump" ours "$DUMPS/$dump"
done
for dump in plain.gz plain.zst custom directory; do
	measure "restore-to-temp --depth data, $dump" ours "$DUMPS/$dump" --depth data
done
is_wanted 'empty server' || exit 0
began=$(now)
mkdir empty
[ "$(id -u)" -ne 0 ] || chown postgres: empty
empty_server_by_hand >/dev/null
ended=$(now)
as_pg pg_ctl -D "$SCRATCH/empty" -m immediate stop >/dev/null
awk "BEGIN { printf \"empty server ready: initdb && pg_ctl start %.2f s, restore-to-temp %.2f s\n\",
	$ended - $began, $(start_seconds) }"
