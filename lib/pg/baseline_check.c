#include "lib/pg/baseline_check.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/baseline.h"
#include "lib/pg/pool.h"
#include "lib/pg/query.h"
#include "lib/pg/state.h"
#include "lib/pg/state_diff.h"

#include <stdlib.h>
#include <string.h>

/* Several sessions that see the restored database alike: nobody writes there. */
struct sessions {
	struct pg v[PG_JOBS_MAX];
	size_t n;
};

static void sessions_close(struct sessions *s)
{
	for (size_t i = 0; i < s->n; i++)
		pg_close(&s->v[i]);
}

static int sessions_open(struct sessions *s, const struct pg_target *target, unsigned n,
			 struct err *e)
{
	for (; s->n < n && s->n < PG_JOBS_MAX; s->n++) {
		struct pg *pg = &s->v[s->n];

		if (pg_open(pg, target, e) < 0)
			return -1;
		if (pg_run(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", e) < 0) {
			pg_close(pg);
			return -1;
		}
	}
	return 0;
}

static bool hashed(const json_t *baseline)
{
	const char *form = record_text(baseline, "checksum");

	return form && strcmp(form, "copy") == 0;
}

static json_t *read_state(struct sessions *s, const struct baseline_check *b, const json_t *was,
			  struct err *e)
{
	const bool deep = b->checksum && hashed(was);
	const struct pg_state_plan plan = {
		.sessions = s->v, .n = s->n, .checksum = deep, .exclude = b->exclude, .like = was
	};
	size_t failures;
	JSON_AUTO *sequences = pg_state_sequences(&s->v[0], e);
	json_t *is = sequences ? pg_state_read(&plan, &failures, e) : NULL;

	if (!is)
		return NULL;
	(void)json_object_set(is, "sequences", sequences);
	(void)json_object_set_new(is, "checksum", deep ? json_string("copy") : json_null());
	(void)json_object_set_new(is, "server_version",
				  json_string(PQparameterStatus(s->v[0].link, "server_version")));
	if (pg_state_mark_behind(&s->v[0], json_object_get(is, "sequences"), e) == 0)
		return is;
	json_decref(is);
	return NULL;
}

/* What the baseline itself is worth. */
static void judge(struct check *c, const struct baseline_check *b, const json_t *was)
{
	const char *why = record_text(was, "why");
	size_t changed = json_array_size(json_object_get(was, "ddl"));
	char at[UTC_SIZE] = "an unknown time";
	int64_t at_ms;

	if (record_time(was, "snapshot_at", &at_ms)) {
		(void)utc_human(at_ms, at);
		check_field(c, "snapshot_at", json_incref(json_object_get(was, "snapshot_at")));
	}
	check_say(c, V_OK, "of %s%s", at, b->key_file ? ", signed" : "");
	if (!record_true(was, "exact"))
		check_say(c, V_WARNING, "the baseline of %s is approximate: %s", at,
			  why ? why : "it does not say why");
	if (changed)
		check_say(c, V_WARNING, "%zu definitions changed while the backup was made",
			  changed);
	if (b->checksum && !hashed(was))
		check_say(c, V_WARNING,
			  "no content was compared: the baseline was captured without --checksum");
	if (json_object_size(json_object_get(was, "tables")) == 0)
		check_say(c, V_WARNING, "nothing was compared: the baseline has no table");
}

static int compare(struct stage *st, const struct baseline_check *b, const struct restored *from,
		   const json_t *was, struct err *e)
{
	__attribute__((cleanup(sessions_close))) struct sessions s = { .n = 0 };
	const char *database = record_text(was, "database");
	JSON_AUTO *is = NULL;
	struct pg_target target;
	struct state_diff d = {
		.stage = st, .was = was, .exclude = b->exclude, .show_rows = b->show_rows
	};

	if (restored_target(from, b->restored, &target, e) < 0)
		return -1;
	/* A pg_dumpall restores many databases. */
	if (!b->restored && database && strv_has(&from->databases, database))
		target.dbname = database;
	if (sessions_open(&s, &target, b->jobs, e) < 0)
		return -1;
	is = read_state(&s, b, was, e);
	if (!is)
		return -1;
	d.is = is;
	d.here = &s.v[0];
	state_diff(&d);
	return 0;
}

/* What the dump alone tells. */
static void compare_dump(struct stage *st, const struct baseline_check *b, const json_t *was)
{
	struct pg nowhere = { 0 };
	JSON_AUTO *is = dumped_state(b->dump, was);
	struct state_diff d = {
		.stage = st, .here = &nowhere, .was = was, .is = is, .exclude = b->exclude
	};
	struct check c;

	if (b->checksum && hashed(was) && !hashed(is)) {
		check_init(&c, "baseline-content", "");
		check_say(&c, V_WARNING,
			  "not all content was compared: inspect-dump must be asked for it with "
			  "--checksum, the dump be in UTF8 and its rows no INSERTs");
		stage_check(st, &c);
	}
	state_diff_data(&d);
}

bool baseline_check(struct stage *st, const struct baseline_check *b, const struct restored *from,
		    bool *dated, int64_t *snapshot_ms)
{
	AUTO_FREE char *path = pg_baseline_find(b->setting, from->path);
	JSON_AUTO *was = NULL;
	struct err e = { 0 };
	struct check c;

	*dated = false;
	if (!path)
		return false;
	was = pg_baseline_read(path, b->key_file, &e);
	if (!was) {
		stage_error(st, "baseline", "", &e);
		return true;
	}
	*dated = record_true(was, "exact") && record_time(was, "snapshot_at", snapshot_ms);
	check_init(&c, "baseline", "");
	judge(&c, b, was);
	stage_check(st, &c);
	if (b->dump)
		compare_dump(st, b, was);
	else if (compare(st, b, from, was, &e) < 0)
		stage_error(st, "baseline", "", &e);
	return true;
}
