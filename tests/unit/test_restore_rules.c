#include "lib/restore/harmless.h"
#include "lib/restore/meta.h"
#include "lib/restore/mishap.h"
#include "lib/restore/outside.h"
#include "tests/unit/suite.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *sqlstate, *message, *statement;
	bool harmless;
} failures[] = {
	{ "42710", "role \"postgres\" already exists", "CREATE ROLE postgres", true },
	{ "", "role \"postgres\" already exists", "CREATE ROLE postgres;\n", true },
	{ "42710", "role \"alice\" already exists", "CREATE ROLE alice", false },
	{ "42601", "role \"postgres\" already exists", "CREATE ROLE postgres", false },
	{ "55006", "current user cannot be dropped", "DROP ROLE postgres", true },
	{ "42P04", "database \"postgres\" already exists", "CREATE DATABASE postgres WITH", true },
	{ "42P04", "database \"shop\" already exists", "CREATE DATABASE shop", false },
	{ "55006", "cannot drop the currently open database", "DROP DATABASE IF EXISTS postgres",
	  true },
	{ "55006", "cannot drop the currently open database", "DROP DATABASE shop", false },
	{ "42P06", "schema \"public\" already exists", "CREATE SCHEMA public", true },
	{ "42P06", "schema \"shop\" already exists", "CREATE SCHEMA shop", false },
	{ "42710", "extension \"plpgsql\" already exists", "CREATE EXTENSION plpgsql", true },
	{ "42710", "language \"plpgsql\" already exists", "CREATE PROCEDURAL LANGUAGE plpgsql",
	  true },
	{ "42P07", "relation \"t\" already exists", "CREATE TABLE t ()", false },
	{ "42P01", "table \"t\" does not exist", "DROP TABLE t", true },
	{ "3F000", "schema \"s\" does not exist", "DROP TABLE s.t", true },
	{ "", "table \"t\" does not exist", "DROP TABLE t", true },
	{ "", "cannot drop table t because other objects depend on it", "DROP TABLE t", false },
	{ "2BP01", "cannot drop table t because other objects depend on it", "DROP TABLE t",
	  false },
	{ "42P01", "relation \"t\" does not exist", "ALTER TABLE ONLY s.t DROP CONSTRAINT x",
	  true },
	{ "42P01", "relation \"t\" does not exist", "ALTER TABLE t ADD CONSTRAINT \"drop\" x",
	  false },
	{ "42P01", "relation \"t\" does not exist", "INSERT INTO t VALUES (1)", false },
	{ "42704", "large object 7 does not exist", "SELECT pg_catalog.lo_unlink('7')", true },
	{ "42704", "unrecognized configuration parameter \"transaction_timeout\"",
	  "SET transaction_timeout = 0", true },
	{ "", "unrecognized configuration parameter \"default_with_oids\"",
	  "SET default_with_oids = false", true },
	{ "42704", "unrecognized configuration parameter \"transaction_timeout\"",
	  "ALTER DATABASE x SET transaction_timeout = 0", false },
	{ "42704", "unrecognized configuration parameter \"shop.mode\"", "SET shop.mode = 1",
	  false },
	{ "22023", "invalid value for parameter \"default_tablespace\": \"fast\"",
	  "SET default_tablespace = fast", true },
	{ "0A000", "extension \"postgis\" is not available", "CREATE EXTENSION postgis", false },
	{ "08001", "could not establish connection", "REFRESH MATERIALIZED VIEW m", true },
	{ "", "could not connect to server \"prod\"", "REFRESH MATERIALIZED VIEW m", true },
	{ "08001", "could not connect to server \"prod\"", "INSERT INTO t SELECT 1", false },
	{ "XX000", "", "", false },
};

START_TEST(harmless_or_not)
{
	const char *why =
		harmless(failures[_i].sqlstate, failures[_i].message, failures[_i].statement);

	ck_assert_msg((why != NULL) == failures[_i].harmless, "%s: %s", failures[_i].statement,
		      why ? why : "");
}
END_TEST

static const struct {
	const char *statement;
	const char *why; /* NULL: stays inside */
} statements[] = {
	{ "COPY t FROM PROGRAM 'x'", "runs a program on the server" },
	{ "copy (select a from b) to /* */ program 'x'", "runs a program on the server" },
	{ "COPY t FROM '/etc/passwd'", "reads or writes a file of the server" },
	{ "COPY t TO E'/x'", "reads or writes a file of the server" },
	{ "COPY t TO $$/x$$", "reads or writes a file of the server" },
	{ "COPY t (\"from\", program) FROM stdin", NULL },
	{ "COPY (SELECT x FROM program) TO STDOUT WITH (DELIMITER 'x')", NULL },
	{ "COPY program FROM stdin DELIMITER 'x'", NULL },
	{ "ALTER SYSTEM SET x = 1", "changes the server's settings" },
	{ "/* */ alter\n-- x\nsystem reset all", "changes the server's settings" },
	{ "ALTER TABLE system ADD x int", NULL },
	{ "LOAD 'x'", "loads a library into the server" },
	{ "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "connects to another server" },
	{ "CREATE SUBSCRIPTION s CONNECTION 'connect = false' PUBLICATION p WITH (connect = true)",
	  "connects to another server" },
	{ "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, slot_name = "
	  "'')",
	  NULL },
	{ "ALTER SUBSCRIPTION s OWNER TO alice", NULL },
	{ "ALTER SUBSCRIPTION s ENABLE", "connects to another server" },
	{ "CREATE TABLE load (a int)", NULL },
	{ "SELECT 'COPY t FROM PROGRAM x'", NULL },
	{ "SELECT lo_import('/etc/passwd')", "reads or writes a file of the server" },
	{ "SELECT pg_catalog.\"pg_read_file\" ('x')", "reads or writes a file of the server" },
	{ "WITH x AS (SELECT 1) SELECT * FROM x, dblink('', '') AS t (a int)",
	  "connects to another server" },
	{ "SELECT 'lo_import(1)', lo_import, \"dblink\"", NULL },
	{ "INSERT INTO lo_import VALUES ('dblink(x)')", NULL },
	{ "CREATE VIEW v AS SELECT pg_read_file('x')", NULL },
	{ "DO $x$ BEGIN PERFORM dblink_exec('', ''); END $x$", "connects to another server" },
	{ "DO LANGUAGE plpgsql $$ BEGIN COPY t TO PROGRAM 'x'; END $$",
	  "runs a program on the server" },
	{ "DO 'BEGIN PERFORM 1; END'", NULL },
	{ "DO", NULL },
	{ "DO $$", NULL },
	{ "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y", "connects to another server" },
	{ "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/x', 'f'",
	  "loads a library that is not PostgreSQL's" },
	{ "CREATE OR REPLACE FUNCTION f() RETURNS int AS '/tmp/x' LANGUAGE 'c'",
	  "loads a library that is not PostgreSQL's" },
	{ "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/x', 'f'", NULL },
	{ "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS '/* x */ SELECT 1'", NULL },
	{ "CREATE OR", NULL },
	{ "", NULL },
	{ "COPY", NULL },
	{ "ALTER", NULL },
};

START_TEST(outside_or_not)
{
	const char *s = statements[_i].statement, *why = outside(s, strlen(s));

	if (statements[_i].why == NULL)
		ck_assert_msg(why == NULL, "%s: %s", s, why);
	else
		ck_assert_msg(why && strcmp(why, statements[_i].why) == 0, "%s: %s", s,
			      why ? why : "nothing");
}
END_TEST

START_TEST(outside_among_several)
{
	static const char good[] =
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC\n"
		"\tSELECT lo_import('x');\nEND;\n;COMMENT ON TABLE x IS 'LOAD;';\n";
	static const char bad[] = "SET x = 1;\n\nLOAD 'y'";

	ck_assert_ptr_null(outside_any(good, strlen(good)));
	ck_assert_str_eq(outside_any(bad, strlen(bad)), "loads a library into the server");
	ck_assert_ptr_null(outside_any("", 0));
	ck_assert_ptr_null(outside_any("SELECT 'never closed", 20));
}
END_TEST

static const struct {
	const char *line;
	enum meta_kind kind;
	const char *arg;
} metas[] = {
	{ "\\restrict abc", META_NOTHING, "" },
	{ "\\unrestrict abc", META_NOTHING, "" },
	{ "\\connect shop", META_CONNECT, "shop" },
	{ "\\c shop\r", META_CONNECT, "shop" },
	{ "\\connect \"a \"\"b\"\" c\"", META_CONNECT, "a \"b\" c" },
	{ "\\connect Shop", META_CONNECT, "Shop" },
	{ "\\connect -reuse-previous=on \"dbname='we ird\\'db'\"", META_CONNECT, "we ird'db" },
	{ "\\connect -reuse-previous=on \"dbname='x' host=h\"", META_REFUSED, NULL },
	{ "\\connect -reuse-previous=on \"host=h\"", META_REFUSED, NULL },
	{ "\\connect -reuse-previous=on", META_REFUSED, NULL },
	{ "\\connect shop alice", META_REFUSED, NULL },
	{ "\\connect \"host=h\"", META_REFUSED, NULL },
	{ "\\connect postgresql://h/x", META_REFUSED, NULL },
	{ "\\connect \"postgresql://h/x\"", META_REFUSED, NULL },
	{ "\\connect :x", META_REFUSED, NULL },
	{ "\\connect `id`", META_REFUSED, NULL },
	{ "\\connect 'shop'", META_REFUSED, NULL },
	{ "\\connect \"shop", META_REFUSED, NULL },
	{ "\\connect \"\"", META_REFUSED, NULL },
	{ "\\connect \"a\"b", META_REFUSED, NULL },
	{ "\\connect -", META_REFUSED, NULL },
	{ "\\connect", META_REFUSED, NULL },
	{ "\\connect shop \\! id", META_REFUSED, NULL },
	{ "\\connectx shop", META_REFUSED, NULL },
	{ "\\encoding SQL_ASCII", META_ENCODING, "SQL_ASCII" },
	{ "\\encoding", META_REFUSED, NULL },
	{ "\\encoding a b", META_REFUSED, NULL },
	{ "\\! id", META_REFUSED, NULL },
	{ "\\copy t from 'x'", META_REFUSED, NULL },
	{ "\\", META_REFUSED, NULL },
};

START_TEST(meta)
{
	char arg[64];

	ck_assert_msg(meta_parse(metas[_i].line, arg, sizeof(arg)) == metas[_i].kind, "%s",
		      metas[_i].line);
	if (metas[_i].arg)
		ck_assert_str_eq(arg, metas[_i].arg);
}
END_TEST

static const struct {
	const char *statement, *shown;
} quotes[] = {
	{ "ALTER TABLE t\n\tADD x text DEFAULT 'a'", "ALTER TABLE t  ADD x text DEFAULT 'a'" },
	{ "INSERT INTO t VALUES (4711, 'me@example.org')", "INSERT INTO t VALUES (***, ***)" },
	{ "CREATE ROLE r PASSWORD 'md5abc' LOGIN", "CREATE ROLE r PASSWORD *** LOGIN" },
	{ "ALTER ROLE r PASSWORD E'it\\'s'", "ALTER ROLE r PASSWORD ***" },
	{ "CREATE USER MAPPING FOR x SERVER s OPTIONS (password 'p')",
	  "CREATE USER MAPPING FOR x SERVER s OPTIONS (password ***)" },
	{ "ALTER DATABASE d SET app.key TO 'k'", "ALTER DATABASE d SET app.key TO ***" },
	{ "CREATE ROLE r PASSWORD 'unclosed", "CREATE ROLE r PASSWORD " },
	{ "COPY t FROM stdin\x1b[2J", "COPY t FROM stdin?[2J" },
	{ "", "" },
};

START_TEST(quoting)
{
	struct mishaps l = { 0 };

	mishaps_add(&l, MISHAP_FAILED, 7, "42601", "no\ngood", quotes[_i].statement, NULL);
	ck_assert_str_eq(l.v[0].statement, quotes[_i].shown);
	ck_assert_str_eq(l.v[0].message, "no good");
	ck_assert_str_eq(l.v[0].sqlstate, "42601");
	ck_assert_uint_eq(l.v[0].line, 7);
	mishaps_free(&l);
}
END_TEST

START_TEST(counting)
{
	struct mishaps l = { 0 };
	char big[100000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		mishaps_add(&l, i % 2 ? MISHAP_FAILED : MISHAP_HARMLESS, 1, "", big, big, NULL);
	ck_assert_uint_eq(l.count[MISHAP_FAILED], 500);
	ck_assert_uint_eq(l.count[MISHAP_HARMLESS], 500);
	ck_assert_uint_eq(l.count[MISHAP_REFUSED], 0);
	ck_assert_uint_eq(l.n, 2 * MISHAP_KEPT);
	ck_assert_uint_eq(strlen(l.v[0].statement), MISHAP_STATEMENT - 1);
	mishaps_free(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("restore_rules");
	TCase *c = tcase_create("rules");

	tcase_add_loop_test(c, harmless_or_not, 0, CASES(failures));
	tcase_add_loop_test(c, outside_or_not, 0, CASES(statements));
	tcase_add_test(c, outside_among_several);
	tcase_add_loop_test(c, meta, 0, CASES(metas));
	tcase_add_loop_test(c, quoting, 0, CASES(quotes));
	tcase_add_test(c, counting);
	suite_add_tcase(s, c);
	return suite_run(s);
}
