#ifndef LIB_DUMP_MYSQL_H
#define LIB_DUMP_MYSQL_H
/*
 * mysql: a script of mysqldump or mariadb-dump: whole, and how many rows does it insert into each
 * table?
 *
 * What these write (client/mysqldump.cc, write_header() and write_footer()): comments at the head
 * and, as the very last line, "-- Dump completed", with or without a date; rows as INSERT or
 * REPLACE with any number of value lists; routines and triggers between two lines that begin with
 * DELIMITER. A dump made with --skip-comments has no such line: then it must end outside any
 * statement with all tables unlocked, and the note says so. --xml must end with its closing tag;
 * its rows are not counted.
 */
#include "lib/base/err.h"
#include "lib/dump/census.h"
#include "lib/dump/stream.h"

#include <stddef.h>

/* Reads s to its end. ERR_BACKUP: its end is missing. */
int mysql_count(struct stream *s, struct census *rows, char *note, size_t note_size, struct err *e);
#endif
