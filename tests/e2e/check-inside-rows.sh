#!/bin/sh
# check-integrity in a running server: one damaged row each, as pg_amcheck's own tests make them by hand;
# each is found, in its table, for its own reason.
# sanitizers: no, the server finds them, and what asks it is in check-inside.sh
. "${0%/*}/lib.sh"
need jq python3
need_pg

# The rows of src/bin/pg_amcheck/t/004_verify_heapam.pl, and some of line pointers; not those that need a
# transaction in progress. The table, what is done to its row, the finding; then, where one row is not
# enough, what is done before (T: the table), and the version of PostgreSQL whose amcheck can tell. Tables
# have a bigint, a short text and a long one that is stored elsewhere. use(n): the row's nth line pointer.
cat >all <<'FAULTS'
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
natts_fit|add(20, 1); add(18, 0x40); set8(23, 0xaa); set8(22, 32)|number of attributes 67 exceeds maximum expected for table 3
varlena|set8(32, 0xfc)|with length [0-9]+ ends at offset [0-9]+ beyond total tuple length 58
toast|set32(50, 4294967295)|toast value 4294967295 not found in toast table
multi_next|set32(4, 4); mask(20, 0x0800); add(20, 0x1000)|[Mm]ulti.* 4 [eh][qa][us]
multi_old|set32(4, 4000000000); mask(20, 0x0800); add(20, 0x1000)|[Mm]ulti.* 4000000000 [pd]
multi_committed|add(20, 0x1400)|multi.* marked (as )?committed
item_redirect|item(20, 2, 0)|line pointer redirection to item at offset 20 exceeds maximum offset 1
item_aligned|item(at + 1, 1, 58)|line pointer to page offset [0-9]+ is not maximally aligned
item_short|item(at, 1, 10)|line pointer length 10 is less than the minimum tuple header size
item_long|item(at, 1, 8000)|with length 8000 ends beyond maximum page offset 8192
hot_flag|mask(18, 0x4000)|non-heap-only update produced a heap-only tuple at offset 2|UPDATE T SET a = 2|160000
hot_only|use(2); mask(18, 0x8000)|heap-only update produced a non-heap only tuple at offset 2|UPDATE T SET a = 2|160000
hot_root|add(18, 0x8000)|tuple is root of chain but is marked as heap-only tuple|UPDATE T SET a = 2|160000
hot_xmax|set32(4, 0)|tuple has been HOT updated, but xmax is 0|UPDATE T SET a = 2|160000
two_before|x = get32(4); use(2); set32(4, x); set16(16, 3)|points to new version at offset 3, but offset [12] also points there|INSERT INTO T VALUES (2); UPDATE T SET a = 3 WHERE a = 1|160000
aborted|use(2); x = get32(0); use(1); set32(0, x); mask(20, 0x0100)|aborted xmin [0-9]+ was updated to produce a tuple at offset [0-9]+ with committed xmin|BEGIN; UPDATE T SET a = 2; ROLLBACK; UPDATE T SET a = 3|160000
to_no_hot|use(2); mask(18, 0x8000)|redirected line pointer points to a non-heap-only tuple at offset 2|UPDATE T SET a = 2; VACUUM T|160000
to_redirect|item(1, 2, 0, 2)|redirected line pointer points to another redirected line pointer at offset 1|INSERT INTO T VALUES (2); UPDATE T SET a = a + 2; VACUUM T|160000
to_the_same|item(3, 2, 0, 2)|redirect line pointer points to offset 3, but offset 1 also points there|INSERT INTO T VALUES (2); UPDATE T SET a = a + 2; VACUUM T|160000
FAULTS

pg_start || exit 3
awk -F '|' -v version="$(sql "SHOW server_version_num")" '$5 <= version' all >faults
# Of each database twenty are named.
head -n 20 faults >faults.postgres
tail -n +21 faults >faults.more
sql "CREATE DATABASE more"
for db in postgres more; do
	while IFS='|' read -r name _ _ before _; do
		echo "CREATE TABLE $name (a bigint, b text, c text); ALTER TABLE $name ALTER c SET STORAGE EXTERNAL;
			INSERT INTO $name VALUES (1, 'abcdefg', repeat('w', 10000)); $before;" |
			sed "s/\\bT\\b/$name/g; s/;/;\\n/g"
	done <faults.$db >tables.sql
	"$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "${PG_DSN%postgres}$db" -f tables.sql -c CHECKPOINT || exit 3
	sql "${PG_DSN%postgres}$db" "SELECT relname, pg_relation_filepath(oid), relfrozenxid FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace" >>files
done

inside() {
	jq -nc --arg dsn "$PG_DSN" '{record: "instance", conninfo: $dsn, database: "postgres", databases: ["postgres", "more"]}' >in
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
		    name, fault = line.split("|")[:2]
		    path, frozen = files[name]
		    with open(sys.argv[1] + "/" + path, "r+b") as f:
		        page = bytearray(f.read(8192))
		        before = bytes(page)
		        def use(n):
		            global at
		            at = struct.unpack_from("<I", page, 20 + 4 * n)[0] & 0x7fff
		        use(1)
		        def set8(o, v): page[at + o] = v
		        def set16(o, v): struct.pack_into("<H", page, at + o, v)
		        def set32(o, v): struct.pack_into("<I", page, at + o, v)
		        def get16(o): return struct.unpack_from("<H", page, at + o)[0]
		        def add(o, bits): set16(o, get16(o) | bits)
		        def mask(o, bits): set16(o, get16(o) & ~bits)
		        def get32(o): return struct.unpack_from("<I", page, at + o)[0]
		        def item(o, flags, n, which=1): struct.pack_into("<I", page, 20 + 4 * which, o | flags << 15 | n << 17)
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
	for db in postgres more; do
		while IFS='|' read -r name _ why _; do
			jq -es --arg name "public.$name" --arg why "$why" 'any(.check == "heap-integrity" and .subject == $name
				and .status == "critical" and (.summary | test($why)))' "$OUT" >/dev/null ||
				say_failed "not found for its reason: $name"
		done <faults.$db
		expect_records "any(.check == \"heap-integrity\" and .subject == \"$db\" and any(.metrics[];
			.name == \"damaged_relations\" and .value == $(wc -l <faults.$db)))"
	done
}
t "each damaged row is found, for its own reason" found
