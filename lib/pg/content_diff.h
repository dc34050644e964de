#ifndef LIB_PG_CONTENT_DIFF_H
#define LIB_PG_CONTENT_DIFF_H
/*
 * content_diff: which rows of a table differ between two entries of a state (content_json.h).
 */
#include "lib/base/buf.h"
#include "lib/pg/conn.h"

#include <jansson.h>
#include <stdbool.h>

/* Appends the keys of the first rows that differ, and the ranges of the key with more than one:
 * "; key 17 lost". Keys that are no numbers are looked up in the table `ident` of the restored
 * database (here); what it does not hold any more is named by its range. show_rows: with the rows
 * as they are there. ident NULL: large objects. */
void content_diff(struct pg *here, const char *ident, const json_t *was, const json_t *is,
		  bool show_rows, struct buf *out);
#endif
