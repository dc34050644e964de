#ifndef LIB_RESTORE_SPACE_H
#define LIB_RESTORE_SPACE_H
/*
 * space: is there room for the restore? An estimate on the safe side, for the real size is known
 * afterwards only. An archive's table of contents tells how much data there is of tables and of
 * large objects, and how many indexes it will get; of a script only its own size is known: a
 * database takes about 1.7 times the bytes of its COPY text (heap and indexes), and gzip, zstd and
 * the like pack that text 3 to 6 times (measured: a dump of 459 MB compressed, 1.8 GB plain, makes
 * a database of 3.0 GB).
 */
#include "lib/base/err.h"
#include "lib/dump/complete.h"
#include "lib/dump/sniff.h"

#include <stdint.h>

/* Beside the data of a physical backup: the WAL of its recovery, a checkpoint's. */
#define SPACE_SERVER_B ((uint64_t)512 * 1000 * 1000)

/* How much, and what that is reckoned from: "" or "1.2 GB of data in 24 tables, ...". */
struct space {
	uint64_t need_b;
	char from[160];
};

/* What the restored server will take, by the backup's size alone. */
struct space space_needed(const struct sniffed *what, uint64_t backup_b);

/* The same by what is in an archive, which is on the disk already. rows_only: without indexes. */
struct space space_of_archive(const struct sniffed *what, const struct complete *in,
			      bool rows_only);

/* -1 when dir's file system has less than that, or max_b (0: no limit) is less: *e names how much
 * there is and how much is needed. */
int space_check(const char *dir, const struct space *s, uint64_t max_b, struct err *e);

/* Bytes that dir's file system has left for us; UINT64_MAX when it does not say. */
uint64_t space_free(const char *dir);

/* Bytes that everything below dir takes on the disk. */
uint64_t space_used(const char *dir);
#endif
