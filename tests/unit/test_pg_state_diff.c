/* Two states laid side by side: each difference is a check of its own, under the right name, and
 * nothing else is. */
#include "lib/pg/state_diff.h"

#include "lib/base/record.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define STATE \
	"{'exact': true, 'server_version': '15.20', 'checksum': 'copy'," \
	" 'tables': {'public.t': {'rows': 5, 'hash': 'h1'}, 'public.empty': {'rows': 0, 'hash': " \
	"'h0'}}," \
	" 'sequences': {'public.s': {'last': 5, 'called': true}}," \
	" 'large_objects': {'rows': 2, 'hash': 'h2'}," \
	" 'schema': {'index': {'public.i': 'CREATE INDEX i'}, 'enum': {}, 'grant': {'on t to " \
	"app': 'SELECT'}}," \
	" 'ddl': []}"

/* A member of the state by its path, and its new value; NULL: it is taken away. */
struct change {
	const char *path[3];
	const char *value;
};

static const struct {
	const char *name;
	struct change was, is;
	/* the one check that is not ok; NULL: all is */
	const char *check, *subject;
	enum verdict status;
	const char *says;
} cases[] = {
	{ "the same", { { 0 }, 0 }, { { 0 }, 0 }, NULL, NULL, V_OK, NULL },
	{ "rows lost",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, "{'rows': 4, 'hash': 'x'}" },
	  "baseline-rows",
	  "public.t",
	  V_CRITICAL,
	  "4 rows; the baseline has 5: 1 lost" },
	{ "rows come",
	  { { 0 }, 0 },
	  { { "tables", "public.empty" }, "{'rows': 1, 'hash': 'x'}" },
	  "baseline-rows",
	  "public.empty",
	  V_CRITICAL,
	  "1 too many" },
	{ "emptied",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, "{'rows': 0, 'hash': 'h0'}" },
	  "baseline-rows",
	  "public.t",
	  V_CRITICAL,
	  "empty; the baseline has 5 rows" },
	{ "a table gone",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, NULL },
	  "baseline-rows",
	  "public.t",
	  V_CRITICAL,
	  "missing" },
	{ "unreadable",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, "{'failed': 'no page'}" },
	  "baseline-rows",
	  "public.t",
	  V_UNKNOWN,
	  "no page" },
	{ "damaged in the dump",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, "{'failed': 'not all there', 'damaged': true}" },
	  "baseline-rows",
	  "public.t",
	  V_CRITICAL,
	  "not all there" },
	{ "content",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, "{'rows': 5, 'hash': 'x'}" },
	  "baseline-content",
	  "public.t",
	  V_CRITICAL,
	  "content differs" },
	{ "content not known",
	  { { 0 }, 0 },
	  { { "tables", "public.t" }, "{'rows': 5}" },
	  NULL,
	  NULL,
	  V_OK,
	  NULL },
	{ "an approximate baseline proves little",
	  { { "exact" }, "false" },
	  { { "tables", "public.t" }, "{'rows': 4, 'hash': 'x'}" },
	  "baseline-rows",
	  "public.t",
	  V_WARNING,
	  "1 lost" },
	{ "sequence back",
	  { { 0 }, 0 },
	  { { "sequences", "public.s" }, "{'last': 4, 'called': true}" },
	  "baseline-sequences",
	  "public.s",
	  V_CRITICAL,
	  "stands at 4; the baseline has 5" },
	{ "sequence never used",
	  { { 0 }, 0 },
	  { { "sequences", "public.s" }, "{'last': 5, 'called': false}" },
	  "baseline-sequences",
	  "public.s",
	  V_CRITICAL,
	  "never used" },
	{ "sequence between both readings",
	  { { "sequences", "public.s" },
	    "{'last': 5, 'called': true, 'later': {'last': 9, 'called': true}}" },
	  { { "sequences", "public.s" }, "{'last': 7, 'called': true}" },
	  NULL,
	  NULL,
	  V_OK,
	  NULL },
	{ "sequence behind its column",
	  { { 0 }, 0 },
	  { { "sequences", "public.s" },
	    "{'last': 5, 'called': true, 'behind': 'public.t.id', 'outermost': 8}" },
	  "baseline-sequences",
	  "public.s",
	  V_CRITICAL,
	  "public.t.id is at 8 already" },
	{ "... as it was before",
	  { { "sequences", "public.s" }, "{'last': 5, 'called': true, 'behind': 'public.t.id'}" },
	  { { "sequences", "public.s" },
	    "{'last': 5, 'called': true, 'behind': 'public.t.id', 'outermost': 8}" },
	  NULL,
	  NULL,
	  V_OK,
	  NULL },
	{ "sequence gone",
	  { { 0 }, 0 },
	  { { "sequences", "public.s" }, NULL },
	  "baseline-sequences",
	  "public.s",
	  V_CRITICAL,
	  "missing" },
	{ "a large object lost",
	  { { 0 }, 0 },
	  { { "large_objects" }, "{'rows': 1, 'hash': 'x'}" },
	  "baseline-large-objects",
	  "",
	  V_CRITICAL,
	  "1; the baseline has 2" },
	{ "a large object changed",
	  { { 0 }, 0 },
	  { { "large_objects" }, "{'rows': 2, 'hash': 'x'}" },
	  "baseline-large-objects",
	  "",
	  V_CRITICAL,
	  "2; the baseline has 2" },
	{ "large objects counted alone",
	  { { 0 }, 0 },
	  { { "large_objects" }, "{'rows': 2}" },
	  NULL,
	  NULL,
	  V_OK,
	  NULL },
	{ "an index dropped",
	  { { 0 }, 0 },
	  { { "schema", "index", "public.i" }, NULL },
	  "baseline-schema",
	  "index public.i",
	  V_CRITICAL,
	  "missing" },
	{ "a grant less",
	  { { 0 }, 0 },
	  { { "schema", "grant", "on t to app" }, "''" },
	  "baseline-schema",
	  "grant on t to app",
	  V_CRITICAL,
	  "the baseline has \"SELECT\"" },
	{ "something new",
	  { { 0 }, 0 },
	  { { "schema", "enum", "public.e" }, "'a, b'" },
	  "baseline-schema",
	  "enum public.e",
	  V_CRITICAL,
	  "not in the baseline" },
	{ "changed while the backup ran",
	  { { "ddl" }, "['index public.i']" },
	  { { "schema", "index", "public.i" }, NULL },
	  "baseline-schema",
	  "index public.i",
	  V_WARNING,
	  "changed while" },
	{ "other words of another version",
	  { { "server_version" }, "'14.2'" },
	  { { "schema", "index", "public.i" }, "'create index i'" },
	  "baseline-schema",
	  "index public.i",
	  V_WARNING,
	  "create" },
};

static void apply(json_t *state, const struct change *c)
{
	json_t *o = state;
	int i = 0;

	if (!c->path[0])
		return;
	while (i < 2 && c->path[i + 1])
		o = json_object_get(o, c->path[i++]);
	if (c->value)
		(void)json_object_set_new(o, c->path[i], json_of(c->value));
	else
		(void)json_object_del(o, c->path[i]);
}

static const struct opt no_options[] = { OPT_TABLE_END };
static struct stage stage;
static int out;

/* What the stage writes is not looked at: what it keeps is. */
static void set_up(void)
{
	static const struct tool tool = {
		.name = "diff", .source = true, .gathers = true, .options = no_options
	};
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ge(dup2(nowhere, STDOUT_FILENO), 0);
	ck_assert_int_eq(close(nowhere), 0);
	common.output = OUTPUT_RECORDS;
	stage_begin(&stage, &tool);
}

static void tear_down(void)
{
	(void)fflush(stdout);
	ck_assert_int_ge(dup2(out, STDOUT_FILENO), 0);
	ck_assert_int_eq(close(out), 0);
}

START_TEST(one_by_one)
{
	JSON_AUTO *was = json_of(STATE), *is = json_of(STATE);
	struct pg nowhere = { .link = NULL };
	struct state_diff d = { .stage = &stage, .here = &nowhere, .was = was, .is = is };
	const json_t *found = NULL;
	size_t i, bad = 0;
	json_t *c;

	apply(was, &cases[_i].was);
	apply(is, &cases[_i].is);
	state_diff(&d);
	json_array_foreach(stage.kept, i, c)
		if (strcmp(record_text(c, "status"), "ok") != 0) {
			bad++;
			found = c;
		}
	ck_assert_msg(bad == (cases[_i].check != NULL), "%s: %zu", cases[_i].name, bad);
	ck_assert_int_eq(stage.status, cases[_i].status);
	if (!found)
		return;
	ck_assert_str_eq(record_text(found, "check"), cases[_i].check);
	ck_assert_str_eq(record_text(found, "subject"), cases[_i].subject);
	ck_assert_msg(strstr(record_text(found, "summary"), cases[_i].says) != NULL, "%s",
		      record_text(found, "summary"));
}
END_TEST

START_TEST(excluded)
{
	JSON_AUTO *was = json_of(STATE), *is = json_of(STATE);
	STRV_AUTO exclude = { 0 };
	struct pg nowhere = { .link = NULL };
	struct state_diff d = {
		.stage = &stage, .here = &nowhere, .was = was, .is = is, .exclude = &exclude
	};

	strv_add(&exclude, "t");
	(void)json_object_clear(json_object_get(is, "tables"));
	(void)json_object_set_new(json_object_get(is, "tables"), "public.empty",
				  json_of("{'rows': 0}"));
	state_diff_data(&d);
	ck_assert_int_eq(stage.status, V_OK);
	ck_assert_int_eq(d.tables, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_state_diff");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, one_by_one, 0, CASES(cases));
	tcase_add_test(c, excluded);
	suite_add_tcase(s, c);
	return suite_run(s);
}
