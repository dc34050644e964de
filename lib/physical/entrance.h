#ifndef LIB_PHYSICAL_ENTRANCE_H
#define LIB_PHYSICAL_ENTRANCE_H
/*
 * entrance: which superuser may log in to a cluster, and which database takes connections, read
 * from its files: without a name nobody can ask a server for names.
 *
 * The files are those of pg_authid and pg_database, which global/pg_filenode.map names; so they
 * must be as of a checkpoint, such as the one that ends a recovery. Format: PostgreSQL
 * src/backend/utils/cache/relmapper.c, src/include/storage/{bufpage,itemid}.h,
 * src/include/access/htup_details.h, src/include/catalog/{pg_authid,pg_database}.h, of 12 and later
 * on 64-bit little-endian hosts.
 */
#include "lib/base/err.h"

#include <stdint.h>

enum { ENTRANCE_NAME = 64 }; /* NAMEDATALEN */

struct entrance {
	char user[ENTRANCE_NAME];     /* the one that initdb made, where that may log in */
	char database[ENTRANCE_NAME]; /* template1, where that takes connections */
};

/* data is the data directory; block_size and major are the cluster's. ERR_BACKUP when there is no
 * such role or no such database. */
int entrance_find(const char *data, uint32_t block_size, int major, struct entrance *out,
		  struct err *e);
#endif
