#include "lib/base/buf.h"
#include "lib/storage/profile.h"
#include "tests/unit/suite.h"

#include <string.h>

static void note(const struct profile_item *i, void *ctx)
{
	buf_addf(ctx, "%s|%s|%s|%s\n", i->section, i->parent, i->key, i->value);
}

static const struct {
	const char *text, *items;
	const char *wrong; /* NULL: none */
} cases[] = {
	{ "", "", NULL },
	{ "\n \n# c\n; c\n  # c\n", "", NULL },
	{ "[default]\nregion = eu-west-1", "default||region|eu-west-1\n", NULL },
	{ "[default]\r\nkey=a\r\n", "default||key|a\n", NULL },
	{ " [ profile  x ] # comment\nk = v\n", "profile  x||k|v\n", NULL },
	{ "[profile \"two words\"]\nk=v\n", "profile two words||k|v\n", NULL },
	{ "[a]\nk = v=w # not a comment\n", "a||k|v=w # not a comment\n", NULL },
	{ "[a]\ns3 =\n  addressing_style = path\nregion = r\n  stray = x\n",
	  "a||s3|\na|s3|addressing_style|path\na||region|r\na||stray|x\n", NULL },
	{ "[services m]\ns3 = \n\tendpoint_url = http://h\n[b]\n k = v\n",
	  "services m||s3|\nservices m|s3|endpoint_url|http://h\nb||k|v\n", NULL },
	{ "k = v\n", "", "line 1: not key = value in a [section]" },
	{ "[a]\nsecret\n", "", "line 2: not key = value in a [section]" },
	{ "[a]\n= v\n", "", "line 2: not key = value in a [section]" },
	{ "\n[a\nk = v\n", "", "line 2: a broken [section]" },
	{ "[]\n", "", "line 1: a broken [section]" },
	{ "[ \"\" ]\n", "", "line 1: a broken [section]" },
};

START_TEST(items)
{
	BUF_AUTO got = BUF_INIT(4096);
	struct err e = { 0 };
	int rc = profile_parse(cases[_i].text, strlen(cases[_i].text), note, &got, &e);

	ck_assert_int_eq(rc, cases[_i].wrong ? -1 : 0);
	if (cases[_i].wrong)
		ck_assert_str_eq(e.msg, cases[_i].wrong);
	ck_assert_str_eq(got.s, cases[_i].items);
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	BUF_AUTO got = BUF_INIT(4096);
	struct err e = { 0 };

	ck_assert_int_eq(profile_parse("[a]\nk = v\0w\n", 12, note, &got, &e), -1);
	ck_assert_str_eq(e.msg, "line 2: a NUL byte in it");
	ck_assert_int_eq(profile_parse("[\0]\nk = v\n", 10, note, &got, &e), -1);
	ck_assert_str_eq(got.s, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("profile");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, items, 0, CASES(cases));
	tcase_add_test(t, bytes_that_are_no_text);
	suite_add_tcase(s, t);
	return suite_run(s);
}
