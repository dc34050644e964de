#ifndef LIB_PHYSICAL_WALREAD_H
#define LIB_PHYSICAL_WALREAD_H
/*
 * walread: the bytes of one file of a WAL archive, unpacked, wherever the archive is. A file that
 * is not on this machine is fetched into a file without a name first.
 */
#include "lib/dump/stream.h"
#include "lib/storage/storage.h"

/* PostgreSQL's largest segment, and what a compression may add. */
#define WALREAD_FILE_MAX_B ((INT64_C(1) << 30) + (INT64_C(1) << 24))

/* The caller's; NULL with *e. keys may be NULL; an encrypted file that they are not there for is
 * ERR_USAGE. */
struct stream *walread_open(struct storage *s, const char *object, const struct keys *keys,
			    struct err *e);

/* As it is stored, into a file that is empty. One larger than any segment is ERR_BACKUP. */
int walread_fetch(struct storage *s, const char *object, int fd, struct err *e);
#endif
