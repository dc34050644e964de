#include "lib/pg/restored.h"

#include "lib/base/fresh.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void set(char **to, const char *value)
{
	if (!value)
		return;
	free(*to);
	*to = xstrdup(value);
}

bool restored_backup_time(const struct restored *r, int64_t *ms)
{
	*ms = r->taken ? r->taken_ms : r->modified_ms;
	return r->taken || r->modified;
}

static void note_time(struct restored *r, const struct restored *seen)
{
	int64_t ms;

	if (!restored_backup_time(seen, &ms))
		return;
	r->times = xrealloc(r->times, r->n_times + 1, sizeof(*r->times));
	r->times[r->n_times++] = ms;
}

static int earlier(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool restored_interval(struct restored *r, int64_t *ms)
{
	size_t n = 0;

	if (r->n_times < 3)
		return false;
	/* A backup is seen when it is listed and when it is fetched. */
	qsort(r->times, r->n_times, sizeof(*r->times), earlier);
	for (size_t i = 1; i < r->n_times; i++)
		if (r->times[i] != r->times[n])
			r->times[++n] = r->times[i];
	r->n_times = n + 1;
	if (n < 2)
		return false;
	int64_t *gaps = xcalloc(n, sizeof(*gaps));
	for (size_t i = 0; i < n; i++)
		gaps[i] = r->times[i + 1] - r->times[i];
	qsort(gaps, n, sizeof(*gaps), earlier);
	*ms = gaps[n / 2];
	free(gaps);
	return true;
}

void restored_see_backup(struct restored *r, const json_t *fields)
{
	struct restored seen = { .newest = record_true(fields, "newest") };
	int64_t ours, its;

	seen.taken = record_time(fields, "taken_at", &seen.taken_ms);
	seen.modified = record_time(fields, "modified_at", &seen.modified_ms);
	note_time(r, &seen);
	if (r->backup && !seen.newest &&
	    (r->newest || !restored_backup_time(&seen, &its) ||
	     (restored_backup_time(r, &ours) && its < ours)))
		return;
	r->backup = true;
	r->newest = seen.newest;
	r->taken = seen.taken;
	r->taken_ms = seen.taken_ms;
	/* Midnight to the millisecond is what a name with a bare date reads as. */
	r->taken_day = seen.taken && seen.taken_ms % DAY_MS == 0;
	r->modified = seen.modified;
	r->modified_ms = seen.modified_ms;
	set(&r->name, record_text(fields, "name"));
	free(r->path);
	r->path = NULL;
	set(&r->path, record_text(fields, "path"));
}

static void see_instance(struct restored *r, const json_t *o)
{
	const json_t *list = json_object_get(o, "databases");

	r->instance = true;
	set(&r->conninfo, record_text(o, "conninfo"));
	set(&r->database, record_text(o, "database"));
	r->recovered = record_time(o, "recovery_point", &r->recovered_ms);
	set(&r->recovered_by, record_text(o, "recovery_point_by"));
	strv_free(&r->databases);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_is_string(json_array_get(list, i)))
			strv_add(&r->databases, json_string_value(json_array_get(list, i)));
}

void restored_see(struct restored *r, const struct record *record)
{
	r->records++;
	if (!record->object)
		return;
	if (strcmp(record->kind, "backup") == 0)
		restored_see_backup(r, record->object);
	else if (strcmp(record->kind, "instance") == 0)
		see_instance(r, record->object);
}

void restored_free(struct restored *r)
{
	free(r->conninfo);
	free(r->database);
	free(r->name);
	free(r->path);
	free(r->recovered_by);
	free(r->times);
	strv_free(&r->databases);
	*r = (struct restored){ 0 };
}

static bool environment_names_a_server(void)
{
	static const char *const names[] = { "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]))
			return true;
	return false;
}

int restored_target(const struct restored *r, const char *conninfo, struct pg_target *out,
		    struct err *e)
{
	*out = (struct pg_target){ .what = "the restored database", .conninfo = conninfo };
	if (conninfo)
		return 0;
	if (r->instance && r->conninfo) {
		out->conninfo = r->conninfo;
		out->dbname = r->database;
		out->env = PG_ENV_NONE;
		return 0;
	}
	if (r->records > 0)
		return err_set(e, ERR_SYSTEM,
			       "find the restored database: no instance record on the input, so "
			       "nothing was restored; see what restore-to-temp says");
	if (!environment_names_a_server())
		return err_set(e, ERR_USAGE,
			       "find the restored database: no records on the input; run this "
			       "under restore-to-temp, or set PGHOST and PGDATABASE");
	return 0;
}

void restored_evidence(const struct restored *r, const int64_t *given, struct pg_evidence *out)
{
	*out = (struct pg_evidence){
		.now_ms = utc_now_ms(),
		.modified = r->modified,
		.modified_ms = r->modified_ms,
	};
	if (given) {
		out->said = out->said_surely = true;
		out->said_ms = *given;
	} else if (r->recovered && !(r->modified && r->recovered_ms == r->modified_ms)) {
		out->said = true;
		out->said_ms = r->recovered_ms;
		out->said_day = r->taken_day && r->taken_ms == r->recovered_ms;
	} else if (r->taken) {
		out->said = true;
		out->said_ms = r->taken_ms;
		out->said_day = r->taken_day;
	}
}

int64_t restored_backup_moment(const struct restored *r, int64_t now_ms)
{
	int64_t ms = 0;

	(void)restored_backup_time(r, &ms);
	if (r->modified && (r->taken_day || fresh_in_future(ms, now_ms)))
		return r->modified_ms;
	return ms;
}
