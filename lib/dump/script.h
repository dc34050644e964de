#ifndef LIB_DUMP_SCRIPT_H
#define LIB_DUMP_SCRIPT_H
/*
 * script: a script of pg_dump or pg_dumpall from its first to its last byte: where it ends, and
 * the rows that it puts into tables, with COPY and with INSERT.
 */
#include "lib/base/err.h"
#include "lib/dump/census.h"
#include "lib/dump/complete.h"
#include "lib/dump/sqlscan.h"
#include "lib/dump/stream.h"

/* Reads s to its end. rows may be NULL. -1 with *e: it cannot be read, or ends in the middle of
 * something; end (all zeros before) tells the rest. */
int script_scan(struct stream *s, struct census *rows, struct sqlscan_end *end,
		struct complete *out, struct err *e);
#endif
