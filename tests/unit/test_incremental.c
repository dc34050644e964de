/* incremental: headers of files that an incremental backup has in part, and their names. */
#include "lib/physical/incremental.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 1024, SEGMENT = 300, FILE_MAX = 8 * BLOCK };

static size_t put(unsigned char *p, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		p[at + i] = (unsigned char)(v >> (8 * i));
	return at + 4;
}

/* The numbers of words, ended by UINT32_MAX, one after another. */
static size_t make(unsigned char *p, const uint32_t *words)
{
	size_t n = 0;

	memset(p, 0, FILE_MAX);
	for (; *words != UINT32_MAX; words++)
		n = put(p, n, *words);
	return n;
}

#define MAGIC 0xd3ae1f0d
#define END UINT32_MAX

static const struct {
	uint32_t words[8];
	uint64_t file_b;
	size_t header_b;
	const char *wrong;
} files[] = {
	{ { MAGIC, 0, 7, END }, 12, 12, NULL },
	{ { MAGIC, 1, 7, 3, END }, 2 * BLOCK, BLOCK, NULL },
	{ { MAGIC, 3, 300, 0, 1, 299, END }, 4 * BLOCK, BLOCK, NULL },
	{ { MAGIC, 0, 0, END }, 12, 12, NULL },
	{ { MAGIC ^ 1, 0, 7, END }, 12, 0, "magic" },
	{ { MAGIC, 301, 7, END }, 2 * BLOCK, 0, "more blocks than a segment" },
	{ { MAGIC, 0, 301, END }, 12, 0, "a length that no segment has" },
	{ { MAGIC, 1, 7, 300, END }, 2 * BLOCK, 0, "a block that no segment has" },
	{ { MAGIC, 2, 7, 5, 5, END }, 3 * BLOCK, 0, "not in order" },
	{ { MAGIC, 2, 7, 5, 4, END }, 3 * BLOCK, 0, "not in order" },
	{ { MAGIC, 0, 7, END }, 13, 12, "the blocks that its header counts" },
	{ { MAGIC, 2, 7, 4, 5, END }, 2 * BLOCK, BLOCK, "the blocks that its header counts" },
	{ { MAGIC, 2, 7, 4, 5, END }, 3 * BLOCK + 1, BLOCK, "the blocks that its header counts" },
	{ { MAGIC, 0, END }, 8, 8, "ends in its header" },
	{ { END }, 0, 0, "ends in its header" },
	{ { MAGIC, 2, 7, 4, END }, 16, 16, "ends in its header" },
};

/* In pieces of each size. */
START_TEST(a_header_is_read_in_pieces)
{
	unsigned char file[FILE_MAX];
	struct incremental r = { .wrong = NULL };
	const size_t file_b = (size_t)files[_i].file_b;

	for (size_t step = 1; step <= file_b + 1; step += 1 + step / 3) {
		size_t header_b = 0;

		(void)make(file, files[_i].words);
		incremental_begin(&r, BLOCK, SEGMENT);
		for (size_t at = 0; at < file_b; at += step)
			header_b += incremental_take(&r, file + at,
						     file_b - at < step ? file_b - at : step);
		incremental_end(&r, file_b);
		if (files[_i].wrong) {
			ck_assert_ptr_nonnull(r.wrong);
			ck_assert_msg(strstr(r.wrong, files[_i].wrong) != NULL, "%s", r.wrong);
			continue;
		}
		ck_assert_msg(r.wrong == NULL, "%s", r.wrong);
		ck_assert_uint_eq(header_b, files[_i].header_b);
		ck_assert_uint_eq(r.blocks, files[_i].words[1]);
		for (uint32_t i = 0; i < r.blocks; i++)
			ck_assert_uint_eq(r.numbers[i], files[_i].words[3 + i]);
	}
	incremental_free(&r);
}
END_TEST

/* So many numbers that they and their padding take more than one block. */
START_TEST(a_header_may_take_several_blocks)
{
	unsigned char file[FILE_MAX] = { 0 };
	struct incremental r = { .wrong = NULL };
	size_t n = put(file, put(file, put(file, 0, MAGIC), SEGMENT), SEGMENT);

	for (uint32_t i = 0; i < SEGMENT; i++)
		n = put(file, n, i);
	incremental_begin(&r, BLOCK, SEGMENT);
	ck_assert_uint_eq(incremental_take(&r, file, sizeof(file)), 2 * BLOCK);
	ck_assert_uint_eq(incremental_take(&r, file, sizeof(file)), 0);
	incremental_end(&r, (2 + SEGMENT) * (uint64_t)BLOCK);
	ck_assert_msg(r.wrong == NULL, "%s", r.wrong);
	ck_assert_uint_eq(r.numbers[SEGMENT - 1], SEGMENT - 1);
	incremental_free(&r);
}
END_TEST

static const struct {
	const char *part, *whole; /* whole NULL: no such name */
} names[] = {
	{ "base/5/INCREMENTAL.16400", "base/5/16400" },
	{ "base/5/INCREMENTAL.16400_vm.1", "base/5/16400_vm.1" },
	{ "INCREMENTAL.1", "1" },
	{ "base/5/16400", NULL },
	{ "INCREMENTAL.d/16400", NULL },
	{ "base/5/incremental.1", NULL },
};

START_TEST(names_lead_from_a_part_to_the_whole)
{
	char *whole = incremental_whole(names[_i].part), *part;

	if (names[_i].whole == NULL) {
		ck_assert_ptr_null(whole);
		return;
	}
	ck_assert_str_eq(whole, names[_i].whole);
	part = incremental_part(whole);
	ck_assert_str_eq(part, names[_i].part);
	free(whole);
	free(part);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("incremental");
	TCase *t = tcase_create("incremental");

	tcase_add_loop_test(t, a_header_is_read_in_pieces, 0, CASES(files));
	tcase_add_test(t, a_header_may_take_several_blocks);
	tcase_add_loop_test(t, names_lead_from_a_part_to_the_whole, 0, CASES(names));
	suite_add_tcase(s, t);
	return suite_run(s);
}
