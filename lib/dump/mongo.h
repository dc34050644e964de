#ifndef LIB_DUMP_MONGO_H
#define LIB_DUMP_MONGO_H
/*
 * mongo: an archive of mongodump --archive: whole, and how many documents in each collection?
 *
 * Format: mongodb/mongo-tools common/archive (spec.md, parser.go, multiplexer.go): a magic number,
 * a prelude of BSON documents (one about the archive, one for each collection), then blocks of one
 * collection each, every part closed by ff ff ff ff. A collection ends with a header that says EOF
 * and the CRC-64 of its documents. BSON: bsonspec.org 1.1.
 *
 * An archive that is cut between two blocks shows it by the missing EOF headers only.
 */
#include "lib/base/err.h"
#include "lib/dump/census.h"
#include "lib/dump/stream.h"

/* Reads s to its end; a collection is a table in rows, a document a row. ERR_BACKUP: cut short,
 * damaged. */
int mongo_count(struct stream *s, struct census *rows, struct err *e);
#endif
