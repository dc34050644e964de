#ifndef LIB_RESTORE_SPACE_H
#define LIB_RESTORE_SPACE_H
/*
 * space: is there room for the restore? A guess on the safe side from the backup's size, for the
 * real size is known afterwards only: a database takes about 1.7 times the bytes of its COPY text
 * (heap and indexes), and gzip, zstd and the like pack that text 3 to 6 times (measured: a dump of
 * 459 MB compressed, 1.8 GB plain, makes a database of 3.0 GB).
 */
#include "lib/base/err.h"
#include "lib/dump/sniff.h"

#include <stdint.h>

/* Beside the data of a physical backup: the WAL of its recovery, a checkpoint's. */
#define SPACE_SERVER_B ((uint64_t)512 * 1000 * 1000)

/* Bytes that the restored server will take, at a guess. */
uint64_t space_needed(const struct sniffed *what, uint64_t backup_b);

/* -1 when dir's file system has less than need_b, or max_b (0: no limit) is less: *e names how much
 * there is and how much is needed. */
int space_check(const char *dir, uint64_t need_b, uint64_t max_b, struct err *e);

/* Bytes that dir's file system has left for us; UINT64_MAX when it does not say. */
uint64_t space_free(const char *dir);

/* Bytes that everything below dir takes on the disk. */
uint64_t space_used(const char *dir);
#endif
