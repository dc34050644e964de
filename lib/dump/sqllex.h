#ifndef LIB_DUMP_SQLLEX_H
#define LIB_DUMP_SQLLEX_H
/*
 * sqllex: SQL text into tokens, as PostgreSQL's and psql's own lexers see it (src/backend/
 * parser/scan.l, src/fe_utils/psqlscan.l): all kinds of quotes, dollar quotes, nested comments.
 *
 * The text may grow between two calls (a statement that is still being read); offsets into it
 * stay valid, pointers do not. Of encodings whose later bytes may look like ASCII it must be told
 * (encoding.h).
 */
#include "lib/dump/encoding.h"

#include <stdbool.h>
#include <stddef.h>

enum sql_kind {
	SQL_MORE,     /* text is used up, and the next token has perhaps begun; not when final */
	SQL_END,      /* final: there is nothing more */
	SQL_UNCLOSED, /* final: the text ends inside a quote or a comment, which begins at t->at */
	SQL_WORD,     /* keyword or identifier without quotes */
	SQL_NAME,     /* identifier in double quotes */
	SQL_STRING,   /* '...', E'...', $$...$$ and their like */
	SQL_NUMBER,   /* also a parameter, $1 */
	SQL_COMMENT,  /* to the end of the line (without it), or a block */
	SQL_META,     /* psql's: a backslash and the rest of its line */
	SQL_CHAR,     /* any other byte, by itself */
};

struct sql_token {
	enum sql_kind kind;
	size_t at, n; /* where in the text */
};

struct sqllex {
	bool backslashes; /* standard_conforming_strings is off: '...' knows backslashes */
	enum encoding_kind encoding;
	size_t at; /* what is before has been told */
	/* A token that is not over yet: its rule, how far it was looked at, what closes it. */
	int inside;
	size_t seen;
	size_t tag_n;
	unsigned depth;
	/* Where the last E'' string ended: 'more' on a later line continues it. */
	size_t e_string_end;
};

/* Begins (anew) at the start of a text; keeps .backslashes and .encoding. */
void sqllex_reset(struct sqllex *lx);

enum sql_kind sqllex_next(struct sqllex *lx, const char *text, size_t n, bool final,
			  struct sql_token *t);

/* The next token of a whole text that is no comment: for looking into statements. */
enum sql_kind sqllex_meaning(struct sqllex *lx, const char *text, size_t n, struct sql_token *t);

/* Is the token this keyword (given in lower case)? */
bool sql_is(const char *text, const struct sql_token *t, const char *word);

/* An identifier's or a string's value into out, as PostgreSQL reads it: folded to lower case,
 * quotes undone ('' and "" only, no backslashes or U&). False when it does not fit or is neither.
 */
bool sql_value(const char *text, const struct sql_token *t, char *out, size_t size);
#endif
