#include "lib/dump/script.h"

#include "lib/base/buf.h"
#include "lib/dump/ahead.h"
#include "lib/dump/sqllex.h"
#include "lib/dump/sqlstmt.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_B = 256, TARGET_MAX = 1024 };

struct script {
	struct census *rows;
	struct complete *out;
	struct sqlscan_end *end;
	char database[NAME_MAX_B]; /* of pg_dumpall */
	char schema[NAME_MAX_B];   /* of names without one: before PostgreSQL 10.3 */
	struct census_table *copying;
	/* The table of the last INSERT: most go to the same one as those before. */
	char target[TARGET_MAX];
	struct census_table *inserting;
	struct census_table *open; /* whose last INSERT may still be to come */
};

static struct census_table *table(const struct script *c, const char *written)
{
	char name[TARGET_MAX];

	if (!sqlstmt_plain_name(written, c->schema, name, sizeof(name)))
		return NULL;
	return census_table(c->rows, c->database, name);
}

static void see_copy(struct script *c, const struct sqlscan_event *ev)
{
	char target[TARGET_MAX];

	c->copying = NULL;
	if (c->rows == NULL || !sqlstmt_copy_target(ev->text, ev->n, target, sizeof(target)))
		return;
	c->copying = table(c, target);
	if (c->copying == NULL)
		return;
	if (c->copying->tally.bytes == 0)
		census_begin_copy(c->rows, c->copying, ev->text, ev->n);
	c->copying->whole = false;
	c->open = NULL;
}

static void see_insert(struct script *c, const struct sqlscan_event *ev)
{
	char target[TARGET_MAX];
	uint64_t rows;

	if (!sqlstmt_insert(ev->text, ev->n, target, sizeof(target), &rows))
		return;
	if (c->inserting == NULL || strcmp(target, c->target) != 0) {
		(void)snprintf(c->target, sizeof(c->target), "%s", target);
		c->inserting = table(c, target);
	}
	if (c->inserting == NULL)
		return;
	tally_insert(&c->inserting->tally, rows, ev->n + sizeof(";\n") - 1);
	c->inserting->whole = true;
	c->open = c->inserting;
}

/* "-- Data for Name: orders; Type: TABLE DATA; Schema: sales; Owner: -": a table that INSERTs go
 * into may have none. */
static void see_comment(struct script *c, const struct sqlscan_event *ev)
{
	static const char data[] = "-- Data for Name: ", type[] = "; Type: TABLE DATA; Schema: ";
	const char *name = ev->text + sizeof(data) - 1, *schema, *end;
	BUF_AUTO full = BUF_INIT(TARGET_MAX);

	if (strncmp(ev->text, "-- ", 3) == 0)
		c->open = NULL;
	if (strncmp(ev->text, data, sizeof(data) - 1) != 0)
		return;
	schema = strstr(name, type);
	end = schema ? strstr(schema + sizeof(type) - 1, "; Owner: ") : NULL;
	if (end == NULL)
		return;
	schema += sizeof(type) - 1;
	buf_add(&full, schema, (size_t)(end - schema));
	buf_addc(&full, '.');
	buf_add(&full, name, (size_t)(schema - name) - (sizeof(type) - 1));
	c->open = census_table(c->rows, c->database, full.s);
	c->open->whole = true;
}

static void see_statement(struct script *c, const struct sqlscan_event *ev)
{
	char value[NAME_MAX_B];

	if (sqlstmt_setting(ev->text, ev->n, "client_encoding", value, sizeof(value)))
		(void)snprintf(c->out->encoding, sizeof(c->out->encoding), "%.31s", value);
	if (sqlstmt_setting(ev->text, ev->n, "search_path", value, sizeof(value)))
		(void)snprintf(c->schema, sizeof(c->schema), "%s", value);
	if (c->rows) {
		see_insert(c, ev);
		census_statement(c->rows, c->database, c->schema, ev->text, ev->n);
	}
}

/* \connect shop, \connect "My shop", \connect -reuse-previous=on "dbname='My shop'" */
static void see_meta(struct script *c, const struct sqlscan_event *ev)
{
	static const char connect[] = "\\connect ";
	const char *last, *conninfo;
	struct sqllex lx = { 0 };
	struct sql_token t;

	if (strncmp(ev->text, connect, strlen(connect)) != 0)
		return;
	last = ev->text + strlen(connect);
	conninfo = strstr(last, "\"dbname=");
	if (conninfo)
		last = conninfo + strlen("\"dbname=");
	c->inserting = NULL;
	c->schema[0] = '\0';
	(void)sqllex_next(&lx, last, strlen(last), true, &t);
	if (!sql_value(last, &t, c->database, sizeof(c->database)))
		(void)snprintf(c->database, sizeof(c->database), "%s", last);
}

static void see(struct script *c, const struct sqlscan_event *ev)
{
	sqlscan_end_see(c->end, ev);
	if (ev->kind == SQLSCAN_STATEMENT)
		see_statement(c, ev);
	else if (ev->kind == SQLSCAN_COMMENT && c->rows)
		see_comment(c, ev);
	else if (ev->kind == SQLSCAN_META)
		see_meta(c, ev);
	else if (ev->kind == SQLSCAN_DATA && c->copying)
		tally_copy(&c->copying->tally, ev->text, ev->n, ev->rows);
	else if (ev->kind == SQLSCAN_DATA_END && c->copying)
		c->copying->whole = true;
	if (ev->kind != SQLSCAN_COPY)
		return;
	c->out->tables++;
	see_copy(c, ev);
}

static int scan(struct script *c, struct stream *s, struct err *e)
{
	SQLSCAN_AUTO *sc = sqlscan_new(stream_name(s), 0);
	AHEAD_AUTO *a = ahead_open(s);
	struct sqlscan_event ev;
	const unsigned char *p;
	ssize_t n;
	int r;

	do {
		n = ahead_next(a, &p, e);
		if (n < 0)
			return -1;
		c->out->data_b += (uint64_t)n;
		if (n > 0)
			sqlscan_feed(sc, p, (size_t)n);
		else
			sqlscan_feed_end(sc);
		while ((r = sqlscan_next(sc, &ev, e)) > 0)
			see(c, &ev);
		if (r < 0)
			return -1;
	} while (n > 0);
	return 0;
}

int script_scan(struct stream *s, struct census *rows, struct sqlscan_end *end,
		struct complete *out, struct err *e)
{
	struct script c = { .rows = rows, .out = out, .end = end };
	int r = scan(&c, s, e);

	/* COPY data has an end of its own, INSERTs have not. */
	if (c.open && (r < 0 || sqlscan_end_judge(end, out->data_b) == SQLSCAN_CUT))
		c.open->whole = false;
	return r;
}
