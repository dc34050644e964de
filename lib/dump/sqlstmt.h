#ifndef LIB_DUMP_SQLSTMT_H
#define LIB_DUMP_SQLSTMT_H
/*
 * sqlstmt: what single SQL statements say, by their tokens.
 */
#include "lib/base/strv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* COPY ... FROM stdin: data follows it in the script. */
bool sqlstmt_is_copy_from_stdin(const char *text, size_t n);

/* The table that a COPY statement names, as it is written there: public."my table". False when it
 * is no such statement, or a COPY of a query, or when it does not fit. */
bool sqlstmt_copy_target(const char *text, size_t n, char *out, size_t size);

/* The column's place in the list of a COPY statement, from 0; -1: it is not there. */
int sqlstmt_copy_column(const char *text, size_t n, const char *column);

/* INSERT INTO ... VALUES (...), (...) or DEFAULT VALUES: the table as written, and how many rows.
 * False when it is another statement, or when the table does not fit. */
bool sqlstmt_insert(const char *text, size_t n, char *out, size_t size, uint64_t *rows);

/* A table as it is written (public."my table") by its plain name, "public.my table"; in schema
 * (may be "") where none is written. False when it does not fit. */
bool sqlstmt_plain_name(const char *written, const char *schema, char *out, size_t size);

/* SET name = value or SET name TO value, of this name: the value. False when it is another
 * statement, or when the value does not fit. */
bool sqlstmt_setting(const char *text, size_t n, const char *name, char *value, size_t size);

/* The encoding that SET client_encoding or SET NAMES names. False when it is another statement. */
bool sqlstmt_encoding(const char *text, size_t n, char *value, size_t size);

/* SELECT pg_catalog.setval('SEQUENCE', LAST, CALLED): the sequence as it is written there. False
 * when it is another statement, or when the name does not fit. */
bool sqlstmt_setval(const char *text, size_t n, char *out, size_t size, int64_t *last,
		    bool *called);

/* The extension that is created, altered or commented on. False when it is another statement. */
bool sqlstmt_extension(const char *text, size_t n, char *name, size_t size);

/* Its first words, in lower case, with one blank between: "create function". Comments are passed
 * over; the list ends at the first token that is no word. Returns out. */
const char *sqlstmt_words(const char *text, size_t n, char *out, size_t size);

/* Adds the roles that the statements in text name: OWNER TO, GRANT and REVOKE, CREATE POLICY ...
 * TO, ALTER DEFAULT PRIVILEGES FOR ROLE, AUTHORIZATION; not PUBLIC, and none twice. */
void sqlstmt_roles(const char *text, size_t n, struct strv *roles);
#endif
