#ifndef LIB_RESTORE_HARMLESS_H
#define LIB_RESTORE_HARMLESS_H
/*
 * harmless: failures of statements that a whole, healthy backup of pg_dump or pg_dumpall can have
 * when it is restored into a fresh server. This list is all there is; every other failure counts.
 *
 * - What the fresh server has already: the role and the database postgres, the schema public,
 *   plpgsql.
 * - The server's own superuser cannot be dropped (pg_dumpall --clean).
 * - Something to be dropped is not there (pg_dump --clean without --if-exists).
 * - A setting of the session that only a newer or older server knows (SET transaction_timeout).
 * - A materialized view of another server's data (dblink, a foreign table): that is out of reach.
 * - default_tablespace names one that could not be made: the objects go into the default one.
 */

#include <stdbool.h>

/* Why it does not matter; NULL: it does. message is the server's, in English, without "ERROR: ";
 * sqlstate "" where it is not known (pg_restore does not print it). */
const char *harmless(const char *sqlstate, const char *message, const char *statement);

/* Of an SQLSTATE: something that the statement names does not exist. */
bool harmless_undefined(const char *sqlstate);
#endif
