#include "lib/report/plain.h"

#include "lib/base/utf8.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *in;
	size_t column, indent, width;
	const char *want;
} wraps[] = {
	{ "", 0, 2, 10, "\n" },
	{ "short", 0, 2, 10, "short\n" },
	{ "exactly 10", 0, 2, 10, "exactly 10\n" },
	{ "exactly 10 and", 0, 2, 10, "exactly 10\n  and\n" },
	{ "one two three four", 0, 2, 10, "one two\n  three\n  four\n" },
	{ "one two", 6, 2, 10, "one\n  two\n" },
	{ "seventeenletters!", 0, 2, 10, "seventeenl\n  etters!\n" },
	{ "a seventeenletters!", 0, 2, 10, "a\n  seventee\n  nletters\n  !\n" },
	{ "two  blanks", 0, 2, 5, "two\n  bla\n  nks\n" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9", 0, 0, 4,
	  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\n\xc3\xa9\xc3\xa9\n" },
	{ "ab", 12, 12, 10, "a\n            b\n" },
};

START_TEST(wrap_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	plain_wrap(wraps[_i].in, wraps[_i].column, wraps[_i].indent, wraps[_i].width, &b);
	ck_assert_str_eq(b.s, wraps[_i].want);
}
END_TEST

/* Whatever a table is called, no line of the report is wider than 96 columns, and none is lost. */
START_TEST(no_line_is_too_wide)
{
	static const char letters[] = "ab c|\xc3\xa9 d_\xe2\x82\xac";
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct summary s;

	summary_init(&s);
	for (int n = 0; n < 200; n++) {
		char subject[256], summary[512];

		for (size_t i = 0; i < sizeof(subject); i++)
			subject[i] = letters[(i * 7 + (size_t)n) % (sizeof(letters) - 1)];
		subject[n + 1] = '\0';
		for (size_t i = 0; i < sizeof(summary); i++)
			summary[i] = letters[(i * 5 + (size_t)n) % (sizeof(letters) - 1)];
		summary[2 * n + 1] = '\0';
		summary_find(&s, n % 3 ? "row-count" : "x", subject, (enum verdict)(n % 4), "%s",
			     summary);
	}
	plain_report(&s, &(struct plain_style){ .title = NULL }, &out);
	ck_assert(!out.full);
	for (char *line = out.s, *nl; (nl = strchr(line, '\n')) != NULL; line = nl + 1) {
		*nl = '\0';
		ck_assert_msg(utf8_count(line) <= 96, "%zu: %s", utf8_count(line), line);
	}
	summary_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plain");
	TCase *c = tcase_create("plain");

	tcase_add_loop_test(c, wrap_table, 0, CASES(wraps));
	tcase_add_test(c, no_line_is_too_wide);
	suite_add_tcase(s, c);
	return suite_run(s);
}
