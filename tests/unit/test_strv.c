#include "lib/base/strv.h"

#include "tests/unit/suite.h"

#include <string.h>

START_TEST(starts_empty)
{
	STRV_AUTO l = { 0 };

	ck_assert_ptr_null(l.v);
	ck_assert(!strv_has(&l, ""));
	strv_sort(&l);
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(owns_what_it_holds)
{
	STRV_AUTO l = { 0 };
	char word[] = "first";

	strv_add(&l, word);
	word[0] = 'X';
	strv_addf(&l, "%s-%d", "second", 2);
	strv_add(&l, "");
	ck_assert_uint_eq(l.n, 3);
	ck_assert_str_eq(l.v[0], "first");
	ck_assert_str_eq(l.v[1], "second-2");
	ck_assert_str_eq(l.v[2], "");
	ck_assert_ptr_null(l.v[3]);
	ck_assert(strv_has(&l, "first"));
	ck_assert(strv_has(&l, ""));
	ck_assert(!strv_has(&l, "firs"));
}
END_TEST

START_TEST(sorts_by_bytes)
{
	static const char *const want[] = { "", "B", "a", "a", "ab", "\xc3\xa9" };
	STRV_AUTO l = { 0 };

	strv_add(&l, "ab");
	strv_add(&l, "\xc3\xa9");
	strv_add(&l, "a");
	strv_add(&l, "");
	strv_add(&l, "B");
	strv_add(&l, "a");
	strv_sort(&l);
	for (size_t i = 0; i < l.n; i++)
		ck_assert_str_eq(l.v[i], want[i]);
	ck_assert_ptr_null(l.v[l.n]);
}
END_TEST

START_TEST(stays_terminated_while_it_grows)
{
	STRV_AUTO l = { 0 };

	for (int i = 0; i < 1000; i++) {
		strv_addf(&l, "%d", i);
		ck_assert_ptr_null(l.v[l.n]);
	}
	ck_assert_str_eq(l.v[999], "999");
	strv_free(&l);
	ck_assert_ptr_null(l.v);
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("strv");
	TCase *c = tcase_create("strv");

	tcase_add_test(c, starts_empty);
	tcase_add_test(c, owns_what_it_holds);
	tcase_add_test(c, sorts_by_bytes);
	tcase_add_test(c, stays_terminated_while_it_grows);
	suite_add_tcase(s, c);
	return suite_run(s);
}
