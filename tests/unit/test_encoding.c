#include "lib/dump/encoding.h"

#include "tests/unit/suite.h"

#include <check.h>

static const struct {
	const char *name;
	enum encoding_kind kind;
} names[] = {
	{ "UTF8", ENCODING_SERVER },    { "", ENCODING_SERVER },
	{ "EUC_JP", ENCODING_SERVER },  { "EUC_JIS_2004", ENCODING_SERVER },
	{ "LATIN1", ENCODING_SERVER },  { "SJIS", ENCODING_SJIS },
	{ "Shift_JIS", ENCODING_SJIS }, { "shift-jis 2004", ENCODING_SJIS },
	{ "WIN932", ENCODING_SJIS },    { "Windows-932", ENCODING_SJIS },
	{ "MsKanji", ENCODING_SJIS },   { "big5", ENCODING_PAIRS },
	{ "BIG-5", ENCODING_PAIRS },    { "GBK", ENCODING_PAIRS },
	{ "GB18030", ENCODING_PAIRS },  { "UHC", ENCODING_PAIRS },
	{ "win950", ENCODING_PAIRS },   { "JOHAB", ENCODING_UNREADABLE },
	{ "sjisx", ENCODING_SERVER },   { "a name that is longer than any", ENCODING_SERVER },
};

START_TEST(by_name)
{
	ck_assert_int_eq(encoding_of(names[_i].name), names[_i].kind);
}
END_TEST

static const struct {
	enum encoding_kind kind;
	unsigned char first;
	size_t step;
} steps[] = {
	{ ENCODING_SERVER, 'a', 1 }, { ENCODING_SERVER, 0x95, 1 }, { ENCODING_SJIS, '\\', 1 },
	{ ENCODING_SJIS, 0x7f, 1 },  { ENCODING_SJIS, 0x81, 2 },   { ENCODING_SJIS, 0xa0, 2 },
	{ ENCODING_SJIS, 0xa1, 1 },  { ENCODING_SJIS, 0xdf, 1 },   { ENCODING_SJIS, 0xe0, 2 },
	{ ENCODING_PAIRS, 'a', 1 },  { ENCODING_PAIRS, 0xa1, 2 },  { ENCODING_PAIRS, 0xfe, 2 },
};

START_TEST(by_byte)
{
	ck_assert_uint_eq(encoding_step(steps[_i].kind, (char)steps[_i].first), steps[_i].step);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("encoding");
	TCase *t = tcase_create("encoding");

	tcase_add_loop_test(t, by_name, 0, CASES(names));
	tcase_add_loop_test(t, by_byte, 0, CASES(steps));
	suite_add_tcase(s, t);
	return suite_run(s);
}
