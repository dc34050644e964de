#include "lib/base/buf.h"

#include "tests/unit/suite.h"

#include <string.h>

START_TEST(empty_is_a_string)
{
	struct buf b = BUF_INIT(10);

	ck_assert_str_eq(b.s, "");
	buf_reset(&b);
	buf_free(&b);
	ck_assert_str_eq(b.s, "");
	ck_assert_uint_eq(b.max, 10);
}
END_TEST

START_TEST(appends_follow_each_other)
{
	BUF_AUTO b = BUF_INIT(1000);

	buf_adds(&b, "one ");
	buf_addc(&b, '2');
	buf_addf(&b, " %d%s", 3, " four");
	buf_add(&b, "\0five", 5);
	buf_adds(&b, "");
	buf_addf(&b, "%s", "");
	ck_assert_uint_eq(b.len, 17);
	ck_assert_mem_eq(b.s, "one 2 3 four\0five", 18);
	ck_assert(!b.full);
}
END_TEST

/* What does not fit whole changes nothing, and the flag sticks. */
START_TEST(ceiling_is_hard)
{
	BUF_AUTO b = BUF_INIT(8);

	buf_adds(&b, "12345678");
	ck_assert(!b.full);
	ck_assert_str_eq(b.s, "12345678");
	buf_addc(&b, '9');
	ck_assert(b.full);
	ck_assert_str_eq(b.s, "12345678");
	buf_reset(&b);
	ck_assert(!b.full);
	buf_adds(&b, "1234567");
	buf_addf(&b, "%d", 89);
	ck_assert(b.full);
	ck_assert_str_eq(b.s, "1234567");
	buf_addc(&b, '8');
	ck_assert_msg(b.len == 7, "a refused append must not be followed by a smaller one");
}
END_TEST

START_TEST(nothing_fits_into_nothing)
{
	BUF_AUTO b = BUF_INIT(0);

	buf_adds(&b, "");
	ck_assert(!b.full);
	buf_addc(&b, 'x');
	ck_assert(b.full);
	ck_assert_str_eq(b.s, "");
}
END_TEST

START_TEST(grows_byte_by_byte)
{
	BUF_AUTO b = BUF_INIT(100000);

	for (int i = 0; i < 100000; i++)
		buf_addc(&b, (char)('a' + i % 26));
	ck_assert(!b.full);
	ck_assert_uint_eq(b.len, 100000);
	for (size_t i = 0; i < b.len; i++)
		ck_assert_int_eq(b.s[i], (char)('a' + i % 26));
	ck_assert_uint_eq(strlen(b.s), 100000);
}
END_TEST

START_TEST(free_starts_afresh)
{
	struct buf b = BUF_INIT(4);

	buf_adds(&b, "12345");
	ck_assert(b.full);
	buf_free(&b);
	ck_assert(!b.full);
	buf_adds(&b, "1234");
	ck_assert_str_eq(b.s, "1234");
	buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buf");
	TCase *c = tcase_create("buf");

	tcase_add_test(c, empty_is_a_string);
	tcase_add_test(c, appends_follow_each_other);
	tcase_add_test(c, ceiling_is_hard);
	tcase_add_test(c, nothing_fits_into_nothing);
	tcase_add_test(c, grows_byte_by_byte);
	tcase_add_test(c, free_starts_afresh);
	suite_add_tcase(s, c);
	return suite_run(s);
}
