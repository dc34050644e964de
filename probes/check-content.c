/* check-content: does the restored database keep what its schema and its users promise? */
#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/stage.h"
#include "lib/pg/pool.h"
#include "lib/pg/promises.h"
#include "lib/pg/query.h"
#include "lib/pg/restored.h"
#include "lib/restore/assertions.h"

#include <string.h>

enum { SECRET_MAX = 64 * 1024, NAMES_MAX = 400 };

static struct {
	const char *restored, *assert_file, *canary, *canary_file;
	uint64_t jobs, query_s;
	bool deep;
} config = { .jobs = 2 };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "restored", "CONNINFO", &config.restored,
	  "the restored database; default: the one of the instance record, else what PGHOST and its "
	  "like say", NULL, false, NULL },
	{ OPT_FLAG, 0, "deep", NULL, &config.deep,
	  "check CHECK and NOT NULL constraints, generated columns and what is NOT VALID, too",
	  "DEEP_CONTENT", false, NULL },
	{ OPT_TEXT, 0, "assert", "FILE", &config.assert_file,
	  "SQL queries that must return true, each after a comment \"-- name: WHAT IT CLAIMS\"",
	  "ASSERT_FILE", false, NULL },
	{ OPT_TEXT, 0, "canary", "QUERY", &config.canary,
	  "a query whose one value must be the first line of --canary-file; neither is ever shown",
	  "CANARY", false, NULL },
	{ OPT_TEXT, 0, "canary-file", "FILE", &config.canary_file, "the value of the canary",
	  "CANARY_FILE", false, NULL },
	{ OPT_CALL, 0, "jobs", "N", &config.jobs, "ask on N connections; default: 2", NULL, false,
	  pg_jobs_option },
	{ OPT_DURATION, 0, "max-seconds", "DURATION", &config.query_s,
	  "the longest that one query may take; default: no limit", "CONTENT_TIME", false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "check-content",
	.what = "check that restored rows keep what their schema promises",
	.operands = "",
	.description =
		"Needs no production. Asks every foreign key for rows without their counterpart "
		"and every unique index for duplicates, both in the tables themselves, and whether "
		"the index leads to as many rows as its table has: a physical backup of a server "
		"whose C library sorts otherwise, or with a torn block, can fail all three and "
		"still start. Constraints that are NOT VALID are named, for nobody ever checked "
		"them. With --deep CHECK and NOT NULL constraints and stored generated columns are "
		"asked as well.\n"
		"\n"
		"Assertions are the users' own: each query of the file must return one row with "
		"one "
		"true, in a read-only session whose search_path is public. A canary is a row "
		"whose value only its keeper knows: it is compared, and shown nowhere.",
	.examples = "restore-to-temp -- check-content --deep\n"
		    "check all that the schema promises while the restored server is up\n"
		    "check-content --restored 'host=/tmp/pg dbname=shop' --assert shop.sql\n"
		    "and what the shop's keepers expect\n"
		    "check-content --canary 'SELECT word FROM canary' --canary-file /etc/canary\n"
		    "is the row that was planted still there?",
	.see_also = "compare-counts(1), restore-to-temp(1)",
	.options = options,
};

static void check_broken(struct stage *st, const struct pg_promise *p)
{
	char broken[HUMAN_SIZE], rows[HUMAN_SIZE], indexed[HUMAN_SIZE];
	struct check c;

	check_init(&c, pg_promise_check(p->kind), p->subject);
	if (!p->asked)
		check_say(&c, p->why == PG_WHY_DAMAGED ? V_CRITICAL : V_UNKNOWN, "not checked: %s",
			  p->failure);
	else if (p->broken > 0)
		check_say(&c, p->valid ? V_CRITICAL : V_WARNING, "broken by %s%s %s%s",
			  p->broken == PG_BROKEN_MAX ? "at least " : "",
			  human_count(p->broken, broken), p->by_index ? "values" : "rows",
			  p->valid ? "" : "; it is NOT VALID");
	if (p->asked && p->by_index && p->indexed != p->rows)
		check_say(&c, V_CRITICAL, "leads to %s rows, the table has %s",
			  human_count(p->indexed, indexed), human_count(p->rows, rows));
	if (p->asked)
		check_metric_int(&c, "broken", p->broken, "rows");
	stage_check(st, &c);
}

static void check_kind(struct stage *st, const struct pg_promises *p, enum pg_promise_kind kind)
{
	size_t held = 0, asked = 0;
	struct check c;

	for (size_t i = 0; i < p->n; i++) {
		const struct pg_promise *x = &p->v[i];

		if (x->kind != kind || !x->sql)
			continue;
		asked++;
		if (x->asked && pg_promise_holds(x))
			held++;
		else
			check_broken(st, x);
	}
	check_init(&c, pg_promise_check(kind), "");
	if (asked == 0)
		check_say(&c, V_OK, "there are none");
	else
		check_say(&c, V_OK, "%zu of %zu hold", held, asked);
	check_metric_int(&c, "held", (int64_t)held, "");
	stage_check(st, &c);
}

/* As in production: no fault of the backup, and nobody has ever checked them. */
static void name_not_valid(struct stage *st, const struct pg_promises *p)
{
	BUF_AUTO names = BUF_INIT(NAMES_MAX);
	struct check c;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].valid) {
			if (!names.full)
				buf_addf(&names, "%s%s", n ? ", " : "", p->v[i].subject);
			n++;
		}
	if (n == 0)
		return;
	check_init(&c, "not-valid-constraints", "");
	check_say(&c, V_OK, "%zu NOT VALID, %s: %s%s", n,
		  config.deep ? "checked all the same" : "not checked (--deep)", names.s,
		  names.full ? " ..." : "");
	stage_check(st, &c);
}

static int check_promises(struct stage *st, struct pg *pg, struct err *e)
{
	PG_PROMISES_AUTO promises = { 0 };

	if (pg_promises_load(pg, config.deep, &promises, e) < 0 ||
	    pg_promises_ask(pg, (unsigned)config.jobs, &promises, e) < 0)
		return -1;
	for (enum pg_promise_kind kind = 0; kind < PG_PROMISES; kind++)
		if (config.deep || kind == PG_FOREIGN_KEY || kind == PG_UNIQUE)
			check_kind(st, &promises, kind);
	name_not_valid(st, &promises);
	return 0;
}

static void check_assertions(struct stage *st, struct pg *pg, const struct assertions *assertions)
{
	for (size_t i = 0; i < assertions->n; i++) {
		const struct assertion *a = &assertions->v[i];
		struct err e = { 0 };
		struct check c;
		const char *why;
		enum verdict verdict;

		check_init(&c, "assertion", a->name);
		verdict = assertion_ask(pg, a, &why, &e);
		check_say(&c, verdict, "%s", why);
		stage_check(st, &c);
	}
}

/* The server's own words could hold the value, so they are not passed on. */
static void check_canary(struct stage *st, struct pg *pg, const char *value)
{
	struct err unshown = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, config.canary, NULL, 0, &unshown);
	struct check c;

	check_init(&c, "canary", "");
	if (!r)
		check_say(&c, pg->why == PG_WHY_MISSING ? V_CRITICAL : V_UNKNOWN,
			  "the query failed (SQLSTATE %s)%s", *pg->sqlstate ? pg->sqlstate : "none",
			  pg_way_out(pg->why));
	else if (PQnfields(r) != 1 || PQntuples(r) > 1)
		check_say(&c, V_UNKNOWN, "the query must return one row with one value");
	else if (PQntuples(r) == 0 || !pg_cell(r, 0, 0))
		check_say(&c, V_CRITICAL, "it is gone");
	else if (strcmp(pg_cell(r, 0, 0), value) != 0)
		check_say(&c, V_CRITICAL, "it is there, and has another value");
	else
		check_say(&c, V_OK, "it is there, unchanged");
	stage_check(st, &c);
}

static int look(struct stage *st, const struct restored *from, const struct assertions *assertions,
		const char *canary, struct err *e)
{
	PG_AUTO pg = { 0 };
	struct pg_target target;

	if (restored_target(from, config.restored, &target, e) < 0)
		return -1;
	target.statement_s = config.query_s;
	if (pg_open(&pg, &target, e) < 0 || check_promises(st, &pg, e) < 0)
		return -1;
	if (!config.assert_file && !config.canary)
		return 0;
	if (pg_run(&pg, "SET search_path = public", e) < 0)
		return -1;
	check_assertions(st, &pg, assertions);
	if (config.canary)
		check_canary(st, &pg, canary);
	return 0;
}

static void check_usage(void)
{
	if (pg_has_password(config.restored))
		tool_usage("--restored: no password on the command line; use PGPASSFILE");
	if (!config.canary != !config.canary_file)
		tool_usage("--canary and --canary-file need each other");
}

int main(int argc, char **argv)
{
	RESTORED_AUTO from = { 0 };
	ASSERTIONS_AUTO assertions = { 0 };
	BUF_AUTO canary = BUF_INIT(SECRET_MAX);
	struct err e = { 0 };
	struct record r;
	struct stage st;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	check_usage();
	if ((config.assert_file && assertions_load(config.assert_file, &assertions, &e) < 0) ||
	    (config.canary && io_read_secret(config.canary_file, &canary, &e) < 0))
		tool_die("%s", e.msg);
	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		restored_see(&from, &r);
	if (look(&st, &from, &assertions, canary.s, &e) < 0)
		return stage_fail(&st, "content", "", &e);
	return stage_end(&st);
}
