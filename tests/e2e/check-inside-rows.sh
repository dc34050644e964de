#!/bin/sh
# check-integrity in a running server: one damaged row each, as pg_amcheck's own tests make them by hand;
# each is found, in its table, for its own reason.
# sanitizers: no, the server finds them, and what asks it is in check-inside.sh
. "${0%/*}/lib.sh"
need jq python3

[ -n "$PG_BIN" ] || {
	echo "skip - check-inside-rows.sh # needs PostgreSQL"
	exit 0
}

# The table, what is done to its row (t; at byte 24 of the page its line pointer), and the finding. Tables
# have a bigint, a short text and a long one that is stored elsewhere.
cat >faults <<'FAULTS'
xmin_frozen|set32(0, frozen - 1); mask(20, 0x0300)|xmin [0-9]+ precedes relation freeze threshold
xmin_old|set32(0, 3); mask(20, 0x0300)|xmin 3 precedes oldest valid transaction ID
xmin_past|set32(0, 4026531839); mask(20, 0x0300)|xmin 4026531839 precedes oldest valid transaction ID
xmin_future|set32(0, 123456); mask(20, 0x0300)|xmin 123456 equals or exceeds next valid transaction ID
xmax_past|set32(4, 4026531839); mask(20, 0x0800)|xmax 4026531839 precedes oldest valid transaction ID
hoff_beyond|set8(22, 152)|data begins at offset 152 beyond the tuple length 58
hoff_odd|set8(22, 27)|should begin at byte 24, but actually begins at byte 27 \(3 attributes, no nulls\)
hoff_small|set8(22, 16)|should begin at byte 24, but actually begins at byte 16
hoff_low|set8(22, 21)|should begin at byte 24, but actually begins at byte 21
natts|set16(18, 0x07ff)|number of attributes 2047 exceeds maximum expected for table 3
natts_nulls|set16(18, 0x07ff); add(20, 1)|should begin at byte 280, but actually begins at byte 24 \(2047 attributes, has nulls\)
varlena|set8(32, 0xfc)|with length [0-9]+ ends at offset [0-9]+ beyond total tuple length 58
toast|set32(50, 4294967295)|toast value 4294967295 not found in toast table
multi_next|set32(4, 4); mask(20, 0x0800); add(20, 0x1000)|multitransaction ID 4 equals or exceeds next valid multitransaction ID
multi_old|set32(4, 4000000000); mask(20, 0x0800); add(20, 0x1000)|multitransaction ID 4000000000 precedes relation minimum
multi_committed|add(20, 0x1400)|multi.* marked (as )?committed
item_redirect|item(20, 2, 0)|line pointer redirection to item at offset 20 exceeds maximum offset 1
item_aligned|item(at + 1, 1, 58)|line pointer to page offset [0-9]+ is not maximally aligned
item_short|item(at, 1, 10)|line pointer length 10 is less than the minimum tuple header size
item_long|item(at, 1, 8000)|with length 8000 ends beyond maximum page offset 8192
FAULTS

pg_start || exit 3
cut -d '|' -f 1 faults | while read -r name; do
	echo "CREATE TABLE $name (a bigint, b text, c text); ALTER TABLE $name ALTER c SET STORAGE EXTERNAL;
		INSERT INTO $name VALUES (1, 'abcdefg', repeat('w', 10000));"
done >tables.sql
sql "$(cat tables.sql) CHECKPOINT"
sql "SELECT relname, pg_relation_filepath(oid), relfrozenxid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace" >files

inside() {
	jq -nc --arg dsn "$PG_DSN" '{record: "instance", conninfo: $dsn, database: "postgres", databases: ["postgres"]}' >in
	expect_status "$1" sh -c 'check-integrity --records --deep <in'
}

sound() {
	inside 0
	expect_check heap-integrity ok postgres
}
t "tables whose rows are whole pass" sound

damage() {
	python3 - "$PG_SOCKET/data" <<-'PYTHON'
		import struct, sys
		files = {name: (path, int(frozen)) for name, path, frozen in
		         (line.strip().split("|") for line in open("files"))}
		for line in open("faults"):
		    name, fault, _ = line.split("|")
		    path, frozen = files[name]
		    with open(sys.argv[1] + "/" + path, "r+b") as f:
		        page = bytearray(f.read(8192))
		        before = bytes(page)
		        at = struct.unpack_from("<I", page, 24)[0] & 0x7fff
		        def set8(o, v): page[at + o] = v
		        def set16(o, v): struct.pack_into("<H", page, at + o, v)
		        def set32(o, v): struct.pack_into("<I", page, at + o, v)
		        def get16(o): return struct.unpack_from("<H", page, at + o)[0]
		        def add(o, bits): set16(o, get16(o) | bits)
		        def mask(o, bits): set16(o, get16(o) & ~bits)
		        def item(o, flags, n): struct.pack_into("<I", page, 24, o | flags << 15 | n << 17)
		        exec(fault)
		        assert page != before, name
		        f.seek(0)
		        f.write(page)
	PYTHON
}

found() {
	as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -m fast -w -s stop
	damage
	pg_run "$PG_SOCKET" -c listen_addresses=
	inside 2
	while IFS='|' read -r name _ why; do
		expect_check heap-integrity critical "public.$name"
		jq -es --arg name "public.$name" --arg why "$why" 'any(.check == "heap-integrity" and .subject == $name
			and (.summary | test($why)))' "$OUT" >/dev/null || say_failed "not found for its reason: $name"
	done <faults
	expect_records "any(.check == \"heap-integrity\" and .subject == \"postgres\" and any(.metrics[];
		.name == \"damaged_relations\" and .value == $(wc -l <faults)))"
}
t "each damaged row is found, for its own reason" found
