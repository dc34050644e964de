#ifndef LIB_BASE_IO_H
#define LIB_BASE_IO_H
/*
 * io: the one place for short counts, EINTR and closing. All descriptors in this suite are
 * close-on-exec; a program gets just what proc_spawn() hands it.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stddef.h>
#include <sys/types.h>

/* All n bytes, or -1 with errno set. */
int io_write_all(int fd, const void *p, size_t n);

/* The same from that offset on, whatever the file's own position is. */
int io_pwrite_all(int fd, const void *p, size_t n, off_t at);

/* Up to n bytes until the end of the file: the count, or -1 with errno set. */
ssize_t io_read_full(int fd, void *p, size_t n);

/* All that is left in the regular file in goes to the regular file out; shares the blocks where the
 * file system can. -1 with errno set. */
int io_copy(int in, int out);

/* A whole small file into b (its ceiling is the limit: a larger file is refused). */
int io_slurp(const char *path, struct buf *b, struct err *e);

/* A secret from a file: first line, trailing newline cut; empty is refused. */
int io_read_secret(const char *path, struct buf *b, struct err *e);

/* For cleanup: closes unless negative, keeps errno. */
void io_close(int *fd);
#define FD_AUTO __attribute__((cleanup(io_close))) int
#endif
