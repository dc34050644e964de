#include "lib/restore/script.h"

#include "lib/base/utc.h"
#include "lib/dump/sqlstmt.h"
#include "lib/pg/query.h"
#include "lib/restore/crew.h"
#include "lib/restore/meta.h"
#include "lib/restore/order.h"
#include "lib/restore/session.h"

#include <stdlib.h>
#include <string.h>

enum { NAME = 256 };

struct run {
	const struct script_opts *opts;
	struct script_result *out;
	struct session session; /* the one that everything can be given to */
	struct crew *crew;      /* NULL: nobody else */
	bool strict;            /* until the next database: statement by statement */
	bool copy_by_crew;
	bool after_rows; /* rows_only: what follows is left out */
	struct sqlscan_end end;
	enum script_phase phase;
	int64_t since_ms;   /* this phase, or what came after it */
	int64_t waiting_ms; /* statements after data: post-data, unless more data follows */
};

/* Puts the time since the last call to the phase that is over. Rows may still go in while what
 * comes behind them has been read already. */
static void enter(struct run *r, enum script_phase phase)
{
	int64_t now = mono_ms(), copied = r->crew ? crew_copied_ms(r->crew) : 0, spent;
	int64_t *ms = r->out->phase_ms;

	if (r->phase == SCRIPT_POST_DATA && copied > r->since_ms) {
		ms[SCRIPT_DATA] += copied - r->since_ms;
		r->since_ms = copied;
	}
	spent = now - r->since_ms;
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

/* May others work at the same time? Not while a transaction hides from them what it did. */
static bool has_help(const struct run *r)
{
	return r->crew && !r->strict && r->session.db.link && !session_in_transaction(&r->session);
}

/* When all that is before it in the script is done. */
static int run_alone(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	if (r->crew && crew_drain(r->crew, e) < 0)
		return -1;
	return session_run(&r->session, ev->line, ev->text, e);
}

static int run_setting(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	if (r->crew && !crew_set(r->crew, ev->text))
		r->strict = true;
	return session_run(&r->session, ev->line, ev->text, e);
}

static void change_phase(struct run *r, const struct sqlscan_event *ev)
{
	if (is_insert(ev->text, ev->n)) {
		r->after_rows = false;
		if (r->phase != SCRIPT_DATA)
			enter(r, SCRIPT_DATA);
	} else if (r->phase == SCRIPT_DATA) {
		enter(r, SCRIPT_POST_DATA);
	}
}

static int run_statement(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	struct order o;

	change_phase(r, ev);
	order_of(ev->text, ev->n, &o);
	r->after_rows |= o.post_data && r->opts->rows_only;
	if (r->after_rows) {
		r->out->left_out++;
		return 0;
	}
	r->out->statements++;
	r->strict |= o.kind == ORDER_STRICT;
	if (!has_help(r)) {
		r->strict |= o.kind == ORDER_SETTING;
		return run_alone(r, ev, e);
	}
	if (o.kind == ORDER_SETTING)
		return run_setting(r, ev, e);
	if (o.kind == ORDER_TABLES && crew_knows(r->crew, &o))
		return crew_run(r->crew, ev->line, ev->text, &o, e);
	return run_alone(r, ev, e);
}

/* Can no other table's rows make a difference for the rows of this one? (A constraint that calls a
 * function may look at them.) What cannot be told is told by COPY in its turn. */
static bool stands_alone(struct run *r, const char *copy)
{
	static const char query[] =
		"SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) "
		"AND c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules "
		"AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k "
		"JOIN pg_catalog.pg_depend d ON d.objid = k.oid "
		"AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass "
		"AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass "
		"WHERE k.conrelid = c.oid OR k.contypid IN (SELECT a.atttypid "
		"FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))";
	char table[2 * NAME];
	const char *values[] = { table };
	struct err e = { 0 };
	PGRESULT_AUTO *found = NULL;

	if (!sqlstmt_copy_target(copy, strlen(copy), table, sizeof(table)))
		return false;
	found = pg_query(&r->session.db, query, values, 1, &e);
	return found && PQntuples(found) == 1;
}

static int begin_copy(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	struct order o;

	if (r->phase != SCRIPT_DATA)
		enter(r, SCRIPT_DATA);
	r->after_rows = false;
	r->out->statements++;
	r->out->copies++;
	r->copy_by_crew =
		has_help(r) && order_of_copy(ev->text, ev->n, &o) && stands_alone(r, ev->text);
	if (r->copy_by_crew)
		return crew_copy_begin(r->crew, ev->line, ev->text, &o, e);
	if (r->crew && crew_drain(r->crew, e) < 0)
		return -1;
	session_copy_begin(&r->session, ev->line, ev->text);
	return 0;
}

static int put_rows(struct run *r, const struct sqlscan_event *ev, struct err *e)
{
	r->out->copy_bytes += ev->n;
	if (r->copy_by_crew)
		return crew_copy_put(r->crew, ev->text, ev->n, e);
	return session_copy_put(&r->session, ev->text, ev->n, e);
}

static int end_copy(struct run *r, struct err *e)
{
	if (!r->copy_by_crew)
		return session_copy_end(&r->session, e);
	crew_copy_end(r->crew);
	return 0;
}

static int change_database(struct run *r, uint64_t line, const char *name, struct err *e)
{
	if (r->crew) {
		if (crew_drain(r->crew, e) < 0)
			return -1;
		crew_enter(r->crew, name);
	}
	r->strict = r->after_rows = false;
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
		r->strict = true;
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
		return begin_copy(r, ev, e);
	case SQLSCAN_DATA:
		return put_rows(r, ev, e);
	case SQLSCAN_DATA_END:
		return end_copy(r, e);
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
		int64_t asked_ms = mono_ms() - stream_waited_ms(in);

		n = stream_next(in, &p, e);
		r->out->unpack_ms += mono_ms() - stream_waited_ms(in) - asked_ms;
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

static int get_help(struct run *r, struct err *e)
{
	const struct crew_opts opts = { .conninfo = r->opts->conninfo,
					.left_out = r->opts->left_out,
					.roles_expected = r->opts->cluster,
					.sessions = r->opts->sessions,
					.ahead_b = r->opts->ahead_b };

	if (opts.sessions == 0)
		return 0;
	r->crew = crew_new(&opts, e);
	if (r->crew == NULL)
		return -1;
	crew_enter(r->crew, r->opts->dbname);
	return 0;
}

/* What was handed over is done, however the script ended. */
static int end_help(struct run *r, int result, struct err *e)
{
	const struct crew_result out = { .mishaps = &r->out->mishaps,
					 .made = &r->out->made,
					 .rows = &r->out->rows };
	struct err theirs = { 0 };

	if (r->crew == NULL)
		return result;
	(void)crew_drain(r->crew, &theirs); /* for the phases; what it says is said again */
	enter(r, SCRIPT_POST_DATA);
	if (crew_end(r->crew, &out, &theirs) < 0 && result == 0) {
		*e = theirs;
		result = -1;
	}
	r->crew = NULL;
	return result;
}

int script_run(struct stream *in, const struct script_opts *opts, struct script_result *out,
	       struct err *e)
{
	struct run r = {
		.opts = opts,
		.out = out,
		.session = { .conninfo = opts->conninfo,
			     .left_out = opts->left_out,
			     .roles_expected = opts->cluster,
			     .early = BUF_INIT(SESSION_EARLY) },
		.since_ms = mono_ms(),
	};
	int result;

	*out = (struct script_result){ 0 };
	r.session.mishaps = &out->mishaps;
	r.session.made = &out->made;
	result = get_help(&r, e) < 0 ? -1 : run_all(&r, in, e);
	result = end_help(&r, result, e);
	enter(&r, SCRIPT_POST_DATA);
	enter(&r, SCRIPT_PRE_DATA);
	out->rows += r.session.rows;
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
