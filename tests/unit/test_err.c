#include "lib/base/err.h"

#include "tests/unit/suite.h"

#include <string.h>

START_TEST(set_fills_and_returns_minus_one)
{
	struct err e = { 0 };

	ck_assert_int_eq(err_set(&e, ERR_SYSTEM, "open %s: %s", "/x", "no such file"), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_str_eq(e.msg, "open /x: no such file");
}
END_TEST

START_TEST(message_is_one_line)
{
	struct err e = { 0 };

	err_set(&e, ERR_REMOTE, "server said: %s", "no\nsuch\r\n\trole\033[31m\x7f");
	ck_assert_str_eq(e.msg, "server said: no such   role [31m ");
}
END_TEST

START_TEST(wrap_puts_the_prefix_before)
{
	struct err e = { 0 };

	err_set(&e, ERR_REMOTE, "connection refused");
	ck_assert_int_eq(err_wrap(&e, "fetch %s", "a\nb"), -1);
	ck_assert_str_eq(e.msg, "fetch a b: connection refused");
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	err_wrap(&e, "%s", "");
	ck_assert_str_eq(e.msg, ": fetch a b: connection refused");
}
END_TEST

START_TEST(long_messages_are_cut)
{
	struct err e = { 0 };
	char text[2 * sizeof(e.msg)];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_SYSTEM, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "read");
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_ptr_eq(strstr(e.msg, "read: xxx"), e.msg);
	err_wrap(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_ptr_null(strstr(e.msg, "read"));
}
END_TEST

static const struct {
	enum err_kind kind;
	enum verdict want;
} statuses[] = {
	{ ERR_NONE, V_UNKNOWN },   { ERR_USAGE, V_UNKNOWN },   { ERR_SYSTEM, V_UNKNOWN },
	{ ERR_REMOTE, V_UNKNOWN }, { ERR_BACKUP, V_CRITICAL },
};

START_TEST(only_a_bad_backup_is_critical)
{
	const struct err e = { .kind = statuses[_i].kind };

	ck_assert_int_eq(err_status(&e), statuses[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("err");
	TCase *c = tcase_create("err");

	tcase_add_test(c, set_fills_and_returns_minus_one);
	tcase_add_test(c, message_is_one_line);
	tcase_add_test(c, wrap_puts_the_prefix_before);
	tcase_add_test(c, long_messages_are_cut);
	tcase_add_loop_test(c, only_a_bad_backup_is_critical, 0, CASES(statuses));
	suite_add_tcase(s, c);
	return suite_run(s);
}
