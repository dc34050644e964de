#include "lib/base/verdict.h"

#include "tests/unit/suite.h"

/* From the best to the worst. */
static const enum verdict order[] = { V_OK, V_WARNING, V_UNKNOWN, V_CRITICAL };

START_TEST(worst_of_every_pair)
{
	for (int a = 0; a < CASES(order); a++)
		for (int b = 0; b < CASES(order); b++)
			ck_assert_int_eq(verdict_worst(order[a], order[b]), order[a > b ? a : b]);
}
END_TEST

static const struct {
	const char *word;
	bool known;
	enum verdict want;
} words[] = {
	{ "ok", true, V_OK },
	{ "warning", true, V_WARNING },
	{ "critical", true, V_CRITICAL },
	{ "unknown", true, V_UNKNOWN },
	{ "OK", false, V_UNKNOWN },
	{ "ok ", false, V_UNKNOWN },
	{ "", false, V_UNKNOWN },
	{ NULL, false, V_UNKNOWN },
	{ "good", false, V_UNKNOWN },
};

START_TEST(word_table)
{
	enum verdict v = V_OK;

	ck_assert(verdict_parse(words[_i].word, &v) == words[_i].known);
	ck_assert_int_eq(v, words[_i].want);
	if (words[_i].known)
		ck_assert_str_eq(verdict_name(v), words[_i].word);
}
END_TEST

/* The words of wait(2): the exit status in the high byte, a signal in the low one. */
static const struct {
	int status;
	enum verdict want;
} waits[] = {
	{ 0 << 8, V_OK },        { 1 << 8, V_WARNING },    { 2 << 8, V_CRITICAL },
	{ 3 << 8, V_UNKNOWN },   { 4 << 8, V_UNKNOWN },    { 126 << 8, V_UNKNOWN },
	{ 127 << 8, V_UNKNOWN }, { 255 << 8, V_UNKNOWN },  { 9, V_UNKNOWN },
	{ 15, V_UNKNOWN },       { 11 | 0x80, V_UNKNOWN },
};

START_TEST(wait_table)
{
	ck_assert_int_eq(verdict_of_wait(waits[_i].status), waits[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verdict");
	TCase *c = tcase_create("verdict");

	tcase_add_test(c, worst_of_every_pair);
	tcase_add_loop_test(c, word_table, 0, CASES(words));
	tcase_add_loop_test(c, wait_table, 0, CASES(waits));
	suite_add_tcase(s, c);
	return suite_run(s);
}
