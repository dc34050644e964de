#include "lib/base/history.h"

#include "tests/unit/histfile.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <sys/resource.h>
#include <sys/wait.h>

START_TEST(comes_back_in_order)
{
	expect(file, "shop", 10, "", 0);
	for (int i = 1; i <= 5; i++)
		append_ok(file, "shop", i);
	expect(file, "shop", 10, "1 2 3 4 5", 0);
	expect(file, "shop", 2, "4 5", 0);
	expect(file, "shop", 0, "", 0);
}
END_TEST

START_TEST(labels_are_kept_apart)
{
	json_t *unlabelled = json_of("{'record':'run','n':7}");
	struct err e = { 0 };

	append_ok(file, "shop", 1);
	append_ok(file, "crm", 2);
	append_ok(file, "shop", 3);
	ck_assert_int_eq(append_run(file, "", unlabelled, &e), 0);
	json_decref(unlabelled);
	expect(file, "shop", 10, "1 3", 0);
	expect(file, "crm", 1, "2", 0);
	expect(file, "", 10, "7", 0);
	expect(file, "sho", 10, "", 0);
}
END_TEST

START_TEST(a_directory_gives_a_file_to_each_label)
{
	char sub[128], path[192];

	append_ok(dir, "shop", 1);
	append_ok(dir, "../c r/m", 2);
	append_ok(dir, "_._c_r_m", 3);
	append_ok(dir, ".", 4);
	expect(dir, "shop", 10, "1", 0);
	expect(dir, "../c r/m", 10, "2", 0);
	expect(dir, "_._c_r_m", 10, "3", 0);
	(void)snprintf(path, sizeof(path), "%s/_._c_r_m.jsonl", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/_.jsonl", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	(void)snprintf(sub, sizeof(sub), "%s/new/", dir);
	append_ok(sub, "shop", 5);
	expect(sub, "shop", 10, "5", 0);
}
END_TEST

START_TEST(long_labels_share_a_file_and_nothing_else)
{
	char a[256], b[256];

	memset(a, 'l', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(b));
	b[250] = 'x';
	append_ok(dir, a, 1);
	append_ok(dir, b, 2);
	expect(dir, a, 10, "1", 0);
	expect(dir, b, 10, "2", 0);
}
END_TEST

/* Stops at the run that it is told, and counts. */
struct counter {
	json_int_t stop, last;
	int runs;
};

static bool count_until(json_t *run, void *to)
{
	struct counter *c = to;

	c->runs++;
	c->last = json_integer_value(json_object_get(run, "n"));
	return c->last != c->stop;
}

START_TEST(a_walk_goes_back_as_far_as_wanted)
{
	HISTORY_AUTO *h = history_file_open(file), *nowhere = history_file_open("");
	struct counter c = { .stop = 7 };
	struct err e;

	ck_assert_int_eq(history_walk(h, "shop", count_until, &c, NULL, &e), 0);
	ck_assert_int_eq(c.runs, 0);
	for (int i = 0; i < 10; i++)
		append_ok(file, i % 2 ? "shop" : "crm", i);
	ck_assert_int_eq(history_walk(h, "shop", count_until, &c, NULL, &e), 0);
	ck_assert_int_eq(c.runs, 2);
	ck_assert_int_eq(c.last, 7);
	c = (struct counter){ .stop = -1 };
	ck_assert_int_eq(history_walk(h, "shop", count_until, &c, NULL, &e), 0);
	ck_assert_int_eq(c.runs, 5);
	ck_assert_int_eq(c.last, 1);
	ck_assert_int_eq(history_walk(nowhere, "shop", count_until, &c, NULL, &e), -1);
}
END_TEST

START_TEST(a_search_finds_what_is_rare)
{
	HISTORY_AUTO *h = history_file_open(file);
	struct counter c = { .stop = -1 };
	struct err e;

	puts_into_file("{\"record\":\"run\",\"label\":\"shop\",\"drill\":{\"x\":1},\"n\":1}\n"
		       "{\"record\":\"run\",\"label\":\"crm\",\"drill\":{},\"n\":2}\n"
		       "{\"record\":\"run\",\"label\":\"shop\",\"drill\":{},\"n\":3}\n");
	for (int i = 4; i < 20; i++)
		append_ok(file, "shop", i);
	puts_into_file("{\"drill\":{");
	ck_assert_int_eq(history_search(h, "shop", "\"drill\":{", count_until, &c, &e), 0);
	ck_assert_int_eq(c.runs, 2);
	ck_assert_int_eq(c.last, 1);
	c = (struct counter){ .stop = 3 };
	ck_assert_int_eq(history_search(h, "shop", "\"drill\":{", count_until, &c, &e), 0);
	ck_assert_int_eq(c.runs, 1);
	ck_assert_int_eq(c.last, 3);
}
END_TEST

static const struct {
	const char *place;
	bool database;
} places[] = {
	{ "postgresql://db1/fleet", true },
	{ "postgres:///fleet?host=/run/postgresql", true },
	{ "dbname=fleet", true },
	{ "host=db1 dbname = fleet", true },
	{ "service=fleet", true },
	{ "service", false },
	{ "my dbname.jsonl", false },
	{ "mydbname=x", false },
	{ "/srv/dbname=x/h.jsonl", false },
	{ "./a dbname=x", false },
	{ "postgresql:", false },
	{ "h.jsonl", false },
	{ "", false },
};

START_TEST(a_place_is_a_path_or_a_database)
{
	ck_assert_int_eq(history_in_database(places[_i].place), places[_i].database);
}
END_TEST

START_TEST(a_torn_line_is_set_aside)
{
	append_ok(file, "shop", 1);
	puts_into_file("{\"record\":\"run\",\"label\":\"shop\",\"n\":2,\"che");
	expect(file, "shop", 10, "1", 1);
	append_ok(file, "shop", 3);
	expect(file, "shop", 10, "1 3", 1);
}
END_TEST

START_TEST(a_whole_line_without_its_newline_counts)
{
	puts_into_file("{\"record\":\"run\",\"label\":\"shop\",\"n\":1}");
	expect(file, "shop", 10, "1", 0);
	append_ok(file, "shop", 2);
	expect(file, "shop", 10, "1 2", 0);
}
END_TEST

START_TEST(garbage_is_skipped_and_counted)
{
	append_ok(file, "shop", 1);
	puts_into_file("not json\n"
		       "[1,2]\n"
		       "\n"
		       "{\"record\":\"run\",\"label\":\"shop\",\"label\":\"crm\",\"n\":8}\n"
		       "{\"record\":\"check\",\"label\":\"shop\",\"n\":9}\n"
		       "{\"n\":10}\n"
		       "\xff\xfe\n");
	put("\0\0\0\0\n", 5);
	append_ok(file, "shop", 2);
	expect(file, "shop", 10, "1 2", 5);
	expect(file, "shop", 1, "2", 0);
}
END_TEST

/* Lines of growing length, so that newlines fall on every side of the read chunks. */
START_TEST(lines_of_every_length_come_back)
{
	char want[16];

	for (int i = 0; i < 120; i++) {
		char *pad = malloc((size_t)i * 2500 + 1);
		json_t *run = run_of("shop", i);

		ck_assert_ptr_nonnull(pad);
		memset(pad, 'p', (size_t)i * 2500);
		pad[(size_t)i * 2500] = '\0';
		json_object_set_new(run, "pad", json_string(pad));
		ck_assert_int_eq(append_run(file, "shop", run, NULL), 0);
		json_decref(run);
		free(pad);
		(void)snprintf(want, sizeof(want), "%d", i);
		if (i % 29 == 0)
			expect(file, "shop", 1, want, 0);
	}
	expect(file, "shop", 3, "117 118 119", 0);
}
END_TEST

START_TEST(a_line_over_the_limit_is_neither_written_nor_read)
{
	const size_t n = HISTORY_LINE_MAX + 100000;
	struct err e = { 0 };
	json_t *run = run_of("shop", 9);
	char *pad = malloc(n + 1);

	ck_assert_ptr_nonnull(pad);
	memset(pad, 'p', n);
	pad[n] = '\0';
	json_object_set_new(run, "pad", json_string(pad));
	ck_assert_int_eq(append_run(file, "shop", run, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "longer than 4194304 bytes"));
	ck_assert_int_ne(access(file, F_OK), 0);

	put(pad, n);
	puts_into_file("\n");
	append_ok(file, "shop", 1);
	put(pad, n);
	puts_into_file("\n");
	append_ok(file, "shop", 2);
	put(pad, n);
	expect(file, "shop", 10, "1 2", 3);
	json_decref(run);
	free(pad);
}
END_TEST

/* 400 MB of which only the end may be touched: the rest is a hole, and memory is limited. */
START_TEST(a_huge_file_is_read_from_its_end)
{
	const off_t big = (off_t)400 * 1024 * 1024;
	const struct rlimit small = { 200UL << 20, 200UL << 20 };
	int status = 0;
	pid_t pid;

	puts_into_file("x\n");
	ck_assert_int_eq(truncate(file, big), 0);
	puts_into_file("\n");
	append_ok(file, "shop", 1);
	append_ok(file, "shop", 2);
	pid = fork();
	if (pid == 0) {
#ifndef __SANITIZE_ADDRESS__
		(void)setrlimit(RLIMIT_AS, &small);
#else
		(void)small;
#endif
		expect(file, "shop", 2, "1 2", 0);
		/* Beyond the two there is the hole: one line far over the limit, then "x". */
		expect(file, "shop", 3, "1 2", 2);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history");
	TCase *c = tcase_create("history");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, comes_back_in_order);
	tcase_add_test(c, labels_are_kept_apart);
	tcase_add_test(c, a_directory_gives_a_file_to_each_label);
	tcase_add_test(c, long_labels_share_a_file_and_nothing_else);
	tcase_add_test(c, a_walk_goes_back_as_far_as_wanted);
	tcase_add_test(c, a_search_finds_what_is_rare);
	tcase_add_loop_test(c, a_place_is_a_path_or_a_database, 0,
			    (int)(sizeof(places) / sizeof(places[0])));
	tcase_add_test(c, a_torn_line_is_set_aside);
	tcase_add_test(c, a_whole_line_without_its_newline_counts);
	tcase_add_test(c, garbage_is_skipped_and_counted);
	tcase_add_test(c, lines_of_every_length_come_back);
	tcase_add_test(c, a_line_over_the_limit_is_neither_written_nor_read);
	tcase_add_test(c, a_huge_file_is_read_from_its_end);
	suite_add_tcase(s, c);
	return suite_run(s);
}
