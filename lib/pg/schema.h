#ifndef LIB_PG_SCHEMA_H
#define LIB_PG_SCHEMA_H
/*
 * schema: all definitions of a database as names and texts, to be laid beside those of another.
 *
 * One object: kind -> name -> text, as in { "column": { "public.users.id": "bigint not null" } }.
 * Kinds: schema, extension, table, column, constraint, index, view, function, trigger, rule,
 * policy, type, sequence, statistics, event trigger, publication, grant, default privileges,
 * comment. The texts are the server's own (pg_get_indexdef() and its kin), all names qualified, so
 * that two servers of one major version print them alike.
 *
 * Left out, for a dump does not carry it: what belongs to an extension, an extension's version,
 * what initdb makes, the database's own settings, roles. Owners are seen through grants: of a
 * privilege that the owner has of himself nothing is said, of all others it is.
 */
#include "lib/pg/conn.h"

#include <jansson.h>

/* Reads it in the session's transaction. The caller's; NULL with *e. */
json_t *pg_schema_read(struct pg *pg, struct err *e);
#endif
