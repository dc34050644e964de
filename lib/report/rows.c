#include "lib/report/rows.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 256 * 1024, HEADLINE_FINDING = 200 };

/* Where a check stands in the table; what is not listed here stands in the middle. */
static const struct {
	const char *check;
	int rank;
} ranks[] = {
	{ "stream", 0 },
	{ "stage", 0 },
	{ "input-record", 0 },
	{ "listing", 10 },
	{ "name-time", 11 },
	{ "backup-download", 12 },
	{ "backup-format", 13 },
	{ "backup-complete", 14 },
	{ "backup-chain", 12 },
	{ "dump-format", 13 },
	{ "dump-complete", 14 },
	{ "dump-rows", 19 },
	{ "restore", 15 },
	{ "restore-time", 16 },
	{ "row-count", 20 },
	{ "tables-compared", 21 },
	{ "latest-transaction", 40 },
	{ "backup-age", 41 },
	{ "last-verified", 42 },
	{ "backup-size", 43 },
	{ "temporary-server", 50 },
	{ "verified-rpo", 60 },
	{ "verified-rto", 61 },
};

enum { RANK_OF_OTHERS = 30 };

static int rank(const char *check)
{
	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (strcmp(ranks[i].check, check) == 0)
			return ranks[i].rank;
	return RANK_OF_OTHERS;
}

/* A check while the table is made. */
struct entry {
	struct row row;
	int rank;
	size_t at;   /* position in the stream */
	double size; /* rows of the table that was counted */
	bool shown;
};

static double rows_of(const json_t *check)
{
	const json_t *metrics = json_object_get(check, "metrics"), *m;
	double v = 0;
	size_t i;

	json_array_foreach(metrics, i, m)
		if (strcmp(record_word(m, "name"), "rows") == 0)
			(void)record_real(m, "value", &v);
	return v;
}

static struct entry entry_of(const json_t *check, size_t at)
{
	struct entry e = { .row = { .check = check, .name = record_word(check, "check") },
			   .at = at };

	(void)verdict_parse(record_text(check, "status"), &e.row.status);
	e.rank = rank(e.row.name);
	e.size = rows_of(check);
	e.shown = e.row.status != V_OK;
	return e;
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank - y->rank;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->row.more > y->row.more) - (x->row.more < y->row.more);
}

/* The ok ones of a name together, the largest first. */
static int by_name_and_size(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const int names = strcmp(x->row.name, y->row.name);

	if (names)
		return names;
	if (x->shown != y->shown)
		return x->shown - y->shown;
	if (x->size < y->size || x->size > y->size)
		return x->size > y->size ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Shows the first of the n entries of one name that are ok. Returns how many of them it did not
 * show. */
static size_t choose(struct entry *v, size_t n)
{
	size_t ok = 0;

	while (ok < n && v[ok].row.status == V_OK) {
		v[ok].shown = ok < ROWS_OK_SHOWN;
		ok++;
	}
	return ok > ROWS_OK_SHOWN ? ok - ROWS_OK_SHOWN : 0;
}

/* The line for those of a name that are not shown, behind all the others. */
static struct entry rest_of(const struct entry *v, size_t n, size_t hidden)
{
	struct entry e = { .row = { .name = v->row.name, .more = hidden },
			   .rank = v->rank,
			   .shown = true };

	for (size_t i = 0; i < n; i++)
		if (v[i].at > e.at)
			e.at = v[i].at;
	return e;
}

/* Decides about each name. Behind the n entries it adds one for each name of which some are not
 * shown: how many entries there are then. */
static size_t choose_all(struct entry *v, size_t n)
{
	size_t end = n, of_name;

	qsort(v, n, sizeof(*v), by_name_and_size);
	for (size_t i = 0; i < n; i += of_name) {
		size_t hidden;

		of_name = 1;
		while (i + of_name < n && strcmp(v[i + of_name].row.name, v[i].row.name) == 0)
			of_name++;
		hidden = choose(v + i, of_name);
		if (hidden)
			v[end++] = rest_of(v + i, of_name, hidden);
	}
	return end;
}

void rows_table(const struct summary *s, struct rows *out)
{
	size_t n = json_array_size(s->checks);
	/* Each further entry stands for at least one that is not shown. */
	struct entry *v = xcalloc(2 * n, sizeof(*v));
	const json_t *check;
	size_t i;

	json_array_foreach(s->checks, i, check)
		v[i] = entry_of(check, i);
	n = choose_all(v, n);
	qsort(v, n, sizeof(*v), by_place);
	*out = (struct rows){ .v = xcalloc(n, sizeof(*out->v)) };
	for (i = 0; i < n; i++)
		if (v[i].shown)
			out->v[out->n++] = v[i].row;
	free(v);
}

void rows_findings(const struct summary *s, struct rows *out)
{
	static const enum verdict order[] = { V_CRITICAL, V_UNKNOWN, V_WARNING };
	const json_t *check;
	size_t i;

	*out = (struct rows){ .v = xcalloc(json_array_size(s->checks), sizeof(*out->v)) };
	for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++) {
		json_array_foreach(s->checks, i, check) {
			const struct entry e = entry_of(check, i);

			if (e.row.status == order[o])
				out->v[out->n++] = e.row;
		}
	}
}

void rows_free(struct rows *rows)
{
	free(rows->v);
	*rows = (struct rows){ 0 };
}

/* All is well: say what was proven, and not more than that. */
static void headline_ok(const struct summary *s, struct buf *out)
{
	const char *name = record_word(s->backup, "name");
	const bool verified = summary_verified(s);
	const size_t n = summary_checks(s);
	char moment[UTC_SIZE], count[HUMAN_SIZE];
	int64_t taken;
	bool exact;

	buf_adds(out, verified ? " verified - " : " checked, not restored - ");
	if (*name) {
		text_safe(out, name);
		/* Most names carry the time already. */
		if (!utc_from_name(name, &taken, &exact) &&
		    record_time(s->backup, "taken_at", &taken))
			buf_addf(out, " of %s", utc_human(taken, moment));
		buf_adds(out, verified ? " restores, " : ", ");
	}
	if (n == 1)
		buf_adds(out, "its check passed");
	else
		buf_addf(out, "all %s checks passed", human_count((int64_t)n, count));
}

void rows_name(const struct row *row, struct buf *out)
{
	const char *subject = row->check ? record_word(row->check, "subject") : "";

	if (*subject) {
		text_safe(out, subject);
		buf_addc(out, ' ');
		text_words(out, row->name);
	} else {
		text_title(out, row->name);
	}
}

/* Something is wrong: the worst finding, and how many there are. */
static void headline_bad(const struct summary *s, struct buf *out)
{
	const size_t bad = summary_checks(s) - s->counts[V_OK];
	BUF_AUTO worst = BUF_INIT(SENTENCE_MAX);
	struct rows findings;
	char count[HUMAN_SIZE];

	rows_findings(s, &findings);
	if (findings.n) {
		rows_name(&findings.v[0], &worst);
		buf_adds(&worst, ": ");
		rows_sentence(s, findings.v[0].check, &worst);
		buf_adds(out, " - ");
		utf8_cut(out, worst.s, HEADLINE_FINDING);
	}
	if (bad > 1)
		buf_addf(out, " (and %s more finding%s)", human_count((int64_t)bad - 1, count),
			 bad == 2 ? "" : "s");
	rows_free(&findings);
}

void rows_headline(const struct summary *s, const char *title, struct buf *out)
{
	static const char *const word[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	buf_addf(out, "%s: ", word[s->status]);
	if (title) {
		text_safe(out, title);
	} else {
		buf_adds(out, s->label[0] ? "backup of " : "backup");
		text_safe(out, s->label);
	}
	if (s->status == V_OK)
		headline_ok(s, out);
	else
		headline_bad(s, out);
}

/* The download knows the compressed size, the restore the other one. */
static bool restored_size(const struct summary *s, const json_t *check, char out[HUMAN_SIZE])
{
	double bytes;

	if (strcmp(record_word(check, "check"), "backup-download") != 0 ||
	    strcmp(record_word(check, "status"), verdict_name(V_OK)) != 0 ||
	    !summary_metric(s, "restore", "restored_bytes", &bytes) || !(bytes > 0 && bytes < 1e18))
		return false;
	(void)human_bytes((uint64_t)bytes, out);
	return true;
}

void rows_sentence(const struct summary *s, const json_t *check, struct buf *out)
{
	const char *sentence = record_word(check, "summary");
	BUF_AUTO whole = BUF_INIT(SENTENCE_MAX + HUMAN_SIZE);
	char size[HUMAN_SIZE];
	size_t first;

	if (restored_size(s, check, size)) {
		first = strcspn(sentence, ",");
		buf_add(&whole, sentence, first);
		buf_addf(&whole, " (%s restored)%s", size, sentence + first);
		sentence = whole.s;
	}
	text_safe(out, *sentence ? sentence : "(nothing was said)");
}

bool rows_value(const json_t *check, const char *field, struct buf *out)
{
	const json_t *v = json_object_get(check, field);
	char count[HUMAN_SIZE];

	if (json_is_integer(v))
		buf_adds(out, human_count(json_integer_value(v), count));
	else if (json_is_real(v))
		buf_addf(out, "%.6g", json_real_value(v));
	else if (json_is_string(v) && *json_string_value(v))
		text_safe(out, json_string_value(v));
	else
		return false;
	return true;
}

void rows_tally(const struct summary *s, struct buf *out)
{
	static const enum verdict order[] = { V_CRITICAL, V_UNKNOWN, V_WARNING, V_OK };
	const size_t n = summary_checks(s);
	const size_t kept = json_array_size(s->checks);
	char count[HUMAN_SIZE];
	const char *between = ": ";

	buf_addf(out, "%s check%s", human_count((int64_t)n, count), n == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (s->counts[order[i]] == 0)
			continue;
		buf_addf(out, "%s%s %s", between, human_count((int64_t)s->counts[order[i]], count),
			 verdict_name(order[i]));
		between = ", ";
	}
	if (n > kept)
		buf_addf(out, "; the last %s are counted only",
			 human_count((int64_t)(n - kept), count));
}
