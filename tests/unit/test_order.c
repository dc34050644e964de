#include "lib/restore/order.h"

#include "lib/restore/places.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *sql;
	enum order_kind kind;
	bool post_data, shared;
	const char *on, *also, *makes;
} cases[] = {
	{ "CREATE INDEX i ON s.t USING btree (a)", ORDER_TABLES, true, true, "s.t", NULL, "s.i" },
	{ "CREATE UNIQUE INDEX \"I x\" ON ONLY \"S\".\"t.\"\"u\" USING btree (a)", ORDER_TABLES,
	  true, true, "S.t.\"u", NULL, "S.I x" },
	{ "-- here\nCREATE INDEX i ON s.t USING btree (a)", ORDER_TABLES, true, true, "s.t", NULL,
	  "s.i" },
	{ "CREATE INDEX i ON t USING btree (a)", ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "CREATE INDEX CONCURRENTLY i ON s.t (a)", ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "CREATE INDEX IF NOT EXISTS i ON s.t (a)", ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "CREATE INDEX", ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "ALTER TABLE ONLY s.t ADD CONSTRAINT k PRIMARY KEY (a, b)", ORDER_TABLES, true, false,
	  "s.t", NULL, "s.k" },
	{ "ALTER TABLE s.t ADD CONSTRAINT k UNIQUE (a) INCLUDE (b)", ORDER_TABLES, true, false,
	  "s.t", NULL, "s.k" },
	{ "ALTER TABLE ONLY s.t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES u.v(a, b) ON DELETE "
	  "CASCADE",
	  ORDER_TABLES, true, false, "s.t", "u.v", NULL },
	{ "ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES v(a)", ORDER_ALONE, true,
	  false, NULL, NULL, NULL },
	{ "ALTER TABLE s.t ADD CONSTRAINT k UNIQUE (a), ADD CONSTRAINT f FOREIGN KEY (a) "
	  "REFERENCES u.v(a)",
	  ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "ALTER TABLE s.t ADD CONSTRAINT c CHECK (f(a) > 0)", ORDER_ALONE, false, false, NULL,
	  NULL, NULL },
	{ "ALTER TABLE s.t ADD COLUMN a int", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "ALTER TABLE s.t DISABLE TRIGGER ALL", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "ALTER TABLE s.t OWNER TO alice", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "ALTER TABLE s.t CLUSTER ON i", ORDER_TABLES, true, false, "s.t", NULL, NULL },
	{ "ALTER INDEX s.i ATTACH PARTITION p.j", ORDER_TABLES, true, false, "s.i", "p.j", NULL },
	{ "ALTER INDEX s.i RENAME TO j", ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "CREATE TRIGGER t BEFORE INSERT OR UPDATE OF a ON s.t FOR EACH ROW EXECUTE FUNCTION "
	  "s.f()",
	  ORDER_TABLES, true, false, "s.t", NULL, NULL },
	{ "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON s.t FROM s.u FOR EACH ROW EXECUTE FUNCTION "
	  "s.f()",
	  ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION s.f()", ORDER_ALONE, true,
	  false, NULL, NULL, NULL },
	{ "CREATE TABLE s.t (a int)", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "CREATE FUNCTION s.f() RETURNS void LANGUAGE sql AS 'CREATE INDEX i ON s.t (a)'",
	  ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "REFRESH MATERIALIZED VIEW s.m", ORDER_ALONE, true, false, NULL, NULL, NULL },
	{ "COMMENT ON INDEX s.i IS 'x'", ORDER_TABLES, false, false, "s.i", NULL, NULL },
	{ "COMMENT ON CONSTRAINT \"k on\" ON s.t IS 'x'", ORDER_TABLES, false, false, "s.t", NULL,
	  NULL },
	{ "COMMENT ON CONSTRAINT k ON DOMAIN s.d IS 'x'", ORDER_ALONE, false, false, NULL, NULL,
	  NULL },
	{ "COMMENT ON TABLE s.t IS 'x'", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "SET default_tablespace = ''", ORDER_SETTING, false, false, NULL, NULL, NULL },
	{ "SET LOCAL x = 1", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "SET SESSION AUTHORIZATION DEFAULT", ORDER_STRICT, false, false, NULL, NULL, NULL },
	{ "SET ROLE alice", ORDER_STRICT, false, false, NULL, NULL, NULL },
	{ "RESET ALL", ORDER_STRICT, false, false, NULL, NULL, NULL },
	{ "DO $$BEGIN SET ROLE x; END$$", ORDER_STRICT, false, false, NULL, NULL, NULL },
	{ "SELECT pg_catalog.set_config('search_path', '', false)", ORDER_SETTING, false, false,
	  NULL, NULL, NULL },
	{ "SELECT pg_catalog.setval('s.q', 5, true)", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "SELECT setval('q', 5)", ORDER_STRICT, false, false, NULL, NULL, NULL },
	{ "BEGIN", ORDER_ALONE, false, false, NULL, NULL, NULL },
	{ "", ORDER_ALONE, false, false, NULL, NULL, NULL },
};

START_TEST(told_by_the_statement)
{
	struct order o;

	order_of(cases[_i].sql, strlen(cases[_i].sql), &o);
	ck_assert_msg(o.kind == cases[_i].kind, "%s: %d", cases[_i].sql, (int)o.kind);
	ck_assert_msg(o.post_data == cases[_i].post_data, "%s", cases[_i].sql);
	if (o.kind != ORDER_TABLES)
		return;
	ck_assert_msg(o.shared == cases[_i].shared, "%s", cases[_i].sql);
	ck_assert_str_eq(o.on[0], cases[_i].on);
	ck_assert_uint_eq(o.n_on, cases[_i].also ? 2 : 1);
	if (cases[_i].also)
		ck_assert_str_eq(o.on[1], cases[_i].also);
	ck_assert_str_eq(o.makes, cases[_i].makes ? cases[_i].makes : "");
}
END_TEST

/* Cut anywhere, a statement is nothing that may be run out of turn on another table. */
START_TEST(cut_short)
{
	const char *sql = cases[_i].sql;
	struct order o;

	for (size_t n = 0; n < strlen(sql); n++) {
		order_of(sql, n, &o);
		ck_assert_uint_le(o.n_on, ORDER_ON);
		ck_assert(o.kind != ORDER_TABLES || (o.n_on > 0 && strchr(o.on[0], '.')));
	}
}
END_TEST

START_TEST(copies)
{
	struct order o;

	ck_assert(order_of_copy("COPY s.t (a, b) FROM stdin", 26, &o));
	ck_assert_str_eq(o.on[0], "s.t");
	ck_assert(!o.shared);
	ck_assert(!order_of_copy("COPY t (a, b) FROM stdin", 24, &o));
}
END_TEST

START_TEST(indexes_lead_to_tables)
{
	struct places p = { 0 };
	struct place *t = places_find(&p, "s.t");

	ck_assert(t != places_find(&p, "s.u"));
	ck_assert(!places_is_index(&p, "s.i"));
	places_add_index(&p, "s.i", t);
	ck_assert(places_is_index(&p, "s.i"));
	ck_assert(!places_is_index(&p, "s.t"));
	ck_assert_ptr_eq(places_find(&p, "s.i"), t);
	places_free(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("order");
	TCase *t = tcase_create("order");

	tcase_add_loop_test(t, told_by_the_statement, 0, CASES(cases));
	tcase_add_loop_test(t, cut_short, 0, CASES(cases));
	tcase_add_test(t, copies);
	tcase_add_test(t, indexes_lead_to_tables);
	suite_add_tcase(s, t);
	return suite_run(s);
}
