#ifndef LIB_DUMP_SQLSCAN_H
#define LIB_DUMP_SQLSCAN_H
/*
 * sqlscan: a script of pg_dump, pg_dumpall or another maker, cut into what is in it: statements,
 * COPY data, psql's meta-commands, comments. Fed with pieces of any size; the events do not
 * depend on where the pieces are cut (but one run of COPY data may come as several events).
 *
 *	while (!over) {
 *		sqlscan_feed(sc, p, n);                      // or sqlscan_feed_end(sc)
 *		while ((r = sqlscan_next(sc, &ev, &e)) > 0)
 *			...
 *	}
 *
 * Statements end where psql ends them: at a ';' outside quotes, comments, parentheses and the
 * BEGIN ATOMIC ... END of SQL functions. COPY data is passed on where it lies, not copied, at the
 * speed of lines.h; a statement is collected, so memory is bounded by statement_max_b.
 * ERR_BACKUP: a NUL byte, a statement that is too long, an end in the middle of something.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sqlscan_kind {
	SQLSCAN_STATEMENT, /* without its ';', NUL-terminated; never empty */
	SQLSCAN_COPY,      /* a statement COPY ... FROM stdin: its data follows */
	SQLSCAN_DATA,      /* raw lines of it, perhaps cut anywhere */
	SQLSCAN_DATA_END,  /* the line \. */
	SQLSCAN_META,      /* \connect shop: without the line's end, NUL-terminated */
	SQLSCAN_COMMENT,   /* a comment between two statements, NUL-terminated */
};

struct sqlscan_event {
	enum sqlscan_kind kind;
	const char *text; /* until the next call */
	size_t n;
	uint64_t line; /* where it begins, from 1 */
	uint64_t at_b; /* the same in bytes, from 0 */
	uint64_t rows; /* DATA: lines that end in it */
	bool amid;     /* META: in the middle of a statement, which is dropped */
};

struct sqlscan;

/* name: of the file, for messages. statement_max_b 0: SQLSCAN_STATEMENT_MAX. */
struct sqlscan *sqlscan_new(const char *name, size_t statement_max_b);
void sqlscan_free(struct sqlscan *sc);
void sqlscan_free_auto(struct sqlscan **sc);
#define SQLSCAN_AUTO __attribute__((cleanup(sqlscan_free_auto))) struct sqlscan

#define SQLSCAN_STATEMENT_MAX ((size_t)256 << 20)

/* The next piece; it must stay as it is until sqlscan_next() has returned 0. */
void sqlscan_feed(struct sqlscan *sc, const void *p, size_t n);
void sqlscan_feed_end(struct sqlscan *sc);

/* 1: *ev; 0: the piece is used up (after sqlscan_feed_end(): all is well and over); -1: *e. */
int sqlscan_next(struct sqlscan *sc, struct sqlscan_event *ev, struct err *e);

/* Whether a script of pg_dump or pg_dumpall came to its end: show it every event. Each part that
 * begins with such a comment must end with its counterpart, each \restrict with its \unrestrict,
 * and nothing but comments may follow. */
enum { SQLSCAN_TOKEN = 128 };
enum sqlscan_closing { SQLSCAN_OPEN, SQLSCAN_DASHES, SQLSCAN_UNRESTRICT, SQLSCAN_CLOSED };
struct sqlscan_end {
	bool in_dump, in_cluster;     /* begun, not complete */
	enum sqlscan_closing closing; /* how much of the closing comment has been seen */
	char token[SQLSCAN_TOKEN];    /* of the \restrict in force */
	uint64_t at_b;                /* where it closed */
	bool blank;                   /* the empty line after that was there */
};
void sqlscan_end_see(struct sqlscan_end *end, const struct sqlscan_event *ev);

enum sqlscan_verdict {
	SQLSCAN_CUT,     /* the end is missing */
	SQLSCAN_CLIPPED, /* all is there but the empty line at the very end */
	SQLSCAN_WHOLE,
};
/* total_b: bytes of the whole script. */
enum sqlscan_verdict sqlscan_end_judge(const struct sqlscan_end *end, uint64_t total_b);
#endif
