#include "lib/storage/width.h"
#include "tests/unit/suite.h"

enum { MOST = 8, SPANS = 40, SPAN_MS = 100 };

/* A link and a processor: bytes a millisecond with all connections, and with one; the share of a
 * processor that goes along with it. How many connections are at work in the end. */
static const struct {
	const char *what;
	uint64_t all, one;
	int64_t cpu_percent;
	unsigned most, ends_with;
} links[] = {
	{ "far away: one would be an eighth as quick", 200000, 25000, 31, MOST, MOST },
	{ "the processors are what limits: one is quicker", 640000, 720000, 85, MOST, 1 },
	{ "a little slower is as quick", 640000, 600000, 85, MOST, 1 },
	{ "several processors are free: all are quicker", 900000, 600000, 120, MOST, MOST },
	{ "a slow processor, one connection is not enough", 100000, 40000, 90, MOST, MOST },
	{ "only one is allowed", 640000, 640000, 85, 1, 1 },
	{ "nothing comes", 0, 0, 100, MOST, MOST },
};

static void run_link(struct width *w, struct width_look *look, int link, int spans)
{
	for (int i = 0; i < spans; i++) {
		unsigned at_work = w->now;

		look->at_ms += SPAN_MS;
		look->cpu_ms += links[link].cpu_percent * SPAN_MS / 100;
		look->bytes += SPAN_MS * (at_work > 1 ? links[link].all : links[link].one);
		width_see(w, at_work, look);
		ck_assert_uint_ge(w->now, 1);
		ck_assert_uint_le(w->now, links[link].most);
	}
}

START_TEST(settles)
{
	struct width_look look = { .at_ms = 5000, .cpu_ms = 20, .bytes = 0 };
	struct width w;

	width_begin(&w, links[_i].most, &look);
	ck_assert_uint_eq(w.now, links[_i].most);
	run_link(&w, &look, _i, SPANS);
	ck_assert_msg(w.now == links[_i].ends_with, "%s: %u", links[_i].what, w.now);
}
END_TEST

/* Nothing is measured while others end what they have begun. */
START_TEST(waits_for_others)
{
	struct width_look look = { 0 };
	struct width w;

	width_begin(&w, MOST, &look);
	run_link(&w, &look, 1, 1);
	ck_assert_uint_eq(w.now, 1);
	ck_assert_int_eq(w.phase, WIDTH_NARROWING);
	for (int i = 0; i < SPANS; i++) {
		look.at_ms += SPAN_MS;
		width_see(&w, 2, &look);
		ck_assert_int_eq(w.phase, WIDTH_NARROWING);
	}
}
END_TEST

/* The network becomes slower, or bytes are lost: all help again, and it is not tried anew. */
START_TEST(widens_again)
{
	struct width_look look = { 0 };
	struct width w;

	width_begin(&w, MOST, &look);
	run_link(&w, &look, 1, SPANS);
	ck_assert_uint_eq(w.now, 1);
	look.bytes /= 2;
	run_link(&w, &look, 0, SPANS);
	ck_assert_uint_eq(w.now, MOST);
	run_link(&w, &look, 1, SPANS);
	ck_assert_uint_eq(w.now, MOST);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("width");
	TCase *c = tcase_create("width");

	tcase_add_loop_test(c, settles, 0, CASES(links));
	tcase_add_test(c, waits_for_others);
	tcase_add_test(c, widens_again);
	suite_add_tcase(s, c);
	return suite_run(s);
}
