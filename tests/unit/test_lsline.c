/* Directories as sshd prints them. */
#include "lib/base/buf.h"
#include "lib/storage/lsline.h"
#include "tests/unit/suite.h"

static const struct {
	const char *page, *got;
} cases[] = {
	{ "-rw-r--r--    1 root     root         1234 Feb 17 01:58 shop.dump\n",
	  "-1234 shop.dump|" },
	{ "drwxr-xr-x    2 0        0            4096 Feb 17  2025 .\n"
	  "drwxr-xr-x    2 0        0            4096 Feb 17  2025 ..\n"
	  "drwxr-xr-x    2 0        0            4096 Feb 17  2025 d\n"
	  "-rw-------    1 a b 18446744073 Nov  1 00:00  two  blanks \n",
	  "d4096 d|-18446744073  two  blanks |" },
	{ "lrwxrwxrwx    1 0 0 9 Feb 17 01:58 latest -> shop.dump\n", "l9 latest>shop.dump|" },
	{ "-rw-r--r--    1 0 0 9 Feb 17 01:58 a -> b", "-9 a -> b|" },
	{ "", "" },
	{ "\n\ntotal 7\n-rw\n-rw-r--r-- 1 0 0 x Feb 17 01:58 a\n", "" },
	{ "-rw-r--r-- 1 0 0 1 Feb 17 01:58 \n-rw-r--r-- 1 0 0 1 Feb 17 01:58 a/b\n", "" },
};

START_TEST(listed)
{
	BUF_AUTO got = BUF_INIT(1024);
	const char *page = cases[_i].page;
	char *text = NULL;
	struct lsline l;

	while (lsline_next(&page, &text, &l))
		buf_addf(&got, "%c%lld %s%s%s|", l.kind, (long long)l.bytes, l.name,
			 l.link ? ">" : "", l.link ? l.link : "");
	ck_assert_str_eq(got.s, cases[_i].got);
	ck_assert_ptr_null(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lsline");
	TCase *c = tcase_create("lsline");

	tcase_add_loop_test(c, listed, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
