/* Check values: the CRC catalogue's for "123456789"; sums of parts as Amazon S3 makes them. */
#include "lib/storage/crc.h"
#include "lib/storage/sum.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	enum sum_kind kind;
	int64_t part_bytes;
	bool hex;
	const char *bytes, *is;
} cases[] = {
	{ SUM_CRC32, 0, true, "123456789", "cbf43926" },
	{ SUM_CRC32C, 0, true, "123456789", "e3069283" },
	{ SUM_CRC64NVME, 0, true, "123456789", "ae8b14860a799888" },
	{ SUM_CRC32, 0, false, "123456789", "y/Q5Jg==" },
	{ SUM_CRC32C, 0, false, "123456789", "4waSgw==" },
	{ SUM_CRC64NVME, 0, false, "123456789", "rosUhgp5mIg=" },
	{ SUM_SHA256, 0, false, "123456789", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=" },
	{ SUM_MD5, 0, true, "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ SUM_SHA1, 0, true, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ SUM_MD5, 5, true, "aaaaabbb", "72d27afac8e2fbd3662861b9d607a02c-2" },
	{ SUM_SHA256, 5, false, "aaaaabbb", "klO+rIGEBmpS+FYbl0V177NZOk8sR9bZjF+0fMGntig=-2" },
};

START_TEST(known)
{
	struct err e = { 0 };
	char text[SUM_TEXT_SIZE];
	size_t n = strlen(cases[_i].bytes);
	SUM_AUTO s = sum_new(cases[_i].kind, cases[_i].part_bytes, &e);

	ck_assert_ptr_nonnull(s);
	/* Cut at every place, it is the same. */
	for (size_t cut = 0; cut <= n; cut++) {
		ck_assert_int_eq(sum_reset(s, &e), 0);
		ck_assert_int_eq(sum_add(s, cases[_i].bytes, cut, &e), 0);
		ck_assert_int_eq(sum_add(s, cases[_i].bytes + cut, n - cut, &e), 0);
		ck_assert_int_eq(sum_end(s, cases[_i].hex, text, &e), 0);
		ck_assert_str_eq(text, cases[_i].is);
	}
}
END_TEST

/* Eight bytes at a step, and many, give what one at a step gives. */
START_TEST(steps)
{
	unsigned char bytes[1100];
	uint64_t slow = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		ck_assert_uint_eq(crc_add((enum crc_kind)_i, 0, bytes, n), slow);
		if (n < sizeof(bytes))
			slow = crc_add((enum crc_kind)_i, slow, bytes + n, 1);
	}
}
END_TEST

/* Parts that end with the last byte make no empty part. */
START_TEST(whole_parts)
{
	struct err e = { 0 };
	char text[SUM_TEXT_SIZE];
	SUM_AUTO s = sum_new(SUM_CRC32C, 3, &e);

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(sum_add(s, "abcdef", 6, &e), 0);
	ck_assert_int_eq(sum_end(s, true, text, &e), 0);
	ck_assert_str_eq(text + strlen(text) - 2, "-2");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sum");
	TCase *c = tcase_create("sum");

	tcase_add_loop_test(c, known, 0, CASES(cases));
	tcase_add_loop_test(c, steps, CRC_32C, CRC_64NVME + 1);
	tcase_add_test(c, whole_parts);
	suite_add_tcase(s, c);
	return suite_run(s);
}
