#include "lib/pg/content.h"

#include "lib/base/strv.h"
#include "lib/base/utf8.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SQL_MAX = 256 * 1024, /* 1,600 columns with long names */
	KEY_MAX = 16 * 1024,  /* an index row is shorter than a page's third */
	SAMPLE_PAGES = 256,
	PAGE = 8192,
	SAMPLE_KEYS = 20000,
};

void pg_content_free(struct pg_content *c)
{
	free(c->newest_created);
	free(c->newest_changed);
	keyranges_free(&c->ranges);
	*c = (struct pg_content){ 0 };
}

int pg_content_settings(struct pg *pg, struct err *e)
{
	/* As pg_dump: floats with all their digits, each table from its beginning; and no worker
	 * processes beside our sessions. */
	return pg_run(pg,
		      "SET LOCAL extra_float_digits = 3; SET LOCAL synchronize_seqscans = off;"
		      "SET LOCAL max_parallel_workers_per_gather = 0",
		      e);
}

static int add_newest(struct pg *pg, const struct pg_timecol *t, struct buf *sql, struct err *e)
{
	if (!t->name) {
		buf_adds(sql, ", NULL");
		return 0;
	}
	buf_adds(sql, ", max(");
	if (pg_quote(pg, NULL, t->name, sql, e) < 0)
		return -1;
	buf_adds(sql, ")::text");
	return 0;
}

static char *copied(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

int pg_content_count(struct pg *pg, const struct pg_relation *r, struct pg_content *out,
		     struct err *e)
{
	BUF_AUTO sql = BUF_INIT(SQL_MAX);
	PGRESULT_AUTO *rows = NULL;

	buf_adds(&sql, "SELECT count(*)");
	if (add_newest(pg, &r->table->created, &sql, e) < 0 ||
	    add_newest(pg, &r->table->changed, &sql, e) < 0)
		return -1;
	buf_addf(&sql, " FROM ONLY %s", r->ident);
	rows = pg_query(pg, sql.s, NULL, 0, e);
	if (!rows || !pg_cell_int(rows, 0, 0, &out->rows))
		return err_wrap(e, "count %s", r->table->full);
	out->newest_created = copied(pg_cell(rows, 0, 1));
	out->newest_changed = copied(pg_cell(rows, 0, 2));
	return 0;
}

static int copy_failed(struct pg *pg, struct err *e)
{
	BUF_AUTO words = BUF_INIT(sizeof(e->msg) / 2);

	pg_words(&words, PQerrorMessage(pg->link), PQpass(pg->link));
	return err_set(e, ERR_REMOTE, "read %s: %s", pg->where, words.s);
}

static int finish_copy(struct pg *pg, struct err *e)
{
	int rc = 0;

	for (PGresult *r; (r = PQgetResult(pg->link)); PQclear(r)) {
		if (PQresultStatus(r) == PGRES_COMMAND_OK)
			continue;
		/* In the middle of a copy only closing ends it. */
		if (PQresultStatus(r) == PGRES_COPY_OUT) {
			PQclear(r);
			pg_close(pg);
			return -1;
		}
		rc = copy_failed(pg, e);
	}
	return rc;
}

int pg_copy_rows(struct pg *pg, const char *sql,
		 int (*each)(const char *line, size_t len, void *ctx, struct err *e), void *ctx,
		 struct err *e)
{
	PGRESULT_AUTO *start = pg->link ? PQexec(pg->link, sql) : NULL;
	char *line = NULL;
	int n, rc = 0;

	if (!start)
		return err_set(e, ERR_REMOTE, "read %s: the connection is lost", pg->where);
	if (PQresultStatus(start) != PGRES_COPY_OUT)
		return copy_failed(pg, e);
	while (rc == 0 && (n = PQgetCopyData(pg->link, &line, 0)) > 0) {
		rc = each(line, (size_t)n - 1, ctx, e);
		PQfreemem(line);
	}
	if (rc < 0) {
		pg_close(pg);
		return -1;
	}
	return n < -1 ? copy_failed(pg, e) : finish_copy(pg, e);
}

int pg_content_copy(const struct pg_relation *r, struct buf *sql, struct err *e)
{
	/* A table without columns has empty lines, of a view only a query can be copied. */
	if (r->table->view)
		buf_addf(sql, "COPY (SELECT %s FROM %s) TO STDOUT", r->columns, r->ident);
	else if (*r->columns)
		buf_addf(sql, "COPY %s (%s) TO STDOUT", r->ident, r->columns);
	else
		buf_addf(sql, "COPY (SELECT FROM ONLY %s) TO STDOUT", r->ident);
	return sql->full ? err_set(e, ERR_SYSTEM, "read %s: its columns' names are too long",
				   r->table->full)
			 : 0;
}

/* The column at a place of a line. */
static bool field(const char *line, size_t len, unsigned at, const char **out, size_t *n)
{
	const char *end = line + len, *tab;

	for (; at > 0; at--) {
		tab = memchr(line, '\t', (size_t)(end - line));
		if (!tab)
			return false;
		line = tab + 1;
	}
	tab = memchr(line, '\t', (size_t)(end - line));
	*out = line;
	*n = (size_t)((tab ? tab : end) - line);
	return true;
}

bool pg_content_key(const struct pg_relation *r, const char *line, size_t len, struct buf *out)
{
	for (size_t i = 0; i < r->nkey; i++) {
		const char *p;
		size_t n;

		if (!field(line, len, r->key_at[i], &p, &n))
			return false;
		if (i > 0)
			buf_addc(out, '\t');
		buf_add(out, p, n);
	}
	return !out->full;
}

struct hashing {
	const struct pg_relation *r;
	struct pg_content *out;
	struct buf key;
};

static int hash_row(const char *line, size_t len, void *ctx, struct err *e)
{
	struct hashing *h = ctx;

	rowhash_add(&h->out->hash, line, len);
	if (h->out->ranges.n == 0)
		return 0;
	buf_reset(&h->key);
	h->key.full = false;
	if (!pg_content_key(h->r, line, len, &h->key) ||
	    !keyranges_add(&h->out->ranges, h->key.s, h->key.len, line, len))
		return err_set(e, ERR_REMOTE, "read %s: a row without its key", h->r->table->full);
	return 0;
}

static bool valid_utf8(const char *s, size_t len)
{
	uint32_t cp = 0;

	for (size_t n; len > 0; s += n, len -= n) {
		n = utf8_take(s, len, &cp);
		if (n == 1 && (unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

static int keep_key(const char *line, size_t len, void *ctx, struct err *e)
{
	struct strv *sample = ctx;

	(void)e;
	/* A range begins with a text that JSON can hold. */
	if (sample->n < SAMPLE_KEYS && valid_utf8(line, len))
		strv_addf(sample, "%.*s", (int)len, line);
	return 0;
}

static int divide(struct pg *pg, const struct pg_relation *r, struct keyranges *out, struct err *e)
{
	double pages = (double)r->table->heap_b / PAGE;
	BUF_AUTO sql = BUF_INIT(SQL_MAX);
	STRV_AUTO sample = { 0 };

	buf_addf(&sql,
		 "COPY (SELECT %s FROM ONLY %s TABLESAMPLE SYSTEM (%.6f) REPEATABLE (1)) TO STDOUT",
		 r->key, r->ident, pages > SAMPLE_PAGES ? 100 * SAMPLE_PAGES / pages : 100.0);
	if (pg_copy_rows(pg, sql.s, keep_key, &sample, e) < 0)
		return -1;
	out->number = r->key_number;
	keyranges_divide(out, sample.v, sample.n);
	return 0;
}

static int hash_copy(struct pg *pg, const struct pg_relation *r, const char *sql,
		     struct pg_content *out, struct err *e)
{
	struct hashing h = { .r = r, .out = out, .key = BUF_INIT(KEY_MAX) };
	int rc = pg_copy_rows(pg, sql, hash_row, &h, e);

	buf_free(&h.key);
	return rc;
}

int pg_content_hash(struct pg *pg, const struct pg_relation *r, struct pg_content *out,
		    struct err *e)
{
	BUF_AUTO sql = BUF_INIT(SQL_MAX);

	if (pg_content_count(pg, r, out, e) < 0)
		return -1;
	if (pg_content_copy(r, &sql, e) < 0 ||
	    (r->key && out->ranges.n == 0 && divide(pg, r, &out->ranges, e) < 0) ||
	    hash_copy(pg, r, sql.s, out, e) < 0)
		return err_wrap(e, "hash %s", r->table->full);
	if (out->hash.rows != (uint64_t)out->rows)
		return err_set(e, ERR_REMOTE,
			       "hash %s: count(*) says %" PRId64 " rows, COPY has %" PRIu64
			       "; is an index damaged?",
			       r->table->full, out->rows, out->hash.rows);
	return 0;
}

int pg_content_large_objects(struct pg *pg, bool deep, struct pg_content *out, struct err *e)
{
	struct pg_table table = { .full = (char[]){ "the large objects" } };
	const struct pg_relation all = { .table = &table, .nkey = 1, .key_number = true };
	STRV_AUTO sample = { 0 };

	out->ranges.number = true;
	if (out->ranges.n == 0) {
		if (pg_copy_rows(pg, "COPY (SELECT oid FROM pg_largeobject_metadata) TO STDOUT",
				 keep_key, &sample, e) < 0)
			return err_wrap(e, "list %s", table.full);
		keyranges_divide(&out->ranges, sample.v, sample.n);
	}
	if (hash_copy(pg, &all,
		      deep ? "COPY (SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata)"
			     " TO STDOUT"
			   : "COPY (SELECT oid FROM pg_largeobject_metadata) TO STDOUT",
		      out, e) < 0)
		return err_wrap(e, "read %s", table.full);
	out->rows = (int64_t)out->hash.rows;
	return 0;
}
