#ifndef LIB_DUMP_INSPECT_H
#define LIB_DUMP_INSPECT_H
/*
 * inspect: everything that a dump says without a server: what it is, whether it is whole, the rows
 * of its tables. Of PostgreSQL (complete.h), of MySQL and MariaDB (mysql.h), of MongoDB (mongo.h).
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/dump/census.h"
#include "lib/dump/sniff.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct inspect_opts {
	struct stream_opts reading; /* its limits */
	unsigned threads;
	bool hashes;                     /* of COPY rows */
	const struct strv *time_columns; /* borrowed; census.h */
};

struct inspected {
	bool recognised; /* .what is known */
	struct sniffed what;
	char encoding[32];
	struct census rows;
	uint64_t objects, data_b; /* large objects; bytes of data, unpacked */
	char note[160];           /* what could not be proved; or "" */
	bool unproven;            /* ... which is that it is whole at all */
};

/* -1 with *e: it cannot be read, is no dump, or is not whole (ERR_BACKUP); *out, from { 0 }, then
 * has what was found until then. inspected_free() in any case. */
int inspect_path(const char *path, const struct inspect_opts *opts, struct inspected *out,
		 struct err *e);
void inspected_free(struct inspected *i);
#define INSPECTED_AUTO __attribute__((cleanup(inspected_free))) struct inspected
#endif
