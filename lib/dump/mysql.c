#include "lib/dump/mysql.h"

#include "lib/dump/ahead.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 256, LINE_MAX_B = 128 };

enum mode {
	IN_CODE,   /* between statements, or in one */
	IN_VALUES, /* behind the VALUES of an INSERT */
	IN_QUOTES,
	IN_LINE,  /* a comment to the end of its line */
	IN_BLOCK, /* a comment to its closing mark */
	IN_OTHER, /* another delimiter is in force: a line "DELIMITER ;" ends it */
};

enum verb { NO_VERB, INSERT, USE, LOCK, UNLOCK, OTHER_VERB };

struct statement {
	enum verb verb;
	unsigned depth;      /* of parentheses */
	char name[WORD_MAX]; /* the last identifier outside of them */
	uint64_t rows, bytes;
};

struct mysql {
	struct census *rows;
	enum mode mode, quoted_in;
	struct statement st;
	char word[WORD_MAX]; /* or what is in quotes */
	size_t word_n;
	size_t closed_n;  /* of a name whose quotes were closed just now: */
	bool closed;      /* the same quote again means that it goes on */
	char quote, last; /* last: the byte before, where two of them mean something */
	bool escaped, first_line;
	char line[LINE_MAX_B];
	size_t line_n;
	char database[WORD_MAX];
	unsigned locked, unlocked;
	bool header, footer; /* footer: nothing has come behind it */
};

static void begin_statement(struct mysql *m)
{
	m->st = (struct statement){ .verb = NO_VERB };
	m->word_n = 0;
}

static void end_statement(struct mysql *m)
{
	struct census_table *t;

	if (m->st.verb == INSERT && m->st.name[0]) {
		t = census_table(m->rows, m->database, m->st.name);
		tally_insert(&t->tally, m->st.rows, m->st.bytes);
		t->whole = true;
	}
	if (m->st.verb == USE)
		(void)snprintf(m->database, sizeof(m->database), "%s", m->st.name);
	m->locked += m->st.verb == LOCK;
	m->unlocked += m->st.verb == UNLOCK;
	begin_statement(m);
	m->mode = IN_CODE;
}

static enum verb verb_of(const char *word)
{
	static const struct {
		const char *word;
		enum verb verb;
	} verbs[] = {
		{ "INSERT", INSERT }, { "REPLACE", INSERT }, { "USE", USE },
		{ "LOCK", LOCK },     { "UNLOCK", UNLOCK },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcasecmp(word, verbs[i].word) == 0)
			return verbs[i].verb;
	return OTHER_VERB;
}

static void take_name(struct mysql *m)
{
	if (m->st.depth == 0)
		(void)snprintf(m->st.name, sizeof(m->st.name), "%s", m->word);
}

/* A word without quotes is over. */
static void end_word(struct mysql *m)
{
	m->word[m->word_n] = '\0';
	m->word_n = 0;
	/* The version in a comment that is code: 40101. */
	if (m->word[0] == '\0' || isdigit((unsigned char)m->word[0]))
		return;
	if (m->st.verb == NO_VERB && strcasecmp(m->word, "DELIMITER") == 0) {
		m->mode = IN_OTHER;
		m->first_line = true;
		m->line_n = 0;
	} else if (m->st.verb == NO_VERB) {
		m->st.verb = verb_of(m->word);
		m->st.bytes = strlen(m->word) + 1;
	} else if (m->st.verb == INSERT && m->st.depth == 0 &&
		   (strcasecmp(m->word, "VALUES") == 0 || strcasecmp(m->word, "VALUE") == 0)) {
		m->mode = IN_VALUES;
	} else if (strcasecmp(m->word, "INTO") != 0 && strcasecmp(m->word, "IGNORE") != 0) {
		take_name(m);
	}
}

static void begin_quotes(struct mysql *m, char c)
{
	m->quoted_in = m->mode;
	m->mode = IN_QUOTES;
	m->quote = c;
	m->word_n = 0;
	m->escaped = false;
}

static void add(char *to, size_t size, size_t *n, char c)
{
	if (*n + 1 < size)
		to[(*n)++] = c;
}

/* One byte outside quotes and comments. */
static void see_code(struct mysql *m, char c)
{
	char last = m->last;
	bool doubled = m->closed && c == m->quote;

	m->closed = false;
	m->last = c;
	if (doubled) {
		m->mode = IN_QUOTES;
		m->word_n = m->closed_n;
		add(m->word, sizeof(m->word), &m->word_n, c);
		return;
	}
	if (isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80) {
		m->footer = false;
		add(m->word, sizeof(m->word), &m->word_n, c);
		return;
	}
	if (m->word_n > 0)
		end_word(m);
	if (m->mode != IN_CODE || isspace((unsigned char)c))
		return;
	m->footer = m->footer && c == '-';
	if (c == '\'' || c == '"' || c == '`')
		begin_quotes(m, c);
	else if (c == '(')
		m->st.depth++;
	else if (c == ')' && m->st.depth)
		m->st.depth--;
	else if (c == ';')
		end_statement(m);
	else if (c == '#' || (c == '-' && last == '-' && m->st.verb == NO_VERB))
		m->mode = IN_LINE, m->line_n = 0;
	else if (c == '*' && last == '/')
		m->mode = IN_BLOCK, m->last = '\0', m->line_n = 0;
}

/* "-- Dump completed", "-- Dump completed on 2018-01-15  1:56:53" */
static bool is_footer(const char *line)
{
	static const char words[] = " Dump completed", shape[] = " on 0000-00-00 _0:00:00";
	const char *p = line + sizeof(words) - 1;

	if (strncmp(line, words, sizeof(words) - 1) != 0)
		return false;
	if (*p == '\0')
		return true;
	for (size_t i = 0; i < sizeof(shape) - 1; i++, p++)
		if (shape[i] == '0'   ? !isdigit((unsigned char)*p)
		    : shape[i] == '_' ? *p != ' ' && !isdigit((unsigned char)*p)
				      : *p != shape[i])
			return false;
	return *p == '\0';
}

static void end_line(struct mysql *m)
{
	while (m->line_n && isspace((unsigned char)m->line[m->line_n - 1]))
		m->line_n--;
	m->line[m->line_n] = '\0';
	m->line_n = 0;
}

static void end_comment(struct mysql *m)
{
	end_line(m);
	m->header = m->header || strncmp(m->line, " MySQL dump", 11) == 0 ||
		    strncmp(m->line, " MariaDB dump", 13) == 0;
	m->footer = is_footer(m->line);
	m->mode = IN_CODE;
	m->last = '\n';
}

/* Routines and triggers: nothing in them is of interest but where they end. */
static void see_other(struct mysql *m, char c)
{
	if (c != '\n') {
		add(m->line, sizeof(m->line), &m->line_n, c);
		return;
	}
	end_line(m);
	if (strcmp(m->line, m->first_line ? " ;" : "DELIMITER ;") == 0 ||
	    (m->first_line && strcmp(m->line, ";") == 0)) {
		begin_statement(m);
		m->mode = IN_CODE;
	}
	m->first_line = false;
}

/* An exclamation mark first: a comment that MySQL reads as code. */
static void see_block(struct mysql *m, char c)
{
	if ((m->line_n++ == 0 && c == '!') || (c == '/' && m->last == '*'))
		m->mode = IN_CODE;
	m->last = c;
}

static void end_quotes(struct mysql *m)
{
	m->word[m->word_n] = '\0';
	m->closed_n = m->word_n;
	m->word_n = 0;
	m->mode = m->quoted_in;
	m->last = '\0';
	m->closed = m->mode == IN_CODE;
	if (m->closed && m->quote != '\'')
		take_name(m);
}

/* In values a doubled quote closes and opens again, which comes to the same; only names are kept.
 * Returns where it stopped. */
static const char *see_quotes(struct mysql *m, const char *p, const char *end)
{
	if (m->escaped) {
		m->escaped = false;
		return p + 1;
	}
	while (p < end && *p != m->quote && (*p != '\\' || m->quote == '`')) {
		if (m->quoted_in == IN_CODE)
			add(m->word, sizeof(m->word), &m->word_n, *p);
		p++;
	}
	if (p == end)
		return p;
	if (*p == '\\')
		m->escaped = true;
	else
		end_quotes(m);
	return p + 1;
}

/* Value lists; returns where it stopped. */
static const char *see_values(struct mysql *m, const char *p, const char *end)
{
	for (; p < end; p++) {
		switch (*p) {
		case '(':
			m->st.rows += m->st.depth++ == 0;
			break;
		case ')':
			m->st.depth -= m->st.depth > 0;
			break;
		case '\'':
		case '"':
		case '`':
			begin_quotes(m, *p);
			return p + 1;
		case ';':
			m->st.bytes++;
			end_statement(m);
			return p + 1;
		default:
			break;
		}
	}
	return p;
}

static const char *see_byte(struct mysql *m, const char *p)
{
	if (m->mode == IN_CODE)
		see_code(m, *p);
	else if (m->mode == IN_OTHER)
		see_other(m, *p);
	else if (m->mode == IN_BLOCK)
		see_block(m, *p);
	else if (*p == '\n')
		end_comment(m);
	else
		add(m->line, sizeof(m->line), &m->line_n, *p);
	return p + 1;
}

static void see(struct mysql *m, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *from = p;
		enum verb verb = m->st.verb;

		if (m->mode == IN_VALUES)
			p = see_values(m, p, end);
		else if (m->mode == IN_QUOTES)
			p = see_quotes(m, p, end);
		else
			p = see_byte(m, p);
		if (m->st.verb == verb)
			m->st.bytes += (uint64_t)(p - from);
	}
}

static int judge(struct mysql *m, const struct stream *s, char *note, size_t note_size,
		 struct err *e)
{
	const bool cut = m->mode == IN_LINE;
	bool amid;

	if (cut)
		end_comment(m);
	amid = m->mode != IN_CODE || m->st.verb != NO_VERB || m->word_n;
	if (amid)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated: it ends in the middle of a statement, at "
			       "byte %" PRIu64,
			       stream_name(s), stream_out_b(s));
	if (m->header && !m->footer)
		return err_set(
			e, ERR_BACKUP,
			"read %.200s: truncated: \"-- Dump completed\" is missing at its end",
			stream_name(s));
	if (m->locked != m->unlocked)
		return err_set(e, ERR_BACKUP, "read %.200s: truncated: it ends with a table locked",
			       stream_name(s));
	if (cut)
		(void)snprintf(note, note_size,
			       "complete but for the line end at its very end: cut there?");
	else if (!m->header)
		(void)snprintf(note, note_size,
			       "made with --skip-comments: no end mark could prove that it is "
			       "whole");
	return 0;
}

static int judge_xml(const struct stream *s, const char tail[LINE_MAX_B], char *note,
		     size_t note_size, struct err *e)
{
	static const char close[] = "</mysqldump>";
	const char *at = strstr(tail, close);

	if (at == NULL || strspn(at + strlen(close), " \r\n") != strlen(at + strlen(close)))
		return err_set(e, ERR_BACKUP, "read %.200s: truncated: %s is missing at its end",
			       stream_name(s), close);
	(void)snprintf(note, note_size, "complete; rows are not counted in XML");
	return 0;
}

/* The last bytes, as text. */
static void keep_tail(char tail[LINE_MAX_B], const char *p, size_t n)
{
	size_t have = strlen(tail), k = n < LINE_MAX_B - 1 ? n : LINE_MAX_B - 1;
	size_t keep = have + k > LINE_MAX_B - 1 ? LINE_MAX_B - 1 - k : have;

	memmove(tail, tail + have - keep, keep);
	memcpy(tail + keep, p + n - k, k);
	tail[keep + k] = '\0';
}

int mysql_count(struct stream *s, struct census *rows, char *note, size_t note_size, struct err *e)
{
	struct mysql m = { .rows = rows, .last = '\n' };
	char tail[LINE_MAX_B] = "";
	AHEAD_AUTO *a = ahead_open(s);
	const unsigned char *p;
	bool xml = false, first = true;
	ssize_t n;

	while ((n = ahead_next(a, &p, e)) > 0) {
		if (first)
			xml = p[0] == '<';
		first = false;
		if (xml)
			keep_tail(tail, (const char *)p, (size_t)n);
		else
			see(&m, (const char *)p, (size_t)n);
	}
	if (n < 0)
		return -1;
	return xml ? judge_xml(s, tail, note, note_size, e) : judge(&m, s, note, note_size, e);
}
