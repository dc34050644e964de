/* What gpgv says (GnuPG doc/DETAILS) becomes a verdict. */
#include "lib/storage/gpgv.h"
#include "tests/unit/suite.h"

#define KEY "5C2E46A0F9F76ED1"
#define OTHER "00000000DEADBEEF"

static const struct {
	const char *lines[4];
	enum gpgv_verdict verdict;
	const char *key, *who;
} cases[] = {
	{ { NULL }, GPGV_NONE, "", "" },
	{ { "gpgv: Signature made Sat", "[GNUPG:] NEWSIG", "GOODSIG " KEY " a" },
	  GPGV_NONE,
	  "",
	  "" },
	{ { "[GNUPG:] GOODSIG " KEY " Jane Doe <j@example.com>", "[GNUPG:] VALIDSIG x" },
	  GPGV_GOOD,
	  KEY,
	  "Jane Doe <j@example.com>" },
	{ { "[GNUPG:] BADSIG " KEY " Jane" }, GPGV_BAD, KEY, "Jane" },
	{ { "[GNUPG:] ERRSIG " KEY " 1 10 00 1700000000 9 -", "[GNUPG:] NO_PUBKEY " KEY },
	  GPGV_UNKNOWN,
	  KEY,
	  "" },
	{ { "[GNUPG:] EXPKEYSIG " KEY " Jane" }, GPGV_EXPIRED, KEY, "Jane" },
	{ { "[GNUPG:] EXPSIG " KEY " Jane" }, GPGV_EXPIRED, KEY, "Jane" },
	{ { "[GNUPG:] REVKEYSIG " KEY " Jane" }, GPGV_REVOKED, KEY, "Jane" },
	/* Several: one of a stranger harms not, a bad one does. */
	{ { "[GNUPG:] ERRSIG " OTHER " 1", "[GNUPG:] GOODSIG " KEY " Jane" },
	  GPGV_GOOD,
	  KEY,
	  "Jane" },
	{ { "[GNUPG:] GOODSIG " KEY " Jane", "[GNUPG:] BADSIG " OTHER " Joe",
	    "[GNUPG:] GOODSIG " KEY " Jane" },
	  GPGV_BAD,
	  OTHER,
	  "Joe" },
	/* What a key calls its owner cannot rewrite the line. */
	{ { "[GNUPG:] GOODSIG " KEY " \033[2Jx" }, GPGV_GOOD, KEY, "?[2Jx" },
	{ { "[GNUPG:] GOODSIG" }, GPGV_NONE, "", "" },
	{ { "[GNUPG:] GOODSIG " }, GPGV_GOOD, "", "" },
};

START_TEST(verdicts)
{
	struct gpgv_said said = { 0 };

	for (size_t i = 0; i < 4 && cases[_i].lines[i]; i++)
		gpgv_see(&said, cases[_i].lines[i]);
	ck_assert_int_eq((int)said.verdict, (int)cases[_i].verdict);
	ck_assert_str_eq(said.key, cases[_i].key);
	ck_assert_str_eq(said.who, cases[_i].who);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpgv");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, verdicts, 0, CASES(cases));
	suite_add_tcase(s, t);
	return suite_run(s);
}
