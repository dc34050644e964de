#include "lib/restore/script.h"

#include "lib/base/utc.h"
#include "lib/dump/sqlstmt.h"
#include "lib/restore/meta.h"
#include "lib/restore/session.h"

#include <stdlib.h>
#include <string.h>

enum { NAME = 256 };

struct run {
	const struct script_opts *opts;
	struct script_result *out;
	struct session session;
	struct sqlscan_end end;
	enum script_phase phase;
	int64_t since_ms;   /* this phase, or what came after it */
	int64_t waiting_ms; /* statements after data: post-data, unless more data follows */
};

/* Puts the time since the last call to the phase that is over. */
static void enter(struct run *r, enum script_phase phase)
{
	int64_t now = mono_ms(), spent = now - r->since_ms;
	int64_t *ms = r->out->phase_ms;

	r->since_ms = now;
	if (r->phase == SCRIPT_POST_DATA)
		r->waiting_ms += spent;
	else
		ms[r->phase] += spent;
	/* setval() and the like between two COPYs belong to the data. */
	if (r->phase == SCRIPT_POST_DATA && phase != SCRIPT_POST_DATA) {
		ms[phase == SCRIPT_DATA ? SCRIPT_DATA : SCRIPT_POST_DATA] += r->waiting_ms;
		r->waiting_ms = 0;
	}
	r->phase = phase;
}

static bool is_insert(const char *sql, size_t n)
{
	char words[16];

	return strncmp(sqlstmt_words(sql, n < 16 ? n : 16, words, sizeof(words)), "insert", 6) == 0;
}

static int run_statement(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	if (is_insert(ev->text, ev->n)) {
		if (r->phase != SCRIPT_DATA)
			enter(r, SCRIPT_DATA);
	} else if (r->phase == SCRIPT_DATA) {
		enter(r, SCRIPT_POST_DATA);
	}
	r->out->statements++;
	return session_run(&r->session, ev->line, ev->text, e);
}

static void begin_copy(struct run *r, const struct sqlscan_event *ev)
{
	if (r->phase != SCRIPT_DATA)
		enter(r, SCRIPT_DATA);
	r->out->statements++;
	r->out->copies++;
	session_copy_begin(&r->session, ev->line, ev->text);
}

static int change_database(struct run *r, uint64_t line, const char *name, struct err *e)
{
	if (session_connect(&r->session, line, name, e) < 0)
		return -1;
	if (r->session.db.link && !strv_has(&r->out->databases, name))
		strv_add(&r->out->databases, name);
	return 0;
}

static int obey(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	enum meta_kind kind;
	char arg[NAME];

	kind = ev->amid ? META_REFUSED : meta_parse(ev->text, arg, sizeof(arg));
	switch (kind) {
	case META_REFUSED:
		mishaps_add(&r->out->mishaps, MISHAP_REFUSED, ev->line, "", "refused", ev->text,
			    "a command of psql");
		return 0;
	case META_CONNECT:
		enter(r, SCRIPT_PRE_DATA);
		return change_database(r, ev->line, arg, e);
	case META_ENCODING:
		if (r->session.db.link && PQsetClientEncoding(r->session.db.link, arg) != 0)
			mishaps_add(&r->out->mishaps, MISHAP_FAILED, ev->line, "",
				    PQerrorMessage(r->session.db.link), ev->text, NULL);
		return 0;
	case META_NOTHING:
		break;
	}
	return 0;
}

static int see(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	sqlscan_end_see(&r->end, ev);
	switch (ev->kind) {
	case SQLSCAN_STATEMENT:
		return run_statement(r, ev, e);
	case SQLSCAN_COPY:
		begin_copy(r, ev);
		return 0;
	case SQLSCAN_DATA:
		return session_copy_put(&r->session, ev->text, ev->n, e);
	case SQLSCAN_DATA_END:
		return session_copy_end(&r->session, e);
	case SQLSCAN_META:
		return obey(r, ev, e);
	case SQLSCAN_COMMENT:
		break;
	}
	return 0;
}

static int run_piece(struct run *r, struct sqlscan *sc, struct err *e)
{
	struct sqlscan_event ev;
	int k;

	while ((k = sqlscan_next(sc, &ev, e)) > 0)
		if (see(r, &ev, e) < 0)
			return -1;
	return k;
}

static int run_all(struct run *r, struct stream *in, struct err *e)
{
	SQLSCAN_AUTO *sc = sqlscan_new(stream_name(in), 0);
	const unsigned char *p;
	ssize_t n;

	if (session_connect(&r->session, 0, r->opts->dbname, e) < 0)
		return -1;
	do {
		n = stream_next(in, &p, e);
		if (n < 0)
			return -1;
		if (n > 0)
			sqlscan_feed(sc, p, (size_t)n);
		else
			sqlscan_feed_end(sc);
		r->out->bytes += (uint64_t)n;
		if (run_piece(r, sc, e) < 0)
			return -1;
		if (r->opts->progress)
			r->opts->progress(r->opts->ctx, r->out, r->phase);
	} while (n > 0);
	return 0;
}

int script_run(struct stream *in, const struct script_opts *opts, struct script_result *out,
	       struct err *e)
{
	struct run r = {
		.opts = opts,
		.out = out,
		.session = { .conninfo = opts->conninfo,
			     .roles_expected = opts->cluster,
			     .early = BUF_INIT(SESSION_EARLY) },
		.since_ms = mono_ms(),
	};
	int result;

	*out = (struct script_result){ 0 };
	r.session.mishaps = &out->mishaps;
	r.session.made = &out->made;
	result = run_all(&r, in, e);
	enter(&r, SCRIPT_POST_DATA);
	enter(&r, SCRIPT_PRE_DATA);
	out->rows = r.session.rows;
	out->end = sqlscan_end_judge(&r.end, out->bytes);
	out->uncommitted = result == 0 && session_in_transaction(&r.session);
	session_close(&r.session);
	return result;
}

void script_result_free(struct script_result *r)
{
	mishaps_free(&r->mishaps);
	strv_free(&r->databases);
	strv_free(&r->made);
	*r = (struct script_result){ 0 };
}
