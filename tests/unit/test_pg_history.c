#include "lib/pg/history.h"

#include "lib/base/record.h"
#include "tests/unit/pgserver.h"
#include "tests/unit/suite.h"

enum { MANY = 3000 };

/* A shop with many runs, a crm of odd ones; the database they are in. */
static struct pgserver server;

static void set_up(void)
{
	HISTORY_AUTO *h = NULL;
	JSON_AUTO *run = json_pack("{ss ss}", "record", "run", "label", "first");
	struct err e = { 0 };

	pgserver_start(&server);
	h = pg_history_open(server.conninfo);
	ck_assert_msg(history_append(h, "first", run, NULL, &e) == 0, "%s", e.msg);
	pgserver_do(
		&server, "postgres",
		"INSERT INTO backup_probes.history SELECT 'shop', n, NULL,"
		" format('{\"record\":\"run\",\"label\":\"shop\",\"n\":%s%s,\"stages\":[{\"x\":1}],"
		"\"checks\":[]}', n, CASE n WHEN 7 THEN ',\"drill\":{}' END)"
		" FROM generate_series(1, 3000) AS n");
	pgserver_do(
		&server, "postgres",
		"INSERT INTO backup_probes.history VALUES"
		" ('crm', 1, NULL, "
		"'{\"record\":\"run\",\"label\":\"crm\",\"n\":1,\"checks\":[3]}'),"
		" ('crm', 2, NULL, '{\"record\":\"run\",\"label\":\"crm\",\"n\":2,\"o\":{\"i\":1,"
		"\"stages\":[4]},\"checks\":[5]}'),"
		" ('crm', 3, NULL, '{'), ('crm', 4, NULL, ''),"
		" ('crm', 5, NULL, '{\"pad\":\"' || repeat('x', 4194304) || '\"}'),"
		" ('crm', 6, NULL, '{\"record\":\"run\",\"label\":\"other\",\"n\":6}'),"
		" ('crm', 7, NULL, '{\"record\":\"run\",\"label\":\"crm\",\"n\":7}')");
}

static void tear_down(void)
{
	pgserver_stop(&server);
}

/* Of the runs that came: their numbers, and whether each came without lists. */
struct seen {
	int64_t stop, first, last;
	size_t runs, lists;
};

static bool see(json_t *run, void *to)
{
	struct seen *s = to;

	(void)record_int(run, "n", &s->last);
	if (s->runs++ == 0)
		s->first = s->last;
	s->lists += json_object_get(run, "checks") != NULL;
	return s->last != s->stop;
}

static void expect(const struct seen *s, size_t runs, int64_t first, int64_t last)
{
	ck_assert_uint_eq(s->runs, runs);
	ck_assert_int_eq(s->first, first);
	ck_assert_int_eq(s->last, last);
}

START_TEST(runs_come_newest_first_across_batches)
{
	HISTORY_AUTO *h = pg_history_open(server.conninfo);
	struct seen s = { .stop = -1 };
	struct err e = { 0 };
	unsigned skipped = 9;

	ck_assert_int_eq(history_walk(h, "shop", see, &s, &skipped, &e), 0);
	expect(&s, MANY, MANY, 1);
	ck_assert_uint_eq(skipped, 0);
	s = (struct seen){ .stop = 2990 };
	ck_assert_int_eq(history_walk(h, "shop", see, &s, NULL, &e), 0);
	expect(&s, 11, MANY, 2990);
	s = (struct seen){ .stop = -1 };
	ck_assert_int_eq(history_walk(h, "none", see, &s, NULL, &e), 0);
	ck_assert_uint_eq(s.runs, 0);
}
END_TEST

START_TEST(the_last_are_loaded_oldest_first)
{
	static const size_t wanted[] = { 0, 1, 3, 4, 5, 100, 1025, 5000 };
	HISTORY_AUTO *h = pg_history_open(server.conninfo);
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const size_t n = wanted[i] < MANY ? wanted[i] : MANY;
		json_t *runs = history_load(h, "shop", wanted[i], NULL, &e);
		int64_t oldest = 0;

		ck_assert_msg(runs != NULL, "%s", e.msg);
		ck_assert_uint_eq(json_array_size(runs), n);
		if (n) {
			ck_assert(record_int(json_array_get(runs, 0), "n", &oldest));
			ck_assert_int_eq(oldest, MANY - (int64_t)n + 1);
		}
		json_decref(runs);
	}
}
END_TEST

START_TEST(heads_come_without_lists_and_odd_ones_whole)
{
	HISTORY_AUTO *h = pg_history_open(server.conninfo);
	struct seen s = { .stop = -1 };
	struct err e = { 0 };
	unsigned skipped = 0;

	ck_assert_int_eq(history_walk_heads(h, "shop", see, &s, NULL, &e), 0);
	expect(&s, MANY, MANY, 1);
	ck_assert_uint_eq(s.lists, 0);
	/* A list within an object: one brace does not close what stands before it. */
	s = (struct seen){ .stop = -1 };
	ck_assert_int_eq(history_walk_heads(h, "crm", see, &s, &skipped, &e), 0);
	expect(&s, 3, 7, 1);
	ck_assert_uint_eq(s.lists, 1);
	ck_assert_uint_eq(skipped, 3);
}
END_TEST

START_TEST(unreadable_rows_are_skipped_and_counted)
{
	HISTORY_AUTO *h = pg_history_open(server.conninfo);
	struct seen s = { .stop = -1 };
	struct err e = { 0 };
	unsigned skipped = 0;

	ck_assert_int_eq(history_walk(h, "crm", see, &s, &skipped, &e), 0);
	expect(&s, 3, 7, 1);
	ck_assert_uint_eq(skipped, 3);
}
END_TEST

START_TEST(a_search_finds_what_is_rare)
{
	HISTORY_AUTO *h = pg_history_open(server.conninfo);
	struct seen s = { .stop = -1 };
	struct err e = { 0 };

	ck_assert_int_eq(history_search(h, "shop", "\"drill\":{", see, &s, &e), 0);
	expect(&s, 1, 7, 7);
}
END_TEST

static int visit(struct history *part, void *to, struct err *e)
{
	return history_walk_heads(part, NULL, see, to, NULL, e);
}

START_TEST(parts_are_the_labels)
{
	HISTORY_AUTO *h = pg_history_open(server.conninfo);
	struct seen s = { .stop = -1 };
	struct err e = { 0 };

	ck_assert_msg(history_parts(h, visit, &s, &e) == 0, "%s", e.msg);
	/* crm with the row that bears another label, first, shop */
	expect(&s, MANY + 1 + 4, 7, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_history");
	TCase *c = tcase_create("pg_history");

	if (!pgserver_installed())
		return 0;
	tcase_set_timeout(c, 120);
	tcase_add_unchecked_fixture(c, set_up, tear_down);
	tcase_add_test(c, runs_come_newest_first_across_batches);
	tcase_add_test(c, the_last_are_loaded_oldest_first);
	tcase_add_test(c, heads_come_without_lists_and_odd_ones_whole);
	tcase_add_test(c, unreadable_rows_are_skipped_and_counted);
	tcase_add_test(c, a_search_finds_what_is_rare);
	tcase_add_test(c, parts_are_the_labels);
	suite_add_tcase(s, c);
	return suite_run(s);
}
