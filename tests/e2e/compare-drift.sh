#!/bin/sh
# compare-counts while production moves on by inserts, updates and deletes: no false alarm, and no
# lost row missed where the evidence tells. ROUNDS=20 does more of it.
# sanitizers: no, compare-counts.sh and compare-hostile.sh run the same code
. "${0%/*}/lib.sh"
need jq

ROUNDS=${ROUNDS:-2}
pg_start || exit 3
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
BACK="host=$PG_SOCKET user=postgres dbname=back"
READINGS=$SCRATCH/readings.jsonl

# orders have times, items a sequence, plain neither; fixed never changes.
sql "CREATE DATABASE shop"
sql "$SHOP" "
	CREATE TABLE orders (id bigserial, what int, created_at timestamptz DEFAULT now());
	CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY, what int);
	CREATE TABLE plain (what int);
	CREATE TABLE fixed (what int);
	CREATE TABLE parts (at timestamptz DEFAULT now(), what int) PARTITION BY RANGE (at);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
	INSERT INTO orders (what, created_at) SELECT g, now() - g * interval '1 min' - interval '5 min'
		FROM generate_series(1, 3000) g;
	INSERT INTO parts (what, at) SELECT g, now() - g * interval '1 min' - interval '5 min'
		FROM generate_series(1, 500) g;
	INSERT INTO items (what) SELECT g FROM generate_series(1, 2000) g;
	INSERT INTO plain SELECT g FROM generate_series(1, 1000) g;
	INSERT INTO fixed SELECT g FROM generate_series(1, 50) g;"

# some TABLE: so many random rows of it.
few="(random() * 20)::int"
some() { echo "ctid IN (SELECT ctid FROM $1 ORDER BY random() LIMIT $few)"; }

grow() {
	sql "$SHOP" "
		INSERT INTO orders (what) SELECT g FROM generate_series(1, $few) g;
		INSERT INTO parts (what) SELECT g FROM generate_series(1, $few) g;
		INSERT INTO items (what) SELECT g FROM generate_series(1, $few) g;
		UPDATE orders SET what = what + 1 WHERE $(some orders);
		UPDATE items SET what = what + 1 WHERE $(some items);
		UPDATE fixed SET what = what;
		BEGIN; INSERT INTO items (what) VALUES (1); INSERT INTO plain VALUES (1); ROLLBACK"
}
move_on() {
	grow
	sql "$SHOP" "INSERT INTO plain SELECT g FROM generate_series(1, $few) g"
	for table in orders items parts_1 plain; do
		sql "$SHOP" "DELETE FROM $table WHERE $(some $table)"
	done
}

# The backup: its sequences and rows are those of one instant.
back_up() {
	sql "DROP DATABASE IF EXISTS back"
	sql "CREATE DATABASE back TEMPLATE shop"
	TAKEN=$(date -u +%FT%T.%3NZ)
	printf '{"record":"backup","name":"x","newest":true,"taken_at":"%s","modified_at":"%s"}\n' \
		"$TAKEN" "$TAKEN" >input
	printf '{"record":"instance","conninfo":"%s"}\n' "$BACK" >>input
}

compare() {
	want_status=$1
	shift
	expect_status "$want_status" compare-counts --records --production "$SHOP" --all --readings "$READINGS" "$@" <input
}

# The readings so far become those of an hour ago: the tool asks for some minutes between them and
# the backup, as clocks differ.
an_hour_passes() {
	jq -c '.at = (.at | sub("\\.[0-9]+Z$"; "Z") | fromdate - 3600 | todate)' "$READINGS" >aged
	mv aged "$READINGS"
}

round() {
	move_on
	back_up
	compare 0 # yesterday's run
	an_hour_passes
	move_on
	back_up
	move_on
	compare 0
	expect_records '[.[] | select(.check == "row-count")] | length == 5'
}

# lose TABLE [CONDITION]: one row that the backup should hold is not in it.
lose() {
	sql "$BACK" "CREATE TABLE kept AS SELECT * FROM $1;
		DELETE FROM $1 WHERE ctid = (SELECT ctid FROM $1 WHERE ${2:-true} ORDER BY random() LIMIT 1)"
	compare 2 --exclude kept
	expect_check row-count critical "public.$1"
	expect_records "all(.check != \"row-count\" or .subject == \"public.$1\" or .status == \"ok\")"
	expect_records "any(.subject == \"public.$1\" and any(.metrics[]; .name == \"unexplained_rows\" and .value == 1))"
	sql "$BACK" "TRUNCATE $1; INSERT INTO $1 ${3-} SELECT * FROM kept; DROP TABLE kept"
}

losses() {
	# the rounds before may have deleted what is old enough to be no newest row
	sql "$SHOP" "
		INSERT INTO orders (what, created_at) SELECT g, now() - interval '1 hour' FROM generate_series(1, 50) g;
		INSERT INTO parts (what, at) SELECT g, now() - interval '1 hour' FROM generate_series(1, 50) g;
		INSERT INTO items (what) SELECT g FROM generate_series(1, 100) g"
	back_up
	compare 0
	an_hour_passes
	back_up
	grow
	compare 0
	lose orders "created_at < now() - interval '2 min'"
	lose parts_1 "at < now() - interval '2 min'"
	lose items 'id < (SELECT max(id) - 90 FROM items)' 'OVERRIDING SYSTEM VALUE'
	# rolled back inserts count among the inserted rows, deleted ones there are none
	lose plain
	lose fixed
	compare 0
}

n=0
while [ $n -lt "$ROUNDS" ]; do
	n=$((n + 1))
	rm -f "$READINGS"
	t "round $n: what production inserts, changes and deletes is no alarm" round
	t "round $n: of one lost row each is found, and only that" losses
done

without_readings() {
	back_up
	sql "$SHOP" "DELETE FROM plain WHERE ctid = (SELECT min(ctid) FROM plain)"
	expect_status 0 compare-counts --records --production "$SHOP" --all <input
	expect_records 'any(.subject == "public.plain" and (.summary | test("1 deleted in production since")))'
	# production has deleted none of these
	sql "$BACK" "INSERT INTO fixed VALUES (0)"
	expect_status 2 compare-counts --records --production "$SHOP" --all <input
	expect_records 'any(.subject == "public.fixed" and .status == "critical"
		and (.summary | test("never there; its counters know of 0 deletions")))'
	sql "$BACK" "DELETE FROM fixed WHERE what = 0"
}
t "deleted rows are explained by production's counters, invented ones are not" without_readings

empty_here() {
	back_up
	compare 0
	an_hour_passes
	sql "$BACK" "TRUNCATE items; TRUNCATE plain"
	grow
	compare 2
	expect_check row-count critical public.items
	expect_check row-count critical public.plain
	# a schema without rows has sequences that never were drawn from
	sql "$BACK" "TRUNCATE items RESTART IDENTITY"
	compare 2
	expect_check row-count critical public.items
}
t "an emptied table excuses itself neither by its sequence nor by counters" empty_here

newest_numbers() {
	back_up
	sql "$BACK" "DELETE FROM items WHERE id > (SELECT max(id) - 5 FROM items)"
	rm "$READINGS"
	# nobody wrote since: nothing was in flight
	compare 2
	expect_check row-count critical public.items
	sql "$SHOP" "INSERT INTO items (what) VALUES (1)"
	rm "$READINGS"
	compare 1
	expect_records 'any(.subject == "public.items" and .key_column == "id"
		and (.summary | test("1 newer than the recovery point, 5 with the last numbers drawn at it")))'
}
t "lost newest numbers are found, or called doubtful" newest_numbers

rewritten() {
	back_up
	rm -f "$READINGS"
	compare 0
	an_hour_passes
	back_up
	sql "$SHOP" "TRUNCATE plain; INSERT INTO plain SELECT g FROM generate_series(1, 30) g"
	compare 1
	expect_records 'any(.subject == "public.plain" and .status == "warning"
		and (.summary | test("truncated or rewrote")))'
	sql "SELECT pg_stat_reset()" # of another database
	sql "$SHOP" "SELECT pg_stat_reset()" >/dev/null
	compare 2
	expect_records 'any(.subject == "public.plain" and .status == "critical")'
}
t "counters that were reset, and tables that were truncated, excuse nothing silently" rewritten

forgetful() {
	back_up
	echo '{"torn' >"$READINGS"
	compare 0
	compare 1 --readings "$SCRATCH/nosuch/dir/readings"
	expect_records 'any(.check == "tables-compared" and (.summary | test("counters are not remembered")))'
}
t "readings that cannot be kept are a warning" forgetful

sampled() {
	sql "$SHOP" "CREATE TABLE big AS SELECT g AS id, repeat('x', 200) AS filler FROM generate_series(1, 60000) g; ANALYZE big"
	back_up
	compare 0 --sample-above 4MiB
	expect_records 'any(.subject == "public.big" and .sampled > 0 and .sampled < 0.5
		and (.summary | test("production: about .* estimated from [0-9.]+ % of its blocks")))'
	expect_records 'any(.subject == "public.fixed" and (has("sampled") | not))'
	sql "$BACK" "DELETE FROM big WHERE id % 3 = 0"
	compare 2 --sample-above 4MiB
	expect_check row-count critical public.big
	SAMPLE_ABOVE=100MiB compare 2
	expect_records 'any(.subject == "public.big" and any(.metrics[]; .name == "unexplained_rows" and .value == 20000))'
	sql "$SHOP" "DROP TABLE big"
}
t "a large table is estimated from a sample, and called so" sampled
