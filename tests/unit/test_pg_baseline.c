/* A baseline that lacks what the comparison leans on is refused, and the hole is named: a table
 * without its rows would agree with an emptied one. */
#include "lib/pg/baseline.h"

#include "lib/base/record.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define BASELINE(checksum, tables, sequences, objects, schema) \
	"{'format': 'backup-probes baseline', 'v': 1, 'checksum': " checksum ", 'tables': " tables \
	", 'sequences': " sequences ", 'large_objects': " objects ", 'schema': " schema "}"

static const struct {
	const char *text;
	const char *says; /* NULL: it is read */
} cases[] = {
	{ BASELINE("'copy'", "{'public.t': {'rows': 1, 'hash': 'h'}}",
		   "{'public.s': {'last': 1, 'later': {'last': 2}}}", "{'rows': 0, 'hash': 'h'}",
		   "{'index': {'public.i': 'x'}, 'rule': {}}"),
	  NULL },
	{ BASELINE("null", "{'public.t': {'rows': 1}}", "{}", "{'rows': 0}", "{}"), NULL },
	{ BASELINE("null", "[]", "{}", "{'rows': 0}", "{}"), "\"tables\" are missing" },
	{ BASELINE("null", "{'public.t': {}}", "{}", "{'rows': 0}", "{}"),
	  "\"public.t\" of its \"tables\" is damaged" },
	{ BASELINE("null", "{'public.t': null}", "{}", "{'rows': 0}", "{}"), "\"public.t\"" },
	{ BASELINE("null", "{'public.t': {'rows': '1'}}", "{}", "{'rows': 0}", "{}"),
	  "\"public.t\"" },
	{ BASELINE("'copy'", "{'public.t': {'rows': 1}}", "{}", "{'rows': 0, 'hash': 'h'}", "{}"),
	  "\"public.t\"" },
	{ BASELINE("null", "{}", "null", "{'rows': 0}", "{}"), "\"sequences\" are missing" },
	{ BASELINE("null", "{}", "{'public.s': {'called': true}}", "{'rows': 0}", "{}"),
	  "\"public.s\" of its \"sequences\"" },
	{ BASELINE("null", "{}", "{'public.s': {'last': 1, 'later': {}}}", "{'rows': 0}", "{}"),
	  "\"public.s\"" },
	{ BASELINE("null", "{}", "{}", "null", "{}"), "large_objects" },
	{ BASELINE("'copy'", "{}", "{}", "{'rows': 0}", "{}"), "large_objects" },
	{ BASELINE("null", "{}", "{}", "{'rows': 0}", "{'index': null}"),
	  "\"index\" of its \"schema\"" },
	{ BASELINE("null", "{}", "{}", "{'rows': 0}", "{'index': {'public.i': null}}"),
	  "\"index\" of its \"schema\"" },
	{ "{'format': 'backup-probes baseline', 'v': 2}", "no baseline of version 1" },
	{ "{}", "no baseline of version 1" },
};

START_TEST(holes_are_refused)
{
	JSON_AUTO *made = json_of(cases[_i].text);
	JSON_AUTO *baseline = NULL;
	int fd = memfd_create("baseline", MFD_CLOEXEC);
	struct err e = { 0 };
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(json_dumpfd(made, fd, 0), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	baseline = pg_baseline_read(path, NULL, &e);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_msg((baseline != NULL) == (cases[_i].says == NULL), "%s: %s", cases[_i].text,
		      e.msg);
	if (baseline)
		return;
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	ck_assert_msg(strstr(e.msg, cases[_i].says) != NULL, "%s", e.msg);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_baseline");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, holes_are_refused, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
