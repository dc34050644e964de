#ifndef LIB_RESTORE_META_H
#define LIB_RESTORE_META_H
/*
 * meta: psql's meta-commands, as far as pg_dump and pg_dumpall write them (PostgreSQL
 * src/fe_utils/string_utils.c, appendPsqlMetaConnect).
 */
#include <stddef.h>

enum meta_kind {
	META_REFUSED,
	META_NOTHING,  /* \restrict, \unrestrict */
	META_CONNECT,  /* arg: the database */
	META_ENCODING, /* arg: the client's encoding */
};

/* line: from the backslash to its end. arg holds what the command is about. */
enum meta_kind meta_parse(const char *line, char *arg, size_t size);
#endif
