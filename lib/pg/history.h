#ifndef LIB_PG_HISTORY_H
#define LIB_PG_HISTORY_H
/*
 * history: a history (lib/base/history.h) at any place: a file, a directory, or a table of
 * PostgreSQL, for fleets.
 *
 * The table is backup_probes.history, made on first use by whoever may: a row for each run, with
 * its label, its number in the chain (both the key), its time, and the very line that a file would
 * hold. A writer needs INSERT and SELECT on it, nothing else; docs/history.md has the statements.
 *
 * Writers of a label wait for each other (an advisory lock), and what was acknowledged was
 * committed with synchronous_commit on, whatever the server's default. A server that goes away
 * meanwhile is asked again for some seconds; whether the row is there already is looked up first.
 * Lines are read in constant memory, the newest first, in batches. What the connection string
 * leaves open comes from PGPASSFILE, PGSERVICEFILE and so on, but not from PGHOST, PGPORT, PGUSER
 * and PGDATABASE (conn.h, PG_ENV_NO_ADDRESS).
 */
#include "lib/base/history.h"

/* A place as the option --history and the variable HISTORY have it. A password is taken from the
 * variable alone, for every user of the machine can read arguments. */
struct history *pg_history_open(const char *place);
#endif
