#!/bin/sh
# compare-counts and check-freshness on restored databases that mean no good, or are just odd.
# time limit: 300 s
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq

pg_start || exit 3
HOST="host=$PG_SOCKET user=postgres"
for db in shop back; do sql "CREATE DATABASE $db"; done

# both SQL: on both sides.
both() {
	sql "$HOST dbname=shop" "$1"
	sql "$HOST dbname=back" "$1"
}

# compare STATUS [OPTION...]
compare() {
	want_status=$1
	shift
	expect_status "$want_status" compare-counts --records --restored "$HOST dbname=back" \
		--production "$HOST dbname=shop" --all "$@"
}

hostile_names() {
	both 'CREATE SCHEMA "my ""schema"""'
	both 'CREATE TABLE "my ""schema"""."a;b'"'"'--
c\ %1 %s" ("at"" now()" timestamptz DEFAULT now(), "r__" int)'
	both 'INSERT INTO "my ""schema"""."a;b'"'"'--
c\ %1 %s" SELECT now() - interval '"'1 h'"', g FROM generate_series(1, 9) g'
	both 'CREATE TABLE "Übergröße ☃" ("count" timestamptz, created_at timestamptz, "*" text)'
	both 'INSERT INTO "Übergröße ☃" SELECT now() - interval '"'1 h'"', now() - interval '"'1 h'"' FROM generate_series(1, 8)'
	both 'CREATE TABLE "a.b" (ts timestamptz); INSERT INTO "a.b" VALUES (now() - interval '"'1 h'"')'
	both 'CREATE TABLE "[x]*?" (ts timestamptz)'
	both 'CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES'
	sql "$HOST dbname=shop" 'INSERT INTO "my ""schema"""."a;b'"'"'--
c\ %1 %s" VALUES (now(), 1)'
	sql "$HOST dbname=shop" 'INSERT INTO "a.b" VALUES (now())'
	compare 0
	expect_records 'any(.subject == "my \"schema\".a;b'"'"'--\nc\\ %1 %s" and .observed == 9 and .expected == 10 and .status == "ok")'
	expect_check row-count ok 'public.Übergröße ☃'
	expect_check row-count ok public.no_columns
	expect_check row-count ok public.a.b
	compare 0 --table '[x]*?' --table 'public.a.b' --time-column 'public.a.b.ts' \
		--recovery-point "$(date -u -d '-1 min' +%FT%TZ)"
	expect_records '[.[] | select(.check == "row-count").subject] | sort == ["public.[x]*?", "public.a.b"]'
	# text for people breaks no line
	expect_status 0 compare-counts --text --restored "$HOST dbname=back" --production "$HOST dbname=shop" --all
	[ "$(wc -l <"$OUT")" -eq 6 ]
	expect_status 0 check-freshness --records --restored "$HOST dbname=back"
	expect_check latest-transaction ok
}
t "names with quotes, newlines, placeholders and glob characters" hostile_names

# Functions and operators in schemas that the role's search_path puts before pg_catalog.
shadowing() {
	sql "$HOST dbname=back" "
		CREATE TABLE public.fired (id int);
		CREATE SCHEMA evil;
		CREATE FUNCTION evil.count() RETURNS bigint LANGUAGE sql AS 'INSERT INTO public.fired VALUES (1); SELECT 0::bigint';
		CREATE FUNCTION evil.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'INSERT INTO public.fired VALUES (1); SELECT true';
		CREATE FUNCTION evil.pg_export_snapshot() RETURNS text LANGUAGE sql AS 'INSERT INTO public.fired VALUES (1); SELECT ''x''::text';
		CREATE FUNCTION evil.gt(timestamptz, timestamptz) RETURNS bool LANGUAGE sql AS 'INSERT INTO public.fired VALUES (1); SELECT false';
		CREATE OPERATOR evil.> (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = evil.gt);
		CREATE TABLE evil.pg_class (oid oid); CREATE TABLE evil.pg_settings (name text, setting text);
		ALTER DATABASE back SET search_path = evil, pg_catalog, public;
		ALTER DATABASE back SET default_transaction_read_only = off;
		ALTER DATABASE back SET statement_timeout = '20ms';
		ALTER DATABASE back SET \"TimeZone\" = 'Asia/Kathmandu';
		ALTER DATABASE back SET \"DateStyle\" = 'German';"
	compare 1 --exclude 'evil.*'
	expect_records 'any(.subject == "public.fired" and .status == "warning" and .observed == 0)'
	expect_check row-count ok public.a.b
	expect_status 0 check-freshness --records --restored "$HOST dbname=back"
	[ "$(sql "$HOST dbname=postgres options='-csearch_path=public'" 'SELECT 1')" = 1 ]
	[ "$(PGOPTIONS='-c statement_timeout=0 -c search_path=pg_catalog' sql "$HOST dbname=back" 'SELECT count(*) FROM public.fired')" = 0 ]
	sql "DROP DATABASE back"
	sql "CREATE DATABASE back"
}
t "a schema before pg_catalog, and settings of the database, change nothing" shadowing

clear() {
	for db in shop back; do
		sql "DROP DATABASE IF EXISTS $db"
		sql "CREATE DATABASE $db"
	done
}

# A foreign table leads to another server; here to one that would hang the count.
foreign_untouched() {
	clear
	both "CREATE EXTENSION file_fdw; CREATE SERVER f FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE away (x text) SERVER f OPTIONS (program 'touch $SCRATCH/touched; echo x');
		CREATE TABLE t (id int); INSERT INTO t VALUES (1)"
	compare 0
	expect_records '[.[] | select(.check == "row-count").subject] == ["public.t"]'
	expect_no_file "$SCRATCH/touched"
}
t "a foreign table is not touched" foreign_untouched

# What an extension brings along comes from CREATE EXTENSION, not from the dump.
extension_tables() {
	clear
	both "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE member (id int);
		CREATE EXTENSION hstore; ALTER EXTENSION hstore ADD TABLE member"
	sql "$HOST dbname=shop" "INSERT INTO member VALUES (1)"
	compare 0
	expect_records '[.[] | select(.check == "row-count").subject] == ["public.t"]'
}
t "the tables of extensions are left out" extension_tables

row_security() {
	clear
	both "CREATE TABLE t (id int, owner text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 9) g;
		ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (owner = current_user);
		CREATE TABLE u (id int); INSERT INTO u VALUES (1)"
	sql "CREATE ROLE reader LOGIN"
	sql "$HOST dbname=shop" "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
	expect_status 3 compare-counts --records --restored "$HOST dbname=back" --all \
		--production "host=$PG_SOCKET user=reader dbname=shop"
	expect_check row-count unknown public.t
	expect_records 'any(.subject == "public.t" and .observed == 9 and (.summary | test("row.level security.*BYPASSRLS")))'
	# its failure does not take the next table along
	expect_check row-count ok public.u
	sql "ALTER ROLE reader BYPASSRLS"
	expect_status 0 compare-counts --records --restored "$HOST dbname=back" --all \
		--production "host=$PG_SOCKET user=reader dbname=shop"
	sql "$HOST dbname=shop" "REVOKE SELECT ON t FROM reader"
	expect_status 3 compare-counts --records --restored "$HOST dbname=back" --all \
		--production "host=$PG_SOCKET user=reader dbname=shop"
	expect_records 'any(.subject == "public.t" and .status == "unknown" and (.summary | test("permission denied.*pg_read_all_data")))'
}
t "row security makes a count fail, never shrink" row_security

unfilled_view() {
	clear
	both "CREATE TABLE t AS SELECT g FROM generate_series(1, 5) g; CREATE MATERIALIZED VIEW v AS SELECT * FROM t;
		CREATE MATERIALIZED VIEW never AS SELECT * FROM t WITH NO DATA"
	sql "$HOST dbname=back" "REFRESH MATERIALIZED VIEW v WITH NO DATA"
	compare 1
	expect_check row-count warning public.v
	expect_check row-count ok public.never
	expect_check row-count ok public.t
}
t "a materialized view that the restore left empty" unfilled_view

inherited() {
	clear
	both "CREATE TABLE parent (id int, created_at timestamptz); CREATE TABLE child () INHERITS (parent);
		INSERT INTO parent SELECT 1 FROM generate_series(1, 3); INSERT INTO child SELECT 1 FROM generate_series(1, 4)"
	compare 0
	expect_records 'any(.subject == "public.parent" and .observed == 3)'
	expect_records 'any(.subject == "public.child" and .observed == 4)'
	# all moments NULL: a lost row is still found
	sql "$HOST dbname=back" "DELETE FROM child WHERE ctid = '(0,1)'"
	compare 2
	expect_check row-count critical public.child
	expect_check row-count ok public.parent
}
t "an inherited table counts its own rows only" inherited

infinite_times() {
	clear
	both "CREATE TABLE t (id int, created_at timestamptz); INSERT INTO t VALUES (1, 'infinity'), (2, '-infinity'),
		(3, NULL), (4, '0044-03-15 BC'), (5, now() - interval '1 day'), (6, '9999-12-31')"
	compare 0
	sql "$HOST dbname=back" "DELETE FROM t WHERE id = 2"
	compare 2
	sql "$HOST dbname=back" "DELETE FROM t; INSERT INTO t VALUES (4, '0044-03-15 BC'), (2, '-infinity')"
	expect_status 0 check-freshness --records --restored "$HOST dbname=shop" --time-column t.created_at
	expect_check latest-transaction ok
	expect_status 3 check-freshness --records --restored "$HOST dbname=back"
	expect_check latest-transaction unknown
}
t "infinity, BC and NULL are no moments" infinite_times

ascii() {
	for db in ascii1 ascii2; do
		sql "CREATE DATABASE $db ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
		sql "$HOST dbname=$db" "SET client_encoding = SQL_ASCII; DO \$\$ BEGIN EXECUTE
			'CREATE TABLE \"caf' || convert_from('\\xe9'::bytea, 'SQL_ASCII') || '\" (id int)'; END \$\$;
			CREATE TABLE t (id int); INSERT INTO t VALUES (1)"
	done
	expect_status 0 compare-counts --records --all --restored "$HOST dbname=ascii1" \
		--production "$HOST dbname=ascii2"
	expect_records '[.[] | select(.check == "row-count" and .status == "ok")] | length == 2'
}
t "a name that is not UTF-8, in a SQL_ASCII database" ascii

many_tables() {
	clear
	both "DO \$\$ BEGIN FOR i IN 1..500 LOOP EXECUTE format(
		'CREATE TABLE t%s AS SELECT g AS id, now() - interval ''1 h'' AS created_at FROM generate_series(1, 20) g', i);
		END LOOP; END \$\$"
	sql "$HOST dbname=back" "DELETE FROM t333 WHERE id = 5"
	compare 2 --jobs 4
	expect_records '[.[] | select(.check == "row-count")] | length == 500'
	expect_records '[.[] | select(.check == "row-count" and .status != "ok").subject] == ["public.t333"]'
}
t "500 tables, one row short" many_tables

# A damaged page: the count of that table fails, the others do not.
damaged() {
	clear
	both "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g; CREATE TABLE u AS SELECT 1"
	file=$PG_SOCKET/data/$(sql "$HOST dbname=back" "SELECT pg_relation_filepath('t')")
	sql "$HOST dbname=back" "CHECKPOINT"
	pg_stop production
	dd if=/dev/urandom of="$file" bs=8192 count=1 seek=1 conv=notrunc 2>/dev/null
	pg_run "$PG_SOCKET" -c listen_addresses=
	compare 2
	expect_check row-count critical public.t
	expect_check row-count ok public.u
	expect_records 'any(.subject == "public.t" and (.summary | test("invalid page")))'
}
t "a page that the restored server cannot read is critical" damaged
