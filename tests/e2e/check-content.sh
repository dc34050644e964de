#!/bin/sh
# check-content: every promise of a schema, broken behind the server's back, is found and named.
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq

pg_start || exit 3
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
BACK="host=$PG_SOCKET user=postgres dbname=back"

sql "CREATE DATABASE shop"
sql "$SHOP" "
	CREATE SCHEMA \"odd \"\"schema\";
	CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE, mail text NOT NULL,
		shout text GENERATED ALWAYS AS (upper(name)) STORED);
	CREATE UNIQUE INDEX users_lower ON users (lower(mail)) WHERE id > 10;
	CREATE TABLE \"odd \"\"schema\".\"Or%ders\" (\"I d\" bigint PRIMARY KEY, user_id int REFERENCES users,
		amount int CONSTRAINT positive CHECK (amount > 0), a int, b int, UNIQUE (a, b));
	CREATE TABLE pairs (a int, b int, FOREIGN KEY (a, b)
		REFERENCES \"odd \"\"schema\".\"Or%ders\" (a, b) MATCH FULL);
	CREATE TABLE days (day date, id int, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
	CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	CREATE TABLE notes (day date, id int, FOREIGN KEY (day, id) REFERENCES days);
	CREATE TABLE canary (id int, word text);
	INSERT INTO users (name, mail) SELECT 'u' || g, 'M' || g FROM generate_series(1, 3000) g;
	INSERT INTO \"odd \"\"schema\".\"Or%ders\" SELECT g, g, g, g, -g FROM generate_series(1, 3000) g;
	INSERT INTO \"odd \"\"schema\".\"Or%ders\" (\"I d\", amount) VALUES (9999, NULL), (9998, 1);
	INSERT INTO pairs VALUES (1, -1), (NULL, NULL);
	INSERT INTO days SELECT '2026-02-17', g FROM generate_series(1, 100) g;
	INSERT INTO notes SELECT * FROM days;
	INSERT INTO canary VALUES (1, 'Serinus canaria');"
ORDERS='"odd ""schema"."Or%ders"'

# restored [SQL]: a copy, damaged by SQL.
restored() {
	sql "DROP DATABASE IF EXISTS back"
	sql "CREATE DATABASE back TEMPLATE shop"
	[ $# -eq 0 ] || sql "$BACK" "$1"
}
check() {
	want_status=$1
	shift
	expect_status "$want_status" check-content --records --restored "$BACK" "$@"
}

undamaged() {
	restored
	check 0
	expect_check foreign-keys ok ""
	expect_check unique-indexes ok ""
	expect_no_check check-constraints
	expect_records 'any(.check == "foreign-keys" and .summary == "3 of 3 hold")'
	expect_records 'any(.check == "unique-indexes" and .summary == "6 of 6 hold")'
	check 0 --deep --jobs 3
	for kind in check-constraints not-null-columns generated-columns; do
		expect_check $kind ok ""
		expect_records "any(.check == \"$kind\" and (.summary | test(\"hold\")))"
	done
	DEEP_CONTENT=yes check 0
	expect_check generated-columns ok ""
}
t "what keeps its promises is ok" undamaged

# broken CHECK SUBJECT SQL [OPTION...]: that, and only that.
broken() {
	name=$1 subject=$2
	restored "$3"
	shift 3
	check 2 "$@"
	expect_check "$name" critical "$subject"
	expect_records '[.[] | select(.record == "check" and .status != "ok")] | length == 1'
	expect_not_out 'u77|M77'
}
orphan="SET session_replication_role = replica; DELETE FROM users WHERE id = 777"
t "a row without its counterpart" \
	broken foreign-keys 'odd "schema.Or%ders.Or%ders_user_id_fkey' "$orphan"
t "a row without its counterpart in a partition" broken foreign-keys public.notes.notes_day_id_fkey \
	"SET session_replication_role = replica; DELETE FROM days_1 WHERE id = 7"
t "a key that is half NULL where it must be whole" broken foreign-keys public.pairs.pairs_a_b_fkey \
	"SET session_replication_role = replica; INSERT INTO pairs VALUES (1, NULL)"
# The index as it would be after a copy from a host that sorts otherwise: it does not see the row.
blind() {
	echo "UPDATE pg_index SET indisready = false WHERE indexrelid = '$1'::regclass;
		$2; UPDATE pg_index SET indisready = true WHERE indexrelid = '$1'::regclass"
}
t "a duplicate in spite of a unique index" broken unique-indexes public.users.users_lower \
	"$(blind users_lower "INSERT INTO users (name, mail) VALUES ('twin', 'm77')")"
t "an index that leads to fewer rows than there are" broken unique-indexes public.users.users_lower \
	"$(blind users_lower "INSERT INTO users (name, mail) VALUES ('new', 'unseen')")"
t "a CHECK constraint that does not hold" broken check-constraints 'odd "schema.Or%ders.small' \
	"ALTER TABLE $ORDERS ADD CONSTRAINT small CHECK (amount < 3000) NOT VALID;
	UPDATE pg_constraint SET convalidated = true WHERE conname = 'small'" --deep
t "a NULL that must not be" broken not-null-columns public.users.mail \
	"UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'users'::regclass AND attname = 'mail';
	INSERT INTO users (name) VALUES ('x');
	UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'users'::regclass AND attname = 'mail'" --deep
t "a generated column of another value" broken generated-columns public.users.shout \
	"UPDATE pg_attribute SET attgenerated = '' WHERE attrelid = 'users'::regclass AND attname = 'shout';
	UPDATE users SET shout = 'silence' WHERE id = 5;
	UPDATE pg_attribute SET attgenerated = 's' WHERE attrelid = 'users'::regclass AND attname = 'shout'" --deep

not_valid() {
	restored "ALTER TABLE $ORDERS ADD CONSTRAINT small CHECK (amount < 3000) NOT VALID;
		ALTER TABLE pairs ADD CONSTRAINT loose FOREIGN KEY (a) REFERENCES users NOT VALID"
	check 0
	expect_records 'any(.check == "not-valid-constraints" and .status == "ok"
		and (.summary | test("^2 NOT VALID, not checked \\(--deep\\): .*loose.*small")))'
	check 1 --deep
	expect_check check-constraints warning 'odd "schema.Or%ders.small'
}
t "what is NOT VALID is named, and checked by --deep" not_valid

damaged_page() {
	restored "CHECKPOINT"
	sql "$BACK" "CREATE TABLE torn (id int PRIMARY KEY); INSERT INTO torn SELECT g FROM generate_series(1, 5000) g; CHECKPOINT"
	file=$(sql "$BACK" "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('torn')")
	pg_stop
	printf 'garbage in the header of a page' | dd of="$file" bs=8192 seek=3 conv=notrunc 2>/dev/null
	pg_run "$SCRATCH/production"
	check 2
	expect_check unique-indexes critical public.torn.torn_pkey
}
t "a table that cannot be read is critical" damaged_page

assertions() {
	restored
	cat >shop.sql <<-'SQL'
		-- The shop's keepers expect:
		-- name: every user has a mail
		SELECT count(*) = 0 FROM users WHERE mail IS NULL;
		-- name: there are orders; of today
		SELECT count(*) > 100 FROM "odd ""schema"."Or%ders";

		SELECT true
	SQL
	check 0 --assert shop.sql
	expect_check assertion ok 'every user has a mail'
	expect_check assertion ok 'there are orders; of today'
	expect_check assertion ok 'line 7'
	ASSERT_FILE=shop.sql check 0
	sql "$BACK" "UPDATE users SET mail = 'x' WHERE id < 11"
	cat >bad.sql <<-'SQL'
		-- name: false
		SELECT count(*) = 0 FROM users WHERE mail = 'x';
		-- name: null
		SELECT NULL::bool;
		-- name: no boolean
		SELECT 1;
		-- name: two rows
		SELECT true FROM generate_series(1, 2);
		-- name: missing
		SELECT count(*) > 0 FROM nosuch;
		-- name: nonsense
		SELEKT;
		-- name: writes
		DELETE FROM users;
		-- name: still there
		SELECT count(*) > 2000 FROM users;
	SQL
	check 2 --assert bad.sql
	for name in false null missing; do expect_check assertion critical $name; done
	for name in "no boolean" "two rows" nonsense writes; do expect_check assertion unknown "$name"; done
	expect_check assertion ok "still there"
}
t "each assertion must return true, and is named" assertions

bad_files() {
	restored
	: >empty.sql
	expect_status 3 check-content --records --restored "$BACK" --assert empty.sql
	expect_err 'no query in it'
	expect_status 3 check-content --records --restored "$BACK" --assert nosuch.sql
	expect_err 'nosuch.sql'
	printf "SELECT 'open" >open.sql
	expect_status 3 check-content --records --restored "$BACK" --assert open.sql
	printf '\\! touch gotcha\nSELECT true;\n' >meta.sql
	expect_status 3 check-content --records --restored "$BACK" --assert meta.sql
	expect_err 'line 1 is no query'
	expect_no_file gotcha
}
t "a file without a query, or with more than queries, is refused" bad_files

canary() {
	restored
	echo 'Serinus canaria' >word
	check 0 --canary "SELECT word FROM canary WHERE id = 1" --canary-file word
	expect_check canary ok
	expect_not_out 'Serinus'
	sql "$BACK" "UPDATE canary SET word = 'Passer domesticus'"
	CANARY="SELECT word FROM canary" CANARY_FILE=word check 2
	expect_check canary critical
	expect_not_out 'Serinus|Passer'
	# nor by way of an error message
	check 3 --canary "SELECT word::int FROM canary" --canary-file word
	expect_not_out 'Serinus|Passer'
	expect_not_err 'Serinus|Passer'
	sql "$BACK" "DELETE FROM canary"
	check 2 --canary "SELECT word FROM canary" --canary-file word
	expect_out 'it is gone'
	sql "$BACK" "DROP TABLE canary"
	check 2 --canary "SELECT word FROM canary" --canary-file word
	expect_status 3 check-content --canary "SELECT 1"
	expect_err 'need each other'
}
t "a canary is compared and never shown" canary

nothing_there() {
	sql "CREATE DATABASE void"
	expect_status 0 check-content --records --restored "host=$PG_SOCKET user=postgres dbname=void" --deep
	expect_records 'any(.check == "foreign-keys" and .summary == "there are none")'
	expect_status 3 check-content --records --restored "host=/nonexistent"
	expect_check content unknown
	expect_status 3 check-content --records </dev/null
	check 3 --jobs 0
}
t "a schema without promises is no noise; no database is unknown" nothing_there

slow() {
	restored "CREATE TABLE slow AS SELECT 30 AS id;
		ALTER TABLE slow ADD CONSTRAINT drowsy CHECK (pg_sleep(id)::text = '') NOT VALID"
	check 3 --deep --max-seconds 1s
	expect_check check-constraints unknown public.slow.drowsy
	expect_check foreign-keys ok ""
}
t "a query that takes too long is given up" slow
