#include "lib/pg/readings.h"

#include "lib/base/history.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failover goes on with another timeline; a crash and pg_stat_reset() set stats_reset. */
static const char epoch_sql[] =
	"SELECT CASE WHEN NOT pg_is_in_recovery() THEN concat_ws(' ', s.system_identifier,"
	" c.timeline_id, d.datid, extract(epoch FROM d.stats_reset)) END,"
	" (extract(epoch FROM clock_timestamp()) * 1000)::bigint,"
	" (extract(epoch FROM d.stats_reset) * 1000)::bigint"
	" FROM pg_control_system() AS s, pg_control_checkpoint() AS c, pg_stat_database AS d"
	" WHERE d.datname = current_database()";

static const char tables_sql[] =
	"SELECT s.relid, coalesce(pg_relation_filenode(s.relid), 0), s.n_tup_ins, s.n_tup_upd,"
	" s.n_tup_del FROM pg_stat_user_tables AS s ORDER BY s.relid";

static const char unsettled_sql[] =
	"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
	" AND application_name <> 'backup-probes' AND backend_type = 'client backend'"
	" AND (state_change IS NULL OR state <> 'idle'"
	" OR state_change > clock_timestamp() - interval '11 s')";

void pg_readings_free(struct pg_readings *r)
{
	free(r->v);
	*r = (struct pg_readings){ 0 };
}

static int take_epoch(struct pg *pg, struct pg_readings *out, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg, epoch_sql, NULL, 0, e);
	const char *epoch;

	if (!r)
		return -1;
	if (PQntuples(r) != 1 || !pg_cell_int(r, 0, 1, &out->at_ms))
		return err_set(e, ERR_REMOTE, "query %s: no statistics", pg->where);
	epoch = pg_cell(r, 0, 0);
	(void)snprintf(out->epoch, sizeof(out->epoch), "%s", epoch ? epoch : "");
	if (!pg_cell_int(r, 0, 2, &out->reset_ms))
		out->reset_ms = INT64_MIN;
	return 0;
}

int pg_readings_take(struct pg *pg, struct pg_readings *out, struct err *e)
{
	PGRESULT_AUTO *r = NULL;

	*out = (struct pg_readings){ 0 };
	if (take_epoch(pg, out, e) < 0)
		return err_wrap(e, "read the counters");
	r = pg_query(pg, tables_sql, NULL, 0, e);
	if (!r)
		return err_wrap(e, "read the counters");
	out->v = xcalloc((size_t)PQntuples(r) + 1, sizeof(*out->v));
	for (int row = 0; row < PQntuples(r); row++) {
		struct pg_reading *t = &out->v[out->n];

		t->rows = -1;
		out->n += pg_cell_int(r, row, 0, &t->oid) && pg_cell_int(r, row, 1, &t->file) &&
			  pg_cell_int(r, row, 2, &t->inserted) &&
			  pg_cell_int(r, row, 3, &t->updated) &&
			  pg_cell_int(r, row, 4, &t->deleted);
	}
	return 0;
}

bool pg_readings_settled(struct pg *pg)
{
	struct err ignored;
	PGRESULT_AUTO *r = pg_query(pg, unsettled_sql, NULL, 0, &ignored);
	int64_t n;

	return r && pg_cell_int(r, 0, 0, &n) && n == 0;
}

static int by_oid(const void *a, const void *b)
{
	const struct pg_reading *x = a, *y = b;

	return (x->oid > y->oid) - (x->oid < y->oid);
}

struct pg_reading *pg_readings_find(const struct pg_readings *r, int64_t oid)
{
	const struct pg_reading like = { .oid = oid };

	return r->n ? bsearch(&like, r->v, r->n, sizeof(*r->v), by_oid) : NULL;
}

/* Of a table that is not among the earlier ones all that its counters have is new, if they began
 * with it; that is for the caller's moment to say. */
void pg_readings_between(const struct pg_readings *from, const struct pg_readings *now, int64_t oid,
			 int64_t moment_ms, struct pg_activity *out)
{
	const struct pg_reading *n = pg_readings_find(now, oid);
	const struct pg_reading *f = from ? pg_readings_find(from, oid) : NULL;

	*out = (struct pg_activity){ .rows = -1, .from_ms = now->reset_ms };
	if (!n || !*now->epoch)
		return;
	out->known = now->reset_ms <= moment_ms;
	out->inserted = n->inserted;
	out->updated = n->updated;
	out->deleted = n->deleted;
	if (!f || strcmp(from->epoch, now->epoch) != 0)
		return;
	*out = (struct pg_activity){ .since = true,
				     .from_ms = from->at_ms,
				     .rows = f->rows,
				     .inserted = n->inserted - f->inserted,
				     .updated = n->updated - f->updated,
				     .deleted = n->deleted - f->deleted };
	out->rewritten = f->file != n->file;
	out->known =
		!out->rewritten && out->inserted >= 0 && out->updated >= 0 && out->deleted >= 0;
}

static json_t *print_tables(const struct pg_readings *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct pg_reading *t = &r->v[i];

		if (t->rows < 0)
			continue;
		json_array_append_new(
			list,
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "oid", (json_int_t)t->oid,
				  "file", (json_int_t)t->file, "inserted", (json_int_t)t->inserted,
				  "updated", (json_int_t)t->updated, "deleted",
				  (json_int_t)t->deleted, "rows", (json_int_t)t->rows));
	}
	return list;
}

int pg_readings_save(const char *path, const char *label, const struct pg_readings *r,
		     struct err *e)
{
	HISTORY_AUTO *history = history_file_open(path);
	JSON_AUTO *run = json_object();
	char at[UTC_SIZE];

	json_object_set_new(run, "record", json_string("run"));
	if (*label)
		json_object_set_new(run, "label", json_string(label));
	json_object_set_new(run, "at", json_string(utc_format(r->at_ms, at)));
	json_object_set_new(run, "epoch", json_string(r->epoch));
	json_object_set_new(run, "tables", print_tables(r));
	return history_append(history, label, run, NULL, e);
}

struct wanted {
	const char *epoch;
	int64_t moment_ms;
	struct pg_readings *out;
};

static bool parse_table(const json_t *object, struct pg_reading *t)
{
	return record_int(object, "oid", &t->oid) && record_int(object, "file", &t->file) &&
	       record_int(object, "inserted", &t->inserted) &&
	       record_int(object, "updated", &t->updated) &&
	       record_int(object, "deleted", &t->deleted) && record_int(object, "rows", &t->rows);
}

/* False ends the search. */
static bool take_run(json_t *run, void *to)
{
	const struct wanted *w = to;
	const char *epoch = record_text(run, "epoch");
	const json_t *tables = json_object_get(run, "tables");
	int64_t at_ms;

	if (!epoch || strcmp(epoch, w->epoch) != 0 || !record_time(run, "at", &at_ms) ||
	    at_ms > w->moment_ms)
		return true;
	(void)snprintf(w->out->epoch, sizeof(w->out->epoch), "%s", epoch);
	w->out->at_ms = at_ms;
	w->out->v = xcalloc(json_array_size(tables) + 1, sizeof(*w->out->v));
	for (size_t i = 0; i < json_array_size(tables); i++)
		w->out->n += parse_table(json_array_get(tables, i), &w->out->v[w->out->n]);
	qsort(w->out->v, w->out->n, sizeof(*w->out->v), by_oid);
	return false;
}

int pg_readings_load(const char *path, const char *label, const char *epoch, int64_t moment_ms,
		     struct pg_readings *out, struct err *e)
{
	HISTORY_AUTO *history = history_file_open(path);
	struct wanted w = { .epoch = epoch, .moment_ms = moment_ms, .out = out };

	*out = (struct pg_readings){ 0 };
	return history_walk(history, label, take_run, &w, NULL, e);
}
