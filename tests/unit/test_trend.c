#include "lib/base/trend.h"

#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <math.h>

static const struct {
	uint64_t earlier[6];
	size_t n;
	uint64_t now;
	double max_drop, max_growth;
	enum verdict want;
	bool previous, median, grown;
	uint64_t median_b;
} cases[] = {
	/* no history, nothing to say but about 0 bytes */
	{ { 0 }, 0, 100, 0.2, INFINITY, V_OK, false, false, false, 0 },
	{ { 0 }, 0, 0, 0.2, INFINITY, V_CRITICAL, false, false, false, 0 },
	{ { 100 }, 1, 0, 0.2, INFINITY, V_CRITICAL, true, true, false, 100 },
	{ { 100 }, 1, 0, INFINITY, INFINITY, V_CRITICAL, false, false, false, 100 },
	/* the limit itself is allowed */
	{ { 100 }, 1, 100, 0.2, INFINITY, V_OK, false, false, false, 100 },
	{ { 100 }, 1, 80, 0.2, INFINITY, V_OK, false, false, false, 100 },
	{ { 100 }, 1, 79, 0.2, INFINITY, V_CRITICAL, true, true, false, 100 },
	{ { 30 }, 1, 24, 0.2, INFINITY, V_OK, false, false, false, 30 },
	{ { 100 }, 1, 100, 0, INFINITY, V_OK, false, false, false, 100 },
	{ { 100 }, 1, 99, 0, INFINITY, V_CRITICAL, true, true, false, 100 },
	{ { 100 }, 1, 1, 1, INFINITY, V_OK, false, false, false, 100 },
	/* the previous one alone, the median alone */
	{ { 100, 100, 200 }, 3, 100, 0.2, INFINITY, V_CRITICAL, true, false, false, 100 },
	{ { 200, 200, 100 }, 3, 100, 0.2, INFINITY, V_CRITICAL, false, true, false, 200 },
	/* medians of even and odd numbers, unsorted */
	{ { 400, 100 }, 2, 250, 0.5, INFINITY, V_OK, false, false, false, 250 },
	{ { 3, 1, 2 }, 3, 2, 0.2, INFINITY, V_OK, false, false, false, 2 },
	{ { UINT64_MAX, UINT64_MAX - 2 },
	  2,
	  UINT64_MAX,
	  0.2,
	  INFINITY,
	  V_OK,
	  false,
	  false,
	  false,
	  UINT64_MAX - 1 },
	/* growth must be seen against both */
	{ { 100 }, 1, 300, 0.2, 2, V_OK, false, false, false, 100 },
	{ { 100 }, 1, 301, 0.2, 2, V_WARNING, false, false, true, 100 },
	{ { 100, 100, 301 }, 3, 301, 0.2, 2, V_OK, false, false, false, 100 },
	{ { 1 }, 1, UINT64_MAX, 0.2, INFINITY, V_OK, false, false, false, 1 },
};

START_TEST(judges)
{
	const struct trend_limits limits = { cases[_i].max_drop, cases[_i].max_growth };
	struct trend t;

	trend_judge(cases[_i].earlier, cases[_i].n, cases[_i].now, &limits, &t);
	ck_assert_int_eq(t.status, cases[_i].want);
	ck_assert_int_eq(t.dropped_previous, cases[_i].previous);
	ck_assert_int_eq(t.dropped_median, cases[_i].median);
	ck_assert_int_eq(t.grown, cases[_i].grown);
	ck_assert_uint_eq(t.median_b, cases[_i].median_b);
	ck_assert_uint_eq(t.n, cases[_i].n);
}
END_TEST

START_TEST(changes_are_shares_of_the_earlier)
{
	static const uint64_t earlier[] = { 200, 100 };
	const struct trend_limits limits = { INFINITY, INFINITY };
	struct trend t;

	trend_judge(earlier, 2, 120, &limits, &t);
	ck_assert_double_eq_tol(t.against_previous, 0.2, 1e-12);
	ck_assert_double_eq_tol(t.against_median, -0.2, 1e-12);
}
END_TEST

static void add(struct trend_list *list, const char *fields)
{
	json_t *object = json_of(fields);
	struct trend_backup b;

	ck_assert(trend_backup_of(object, &b));
	trend_add(list, &b);
	json_decref(object);
}

/* Days in February, deliberately unsorted; the one of the 17th is the one to judge. */
static void fill(struct trend_list *list)
{
	add(list, "{'source':'a','name':'x17','format':'custom','bytes':17,"
		  "'taken_at':'2026-02-17T00:00:00Z'}");
	add(list, "{'source':'a','name':'x15','bytes':15,'taken_at':'2026-02-15T00:00:00Z'}");
	add(list, "{'source':'a','name':'x14','format':'custom','bytes':14,"
		  "'modified_at':'2026-02-14T00:00:00Z'}");
	add(list, "{'source':'a','name':'x16','format':'custom','bytes':16,"
		  "'taken_at':'2026-02-16T00:00:00Z','modified_at':'2026-02-20T00:00:00Z'}");
	add(list, "{'source':'a','name':'x16','bytes':16,'taken_at':'2026-02-16T00:00:00Z'}");
	add(list, "{'source':'a','name':'empty','bytes':0,'taken_at':'2026-02-16T01:00:00Z'}");
	add(list, "{'source':'b','name':'y16','bytes':99,'taken_at':'2026-02-16T02:00:00Z'}");
	add(list, "{'source':'a','name':'p16','format':'plain','bytes':98,"
		  "'taken_at':'2026-02-16T03:00:00Z'}");
	add(list, "{'source':'a','name':'x18','bytes':97,'taken_at':'2026-02-18T00:00:00Z'}");
	add(list, "{'name':'timeless','bytes':1}");
}

static const struct {
	const char *this;
	size_t most, n;
	uint64_t want[6];
} windows[] = {
	{ "{'source':'a','name':'x17','format':'custom','bytes':17,"
	  "'taken_at':'2026-02-17T00:00:00Z'}",
	  10,
	  4,
	  { 1, 14, 15, 16 } },
	{ "{'source':'a','name':'x17','format':'custom','bytes':17,"
	  "'taken_at':'2026-02-17T00:00:00Z'}",
	  2,
	  2,
	  { 15, 16 } },
	{ "{'source':'a','name':'x14','format':'custom','bytes':14,"
	  "'taken_at':'2026-02-14T00:00:00Z'}",
	  10,
	  1,
	  { 1 } },
	{ "{'source':'c','name':'x17','bytes':17,'taken_at':'2026-02-17T00:00:00Z'}",
	  10,
	  1,
	  { 1 } },
	{ "{'name':'new','format':'plain','bytes':17}", 10, 6, { 1, 15, 16, 99, 98, 97 } },
	{ "{'name':'timeless','source':'b','bytes':17}", 10, 1, { 99 } },
};

START_TEST(looks_back)
{
	json_t *object = json_of(windows[_i].this);
	struct trend_list list = { 0 };
	struct trend_backup this;
	uint64_t got[10];
	size_t n;

	fill(&list);
	ck_assert(trend_backup_of(object, &this));
	n = trend_before(&list, &this, windows[_i].most, got, NULL);
	ck_assert_uint_eq(n, windows[_i].n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(got[i], windows[_i].want[i]);
	trend_backup_free(&this);
	trend_free(&list);
	json_decref(object);
}
END_TEST

static const char *const sizeless[] = {
	"{}", "{'bytes':null}", "{'bytes':-1}", "{'bytes':'7'}", "{'bytes':1.5}", "null", "7",
};

START_TEST(without_a_size_it_is_no_evidence)
{
	json_t *object = json_of(sizeless[_i]);
	struct trend_backup b;

	ck_assert(!trend_backup_of(object, &b));
	json_decref(object);
}
END_TEST

START_TEST(empty_list)
{
	json_t *object = json_of("{'name':'x','bytes':1}");
	struct trend_list list = { 0 };
	struct trend_backup b;
	uint64_t got[1];

	ck_assert(trend_backup_of(object, &b));
	ck_assert_uint_eq(trend_before(&list, &b, 1, got, NULL), 0);
	trend_add(&list, &b);
	ck_assert(trend_backup_of(object, &b));
	ck_assert_uint_eq(trend_before(&list, &b, 1, got, NULL), 0);
	trend_backup_free(&b);
	trend_free(&list);
	json_decref(object);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trend");
	TCase *c = tcase_create("trend");

	tcase_add_loop_test(c, judges, 0, CASES(cases));
	tcase_add_test(c, changes_are_shares_of_the_earlier);
	tcase_add_loop_test(c, looks_back, 0, CASES(windows));
	tcase_add_loop_test(c, without_a_size_it_is_no_evidence, 0, CASES(sizeless));
	tcase_add_test(c, empty_list);
	suite_add_tcase(s, c);
	return suite_run(s);
}
