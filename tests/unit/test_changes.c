#include "lib/report/changes.h"

#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <stdio.h>

/* A list of checks is written "row-count/public.users=ok restore=critical". */
static json_t *checks_of(const char *words)
{
	json_t *list = json_array();
	char name[64], subject[64], status[64];

	for (int used; *words; words += used) {
		used = 0;
		subject[0] = '\0';
		if (sscanf(words, " %63[^/= ]/%63[^= ]=%63s%n", name, subject, status, &used) != 3)
			ck_assert_int_eq(sscanf(words, " %63[^= ]=%63s%n", name, status, &used), 2);
		json_array_append_new(list, json_pack("{ss ss ss}", "check", name, "subject",
						      subject, "status", status));
	}
	return list;
}

static const struct {
	const char *before, *after, *want, *want_in_part;
} cases[] = {
	{ "", "", "", "" },
	{ "a=ok b=warning", "a=ok b=warning", "", "" },
	{ "a=ok", "a=critical", "worse a ok>critical;", "worse a ok>critical;" },
	{ "a=critical", "a=unknown", "better a critical>unknown;", "better a critical>unknown;" },
	{ "a=unknown", "a=warning", "better a unknown>warning;", "better a unknown>warning;" },
	{ "t/x=ok t/y=ok", "t/y=ok t/z=ok", "gone t ok>ok;new t ok>ok;", "" },
	{ "a=critical b=ok c=ok", "a=ok b=warning d=critical",
	  "worse b ok>warning;gone c ok>ok;new d ok>critical;better a critical>ok;",
	  "worse b ok>warning;better a critical>ok;" },
	/* several of a name: the worst counts */
	{ "a=ok a=warning a=ok", "a=ok", "better a warning>ok;", "better a warning>ok;" },
	{ "a=ok", "a=critical a=ok", "worse a ok>critical;", "worse a ok>critical;" },
	{ "a=odd", "a=unknown", "", "" },
};

static void compare(const char *before_words, const char *after_words, bool whole, const char *want)
{
	static const char *const kinds[] = { "worse", "gone", "new", "better" };
	json_t *before = checks_of(before_words), *after = checks_of(after_words);
	struct changes c;
	char got[512] = "";
	size_t len = 0;

	changes_find(before, after, whole, &c);
	for (size_t i = 0; i < c.n; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s %s %s>%s;",
					kinds[c.v[i].kind],
					json_string_value(json_object_get(c.v[i].check, "check")),
					verdict_name(c.v[i].before), verdict_name(c.v[i].after));
	ck_assert_str_eq(got, want);
	changes_free(&c);
	json_decref(before);
	json_decref(after);
}

START_TEST(change_table)
{
	compare(cases[_i].before, cases[_i].after, true, cases[_i].want);
	compare(cases[_i].before, cases[_i].after, false, cases[_i].want_in_part);
}
END_TEST

START_TEST(what_is_no_list_has_no_checks)
{
	struct changes c;

	changes_find(NULL, NULL, true, &c);
	ck_assert_uint_eq(c.n, 0);
	changes_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("changes");
	TCase *c = tcase_create("changes");

	tcase_add_loop_test(c, change_table, 0, CASES(cases));
	tcase_add_test(c, what_is_no_list_has_no_checks);
	suite_add_tcase(s, c);
	return suite_run(s);
}
