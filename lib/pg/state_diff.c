#include "lib/pg/state_diff.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utf8.h"
#include "lib/base/xmem.h"
#include "lib/pg/catalog.h"
#include "lib/pg/content_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_CHECKS = 25, SHOWN = 120, TEXT_MAX = 4096 };

/* What we say when it is bad: an approximate baseline proves little. */
static enum verdict bad(const struct state_diff *d)
{
	return json_is_true(json_object_get(d->was, "exact")) ? V_CRITICAL : V_WARNING;
}

static void say(const struct state_diff *d, const char *check, const char *subject, enum verdict v,
		const char *text)
{
	struct check c;

	check_init(&c, check, subject);
	check_say(&c, v, "%s", text);
	stage_check(d->stage, &c);
}

/* --- tables --------------------------------------------------------------------------------- */

static bool excluded(const struct state_diff *d, const char *ident)
{
	const char *dot = strchr(ident, '.');
	AUTO_FREE char *full = xstrdup(ident), *name = xstrdup(dot ? dot + 1 : ident);
	const struct pg_table t = { .full = full, .name = name };

	for (size_t i = 0; d->exclude && i < d->exclude->n; i++)
		if (pg_table_matches(&t, d->exclude->v[i]))
			return true;
	return false;
}

static bool empty_by_nature(const struct state_diff *d, const json_t *was)
{
	return record_true(was, "unlogged") && record_true(d->was, "physical");
}

static void say_rows(const struct state_diff *d, const char *name, int64_t was, int64_t is,
		     const char *where)
{
	char have[HUMAN_SIZE], had[HUMAN_SIZE], by[HUMAN_SIZE];
	struct check c;

	check_init(&c, "baseline-rows", name);
	check_observed_int(&c, is);
	check_expected_int(&c, was);
	check_metric_int(&c, "rows", is, "rows");
	check_metric_int(&c, "baseline_rows", was, "rows");
	if (is == 0)
		check_say(&c, bad(d), "empty; the baseline has %s rows", human_count(was, had));
	else
		check_say(&c, bad(d), "%s rows; the baseline has %s: %s %s%s",
			  human_count(is, have), human_count(was, had),
			  human_count(is < was ? was - is : is - was, by),
			  is < was ? "lost" : "too many", where);
	stage_check(d->stage, &c);
}

/* True: nothing to complain of. */
static bool same_table(const struct state_diff *d, const char *name, const json_t *was,
		       const json_t *is)
{
	BUF_AUTO where = BUF_INIT(TEXT_MAX);
	const char *had = record_text(was, "hash"), *has = record_text(is, "hash");
	const char *failed = record_text(is, "failed");
	int64_t before = 0, now = 0;

	if (!is || failed) {
		say(d, "baseline-rows", name,
		    is && !record_true(is, "damaged") ? V_UNKNOWN : bad(d),
		    is ? failed : "the table is missing");
		return false;
	}
	(void)record_int(was, "rows", &before);
	(void)record_int(is, "rows", &now);
	if (empty_by_nature(d, was) || (before == now && (!had || !has || strcmp(had, has) == 0)))
		return true;
	if (had && has)
		content_diff(d->here, name, was, is, d->show_rows, &where);
	if (before != now) {
		say_rows(d, name, before, now, where.s);
		return false;
	}
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	buf_addf(&text, "as many rows as the baseline has, but their content differs%s", where.s);
	say(d, "baseline-content", name, bad(d), text.s);
	return false;
}

static void diff_tables(struct state_diff *d)
{
	json_t *was = json_object_get(d->was, "tables");
	const json_t *is = json_object_get(d->is, "tables");
	char tables[HUMAN_SIZE], rows[HUMAN_SIZE];
	const char *name;
	json_t *entry;
	bool same = true;
	int64_t n;
	struct check c;

	json_object_foreach(was, name, entry) {
		if (excluded(d, name))
			continue;
		if (same_table(d, name, entry, json_object_get(is, name)) &&
		    record_int(entry, "rows", &n))
			d->rows += n;
		else
			same = false;
		d->tables++;
	}
	if (!same || d->tables == 0)
		return;
	check_init(&c, "baseline-rows", "");
	check_metric_int(&c, "tables", d->tables, "");
	check_metric_int(&c, "rows", d->rows, "rows");
	check_say(&c, V_OK, "%s tables, %s rows: equal to the baseline%s",
		  human_count(d->tables, tables), human_count(d->rows, rows),
		  json_is_string(json_object_get(d->is, "checksum")) ? ", to the last byte" : "");
	stage_check(d->stage, &c);
}

/* --- sequences ------------------------------------------------------------------------------ */

struct position {
	int64_t last;
	bool called;
};

static struct position position_of(const json_t *entry)
{
	struct position p = { .called = record_true(entry, "called") };

	(void)record_int(entry, "last", &p.last);
	return p;
}

/* Is a before b, in the direction in which the sequence runs? */
static bool before(struct position a, struct position b, bool descending)
{
	if (a.last != b.last)
		return descending ? a.last > b.last : a.last < b.last;
	return !a.called && b.called;
}

static bool same_sequence(const struct state_diff *d, const char *name, const json_t *was,
			  const json_t *is)
{
	const bool descending = record_true(was, "descending");
	const json_t *later = json_object_get(was, "later");
	struct position low = position_of(was), high = position_of(later ? later : was);
	struct position now = position_of(is);
	const char *behind = record_text(is, "behind");
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	int64_t outermost = 0;

	if (!is) {
		say(d, "baseline-sequences", name, bad(d), "the sequence is missing");
		return false;
	}
	/* Somebody who sets it back while the backup runs swaps the two. */
	if (before(high, low, descending)) {
		struct position swap = low;

		low = high;
		high = swap;
	}
	if (before(now, low, descending) || before(high, now, descending)) {
		buf_addf(&text, "stands at %" PRId64 "%s; the baseline has %" PRId64 "%s", now.last,
			 now.called ? "" : " (never used)", low.last,
			 low.called ? "" : " (never used)");
		if (later)
			buf_addf(&text, " to %" PRId64, high.last);
	}
	if (behind && !record_text(was, "behind")) {
		(void)record_int(is, "outermost", &outermost);
		buf_addf(&text, "%s%s is at %" PRId64 " already: an insert will fail",
			 text.len ? "; " : "", behind, outermost);
	}
	if (text.len)
		say(d, "baseline-sequences", name, bad(d), text.s);
	return text.len == 0;
}

static void diff_sequences(const struct state_diff *d)
{
	const json_t *is = json_object_get(d->is, "sequences");
	json_t *was = json_object_get(d->was, "sequences"), *entry;
	const char *name;
	bool same = true;

	json_object_foreach(was, name, entry)
		same = same_sequence(d, name, entry, json_object_get(is, name)) && same;
	/* What columns hold is only known where there is a database. */
	if (same && json_object_size(was) > 0)
		say(d, "baseline-sequences", "", V_OK,
		    d->here->link ? "all stand where the baseline has them, none behind its column"
				  : "all stand where the baseline has them");
}

/* --- large objects -------------------------------------------------------------------------- */

static void diff_large_objects(const struct state_diff *d)
{
	const json_t *was = json_object_get(d->was, "large_objects");
	const json_t *is = json_object_get(d->is, "large_objects");
	const char *had = record_text(was, "hash"), *has = record_text(is, "hash");
	/* The hash is of the contents, or, without --checksum, of the numbers alone. */
	const bool alike = had && has &&
			   json_is_string(json_object_get(d->was, "checksum")) ==
				   json_is_string(json_object_get(d->is, "checksum"));
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	int64_t before_n = 0, now = 0;

	if (!record_int(was, "rows", &before_n) || !record_int(is, "rows", &now))
		return;
	if (before_n == now && (!alike || strcmp(had, has) == 0)) {
		buf_addf(&text, "%" PRId64 ", as in the baseline", now);
		if (now > 0)
			say(d, "baseline-large-objects", "", V_OK, text.s);
		return;
	}
	buf_addf(&text, "%" PRId64 "; the baseline has %" PRId64, now, before_n);
	if (alike)
		content_diff(d->here, NULL, was, is, false, &text);
	say(d, "baseline-large-objects", "", bad(d), text.s);
}

/* --- definitions ---------------------------------------------------------------------------- */

static bool listed(const json_t *list, const char *kind, const char *name)
{
	size_t n = strlen(kind), i;
	json_t *one;

	json_array_foreach(list, i, one) {
		const char *s = json_string_value(one);

		if (s && strncmp(s, kind, n) == 0 && s[n] == ' ' && strcmp(s + n + 1, name) == 0)
			return true;
	}
	return false;
}

/* The texts from where they begin to differ, a word before that. */
static void add_difference(struct buf *out, const char *was, const char *is)
{
	size_t i = 0, word = 0;

	for (; was[i] && was[i] == is[i]; i++)
		if (was[i] == ' ' || was[i] == '\n')
			word = i + 1;
	buf_addf(out, "is %s\"", word ? "\u2026" : "");
	utf8_cut(out, is + word, SHOWN);
	buf_addf(out, "\", the baseline has %s\"", word ? "\u2026" : "");
	utf8_cut(out, was + word, SHOWN);
	buf_addc(out, '"');
}

static int major_of(const json_t *o)
{
	const char *version = record_text(o, "server_version");

	return version ? (int)strtol(version, NULL, 10) : 0;
}

static enum verdict weigh(const struct state_diff *d, const char *kind, const char *name, bool both)
{
	if (listed(json_object_get(d->was, "ddl"), kind, name) ||
	    (both && major_of(d->was) != major_of(d->is)))
		return V_WARNING;
	return bad(d);
}

/* One definition; was or is may be NULL. */
static void say_definition(const struct state_diff *d, const char *kind, const char *name,
			   const char *was, const char *is)
{
	BUF_AUTO subject = BUF_INIT(TEXT_MAX);
	BUF_AUTO text = BUF_INIT(TEXT_MAX);

	buf_addf(&subject, "%s %s", kind, name);
	if (was && is)
		add_difference(&text, was, is);
	else
		buf_adds(&text, was ? "missing" : "there, but not in the baseline");
	if (listed(json_object_get(d->was, "ddl"), kind, name))
		buf_adds(&text, "; it was changed while the backup was made");
	say(d, "baseline-schema", subject.s, weigh(d, kind, name, was && is), text.s);
}

/* What is in from, and missing or (once: forward) otherwise in to. The number of differences, said
 * up to the limit. */
static size_t diff_kind(const struct state_diff *d, const char *kind, json_t *from,
			const json_t *to, bool forward, size_t said)
{
	const char *name;
	json_t *def;
	size_t n = 0;

	json_object_foreach(from, name, def) {
		const char *one = json_string_value(def), *other = record_text(to, name);

		if (other && (!forward || strcmp(one, other) == 0))
			continue;
		if (said + n++ >= SCHEMA_CHECKS)
			continue;
		if (forward)
			say_definition(d, kind, name, one, other);
		else
			say_definition(d, kind, name, NULL, one);
	}
	return n;
}

static void diff_schema(const struct state_diff *d)
{
	const json_t *is = json_object_get(d->is, "schema");
	json_t *was = json_object_get(d->was, "schema"), *of;
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	size_t n = 0, all = 0;
	const char *kind;

	json_object_foreach(was, kind, of) {
		json_t *now = json_object_get(is, kind);

		n += diff_kind(d, kind, of, now, true, n);
		n += diff_kind(d, kind, now, of, false, n);
		all += json_object_size(of);
	}
	if (n == 0)
		buf_addf(&text, "%zu definitions: equal to the baseline", all);
	else if (n > SCHEMA_CHECKS)
		buf_addf(&text, "%zu definitions differ; the first %d are shown", n, SCHEMA_CHECKS);
	if (text.len)
		say(d, "baseline-schema", "", n == 0 ? V_OK : bad(d), text.s);
}

void state_diff_data(struct state_diff *d)
{
	diff_tables(d);
	diff_large_objects(d);
	if (json_object_get(d->is, "sequences"))
		diff_sequences(d);
}

void state_diff(struct state_diff *d)
{
	state_diff_data(d);
	diff_schema(d);
}
