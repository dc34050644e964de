/* Lists of digests, as sha256sum(1), md5sum(1) and people write them. */
#include "lib/base/buf.h"
#include "lib/storage/sidecar.h"
#include "tests/unit/suite.h"

#define A "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
#define M "25f9e794323b453885f5181f1b624d0b"

static const struct {
	const char *text, *got;
} cases[] = {
	{ A "  x.dump\n", A ":x.dump " },
	{ A " *x.dump\r\n" M "\tdir/y z\n", A ":x.dump " M ":dir/y z " },
	{ "SHA256 (a (b).dump) = " A "\n", A ":a (b).dump " },
	{ A, A ": " },
	{ "25F9E794323B453885F5181F1B624D0B  X", M ":X " },
	{ "# a comment\n\n" A "  x\n", A ":x " },
	{ "", "" },
	{ "15e2  x\n", "" },
	{ A "0  x\n", "" },
	{ A "x\n", "" },
	{ "SHA256 (x) = ", "" },
	{ "\\" A "  x\\ny\n", "" },
	{ ") = (\n (", "" },
};

static void each(void *ctx, const char *hex, const char *name)
{
	buf_addf(ctx, "%s:%s ", hex, name);
}

START_TEST(parsed)
{
	BUF_AUTO got = BUF_INIT(1024);

	sidecar_parse(cases[_i].text, each, &got);
	ck_assert_str_eq(got.s, cases[_i].got);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sidecar");
	TCase *c = tcase_create("sidecar");

	tcase_add_loop_test(c, parsed, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
