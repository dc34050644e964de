#include "lib/restore/assertions.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/sqlscan.h"
#include "lib/pg/query.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024, NAME_MAX_B = 200, BOOL_OID = 16 };

void assertions_free(struct assertions *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].sql);
	}
	free(a->v);
	*a = (struct assertions){ 0 };
}

/* What follows "-- name:"; NULL when it is another comment. */
static char *name_of(const char *comment)
{
	const char *s = comment + strspn(comment, "- \t");
	size_t n;

	if (strncmp(s, "name:", 5) != 0)
		return NULL;
	s += 5;
	s += strspn(s, " \t");
	n = strcspn(s, "\r\n");
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	return n > 0 ? xstrndup(s, n < NAME_MAX_B ? n : NAME_MAX_B) : NULL;
}

static void add(struct assertions *out, const struct sqlscan_event *ev, char **name)
{
	out->v = xrealloc(out->v, out->n + 1, sizeof(*out->v));
	out->v[out->n++] = (struct assertion){
		.name = *name ? *name : xasprintf("line %llu", (unsigned long long)ev->line),
		.sql = xstrndup(ev->text, ev->n),
	};
	*name = NULL;
}

static int take(struct assertions *out, const struct sqlscan_event *ev, const char *path,
		char **name, struct err *e)
{
	char *named;

	switch (ev->kind) {
	case SQLSCAN_COMMENT:
		named = name_of(ev->text);
		if (named) {
			free(*name);
			*name = named;
		}
		return 0;
	case SQLSCAN_STATEMENT:
		add(out, ev, name);
		return 0;
	case SQLSCAN_COPY:
	case SQLSCAN_DATA:
	case SQLSCAN_DATA_END:
	case SQLSCAN_META:
		break;
	}
	return err_set(e, ERR_USAGE,
		       "read %s: line %llu is no query; write SELECT statements alone", path,
		       (unsigned long long)ev->line);
}

static int split(struct sqlscan *sc, const char *path, struct assertions *out, struct err *e)
{
	char *name AUTO_FREE = NULL;
	struct sqlscan_event ev;
	int rc;

	while ((rc = sqlscan_next(sc, &ev, e)) > 0)
		if (take(out, &ev, path, &name, e) < 0)
			return -1;
	sqlscan_feed_end(sc);
	while (rc == 0 && (rc = sqlscan_next(sc, &ev, e)) > 0)
		if (take(out, &ev, path, &name, e) < 0)
			return -1;
		else
			rc = 0;
	/* A file of ours that ends amid a quote is our user's fault, not a bad backup. */
	if (rc < 0)
		e->kind = ERR_USAGE;
	return rc;
}

int assertions_load(const char *path, struct assertions *out, struct err *e)
{
	BUF_AUTO text = BUF_INIT(FILE_MAX);
	SQLSCAN_AUTO *sc = NULL;

	*out = (struct assertions){ 0 };
	if (io_slurp(path, &text, e) < 0)
		return -1;
	/* A last statement may lack its semicolon. */
	buf_adds(&text, "\n;\n");
	sc = sqlscan_new(path, FILE_MAX);
	sqlscan_feed(sc, text.s, text.len);
	if (split(sc, path, out, e) < 0)
		return -1;
	if (out->n == 0)
		return err_set(e, ERR_USAGE, "read %s: no query in it", path);
	return 0;
}

enum verdict assertion_ask(struct pg *pg, const struct assertion *a, const char **why,
			   struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg, a->sql, NULL, 0, e);

	if (!r) {
		*why = e->msg;
		return pg->why == PG_WHY_MISSING || pg->why == PG_WHY_DAMAGED ? V_CRITICAL
									      : V_UNKNOWN;
	}
	*why = "must return one row with one boolean";
	if (PQntuples(r) != 1 || PQnfields(r) != 1 || PQftype(r, 0) != BOOL_OID)
		return V_UNKNOWN;
	*why = pg_cell(r, 0, 0) ? "false" : "neither true nor false: NULL";
	if (!pg_cell(r, 0, 0) || !pg_cell_true(r, 0, 0))
		return V_CRITICAL;
	*why = "true";
	return V_OK;
}
