#ifndef LIB_DUMP_MULTI_H
#define LIB_DUMP_MULTI_H
/*
 * multi: a compressed file of many members (members.h), unpacked by several threads at once and
 * given out in order. Every member is unpacked by a stream of its own, with all that it verifies.
 *
 * Memory: 16 MiB for what is unpacked and waits for its turn, 32 MiB for the windows of the
 * threads; where the format wants larger windows there are fewer threads.
 */
#include "lib/base/err.h"
#include "lib/dump/stream.h"

/* As stream_open_path(), on so many threads if the file has several members whose ends can be told;
 * else it is stream_open_path(). Encrypted files, and .codec, are its alone. */
struct stream *multi_open_path(const char *path, const struct stream_opts *opts, unsigned threads,
			       struct err *e);
#endif
