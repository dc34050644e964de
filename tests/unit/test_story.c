#include "lib/alert/story.h"

#include "lib/alert/alert.h"
#include "lib/alert/state.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static const struct policy_rules paging = { WHEN_FAILURE, 0, V_WARNING, false };

/* A stream in short: "+tool" begins, "-tool" ends, "tool:check:subject:status" is a check. */
static void tell(struct story *s, const char *stream)
{
	struct strv expect = { 0 };

	story_begin(s, "alert-test");
	while (*stream) {
		size_t n = strcspn(stream, " ");
		char tool[32], check[32], subject[32], status[32];
		AUTO_FREE char *word = xstrndup(stream, n);
		JSON_AUTO *record = NULL;

		if (word[0] == '+' || word[0] == '-')
			record = json_pack("{s:s, s:s, s:s, s:s}", "record", "stage", "tool",
					   word + 1, "event", word[0] == '+' ? "begin" : "end",
					   "status", "ok");
		else if (sscanf(word, "%31[^:]:%31[^:]:%31[^:]:%31s", tool, check, subject,
				status) == 4)
			record = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "record", "check",
					   "tool", tool, "check", check, "subject", subject,
					   "status", status, "summary", "so it is");
		ck_assert_ptr_nonnull(record);
		summary_take(&s->summary, record);
		stream += n;
		stream += strspn(stream, " ");
	}
	story_finish(s, &expect, NULL, 0);
}

/* Topics in short: "name=verdict/failing" in order. */
static void describe(struct buf *out, const struct topics *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_addf(out, "%s%s=%s/%zu", i ? " " : "", t->v[i].name,
			 verdict_name(t->v[i].verdict), json_array_size(t->v[i].failing));
}

static const struct {
	const char *stream, *want;
} wholes[] = {
	{ "+a a:x:1:ok -a", "=ok/0" },
	{ "+a a:x:1:ok a:y:1:warning a:x:2:critical -a", "=critical/2" },
	{ "+a a:x:1:ok", "=critical/1" },       /* did not end */
	{ "", "=critical/1" },                  /* nothing ran */
	{ "+a -a", "=unknown/1" },              /* nothing was checked */
	{ "+a +b b:x:1:ok -b", "=critical/1" }, /* the first died */
};

START_TEST(whole)
{
	BUF_AUTO b = BUF_INIT(1024);
	struct topics t;
	struct story s;

	tell(&s, wholes[_i].stream);
	topics_whole(&t, &s);
	describe(&b, &t);
	ck_assert_str_eq(b.s, wholes[_i].want);
	topics_free(&t);
	story_free(&s);
}
END_TEST

/* What was open before: "name:tool,tool" each. */
static json_t *state_with(const char *open)
{
	json_t *state = state_new();
	struct policy_memory m = { true, true, V_CRITICAL, 1, 1, 1 };

	state_decided(state, 1, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
	while (*open) {
		size_t n = strcspn(open, " ");
		char name[32], tools[64] = "";
		json_t *list = json_array();

		ck_assert_int_ge(sscanf(open, "%31[^: ]:%63[^ ]", name, tools), 1);
		for (char *p = tools; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
			json_array_append_new(list, json_stringn(p, strcspn(p, ",")));
		state_remember(state, name, state_pack(&m, list));
		json_decref(list);
		open += n;
		open += strspn(open, " ");
	}
	return state;
}

static const struct {
	const char *open, *stream, *want;
} by_check[] = {
	{ "", "+a a:x:1:ok -a", "" },
	{ "", "+a a:x:1:warning a:y:1:critical a:x:2:critical a:x:3:ok -a",
	  "y=critical/1 x=critical/2" },
	{ "", "", "stream=critical/1" },
	{ "", "+a a:x:1:ok", "stage=critical/1" },
	/* Recovery, with the rest still failing. */
	{ "x:a y:a", "+a a:x:1:ok a:y:1:critical -a", "y=critical/1 x=ok/0" },
	/* A check that is only written when it fails is over when its tool ends without it. */
	{ "z:a", "+a a:x:1:critical -a", "x=critical/1 z=ok/0" },
	/* Its tool did not run, or not to its end: nothing is known. */
	{ "z:b", "+a a:x:1:critical -a", "x=critical/1" },
	{ "z:a", "+a a:x:1:critical", "x=critical/1 stage=critical/1" },
	{ "z:a,b", "+a a:x:1:critical -a", "x=critical/1" },
	{ "z:a,b", "+a +b b:q:1:ok -b a:x:1:critical -a", "x=critical/1 z=ok/0" },
	/* A run that is well as a whole ends everything. */
	{ "z:b y:gone", "+a a:x:1:ok -a", "z=ok/0 y=ok/0" },
	/* A tool that died is well again when it ends. */
	{ "stage:b", "+a a:x:1:critical -a +b b:q:1:ok -b", "x=critical/1 stage=ok/0" },
	{ "stage:b", "+a a:x:1:critical -a", "x=critical/1" },
	{ "stream", "+a a:x:1:critical -a", "x=critical/1 stream=ok/0" },
	{ "run-cut-off", "+a a:x:1:critical -a", "x=critical/1 run-cut-off=ok/0" },
	/* Found by the teller itself, which is not in its own input. */
	{ "input-record:alert-test", "+a a:x:1:critical -a", "x=critical/1 input-record=ok/0" },
};

START_TEST(checks)
{
	BUF_AUTO b = BUF_INIT(1024);
	JSON_AUTO *state = state_with(by_check[_i].open);
	struct topics t;
	struct story s;

	tell(&s, by_check[_i].stream);
	topics_by_check(&t, &paging, &s, state);
	describe(&b, &t);
	ck_assert_msg(strcmp(b.s, by_check[_i].want) == 0, "open %s, then %s: %s, not %s",
		      by_check[_i].open, by_check[_i].stream, b.s, by_check[_i].want);
	topics_free(&t);
	story_free(&s);
}
END_TEST

START_TEST(lost_memory_resolves_what_passed)
{
	static const struct policy_rules blind = { WHEN_FAILURE, 0, V_WARNING, true };
	BUF_AUTO b = BUF_INIT(1024);
	JSON_AUTO *state = state_new();
	struct topics t;
	struct story s;

	tell(&s, "+a a:x:1:ok a:y:1:critical -a");
	topics_by_check(&t, &blind, &s, state);
	describe(&b, &t);
	ck_assert_str_eq(b.s, "y=critical/1 x=ok/0");
	topics_free(&t);
	story_free(&s);
	buf_reset(&b);
	tell(&s, "+a a:x:1:ok -a");
	topics_by_check(&t, &blind, &s, state);
	describe(&b, &t);
	ck_assert_str_eq(b.s, "x=ok/0 stage=ok/0 stream=ok/0 input-record=ok/0 run-cut-off=ok/0");
	topics_free(&t);
	story_free(&s);
}
END_TEST

static const struct {
	const char *a, *b;
	bool same;
} prints[] = {
	{ "+a a:x:1:critical a:x:2:critical -a", "+a a:x:2:critical a:x:1:critical -a", true },
	{ "+a a:x:1:critical -a", "+a a:x:1:critical a:y:1:ok -a", true },
	{ "+a a:x:1:critical -a", "+a a:x:2:critical -a", false },
	{ "+a a:x:1:critical -a", "+a a:x:1:warning -a", false },
	{ "+a a:x:1:critical -a", "+a a:x:1:critical a:x:2:critical -a", false },
	{ "+a a:x:1:critical -a", "+a a:y:1:critical -a", false },
};

START_TEST(fingerprint)
{
	struct topics t[2];
	struct story s[2];

	tell(&s[0], prints[_i].a);
	tell(&s[1], prints[_i].b);
	topics_whole(&t[0], &s[0]);
	topics_whole(&t[1], &s[1]);
	ck_assert_int_eq(t[0].v[0].what == t[1].v[0].what, prints[_i].same);
	for (int i = 0; i < 2; i++) {
		topics_free(&t[i]);
		story_free(&s[i]);
	}
}
END_TEST

START_TEST(worst_comes_first)
{
	static const char *const want[] = { "d", "b", "c", "a" };
	struct story s;

	tell(&s, "+t t:a:1:ok t:b:1:unknown t:c:1:warning t:d:1:critical -t");
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(record_text(json_array_get(s.checks, i), "check"), want[i]);
	story_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("story");
	TCase *c = tcase_create("story");

	tcase_add_loop_test(c, whole, 0, CASES(wholes));
	tcase_add_loop_test(c, checks, 0, CASES(by_check));
	tcase_add_test(c, lost_memory_resolves_what_passed);
	tcase_add_loop_test(c, fingerprint, 0, CASES(prints));
	tcase_add_test(c, worst_comes_first);
	suite_add_tcase(s, c);
	return suite_run(s);
}
