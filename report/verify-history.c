/* verify-history: is the history what was written, whole and in order? */
#include "lib/base/signature.h"
#include "lib/base/stage.h"
#include "lib/pg/history.h"
#include "lib/report/anchor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct {
	const char *history, *verify_key, *anchor;
} config;

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "the history of runs: a file, a directory with one for each label, or a PostgreSQL database; "
	  "needed", "HISTORY", false, NULL },
	{ OPT_TEXT, 0, "verify-key", "FILE", &config.verify_key,
	  "the public key (PEM, Ed25519) to emit-report's --sign-key: lines must bear its signature",
	  "VERIFY_KEY_FILE", false, NULL },
	{ OPT_TEXT, 0, "anchor", "FILE", &config.anchor,
	  "compare with the heads in this file, kept by somebody else: see emit-report's --anchor",
	  NULL, false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "verify-history",
	.what = "prove that no run was removed from a history, changed or reordered",
	.operands = "",
	.description =
		"Every line of a history holds its number and the SHA-256 of the line before. "
		"verify-history reads all of them, offline, and names the first that does not fit: "
		"critical. Lines of a time before the chain are covered by its first line. What a crash "
		"left of a line that was never acknowledged is told, and is no finding where the chain "
		"vouches for it.\n"
		"\n"
		"A chain is no secret: who may write the file, or owns the table, can make a new one. With --verify-key, the "
		"last line and all from the first signed one on must be signed, which only the holder of "
		"the key can do. And no chain and no signature shows that lines were cut off its end: "
		"for that, --anchor compares with heads that somebody else keeps. Each anchor must be "
		"found again.",
	.examples = "verify-history --history /var/lib/backup-probes/shop.jsonl --label shop\n"
		    "is it whole and in order?\n"
		    "verify-history --history shop.jsonl --label shop --verify-key public.pem --anchor "
		    "heads.jsonl\n"
		    "and was it written by whom it should be, and is nothing missing at its end?\n"
		    "verify-history --history postgresql://db1/fleet --label shop\nthe same in the "
		    "table of a fleet",
	.see_also = "emit-report(1), verify-backup(1)",
	.options = options,
};
/* clang-format on */

/* What is looked for in each line beside its place. */
struct audit {
	struct anchors anchors;
	size_t bad_anchor; /* a line's number in the file; 0: none */
	size_t bad_signature;
	size_t signatures;
	int64_t first_signed; /* seq; 0: none */
	struct err why;
};

static void look_at_signature(struct audit *a, const struct chain_line *line)
{
	const bool has = json_object_get(line->object, "signature") != NULL;

	if (a->bad_signature || (!has && a->first_signed == 0))
		return;
	if (signature_verify(line->object, config.verify_key, &a->why) < 0) {
		a->bad_signature = line->number;
		return;
	}
	a->signatures++;
	if (a->first_signed == 0)
		a->first_signed = line->head.seq;
}

static bool take(const struct chain_line *line, void *to)
{
	struct audit *a = to;

	if (config.verify_key)
		look_at_signature(a, line);
	if (config.anchor && a->bad_anchor == 0 && !anchors_agree(&a->anchors, &line->head))
		a->bad_anchor = line->number;
	return true;
}

static void say_extras(struct check *c, const struct chain_proof *p)
{
	if (p->unchained)
		check_say(c, V_OK, "%zu older lines before the chain are covered by it",
			  p->unchained);
	if (p->aside)
		check_say(c, V_OK, "%zu unfinished lines of crashes", p->aside);
	if (p->loose)
		check_say(c, V_WARNING,
			  "%zu unreadable lines at the end, for which nothing vouches: a write was "
			  "cut off, or the last lines were damaged",
			  p->loose);
}

static void check_chain(struct stage *st, const struct chain_proof *p)
{
	struct check c;

	check_init(&c, "history-chain", "");
	check_metric_int(&c, "chained", p->head.seq, "");
	check_metric_int(&c, "lines", (int64_t)p->lines, "");
	if (p->bad) {
		check_field(&c, "line", json_integer((json_int_t)p->bad));
		check_say(&c, V_CRITICAL, "line %zu: %s", p->bad, p->why);
	} else if (p->head.seq == 0) {
		check_say(&c, V_WARNING,
			  "no line is chained yet: nothing can be proved of the %zu lines",
			  p->lines);
	} else {
		check_field(&c, "head", json_string(p->head.sha256));
		check_say(&c, V_OK,
			  "%" PRId64 " lines, none removed, changed or reordered; head %.16s...",
			  p->head.seq, p->head.sha256);
		say_extras(&c, p);
	}
	stage_check(st, &c);
}

static void check_signature(struct stage *st, const struct chain_proof *p, const struct audit *a)
{
	struct check c;

	check_init(&c, "history-signature", "");
	check_metric_int(&c, "signatures", (int64_t)a->signatures, "");
	if (a->bad_signature)
		check_say(&c, a->why.kind == ERR_BACKUP ? V_CRITICAL : V_UNKNOWN, "line %zu: %s",
			  a->bad_signature, a->why.msg);
	else if (a->signatures == 0)
		check_say(&c, V_CRITICAL, "no line is signed");
	else if (a->first_signed > 1)
		check_say(&c, V_OK,
			  "numbers %" PRId64 " to %" PRId64 " are signed, those before are covered",
			  a->first_signed, p->head.seq);
	else
		check_say(&c, V_OK, "all %zu lines are signed", a->signatures);
	stage_check(st, &c);
}

static void check_anchor(struct stage *st, const struct chain_proof *p, const struct audit *a)
{
	struct check c;

	check_init(&c, "history-anchor", "");
	check_metric_int(&c, "anchors", (int64_t)a->anchors.n, "");
	if (a->anchors.n == 0)
		check_say(&c, V_UNKNOWN, "%s holds no anchor%s%s", config.anchor,
			  *st->label ? " for " : "", st->label);
	else if (a->anchors.torn)
		check_say(&c, V_CRITICAL,
			  "two anchors of number %" PRId64 " differ: the history was written anew",
			  a->anchors.torn);
	else if (a->bad_anchor)
		check_say(&c, V_CRITICAL,
			  "line %zu is not what its anchor says: it was written anew",
			  a->bad_anchor);
	else if (a->anchors.last > p->head.seq && p->bad == 0)
		check_say(&c, V_CRITICAL,
			  "number %" PRId64 " was anchored, and the history ends with %" PRId64
			  ": its last runs were removed",
			  a->anchors.last, p->head.seq);
	else if (p->bad)
		check_say(&c, V_UNKNOWN, "the history could not be read to its end");
	else
		check_say(&c, V_OK, "all %zu anchors fit, the last is number %" PRId64,
			  a->anchors.n, a->anchors.last);
	stage_check(st, &c);
}

int main(int argc, char **argv)
{
	struct audit audit = { .bad_anchor = 0 };
	const struct chain_visitor visitor = { take, &audit };
	HISTORY_AUTO *history = NULL;
	struct chain_proof proof;
	struct err e = { 0 };
	struct stage st;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	if (!config.history)
		tool_usage("--history is missing");
	stage_begin(&st, &tool);
	stage_drain(&st);
	if (config.anchor && anchors_load(&audit.anchors, config.anchor, st.label, &e) < 0)
		return stage_fail(&st, "history-anchor", "", &e);
	history = pg_history_open(config.history);
	if (history_prove(history, st.label, &visitor, &proof, &e) < 0)
		return stage_fail(&st, "history-chain", "", &e);
	check_chain(&st, &proof);
	if (config.verify_key)
		check_signature(&st, &proof, &audit);
	if (config.anchor)
		check_anchor(&st, &proof, &audit);
	anchors_free(&audit.anchors);
	return stage_end(&st);
}
