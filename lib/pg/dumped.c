#include "lib/pg/dumped.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

enum { CUT_FROM, CUT_TO };

static void see_rows(struct dumped *d, const json_t *o)
{
	const char *name = record_text(o, "table"), *status = record_text(o, "status");
	const char *database = record_text(o, "database"), *hash = record_text(o, "checksum");
	struct dumped_table *t;

	if (name == NULL)
		name = record_text(o, "subject");
	if (name == NULL)
		return;
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->v = xrealloc(d->v, d->cap, sizeof(*d->v));
	}
	t = &d->v[d->n++];
	*t = (struct dumped_table){ .name = xstrdup(name),
				    .database = xstrdup(database ? database : "") };
	t->whole = status && strcmp(status, "ok") == 0 && record_int(o, "observed", &t->rows);
	t->hash = hash ? xstrdup(hash) : NULL;
}

/* Scripts are not searched for large objects. */
static void see_complete(struct dumped *d, const json_t *o)
{
	const json_t *metrics = json_object_get(o, "metrics");
	size_t i;
	json_t *m;

	json_array_foreach(metrics, i, m) {
		const char *name = record_text(m, "name");

		if (name && strcmp(name, "objects") == 0 && d->archive)
			d->counts_objects = record_int(m, "value", &d->objects);
	}
}

static void see_sequences(struct dumped *d, const json_t *o)
{
	const char *database = record_text(o, "database");
	json_t *seen = json_object_get(o, "sequences"), *of;

	if (d->sequences == NULL)
		d->sequences = json_object();
	of = json_object_get(d->sequences, database ? database : "");
	if (of)
		(void)json_object_update(of, seen);
	else
		(void)json_object_set(d->sequences, database ? database : "", seen);
}

static void see_format(struct dumped *d, const json_t *o)
{
	const char *encoding = record_text(o, "encoding"), *format = record_text(o, "format");

	(void)snprintf(d->encoding, sizeof(d->encoding), "%s", encoding ? encoding : "");
	d->archive = format && (strcmp(format, "custom") == 0 || strcmp(format, "directory") == 0 ||
				strcmp(format, "tar") == 0);
}

void dumped_see(struct dumped *d, const struct record *r)
{
	const char *check = record_text(r->object, "check");
	int64_t ms;

	if (check && strcmp(check, "dump-rows") == 0)
		see_rows(d, r->object);
	if (check && strcmp(check, "dump-sequences") == 0)
		see_sequences(d, r->object);
	if (check && strcmp(check, "dump-format") == 0)
		see_format(d, r->object);
	if (check && strcmp(check, "dump-complete") == 0)
		see_complete(d, r->object);
	if (check && strcmp(check, "dump-newest") == 0 && record_time(r->object, "observed", &ms) &&
	    (!d->newest || ms > d->newest_ms)) {
		d->newest = true;
		d->newest_ms = ms;
	}
}

void dumped_free(struct dumped *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].database);
		free(d->v[i].name);
		free(d->v[i].hash);
	}
	free(d->v);
	json_decref(d->sequences);
	*d = (struct dumped){ 0 };
}

const struct dumped_table *dumped_find(const struct dumped *d, const char *database,
				       const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].name, name) == 0 &&
		    (d->v[i].database[0] == '\0' || strcmp(d->v[i].database, database) == 0))
			return &d->v[i];
	return NULL;
}

/* SQL's name of a table without its quotes, as dumps have it. The caller's. */
static char *unquoted(const char *ident)
{
	char *name = xstrdup(ident), *to = name;

	for (const char *p = ident; *p; p++) {
		if (*p == '"' && p[1] == '"')
			p++;
		else if (*p == '"')
			continue;
		*to++ = *p;
	}
	*to = '\0';
	return name;
}

/* Its rows, to the byte, are what the baseline has hashed: in UTF-8, or as they are. */
static bool same_bytes(const struct dumped *d, const json_t *baseline)
{
	const char *encoding = record_text(baseline, "encoding");

	return strcmp(d->encoding, "UTF8") == 0 ||
	       (encoding && strcmp(encoding, "SQL_ASCII") == 0 &&
		strcmp(d->encoding, encoding) == 0);
}

static json_t *table_state(const struct dumped_table *t, bool hashes)
{
	json_t *o;

	if (!t->whole)
		return json_pack("{s:s, s:b}", "failed",
				 "its rows are not all in the dump, or damaged", "damaged", 1);
	o = json_pack("{s:I}", "rows", (json_int_t)t->rows);
	if (hashes && t->hash)
		(void)json_object_set_new(o, "hash", json_string(t->hash));
	return o;
}

/* Those of the baseline, under its names, as far as the dump has them. The caller's. */
static json_t *sequences_state(const struct dumped *d, const char *database, json_t *were)
{
	const json_t *here = json_object_get(d->sequences, database);
	json_t *is = json_object(), *was;
	const char *ident;

	if (here == NULL)
		here = json_object_get(d->sequences, "");
	json_object_foreach(were, ident, was) {
		AUTO_FREE char *name = unquoted(ident);
		json_t *found = json_object_get(here, name);

		if (found)
			(void)json_object_set(is, ident, found);
	}
	return is;
}

json_t *dumped_state(const struct dumped *d, const json_t *baseline)
{
	json_t *state = json_object(), *tables = json_object(), *was;
	const char *database = record_text(baseline, "database"), *ident;
	bool hashes = same_bytes(d, baseline), all = hashes;

	json_object_foreach(json_object_get(baseline, "tables"), ident, was) {
		AUTO_FREE char *name = unquoted(ident);
		const struct dumped_table *t = dumped_find(d, database ? database : "", name);

		all = all && (t == NULL || t->hash);
		if (t)
			(void)json_object_set_new(tables, ident, table_state(t, hashes));
	}
	(void)json_object_set_new(state, "tables", tables);
	(void)json_object_set_new(state, "checksum", all ? json_string("copy") : json_null());
	if (d->sequences)
		(void)json_object_set_new(state, "sequences",
					  sequences_state(d, database ? database : "",
							  json_object_get(baseline, "sequences")));
	if (d->counts_objects)
		(void)json_object_set_new(state, "large_objects",
					  json_pack("{s:I}", "rows", (json_int_t)d->objects));
	return state;
}

static int64_t allowed(const struct pg_tolerance *t, int64_t rows)
{
	if (!t->set)
		return 0;
	return t->share ? (int64_t)(t->part * (double)rows) : (int64_t)t->rows;
}

static int64_t above(int64_t x, int64_t limit)
{
	return x > limit ? x - limit : 0;
}

void dumped_judge(struct dumped_pair *p, const struct pg_tolerance *tolerance)
{
	int64_t here = p->here ? p->here->rows : 0, tolerated = allowed(tolerance, p->rows);

	p->verdict = V_OK;
	p->lost = above(p->timed ? p->least : p->rows, here);
	p->extra = above(here, p->timed ? p->most : p->rows);
	if (p->here && !p->here->whole)
		p->verdict = V_CRITICAL;
	else if (p->view && p->here == NULL)
		p->lost = 0;
	else if (p->lost > tolerated)
		p->verdict = here == 0 || (p->timed && p->sure) ? V_CRITICAL : V_WARNING;
	else if (p->extra > tolerated)
		p->verdict = V_WARNING;
}

static void explain(const struct dumped_pair *p, struct buf *b)
{
	char n[HUMAN_SIZE];

	if (p->lost && p->timed)
		buf_addf(b, " - %s rows from before the dump are missing in it%s",
			 human_count(p->lost, n),
			 p->sure ? "" : ", or the time in its name is not UTC");
	else if (p->lost && p->here->rows == 0)
		buf_adds(b, " - empty in the dump");
	else if (p->lost)
		buf_addf(b, " - %s more in production; no time column tells whether they are new",
			 human_count(p->lost, n));
	else if (p->extra)
		buf_addf(b, " - %s more in the dump: deleted in production since, or changed",
			 human_count(p->extra, n));
	else if (p->rows > p->here->rows)
		buf_addf(b, " - %s newer than the dump", human_count(p->rows - p->here->rows, n));
	else if (p->rows < p->here->rows)
		buf_addf(b, " - %s deleted since", human_count(p->here->rows - p->rows, n));
}

static void say(struct check *c, const struct dumped_pair *p)
{
	BUF_AUTO b = BUF_INIT(512);
	char here[HUMAN_SIZE], there[HUMAN_SIZE];

	if (p->here && p->here->whole) {
		check_observed_int(c, p->here->rows);
		check_metric_int(c, "rows", p->here->rows, "rows");
	}
	check_expected_int(c, p->rows);
	check_metric_int(c, "production_rows", p->rows, "rows");
	check_metric_int(c, "unexplained_rows", p->lost + p->extra, "rows");
	(void)human_count(p->here ? p->here->rows : 0, here);
	(void)human_count(p->rows, there);
	if (p->here && !p->here->whole) {
		check_say(c, p->verdict, "its rows are not all in the dump, or damaged");
	} else if (p->here == NULL && p->view) {
		check_say(c, p->verdict, "a materialized view: no dump holds its rows");
	} else if (p->here == NULL) {
		check_say(c, p->verdict, "not in the dump (production: %s)", there);
	} else {
		explain(p, &b);
		check_say(c, p->verdict, "%s in the dump (production: %s)%s", here, there, b.s);
	}
}

/* Production's counts into the pairs. */
static int take_counts(const struct pg_count *counts, struct dumped_pair *v, size_t n,
		       struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct pg_count *k = &counts[i];

		if (!k->counted)
			return err_set(e, ERR_REMOTE, "count %s in production: %s", k->table->full,
				       k->failure ? k->failure : "no answer");
		v[i].timed = k->column != NULL;
		v[i].rows = k->rows;
		v[i].least = k->rows - k->newer[CUT_FROM];
		v[i].most = k->rows - k->newer[CUT_TO];
	}
	return 0;
}

int dumped_compare(const struct dumped *d, const struct pg_pairs *pairs,
		   const struct pg_readers *readers, struct pg_evidence *evidence, uint64_t slack_s,
		   const struct pg_tolerance *tolerance, struct dumped_pair **out, struct err *e)
{
	struct pg_count *counts = xcalloc(pairs->n + 1, sizeof(*counts));
	struct dumped_pair *v = xcalloc(pairs->n + 1, sizeof(*v));
	struct pg_bounds b;
	int64_t slack_ms = (int64_t)slack_s * 1000;
	int r;

	evidence->data = d->newest;
	evidence->data_ms = d->newest_ms;
	pg_recovery_bounds(evidence, &b);
	for (size_t i = 0; i < pairs->n; i++) {
		const struct pg_table *t = pairs->v[i].there;

		counts[i] = (struct pg_count){ .table = t,
					       .column = t->created.name,
					       .cut = { b.data_ms - slack_ms,
							pg_evidence_latest(evidence) + slack_ms } };
		v[i].here = dumped_find(d, PQdb(readers->first->link), t->full);
		v[i].view = t->view;
		v[i].sure = d->newest || evidence->said_surely;
	}
	r = pg_counts_run(readers, counts, pairs->n, e);
	if (r == 0)
		r = take_counts(counts, v, pairs->n, e);
	for (size_t i = 0; i < pairs->n; i++) {
		if (r == 0)
			dumped_judge(&v[i], tolerance);
		free(counts[i].failure);
	}
	free(counts);
	*out = v;
	return r;
}

static void say_all(struct check *c, const struct dumped *d, const struct dumped_pair *v, size_t n)
{
	size_t compared = 0;
	int64_t rows = 0;

	for (size_t i = 0; i < n; i++) {
		compared += v[i].here != NULL;
		rows += v[i].rows + (v[i].here ? v[i].here->rows : 0);
	}
	check_metric_int(c, "tables", (int64_t)compared, "");
	if (compared == 0 || rows == 0)
		check_say(c, V_UNKNOWN, "nothing was compared: %s",
			  compared ? "all tables are empty on both sides"
				   : "the dump and production have no table in common");
	else
		check_say(c, V_OK,
			  "%zu of %zu tables of the dump compared, without a restore: that it "
			  "restores is not proven",
			  compared, d->n);
}

void dumped_report(struct stage *st, const struct dumped *d, const struct pg_pairs *pairs,
		   const struct dumped_pair *v)
{
	struct check c;

	for (size_t i = 0; i < pairs->n; i++) {
		check_init(&c, "row-count", pairs->v[i].there->full);
		say(&c, &v[i]);
		stage_check(st, &c);
	}
	check_init(&c, "tables-compared", "");
	say_all(&c, d, v, pairs->n);
	stage_check(st, &c);
}
