#ifndef LIB_RESTORE_PGRESTORE_H
#define LIB_RESTORE_PGRESTORE_H
/*
 * pgrestore: runs pg_restore and understands what it complains about.
 *
 * pg_restore goes on after a failed statement and exits with status 1 in the end; each failure is
 * on its standard error (PostgreSQL src/bin/pg_dump/pg_backup_archiver.c, warn_or_exit_horribly):
 *
 *	pg_restore: while PROCESSING TOC:
 *	pg_restore: from TOC entry 215; 1259 16386 TABLE orders shop
 *	pg_restore: error: could not execute query: ERROR:  relation "orders" already exists
 *	Command was: CREATE TABLE public.orders (
 *	    id integer
 *	);
 *	pg_restore: warning: errors ignored on restore: 1
 *
 * With several jobs each of its processes says such things, in pieces, at the same time: what one
 * of them says is read by itself (voices.h). The last words of one that damaged data ended are
 * therefore always there, and one that ended without a word was killed.
 */
#include "lib/base/buf.h"
#include "lib/base/proc.h"
#include "lib/restore/mishap.h"

/* What one of its processes says: the failure that is being read. */
struct pgrestore_voice {
	pid_t who;
	struct buf error, statement, at;
	bool in_statement;
};

/* Reading its standard error, line by line. Start from PGRESTORE_SAID_INIT. */
struct pgrestore_said {
	struct pgrestore_voice *voices;
	size_t n;
	struct buf last;   /* of all lines */
	unsigned declared; /* "errors ignored on restore" */
	unsigned seen;
};
#define PGRESTORE_SAID_INIT \
	{ \
		.last = BUF_INIT(300) \
	}

void pgrestore_line(struct pgrestore_said *s, pid_t who, const char *line, struct mishaps *m);

/* status: of wait(2). What it declared or died of without a line about it is a failure too. */
void pgrestore_end(struct pgrestore_said *s, int status, struct mishaps *m);

void pgrestore_said_free(struct pgrestore_said *s);

/* What a run with several jobs has come to. */
enum pgrestore_at {
	PGRESTORE_MADE, /* all that comes before rows is there */
	PGRESTORE_ROWS, /* the rows of one more table, or the large objects, are in */
};

struct pgrestore {
	const struct proc *how; /* whose argv and fd are filled in here */
	const char *bindir;
	const char *conninfo;
	const char *const *sections; /* of "pre-data", "data", "post-data"; ends with NULL */
	unsigned jobs;               /* 1 for what cannot be read in parallel (tar) */
	const char *list;            /* a file that names the entries to restore; NULL: all */
	const char *path;            /* of the archive */
	void (*see)(void *ctx, enum pgrestore_at at); /* NULL: nobody looks */
	void *ctx;
};

/* Runs it to its end. 0 whatever failed in the database (see *m); -1 when it could not be run. */
int pgrestore_run(const struct pgrestore *p, struct mishaps *m, struct err *e);
#endif
