#ifndef LIB_DUMP_CONTENT_H
#define LIB_DUMP_CONTENT_H
/*
 * content: is the data of one table, as an archive holds it unpacked, whole?
 *
 * COPY data ends with the line "\." and two empty lines (pg_dump.c, dumpTableData_copy); INSERTs
 * end with a statement's end and two empty lines (dumpTableData_insert), outside any quote.
 * Large objects are bytes without any end mark.
 */
#include "lib/base/err.h"
#include "lib/dump/archive.h"
#include "lib/dump/sqlscan.h"
#include "lib/dump/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTENT_TAIL = 6 };

struct content {
	enum { CONTENT_COPY, CONTENT_INSERTS, CONTENT_OBJECT } kind;
	char tail[CONTENT_TAIL]; /* the last bytes, the newest last */
	uint64_t bytes;
	struct sqlscan *scan; /* INSERTs */
	struct tally *tally;  /* borrowed; NULL: rows are not counted */
	struct err failed;
};

/* entry: of the data; name: what messages call the place it lies in. tally, begun, gets the rows of
 * a table; it may be NULL. */
void content_begin(struct content *c, const struct archive_entry *entry, const char *name,
		   struct tally *tally);
void content_see(struct content *c, const void *p, size_t n);
/* Releases it. True when the end was there. */
bool content_end(struct content *c);
#endif
