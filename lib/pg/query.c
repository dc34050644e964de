#include "lib/pg/query.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

enum {
	GRACE_MS = 10 * 1000,
	GRACE_MIN_MS = 2 * 1000,
	WORDS_MAX = 600,
};

void pg_clear(PGresult **r)
{
	PQclear(*r);
}

/* What at the start of text does not belong in a message: how many bytes it takes. */
static size_t unwanted(const char *text, const char *secret, const char **instead)
{
	static const char *const severities[] = { "FATAL:  ", "ERROR:  ", "PANIC:  " };

	*instead = "";
	for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
		if (strncmp(text, severities[i], strlen(severities[i])) == 0)
			return strlen(severities[i]);
	if (!secret || !*secret || strncmp(text, secret, strlen(secret)) != 0)
		return 0;
	*instead = "***";
	return strlen(secret);
}

void pg_words(struct buf *out, const char *text, const char *secret)
{
	size_t start = out->len;
	const char *instead;

	while (*text) {
		size_t n = *text == '\t' ? strcspn(text, "\n") : 0; /* a hint */

		text += n;
		if (n == 0 && *text != '\n' && out->len > start)
			buf_adds(out, "; ");
		while (*text && *text != '\n') {
			n = unwanted(text, secret, &instead);
			buf_adds(out, instead);
			if (n == 0)
				buf_addc(out, *text++);
			text += n;
		}
		text += *text == '\n';
	}
}

static int lost(struct pg *pg, struct err *e)
{
	BUF_AUTO words = BUF_INIT(WORDS_MAX);

	pg_words(&words, PQerrorMessage(pg->link), PQpass(pg->link));
	pg->why = PG_WHY_LOST;
	pg->sqlstate[0] = '\0';
	(void)err_set(e, ERR_REMOTE, "query %s: %s%s", pg->where,
		      words.len ? words.s : "the connection broke", pg_way_out(pg->why));
	pg_close(pg);
	return -1;
}

/* Takes over r, which is no rows. */
static int failed(struct pg *pg, PGresult *r, struct err *e)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	BUF_AUTO words = BUF_INIT(WORDS_MAX);

	if (!state) {
		PQclear(r);
		return lost(pg, e);
	}
	(void)snprintf(pg->sqlstate, sizeof(pg->sqlstate), "%s", state);
	pg->why = pg_why_of_sqlstate(state);
	pg_words(&words, primary ? primary : PQresultErrorMessage(r), NULL);
	(void)err_set(e, ERR_REMOTE, "query %s: %s (SQLSTATE %s)%s", pg->where, words.s,
		      pg->sqlstate, pg_way_out(pg->why));
	PQclear(r);
	/* A server that says farewell (57P01, 25P03, a FATAL conflict) closes the connection. */
	if (PQstatus(pg->link) != CONNECTION_OK)
		pg_close(pg);
	return -1;
}

/* How long after its own deadline the server may take to say so: as long again. */
static int64_t grace_ms(const struct pg *pg)
{
	const int64_t limit_ms = (int64_t)pg->target.statement_s * 1000;

	if (limit_ms == 0)
		return GRACE_MS;
	return limit_ms > GRACE_MS ? GRACE_MS : limit_ms < GRACE_MIN_MS ? GRACE_MIN_MS : limit_ms;
}

static int started(struct pg *pg, int sent, struct err *e)
{
	if (!sent)
		return lost(pg, e);
	pg->why = PG_WHY_NONE;
	pg->sqlstate[0] = '\0';
	pg->cancelled = false;
	pg->cancel_ms = 0;
	pg->row = NULL;
	if (pg->target.statement_s > 0)
		pg->cancel_ms = mono_ms() + (int64_t)pg->target.statement_s * 1000 + grace_ms(pg);
	return 0;
}

static int closed(struct pg *pg, struct err *e)
{
	pg->why = PG_WHY_LOST;
	return err_set(e, ERR_REMOTE, "query %s: the connection is closed", pg->where);
}

int pg_send(struct pg *pg, const char *sql, const char *const *params, int n, struct err *e)
{
	if (!pg->link)
		return closed(pg, e);
	return started(pg, PQsendQueryParams(pg->link, sql, n, NULL, params, NULL, NULL, 0), e);
}

/* The first failure of several statements is the story; without one, the last rows are. */
static void hold(struct pg *pg, PGresult *r)
{
	if (PQresultStatus(r) == PGRES_SINGLE_TUPLE) {
		if (pg->row && !pg->row(r, pg->row_to))
			pg->row = NULL;
		PQclear(r);
		return;
	}
	if (pg->held && PQresultStatus(pg->held) == PGRES_FATAL_ERROR) {
		PQclear(r);
		return;
	}
	PQclear(pg->held);
	pg->held = r;
}

static int give_up(struct pg *pg, struct err *e)
{
	char why[256];
	PGcancel *cancel;

	if (pg->cancelled) {
		pg_close(pg);
		pg->why = PG_WHY_TIMEOUT;
		return err_set(e, ERR_REMOTE,
			       "query %s: no answer within the time limit, nor to its "
			       "cancellation%s",
			       pg->where, pg_way_out(pg->why));
	}
	pg->cancelled = true;
	pg->cancel_ms = mono_ms() + grace_ms(pg);
	cancel = PQgetCancel(pg->link);
	if (cancel) /* refused or not: the second deadline decides */
		(void)PQcancel(cancel, why, (int)sizeof(why));
	PQfreeCancel(cancel);
	return 0;
}

static int complete(struct pg *pg, PGresult **out, struct err *e)
{
	PGresult *r = pg->held;
	ExecStatusType status;

	pg->held = NULL;
	pg->cancel_ms = 0;
	if (!r)
		return lost(pg, e);
	status = PQresultStatus(r);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
		return failed(pg, r, e);
	*out = r;
	return 1;
}

int pg_step(struct pg *pg, PGresult **out, struct err *e)
{
	if (!pg->link)
		return closed(pg, e);
	/* A failure to write or read shows again below, with the server's last words if any. */
	(void)PQflush(pg->link);
	if (!PQconsumeInput(pg->link) && PQstatus(pg->link) != CONNECTION_OK && !pg->held)
		return lost(pg, e);
	while (!PQisBusy(pg->link)) {
		PGresult *r = PQgetResult(pg->link);

		if (!r)
			return complete(pg, out, e);
		hold(pg, r);
	}
	if (pg->cancel_ms > 0 && mono_ms() >= pg->cancel_ms)
		return give_up(pg, e);
	return 0;
}

static int sleep_ms(struct pg *const *sessions, size_t n)
{
	int64_t now = mono_ms(), least = -1;

	for (size_t i = 0; i < n; i++) {
		int64_t left = sessions[i]->cancel_ms - now;

		if (sessions[i]->cancel_ms == 0)
			continue;
		if (left < 0)
			left = 0;
		if (least < 0 || left < least)
			least = left;
	}
	return least > INT_MAX - 1 ? INT_MAX : (int)least + (least >= 0);
}

int pg_wait(struct pg *const *sessions, size_t n, struct err *e)
{
	struct pollfd *fds = xcalloc(n, sizeof(*fds));
	int rc;

	for (size_t i = 0; i < n; i++) {
		fds[i].fd = PQsocket(sessions[i]->link);
		fds[i].events = POLLIN;
		if (PQflush(sessions[i]->link) == 1)
			fds[i].events |= POLLOUT;
	}
	rc = poll(fds, (nfds_t)n, sleep_ms(sessions, n));
	free(fds);
	if (rc < 0 && errno != EINTR)
		return err_set(e, ERR_SYSTEM, "wait for the database: %s", strerror(errno));
	return 0;
}

static PGresult *finish(struct pg *pg, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	while ((rc = pg_step(pg, &r, e)) == 0)
		if (pg_wait(&pg, 1, e) < 0)
			return NULL;
	return rc < 0 ? NULL : r;
}

PGresult *pg_query(struct pg *pg, const char *sql, const char *const *params, int n, struct err *e)
{
	return pg_send(pg, sql, params, n, e) < 0 ? NULL : finish(pg, e);
}

int pg_each(struct pg *pg, const char *sql, const char *const *params, int n,
	    bool (*take)(const PGresult *row, void *to), void *to, struct err *e)
{
	PGRESULT_AUTO *end = NULL;

	if (pg_send(pg, sql, params, n, e) < 0)
		return -1;
	/* It only fails where no query runs. */
	(void)PQsetSingleRowMode(pg->link);
	pg->row = take;
	pg->row_to = to;
	end = finish(pg, e);
	return end ? 0 : -1;
}

int pg_run(struct pg *pg, const char *sql, struct err *e)
{
	PGRESULT_AUTO *r = NULL;

	if (!pg->link)
		return closed(pg, e);
	if (started(pg, PQsendQuery(pg->link, sql), e) < 0)
		return -1;
	r = finish(pg, e);
	return r ? 0 : -1;
}

const char *pg_cell(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column) ? NULL : PQgetvalue(r, row, column);
}

bool pg_cell_int(const PGresult *r, int row, int column, int64_t *out)
{
	struct err ignored;
	const char *s = pg_cell(r, row, column);

	return s && num_i64(s, INT64_MIN, INT64_MAX, out, &ignored) == 0;
}

bool pg_cell_true(const PGresult *r, int row, int column)
{
	return PQgetvalue(r, row, column)[0] == 't';
}

int pg_quote(struct pg *pg, const char *schema, const char *name, struct buf *out, struct err *e)
{
	const char *parts[] = { schema, name };

	for (size_t i = schema ? 0 : 1; i < 2; i++) {
		char *quoted =
			pg->link ? PQescapeIdentifier(pg->link, parts[i], strlen(parts[i])) : NULL;

		if (!quoted)
			return err_set(e, ERR_REMOTE, "quote the name %s: %s", parts[i],
				       pg->link ? PQerrorMessage(pg->link)
						: "the connection is closed");
		buf_adds(out, quoted);
		if (i == 0)
			buf_addc(out, '.');
		PQfreemem(quoted);
	}
	return out->full ? err_set(e, ERR_SYSTEM, "quote the name %s: too long", name) : 0;
}
