/* Lines counted many bytes at a time: the same as one by one. */
#include "lib/dump/lines.h"
#include "tests/unit/suite.h"

#include <stdbool.h>
#include <string.h>

enum { ROOM = 5 * LINES_BLOCK };

static char text[ROOM];

static uint64_t one_by_one(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

/* Lines of so many bytes; 1: nothing but line ends. */
static const int lengths[] = { 1, 2, 3, 15, 16, 17, 100, 4096, ROOM };

static void fill(int length)
{
	for (int i = 0; i < ROOM; i++)
		text[i] = (char)(i % length == length - 1 ? '\n' : 'a' + i % 26);
}

START_TEST(counted)
{
	fill(lengths[_i]);
	for (size_t from = 0; from < 40; from += 13)
		for (size_t n = 0; from + n <= ROOM; n += n < 100 ? 1 : 331) {
			uint64_t lines = 0;
			size_t k = lines_plain(text + from, n, &lines);

			ck_assert_uint_eq(lines_count(text + from, n), one_by_one(text + from, n));
			ck_assert_uint_eq(lines, one_by_one(text + from, k));
			ck_assert(n < LINES_BLOCK + 2 ? k == 0 : n - k < LINES_BLOCK + 2);
		}
}
END_TEST

/* Stops in front of a block with one of these, wherever in the block it begins. */
static const struct {
	const char *what;
	size_t n;
	bool stops;
} marks[] = {
	{ "\n\\.", 3, true },  { "\0", 1, true },   { "x\\.", 3, false },
	{ "\n\\N", 3, false }, { "\n.", 2, false }, { "\\\n.", 3, false },
};

START_TEST(stopped)
{
	for (size_t at = 0; at < 3 * LINES_BLOCK; at += at % 500 < 20 ? 1 : 37) {
		uint64_t lines = 0;

		fill(100);
		memcpy(text + at, marks[_i].what, marks[_i].n);
		ck_assert_uint_eq(lines_plain(text, ROOM, &lines),
				  marks[_i].stops ? at - at % LINES_BLOCK : ROOM - LINES_BLOCK);
		ck_assert_uint_eq(lines_count(text, ROOM), one_by_one(text, ROOM));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lines");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, counted, 0, CASES(lengths));
	tcase_add_loop_test(c, stopped, 0, CASES(marks));
	suite_add_tcase(s, c);
	return suite_run(s);
}
