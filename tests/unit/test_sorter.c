/* Records come out in order, whether they fit into memory or not. */
#include "lib/base/sorter.h"

#include "lib/base/xmem.h"
#include "tests/unit/suite.h"

#include <stdint.h>
#include <string.h>

/* A number with text behind it, so that records differ in length. */
struct item {
	uint64_t n;
	char *text; /* pointed at what follows by whoever reads it */
};

static int compare(void *a, void *b)
{
	struct item *x = a, *y = b;

	x->text = (char *)(x + 1);
	y->text = (char *)(y + 1);
	if (x->text[0] != 'x' || y->text[0] != 'x')
		ck_abort_msg("no text follows");
	return (x->n > y->n) - (x->n < y->n);
}

static void add(struct sorter *s, uint64_t n, size_t text)
{
	AUTO_FREE char *record = xcalloc(sizeof(struct item) + text + 1, 1);
	struct err e = { 0 };

	memcpy(record, &n, sizeof(n));
	memset(record + sizeof(struct item), 'x', text);
	if (sorter_add(s, record, sizeof(struct item) + text + 1, &e) < 0)
		ck_abort_msg("%s", e.msg);
}

struct seen {
	uint64_t n, next, stop_at;
};

static int take(void *ctx, void *record, struct err *e)
{
	struct seen *s = ctx;
	struct item *item = record;

	(void)e;
	if (item->n != s->next || strlen((char *)(item + 1)) != 1 + item->n % 300)
		ck_abort_msg("another record than that at this place");
	s->next++;
	return ++s->n == s->stop_at ? 7 : 0;
}

/* i-th of n in an order: as they are, backwards, or all over. */
enum order { RISING, FALLING, MIXED };

static uint64_t pick(enum order order, uint64_t i, uint64_t n)
{
	if (order == RISING)
		return i;
	return order == FALLING ? n - 1 - i : i * 7919 % n;
}

static const struct {
	uint64_t n;
	enum order order;
} cases[] = {
	{ 0, RISING },     { 1, RISING },      { 1000, FALLING },   { 1000, MIXED },
	{ 30000, RISING }, { 30000, FALLING }, { 200000, FALLING }, { 200000, MIXED },
};

START_TEST(all_come_in_order_every_time)
{
	const uint64_t n = cases[_i].n;
	struct sorter *s = sorter_new(compare);
	struct err e = { 0 };

	for (uint64_t i = 0; i < n; i++) {
		uint64_t value = pick(cases[_i].order, i, n);

		add(s, value, 1 + value % 300);
	}
	for (int round = 0; round < 2; round++) {
		struct seen seen = { 0 };

		ck_assert_int_eq(sorter_each(s, take, &seen, &e), 0);
		ck_assert_uint_eq(seen.n, n);
	}
	add(s, n, 1 + n % 300);
	for (uint64_t stop = 0; stop <= 1; stop++) {
		struct seen seen = { .stop_at = stop };

		ck_assert_int_eq(sorter_each(s, take, &seen, &e), stop ? 7 : 0);
		ck_assert_uint_eq(seen.n, stop ? 1 : n + 1);
	}
	sorter_free(&s);
}
END_TEST

START_TEST(a_record_of_a_wrong_size_is_refused)
{
	AUTO_FREE char *record = xcalloc(SORTER_RECORD_MAX + 1, 1);
	struct sorter *s = sorter_new(compare);
	struct err e = { 0 };

	ck_assert_int_eq(sorter_add(s, record, SORTER_RECORD_MAX + 1, &e), -1);
	ck_assert_int_eq(sorter_add(s, record, 0, &e), -1);
	ck_assert_int_eq(sorter_add(s, record, SORTER_RECORD_MAX, &e), 0);
	sorter_free(&s);
}
END_TEST

START_TEST(no_place_for_the_file_is_an_error)
{
	struct sorter *s = sorter_new(compare);
	struct item item = { 0 };
	char record[sizeof(item) + 16] = { 0 };
	struct err e = { 0 };
	int rc = 0;

	ck_assert_int_eq(setenv("TMPDIR", "/nowhere", 1), 0);
	record[sizeof(item)] = 'x';
	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = sorter_add(s, record, sizeof(record), &e);
	ck_assert_int_eq(rc, -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "TMPDIR"));
	ck_assert_int_eq(unsetenv("TMPDIR"), 0);
	sorter_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sorter");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, all_come_in_order_every_time, 0, CASES(cases));
	tcase_add_test(t, a_record_of_a_wrong_size_is_refused);
	tcase_add_test(t, no_place_for_the_file_is_an_error);
	suite_add_tcase(s, t);
	return suite_run(s);
}
