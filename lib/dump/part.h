#ifndef LIB_DUMP_PART_H
#define LIB_DUMP_PART_H
/*
 * part: the files of a directory archive. Its table of contents calls each by a plain name, under
 * which it lies as it is, or packed with an ending, as pg_dump's --compress or somebody's gzip left
 * it: PostgreSQL src/bin/pg_dump/compress_io.c, InitDiscoverCompressFileHandle().
 */
#include "lib/base/err.h"
#include "lib/dump/stream.h"

#include <stdint.h>

/* Opens a part (of opts, which may be NULL, all but the codec is used); *codec (may be NULL) says
 * how it is packed, "none" or as stream_compression() does. NULL with *e: ERR_BACKUP when it is
 * missing, or when name is no plain name. */
struct stream *part_open(const char *dir, const char *name, const struct stream_opts *opts,
			 const char **codec, struct err *e);

/* How large the part's file is, as it lies there; 0 when it is missing. */
uint64_t part_size(const char *dir, const char *name);
#endif
