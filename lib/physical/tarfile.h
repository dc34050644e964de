#ifndef LIB_PHYSICAL_TARFILE_H
#define LIB_PHYSICAL_TARFILE_H
/*
 * tarfile: one tar of a base backup, compressed in any way that lib/dump/stream reads; what is
 * compressed is unpacked by a thread of its own, ahead of who reads.
 */
#include "lib/dump/stream.h"
#include "lib/dump/tar.h"

#include <stdbool.h>

struct tarfile;

/* The file name in the open directory dir, which is where for messages. NULL with *e: it could not
 * be opened. threaded: a thread may be started. */
struct tarfile *tarfile_open(int dir, const char *where, const char *name, bool threaded,
			     struct err *e);
void tarfile_close(struct tarfile **t);
#define TARFILE_AUTO __attribute__((cleanup(tarfile_close))) struct tarfile

/* For tar_next() and what follows it; t's. */
struct stream *tarfile_stream(struct tarfile *t);

/* The member's name as it lies in the backup: "./base/1" is "base/1". In m. */
const char *tarfile_name(const struct tar_member *m);
#endif
