#ifndef LIB_RESTORE_SCRIPT_H
#define LIB_RESTORE_SCRIPT_H
/*
 * script: restores plain SQL - of pg_dump, pg_dumpall or anybody - into a temporary server over
 * libpq, never through psql: no meta-command can run a program or write a file.
 *
 * What pg_dump wrote is restored by several sessions at a time (crew.h) while it is still being
 * read and unpacked: COPY blocks, indexes and constraints, as far as the order of the script cannot
 * matter (order.h; a COPY also needs a table without triggers and rules, and without constraints
 * that call functions). All else, and scripts that others wrote, run statement by statement.
 *
 * Of psql's commands only \restrict, \unrestrict, \encoding and \connect (to another database of
 * the same server) have a meaning; the others, and statements that act outside the database
 * (outside.h), are refused, noted with their line, and passed over. Whatever the server refuses is
 * noted as well, and the restore goes on, as psql does. Memory is constant (ahead_b).
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/dump/sqlscan.h"
#include "lib/dump/stream.h"
#include "lib/restore/mishap.h"

#include <stdbool.h>
#include <stdint.h>

enum script_phase { SCRIPT_PRE_DATA, SCRIPT_DATA, SCRIPT_POST_DATA, SCRIPT_PHASES };

struct script_result {
	struct mishaps mishaps;
	uint64_t statements; /* run, COPY among them */
	uint64_t left_out;   /* statements, for rows_only */
	uint64_t copies;
	uint64_t rows;                   /* that COPY brought in */
	uint64_t bytes;                  /* of the script, unpacked */
	uint64_t copy_bytes;             /* of them: rows for COPY */
	int64_t unpack_ms;               /* spent on reading and unpacking, while sessions worked */
	int64_t phase_ms[SCRIPT_PHASES]; /* tables; data; indexes, constraints and the rest */
	struct strv databases;           /* connected to by name, in order */
	struct strv made; /* what the dump took for granted: "role alice", "tablespace fast" */
	enum sqlscan_verdict end;
	bool uncommitted; /* it ended in an open transaction, whose work is lost */
};

struct script_opts {
	const char *conninfo;        /* of the temporary server */
	const char *dbname;          /* where it begins */
	const struct strv *left_out; /* extensions (session.h); may be NULL */
	bool cluster;                /* of pg_dumpall: it makes its roles itself */
	unsigned sessions; /* that may work at a time; 0: not of pg_dump, keep to its order */
	size_t ahead_b;    /* what may be read ahead of them */
	bool rows_only;    /* leave out what pg_dump makes after the rows; with sessions */
	/* May be NULL: called now and then with what was done so far. */
	void (*progress)(void *ctx, const struct script_result *so_far, enum script_phase phase);
	void *ctx;
};

/* 0: came to the end of the script, whatever is in *out. -1 with *e: could not go on; ERR_BACKUP
 * for a script that is cut or damaged, ERR_SYSTEM for a server that is gone or full. *out then
 * holds what was done until then; always the caller's to free. */
int script_run(struct stream *in, const struct script_opts *opts, struct script_result *out,
	       struct err *e);
void script_result_free(struct script_result *r);
#endif
