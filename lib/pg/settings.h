#ifndef LIB_PG_SETTINGS_H
#define LIB_PG_SETTINGS_H
/*
 * settings: what makes a server of production fast or slow: its memory and its WAL. A temporary
 * server that takes them over needs about as long for a restore as production would.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/pg/conn.h"

#include <stdint.h>

/* Reads them from an open session: "shared_buffers=16384" each, in the server's own units, as
 * postgres -c takes them. What is for more memory than memory_b has (shared by jobs sessions) is
 * cut down; *less then says so: "shared_buffers cut down from 64.0 GB to 4.0 GB". */
int settings_read(struct pg *pg, uint64_t memory_b, unsigned jobs, struct strv *out,
		  struct buf *less, struct err *e);
#endif
