#include "lib/storage/width.h"
#include "tests/unit/suite.h"

enum { MOST = 8, LOOKS = 1000, LOOK_US = 5000 };

/* A link and a processor: bytes a millisecond over one connection, and the share of a processor
 * that goes along with it. How many connections are at work in the end. */
static const struct {
	const char *what;
	uint64_t rate;
	int64_t cpu_percent;
	unsigned most;
	bool try_one;
	unsigned ends_with;
} links[] = {
	{ "far away, next to no processor time", 25000, 4, MOST, true, MOST },
	{ "near, half of a processor", 400000, 50, MOST, true, MOST },
	{ "the processors are what limits", 720000, 85, MOST, true, 1 },
	{ "two of them, even", 1200000, 130, MOST, true, 1 },
	{ "a slow processor", 30000, 90, MOST, true, 1 },
	{ "many files", 720000, 85, MOST, false, MOST },
	{ "only one is allowed", 25000, 4, 1, true, 1 },
	{ "nothing comes, from a server that is slow to begin", 0, 1, MOST, true, MOST },
};

static void run_link(struct width *w, struct width_look *look, int link, int looks)
{
	for (int i = 0; i < looks; i++) {
		look->at_us += LOOK_US;
		look->cpu_us += links[link].cpu_percent * LOOK_US / 100;
		look->bytes += links[link].rate * LOOK_US / 1000;
		width_see(w, look);
		ck_assert_uint_ge(w->now, 1);
		ck_assert_uint_le(w->now, links[link].most);
	}
}

START_TEST(settles)
{
	struct width_look look = { .at_us = 5000000, .cpu_us = 20000, .bytes = 7 };
	struct width w;

	width_begin(&w, links[_i].most, links[_i].try_one, &look);
	ck_assert_uint_eq(w.now, links[_i].try_one ? 1 : links[_i].most);
	run_link(&w, &look, _i, LOOKS);
	ck_assert_msg(w.now == links[_i].ends_with, "%s: %u", links[_i].what, w.now);
}
END_TEST

/* The time until the first bytes come says nothing of the link. */
START_TEST(waits_for_bytes)
{
	struct width_look look = { 0 };
	struct width w;

	width_begin(&w, MOST, true, &look);
	run_link(&w, &look, 7, 500000 / LOOK_US);
	ck_assert_int_eq(w.phase, WIDTH_FIRST);
	ck_assert(width_hurries(&w));
	run_link(&w, &look, 2, LOOKS);
	ck_assert_int_eq(w.phase, WIDTH_ALONE);
	ck_assert(!width_hurries(&w));
}
END_TEST

/* A far link is seen in a moment, not when all has come over one connection. */
START_TEST(decides_soon)
{
	struct width_look look = { 0 };
	struct width w;

	width_begin(&w, MOST, true, &look);
	run_link(&w, &look, 0, 40000 / LOOK_US);
	ck_assert_uint_eq(w.now, MOST);
}
END_TEST

/* The network becomes slower: all help, and that stays. A moment's rest is none. */
START_TEST(widens)
{
	struct width_look look = { 0 };
	struct width w;

	width_begin(&w, MOST, true, &look);
	run_link(&w, &look, 2, LOOKS);
	run_link(&w, &look, 0, 100000 / LOOK_US);
	run_link(&w, &look, 2, LOOKS);
	ck_assert_uint_eq(w.now, 1);
	run_link(&w, &look, 0, LOOKS);
	ck_assert_uint_eq(w.now, MOST);
	run_link(&w, &look, 2, LOOKS);
	ck_assert_uint_eq(w.now, MOST);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("width");
	TCase *c = tcase_create("width");

	tcase_add_loop_test(c, settles, 0, CASES(links));
	tcase_add_test(c, waits_for_bytes);
	tcase_add_test(c, decides_soon);
	tcase_add_test(c, widens);
	suite_add_tcase(s, c);
	return suite_run(s);
}
