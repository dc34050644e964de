#include "lib/dump/sqlscan.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/lines.h"
#include "lib/dump/sqllex.h"
#include "lib/dump/sqlstmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A line is added to the text at once, a long one in parts. */
enum { PART = 64 * 1024, NAME_SHOWN = 200 };

enum mode { IN_SQL, AFTER_COPY /* the rest of its line */, IN_DATA };

/* What psql remembers to find a statement's end (src/fe_utils/psqlscan.l). */
struct statement {
	bool begun;
	size_t at; /* in the text */
	unsigned parens;
	unsigned begins;  /* BEGIN and CASE that wait for their END */
	unsigned words;   /* words so far; the first four decide */
	char initials[4]; /* of CREATE, OR, REPLACE, FUNCTION, PROCEDURE; else 0 */
};

struct sqlscan {
	char *name;
	const char *in; /* the piece */
	size_t n;
	bool last;
	enum mode mode;
	struct buf text;            /* lines whose tokens are being read */
	size_t base;                /* of it: used up */
	uint64_t text_line, text_b; /* where text.s + base is in the script */
	uint64_t line, at_b;        /* where the piece is */
	struct sqllex lex;          /* offsets count from base */
	struct statement st;
	size_t done; /* after the event that was returned: used up to there, */
	char cut;    /* and this byte stood there before the NUL */
	uint64_t copy_line;
	bool line_start;
	char held[4]; /* the end of a piece that may be the beginning of "\.\r\n" */
	size_t n_held;
};

struct sqlscan *sqlscan_new(const char *name, size_t statement_max_b)
{
	struct sqlscan *sc = xcalloc(1, sizeof(*sc));

	sc->name = xstrndup(name, NAME_SHOWN);
	sc->text = (struct buf)BUF_INIT(
		(statement_max_b ? statement_max_b : SQLSCAN_STATEMENT_MAX) + PART);
	sc->line = sc->text_line = 1;
	return sc;
}

void sqlscan_free(struct sqlscan *sc)
{
	if (sc == NULL)
		return;
	buf_free(&sc->text);
	free(sc->name);
	free(sc);
}

void sqlscan_free_auto(struct sqlscan **sc)
{
	sqlscan_free(*sc);
}

void sqlscan_feed(struct sqlscan *sc, const void *p, size_t n)
{
	sc->in = p;
	sc->n = n;
}

void sqlscan_feed_end(struct sqlscan *sc)
{
	sc->n = 0;
	sc->last = true;
}

static int refuse(const struct sqlscan *sc, struct err *e, uint64_t line, const char *what)
{
	return err_set(e, ERR_BACKUP, "read %s: line %" PRIu64 ": %s", sc->name, line, what);
}

static int refuse_nul(const struct sqlscan *sc, struct err *e, uint64_t line)
{
	return refuse(sc, e, line, "a NUL byte: this is not text; damaged");
}

static char *text_of(const struct sqlscan *sc)
{
	return sc->text.s + sc->base;
}

static size_t text_n(const struct sqlscan *sc)
{
	return sc->text.len - sc->base;
}

/* The first n bytes of the text are over; the lexer and the statement begin anew. */
static void drop(struct sqlscan *sc, size_t n)
{
	sc->text_line += lines_count(text_of(sc), n);
	sc->text_b += n;
	sc->base += n;
	sc->st = (struct statement){ 0 };
	sqllex_reset(&sc->lex);
}

/* One more line (or part of one): 1; 0: there is none in this piece. */
static int add_line(struct sqlscan *sc, struct err *e)
{
	size_t n = sc->n < PART ? sc->n : PART;
	const char *nl;

	if (n == 0)
		return 0;
	nl = memchr(sc->in, '\n', n);
	if (nl)
		n = (size_t)(nl - sc->in) + 1;
	if (memchr(sc->in, '\0', n))
		return refuse_nul(sc, e, sc->line);
	if (sc->base > 0) {
		memmove(sc->text.s, text_of(sc), text_n(sc));
		sc->text.len -= sc->base;
		sc->base = 0;
	}
	buf_add(&sc->text, sc->in, n);
	if (sc->text.full)
		return refuse(sc, e, sc->text_line, "a statement without end; damaged, or no SQL");
	sc->in += n;
	sc->n -= n;
	sc->at_b += n;
	sc->line += nl != NULL;
	return 1;
}

static void event(const struct sqlscan *sc, struct sqlscan_event *ev, enum sqlscan_kind kind,
		  size_t at, size_t n)
{
	*ev = (struct sqlscan_event){
		.kind = kind,
		.text = text_of(sc) + at,
		.n = n,
		.line = sc->text_line + lines_count(text_of(sc), at),
		.at_b = sc->text_b + at,
	};
}

/* An event made of the text: NUL-terminated there, until the next call. */
static void cut_event(struct sqlscan *sc, struct sqlscan_event *ev, enum sqlscan_kind kind,
		      size_t at, size_t n)
{
	event(sc, ev, kind, at, n);
	sc->done = at + n;
	sc->cut = text_of(sc)[sc->done];
	text_of(sc)[sc->done] = '\0';
}

static void uncut(struct sqlscan *sc)
{
	if (sc->done == 0)
		return;
	text_of(sc)[sc->done] = sc->cut;
	drop(sc, sc->done);
	sc->done = 0;
}

/* psql's rule for the bodies of SQL functions: in CREATE [OR REPLACE] FUNCTION or PROCEDURE,
 * BEGIN and (within it) CASE nest, END closes. */
static void see_word(struct sqlscan *sc, const struct sql_token *t)
{
	static const char *const heads[] = { "create", "function", "procedure", "or", "replace" };
	struct statement *st = &sc->st;
	const char *text = text_of(sc), *i = st->initials;

	if (st->words < sizeof(st->initials))
		for (size_t k = 0; k < sizeof(heads) / sizeof(heads[0]); k++)
			if (sql_is(text, t, heads[k]))
				st->initials[st->words] = heads[k][0];
	st->words++;
	if (st->parens || i[0] != 'c' ||
	    !(i[1] == 'f' || i[1] == 'p' ||
	      (i[1] == 'o' && i[2] == 'r' && (i[3] == 'f' || i[3] == 'p'))))
		return;
	if (sql_is(text, t, "begin") || (st->begins && sql_is(text, t, "case")))
		st->begins++;
	else if (st->begins && sql_is(text, t, "end"))
		st->begins--;
}

/* True when the statement ends with this byte. */
static bool see_char(struct sqlscan *sc, char c)
{
	struct statement *st = &sc->st;

	if (c == '(')
		st->parens++;
	else if (c == ')' && st->parens)
		st->parens--;
	return c == ';' && st->parens == 0 && st->begins == 0;
}

static int read_as(struct sqlscan *sc, const char *encoding, struct err *e)
{
	sc->lex.encoding = encoding_of(encoding);
	if (sc->lex.encoding != ENCODING_UNREADABLE)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "read %s: it is written in %s, which cannot be told apart safely; dump with "
		       "--encoding=UTF8, or in pg_dump's custom format",
		       sc->name, encoding);
}

/* Settings that change how the rest of the script reads. */
static int obey(struct sqlscan *sc, const struct sqlscan_event *ev, struct err *e)
{
	char value[32];

	if (sqlstmt_setting(ev->text, ev->n, "standard_conforming_strings", value, sizeof(value)))
		sc->lex.backslashes = strcasecmp(value, "off") == 0 ||
				      strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0;
	return sqlstmt_encoding(ev->text, ev->n, value, sizeof(value)) ? read_as(sc, value, e) : 0;
}

static int obey_meta(struct sqlscan *sc, const struct sqlscan_event *ev, struct err *e)
{
	static const char name[] = "\\encoding";
	char value[32];

	if (strncmp(ev->text, name, sizeof(name) - 1) != 0 ||
	    sscanf(ev->text + sizeof(name) - 1, " %31s", value) != 1)
		return 0;
	return read_as(sc, value, e);
}

static int end_statement(struct sqlscan *sc, size_t semicolon, struct sqlscan_event *ev,
			 struct err *e)
{
	/* The ';' itself is then a statement of nothing, which see() passes over. */
	cut_event(sc, ev, SQLSCAN_STATEMENT, sc->st.at, semicolon - sc->st.at);
	if (sqlstmt_is_copy_from_stdin(ev->text, ev->n)) {
		ev->kind = SQLSCAN_COPY;
		sc->mode = AFTER_COPY;
		sc->copy_line = ev->line;
	}
	return obey(sc, ev, e) < 0 ? -1 : 1;
}

/* What a token means for the statement: 1: *ev is ready; 0: go on; -1. */
static int see(struct sqlscan *sc, const struct sql_token *t, struct sqlscan_event *ev,
	       struct err *e)
{
	struct statement *st = &sc->st;
	char c = text_of(sc)[t->at];

	if (t->kind == SQL_COMMENT) {
		if (st->begun)
			return 0;
		cut_event(sc, ev, SQLSCAN_COMMENT, t->at, t->n);
		return 1;
	}
	if (t->kind == SQL_META) {
		cut_event(sc, ev, SQLSCAN_META, t->at, t->n);
		ev->amid = st->begun;
		return obey_meta(sc, ev, e) < 0 ? -1 : 1;
	}
	if (!st->begun && t->kind == SQL_CHAR && c == ';') {
		drop(sc, t->at + 1);
		return 0;
	}
	if (!st->begun) {
		st->begun = true;
		st->at = t->at;
	}
	if (t->kind == SQL_WORD)
		see_word(sc, t);
	else if (t->kind == SQL_CHAR && see_char(sc, c))
		return end_statement(sc, t->at, ev, e);
	return 0;
}

static int unfinished(const struct sqlscan *sc, const struct sql_token *t, struct err *e)
{
	size_t at = sc->st.begun ? sc->st.at : t->at;

	return refuse(sc, e, sc->text_line + lines_count(text_of(sc), at),
		      "truncated: the script ends in the middle of what begins here");
}

static int in_sql(struct sqlscan *sc, struct sqlscan_event *ev, struct err *e)
{
	struct sql_token t;
	int r;

	for (;;) {
		sqllex_next(&sc->lex, text_of(sc), text_n(sc), sc->last, &t);
		if (t.kind == SQL_END && !sc->st.begun)
			return 0;
		if (t.kind == SQL_END || t.kind == SQL_UNCLOSED)
			return unfinished(sc, &t, e);
		if (t.kind != SQL_MORE) {
			r = see(sc, &t, ev, e);
			if (r != 0)
				return r;
			continue;
		}
		/* Blanks between statements need not be kept. */
		if (!sc->st.begun && t.at > 0)
			drop(sc, t.at);
		r = add_line(sc, e);
		if (r <= 0)
			return r;
	}
}

/* COPY ... FROM stdin; has ended: its data begins on the next line. */
static int after_copy(struct sqlscan *sc, struct err *e)
{
	const char *p, *nl;
	int r;

	while ((nl = memchr(text_of(sc), '\n', text_n(sc))) == NULL) {
		r = add_line(sc, e);
		if (r == 0 && sc->last)
			return refuse(sc, e, sc->copy_line,
				      "truncated: the script ends before the data of this COPY");
		if (r <= 0)
			return r;
	}
	p = text_of(sc);
	while (p < nl && strchr("; \t\r", *p))
		p++;
	if (p < nl && strncmp(p, "--", 2) != 0)
		return refuse(sc, e, sc->copy_line, "more SQL follows COPY on the same line");
	drop(sc, (size_t)(nl - text_of(sc)) + 1);
	sc->mode = IN_DATA;
	sc->line_start = true;
	return 1;
}

/* Is "\\.", as a line, at p? Its length; 0: no; -1: perhaps, the piece ends too early. */
static int terminator(const char *p, size_t n)
{
	if (n > 1 && p[1] != '.')
		return 0;
	if (n > 2 && p[2] == '\n')
		return 3;
	if (n > 2 && p[2] != '\r')
		return 0;
	if (n > 3)
		return p[3] == '\n' ? 4 : 0;
	return -1;
}

static void take_data(struct sqlscan *sc, struct sqlscan_event *ev, enum sqlscan_kind kind,
		      size_t n, uint64_t rows)
{
	*ev = (struct sqlscan_event){ .kind = kind,
				      .text = sc->in,
				      .n = n,
				      .line = sc->line,
				      .at_b = sc->at_b,
				      .rows = rows };
	sc->in += n;
	sc->n -= n;
	sc->at_b += n;
	sc->line += rows;
}

static void end_data(struct sqlscan *sc)
{
	sc->line++;
	sc->mode = IN_SQL;
	sc->text_line = sc->line;
	sc->text_b = sc->at_b;
}

/* What was held back goes together with the next bytes: the end of the data, or data. */
static int resolve_held(struct sqlscan *sc, struct sqlscan_event *ev, struct err *e)
{
	uint64_t at_b = sc->at_b - sc->n_held;
	int k = terminator(sc->held, sc->n_held);

	while (k < 0 && sc->n > 0) {
		sc->held[sc->n_held++] = *sc->in++;
		sc->n--;
		sc->at_b++;
		k = terminator(sc->held, sc->n_held);
	}
	/* The script may end with "\\." without a line end. */
	if (k < 0 && sc->last && sc->n_held >= 2)
		k = (int)sc->n_held;
	if (k < 0 && !sc->last)
		return 0;
	if (memchr(sc->held, '\0', sc->n_held))
		return refuse_nul(sc, e, sc->line);
	*ev = (struct sqlscan_event){ .kind = k > 0 ? SQLSCAN_DATA_END : SQLSCAN_DATA,
				      .text = sc->held,
				      .n = sc->n_held,
				      .line = sc->line,
				      .at_b = at_b };
	sc->n_held = 0;
	if (k > 0) {
		end_data(sc);
	} else if (ev->text[ev->n - 1] == '\n') {
		ev->rows = 1;
		sc->line++;
	} else {
		sc->line_start = false;
	}
	return 1;
}

/* The data up to a line "\\.", whose length *k then is (-1: perhaps one), or to the end of the
 * piece; *rows lines end in it. NULL: a NUL byte. */
static const char *data_end(struct sqlscan *sc, uint64_t *rows, int *k)
{
	const char *p = sc->in, *end = p + sc->n, *slow = p;

	while (p < end) {
		const char *nl;

		if (sc->line_start && *p == '\\' && (*k = terminator(p, (size_t)(end - p))) != 0)
			return p;
		if (p >= slow) {
			size_t plain = lines_plain(p, (size_t)(end - p), rows);

			slow = p + plain + LINES_BLOCK;
			if (plain > 0) {
				p += plain;
				sc->line_start = p[-1] == '\n';
				continue;
			}
		}
		nl = memchr(p, '\n', (size_t)(end - p));
		if (memchr(p, '\0', (size_t)((nl ? nl : end) - p)))
			return NULL;
		sc->line_start = nl != NULL;
		p = nl ? nl + 1 : end;
		*rows += nl != NULL;
	}
	return p;
}

static int in_data(struct sqlscan *sc, struct sqlscan_event *ev, struct err *e)
{
	uint64_t rows = 0;
	const char *p;
	int k = 0;

	if (sc->n_held)
		return resolve_held(sc, ev, e);
	p = data_end(sc, &rows, &k);
	if (p == NULL)
		return refuse_nul(sc, e, sc->line + rows);
	if (p > sc->in) {
		take_data(sc, ev, SQLSCAN_DATA, (size_t)(p - sc->in), rows);
		return 1;
	}
	if (k > 0) {
		take_data(sc, ev, SQLSCAN_DATA_END, (size_t)k, 0);
		end_data(sc);
		return 1;
	}
	if (k < 0) {
		memcpy(sc->held, p, sc->n);
		sc->n_held = sc->n;
		sc->at_b += sc->n;
		sc->n = 0;
		return resolve_held(sc, ev, e);
	}
	if (sc->last)
		return refuse(sc, e, sc->copy_line,
			      "truncated: the script ends in the data of this COPY");
	return 0;
}

int sqlscan_next(struct sqlscan *sc, struct sqlscan_event *ev, struct err *e)
{
	int r;

	uncut(sc);
	if (sc->mode == AFTER_COPY) {
		r = after_copy(sc, e);
		if (r <= 0)
			return r;
	}
	return sc->mode == IN_DATA ? in_data(sc, ev, e) : in_sql(sc, ev, e);
}
