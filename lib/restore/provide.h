#ifndef LIB_RESTORE_PROVIDE_H
#define LIB_RESTORE_PROVIDE_H
/*
 * provide: makes in a temporary server what a dump of one database takes for granted: roles, which
 * are never in it, and tablespaces. What is there already is left as it is.
 */
#include "lib/base/err.h"
#include "lib/pg/conn.h"

/* A role that cannot log in. 1: made; 0: was there; -1. */
int provide_role(struct pg *pg, const char *name, struct err *e);

/* The same for a role that the script becomes (pg_dump --use-set-session-authorization): a
 * superuser, for what it was allowed to do is not in the dump. */
int provide_author(struct pg *pg, const char *name, struct err *e);

/* A tablespace inside the server's own data directory (allow_in_place_tablespaces, PostgreSQL 15
 * and the 2022 releases of 10 to 14). 1: made; 0: was there; -1. */
int provide_tablespace(struct pg *pg, const char *name, struct err *e);
#endif
