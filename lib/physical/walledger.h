#ifndef LIB_PHYSICAL_WALLEDGER_H
#define LIB_PHYSICAL_WALLEDGER_H
/*
 * walledger: the segments of a WAL archive that were verified before, and what was found out of
 * each, so that they need not be read again as long as the storage says that they are the same:
 * name, size, time of modification and etag.
 *
 * The file has a line a segment: the CRC-32C of the rest in eight hex digits, a blank, and a JSON
 * object. It is replaced as a whole. A line that is damaged is as if it was not there: its segment
 * is read again. Only sound segments are written down.
 */
#include "lib/base/err.h"
#include "lib/physical/walrecord.h"

#include <stddef.h>
#include <stdint.h>

struct walledger_entry {
	char *file, *etag; /* owned */
	int64_t bytes, modified_ms, verified_ms;
	struct wal_summary sum;
};

struct walledger {
	struct walledger_entry *v; /* by file */
	size_t n;
	size_t damaged; /* lines that were passed over */
};
#define WALLEDGER_AUTO __attribute__((cleanup(walledger_free))) struct walledger

/* No file is an empty ledger. -1 with *e when it is there and cannot be read. */
int walledger_load(struct walledger *l, const char *path, struct err *e);
/* NULL: not the same, or not there. */
const struct walledger_entry *walledger_find(const struct walledger *l, const char *file,
					     int64_t bytes, int64_t modified_ms, const char *etag);
/* Copies. */
void walledger_add(struct walledger *l, const struct walledger_entry *entry);
int walledger_save(const struct walledger *l, const char *path, struct err *e);
void walledger_free(struct walledger *l);

/* One line without its newline, for walledger_load(); false: it is damaged. Fills all but .etag and
 * .file when false. */
bool walledger_parse(const char *line, size_t n, struct walledger_entry *out);
#endif
