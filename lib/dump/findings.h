#ifndef LIB_DUMP_FINDINGS_H
#define LIB_DUMP_FINDINGS_H
/*
 * findings: an inspected dump (inspect.h) as checks, which the caller has begun with their names
 * and subjects: "dump-format", "dump-rows", "dump-newest", "dump-sequences", "dump-complete".
 */
#include "lib/base/check.h"
#include "lib/dump/inspect.h"

enum { FINDING_NAME = 1024 };
/* The table, with its database's name only where the dump is of many. Returns out. */
const char *finding_table(const struct census_table *t, char out[FINDING_NAME]);

void finding_format(struct check *c, const struct inspected *in);
/* damage: what it means when rows are not all there. */
void finding_rows(struct check *c, const struct census_table *t, enum verdict damage);
/* The newest moment in the column that was looked at. */
void finding_newest(struct check *c, const struct census_table *t, int64_t now_ms);
/* Where its sequences stand, from the one at *i on: those of one database, as many as a record
 * takes; *i then is behind them. */
void finding_sequences(struct check *c, const struct census *rows, size_t *i);
/* Of a dump that is whole, with so many rows in all. */
void finding_complete(struct check *c, const struct inspected *in, uint64_t rows, double seconds);
#endif
