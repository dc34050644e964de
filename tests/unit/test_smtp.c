#include "lib/net/smtp.h"

#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *url, *why; /* why NULL: good */
} urls[] = {
	{ "smtp://mail.example.com", NULL },
	{ "smtp://mail.example.com:587", NULL },
	{ "smtps://mail.example.com:465/host.example.com", NULL },
	{ "smtp://[::1]:25", NULL },
	{ "SMTP://mail.example.com", "not of the form" },
	{ "mail.example.com", "not of the form" },
	{ "http://mail.example.com", "not of the form" },
	{ "smtp://", "not of the form" },
	{ "smtp://mail.example.com:port", "not of the form" },
	{ "", "not of the form" },
	{ "smtp://user@mail.example.com", "SMTP_USER" },
	{ "smtp://user:hush@mail.example.com", "SMTP_USER" },
};

START_TEST(url_table)
{
	struct err e = { 0 };
	const int got = smtp_check_url(urls[_i].url, &e);

	ck_assert_int_eq(got, urls[_i].why ? -1 : 0);
	if (urls[_i].why) {
		ck_assert_msg(strstr(e.msg, urls[_i].why) != NULL, "%s", e.msg);
		ck_assert_ptr_null(strstr(e.msg, "hush"));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtp");
	TCase *c = tcase_create("smtp");

	tcase_add_loop_test(c, url_table, 0, CASES(urls));
	suite_add_tcase(s, c);
	return suite_run(s);
}
