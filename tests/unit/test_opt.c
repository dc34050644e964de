#include "lib/base/manual.h"
#include "lib/base/opt.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

static bool flag;
static const char *text;
static struct strv list;
static uint64_t count, age, size;
static double share;
static struct range range;
static int calls;

static int on_call(const char *value, void *to, struct err *e)
{
	if (value && value[0] == '!')
		return err_set(e, ERR_USAGE, "no '!'");
	++*(int *)to;
	return 0;
}

/* clang-format off */
static const struct opt own[] = {
	{ OPT_FLAG, 'f', "flag", NULL, &flag, "a flag", "T_FLAG", false, NULL },
	{ OPT_TEXT, 0, "text", "TEXT", &text, "a text", "T_TEXT", false, NULL },
	{ OPT_LIST, 'l', "list", "WORD", &list, "a list", "T_LIST", false, NULL },
	{ OPT_COUNT, 'n', "count", "N", &count, "a count", NULL, false, NULL },
	{ OPT_DURATION, 0, "age", "DURATION", &age, "an age", "T_AGE", false, NULL },
	{ OPT_SIZE, 0, "size", "SIZE", &size, "a size", NULL, false, NULL },
	{ OPT_SHARE, 0, "share", "SHARE", &share, "a share", NULL, false, NULL },
	{ OPT_RANGE, 'w', "warning", "RANGE", &range, "a range", NULL, false, NULL },
	OPT_TABLE_END,
};
static const struct opt shared[] = {
	{ OPT_CALL, 0, "call", NULL, &calls, "a call", NULL, false, on_call },
	{ OPT_CALL, 0, "take", "X", &calls, "a call with a value", NULL, false, on_call },
	{ OPT_FLAG, 0, "secret", NULL, &flag, "not shown", NULL, true, NULL },
	{ OPT_FLAG, 0, "form", "copy", &flag, "a flag that has a form", "T_FORM", false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

/* Each test starts from nothing, also when Check does not fork (CK_FORK=no). */
static void forget(void)
{
	flag = false;
	text = NULL;
	strv_free(&list);
	count = age = size = 0;
	share = 0;
	range = (struct range){ 0 };
	calls = 0;
	(void)unsetenv("T_TEXT");
	(void)unsetenv("T_AGE");
	(void)unsetenv("T_LIST");
	(void)unsetenv("T_FLAG");
}

/* The words of one string, split at blanks; "~" stands for a blank inside a word. */
static int parse_words(const char *words, bool command, struct err *e)
{
	static char copy[256];
	static char *argv[32];
	static char name[] = "t";
	int argc = 0;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	argv[argc++] = name;
	for (char *p = copy; *p;) {
		argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	for (int i = 1; i < argc; i++)
		for (char *p = argv[i]; *p; p++)
			if (*p == '~')
				*p = ' ';
	argv[argc] = NULL;
	return opt_parse(own, shared, command, argc, argv, e);
}

static int parse(const char *words, struct err *e)
{
	return parse_words(words, false, e);
}

START_TEST(every_kind_lands_in_its_variable)
{
	struct err e = { 0 };
	int first = parse("-f --text x~y -l a --list=b -n7 --age 26h --size=1KiB --share 20% "
			  "-w 10:20 operand",
			  &e);

	ck_assert_msg(first == 15, "%d %s", first, e.msg);
	ck_assert(flag);
	ck_assert_str_eq(text, "x y");
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.v[1], "b");
	ck_assert_uint_eq(count, 7);
	ck_assert_uint_eq(age, 26 * 3600);
	ck_assert_uint_eq(size, 1024);
	ck_assert_double_eq_tol(share, 0.2, 1e-9);
	ck_assert(range.set);
}
END_TEST

START_TEST(options_may_follow_operands_but_not_a_command)
{
	struct err e = { 0 };

	ck_assert_int_eq(parse("-- --flag", &e), 2);
	ck_assert_int_eq(parse_words("a --flag", true, &e), 1);
	ck_assert(!flag);
	ck_assert_int_eq(parse("a --flag", &e), 2);
	ck_assert(flag);
}
END_TEST

START_TEST(a_flag_may_have_a_form)
{
	struct err e = { 0 };

	ck_assert_int_eq(parse("--form copy", &e), 2);
	ck_assert(flag);
	ck_assert_int_eq(parse("--form=no copy", &e), 2);
	ck_assert(!flag);
	ck_assert_int_eq(parse("--form=copy", &e), 2);
	ck_assert(flag);
}
END_TEST

static const struct {
	const char *words, *message;
} wrong[] = {
	{ "--nosuch", "unknown option '--nosuch'" },
	{ "-z", "unknown option '-z'" },
	{ "--text", "option --text needs a value: TEXT" },
	{ "-n", "option --count needs a value: N" },
	{ "--flag=1", "option --flag takes no value" },
	{ "--form=cop", "option --form: 'cop' is neither" },
	{ "-nx", "option --count: " },
	{ "--age 1y", "option --age: " },
	{ "--share 20", "option --share: " },
	{ "--warning a:b", "option --warning: " },
	{ "--take !", "option --take: no '!'" },
};

START_TEST(a_wrong_word_is_named)
{
	struct err e = { 0 };

	ck_assert_int_eq(parse(wrong[_i].words, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_msg(strncmp(e.msg, wrong[_i].message, strlen(wrong[_i].message)) == 0,
		      "'%s' for '%s'", e.msg, wrong[_i].message);
}
END_TEST

START_TEST(the_environment_is_the_default_and_the_command_line_wins)
{
	struct err e = { 0 };

	ck_assert_int_eq(setenv("T_TEXT", "env", 1), 0);
	ck_assert_int_eq(setenv("T_AGE", "", 1), 0);
	ck_assert_int_eq(setenv("T_LIST", " a  b\tc ", 1), 0);
	ck_assert_int_eq(setenv("T_FLAG", "yes", 1), 0);
	age = 5;
	ck_assert_int_eq(parse("--call", &e), 2);
	ck_assert_str_eq(text, "env");
	ck_assert_uint_eq(age, 5);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_str_eq(list.v[2], "c");
	ck_assert(flag);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(parse("--text=line", &e), 2);
	ck_assert_str_eq(text, "line");
}
END_TEST

START_TEST(a_wrong_variable_is_named)
{
	struct err e = { 0 };

	ck_assert_int_eq(setenv("T_AGE", "soon", 1), 0);
	ck_assert_int_eq(parse("--call", &e), -1);
	ck_assert_msg(strncmp(e.msg, "environment variable T_AGE: ", 28) == 0, "%s", e.msg);
	ck_assert_int_eq(setenv("T_AGE", "1h", 1), 0);
	ck_assert_int_eq(setenv("T_FLAG", "perhaps", 1), 0);
	ck_assert_int_eq(parse("--call", &e), -1);
	ck_assert_msg(strstr(e.msg, "neither yes nor no") != NULL, "%s", e.msg);
}
END_TEST

static const struct tool tool = {
	.name = "t",
	.what = "does a thing - well",
	.operands = "SOURCE",
	.description = "First. Second\n.dot\n\nNext paragraph with a \\ in it.",
	.examples = "t x\nDo it.\n\nt y\nDo it again.",
	.see_also = "fetch-latest(1), emit-report(1)",
	.options = own,
};

START_TEST(help_shows_each_option_but_hidden_ones)
{
	BUF_AUTO b = BUF_INIT(65536);

	manual_help(&b, &tool, shared);
	ck_assert(strstr(b.s, "--age DURATION") != NULL);
	ck_assert(strstr(b.s, "[T_AGE]") != NULL);
	ck_assert(strstr(b.s, "--take X") != NULL);
	ck_assert(strstr(b.s, "--secret") == NULL);
	for (char *line = b.s; line;) {
		char *nl = strchr(line, '\n');

		ck_assert(nl == NULL || nl - line <= 80);
		line = nl ? nl + 1 : NULL;
	}
}
END_TEST

START_TEST(the_page_has_its_sections_and_no_accidental_request)
{
	BUF_AUTO b = BUF_INIT(65536);

	manual_mdoc(&b, &tool, shared);
	ck_assert(strstr(b.s, ".Sh EXIT STATUS") != NULL);
	ck_assert(strstr(b.s, ".Xr fetch-latest 1 ,\n.Xr emit-report 1\n") != NULL);
	ck_assert(strstr(b.s, "\n.dot") == NULL);
	ck_assert(strstr(b.s, "\\e in it.") != NULL);
	ck_assert(strstr(b.s, "First.\nSecond") != NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("opt");
	TCase *c = tcase_create("opt");

	tcase_add_checked_fixture(c, forget, forget);
	tcase_add_test(c, every_kind_lands_in_its_variable);
	tcase_add_test(c, a_flag_may_have_a_form);
	tcase_add_test(c, options_may_follow_operands_but_not_a_command);
	tcase_add_loop_test(c, a_wrong_word_is_named, 0, CASES(wrong));
	tcase_add_test(c, the_environment_is_the_default_and_the_command_line_wins);
	tcase_add_test(c, a_wrong_variable_is_named);
	tcase_add_test(c, help_shows_each_option_but_hidden_ones);
	tcase_add_test(c, the_page_has_its_sections_and_no_accidental_request);
	suite_add_tcase(s, c);
	return suite_run(s);
}
