#ifndef LIB_RESTORE_MEND_H
#define LIB_RESTORE_MEND_H
/*
 * mend: what a dump takes for granted and a temporary server does not have. session.h says what is
 * done about it, and calls this.
 */
#include "lib/base/buf.h"
#include "lib/restore/session.h"

#include <libpq-fe.h>

/* Was it a missing role or tablespace that made sql fail, and is it there now? */
bool mend_missing(struct session *s, const PGresult *r, const char *sql);

/* In a transaction a failure would end it all: the roles that sql names are made before. */
void mend_before(struct session *s, const char *sql);

/* CREATE TABLESPACE name [OWNER role] LOCATION 'directory': made inside the data directory instead.
 * False when sql is another statement. */
bool mend_tablespace(struct session *s, uint64_t line, const char *sql);

/* CREATE DATABASE failed for its locale: the same without one. */
bool mend_locale(const PGresult *r, const char *sql, struct buf *out);
#endif
