#ifndef LIB_DUMP_STREAM_H
#define LIB_DUMP_STREAM_H
/*
 * stream: the bytes of a backup, whatever they are compressed or encrypted with.
 *
 * Formats are recognised by content, never by name: gzip, zstd, lz4 (frames), xz, bzip2, each
 * with any number of members, and gpg, age and openssl enc where keys are given; one inside another
 * (gzip in age, gpg in xz) to a depth of STREAM_DEPTH. Without keys an encrypted file is given out
 * as it is. Keys that do not open it are ERR_USAGE: it could not be looked into.
 *
 * Checksums and lengths are verified, and the end is only an end (0) when the last member is
 * whole: a file cut short, damaged, or with foreign bytes behind its end is ERR_BACKUP, naming
 * the offset. Zero bytes behind gzip and xz are padding. Memory is constant (some buffers of
 * 256 KiB, and the window that the format asks for).
 *
 * A stream that has failed keeps failing with the same error.
 */
#include "lib/base/err.h"
#include "lib/dump/keys.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { STREAM_DEPTH = 6, STREAM_PEEK = 64 * 1024, STREAM_BLOCK = 256 * 1024 };

/* More to one than this, on the whole, comes out of no dump, but out of bombs: for .max_ratio. */
enum { STREAM_BOMB_RATIO = 1000 };

/* Where the bytes come from: their number, 0 at the end, -1 with *e. */
struct stream_source {
	ssize_t (*read)(void *ctx, void *p, size_t n, struct err *e);
	void *ctx;
};

struct stream_opts {
	const char *name;   /* of the file, for messages; borrowed; NULL: "backup" */
	const char *codec;  /* NULL: by content; else just this one, "none", "gzip", "zlib" ... */
	uint64_t max_out_b; /* a bomb's limits: bytes that may come out (0: any number), */
	uint64_t max_ratio; /* and how many from one read (0: any; first 64 MiB are free) */
	const struct keys *keys; /* for what is encrypted; borrowed; NULL: none */
	uint64_t at_b;           /* where in its file the source begins, for messages */
	uint64_t arriving_b;     /* "/dev/fd/N" is still being written (arrival.h), and will have so
				  * many bytes; 0: it is all there */
	const char *packed;      /* what the source itself unpacks; borrowed; NULL: nothing */
};

struct stream;

/* opts may be NULL. NULL with *e: the first bytes could not be read. */
struct stream *stream_open(const struct stream_source *source, const struct stream_opts *opts,
			   struct err *e);
/* Reads from where fd stands; fd stays the caller's and must outlive the stream. */
struct stream *stream_open_fd(int fd, const struct stream_opts *opts, struct err *e);
/* A regular file (others are refused); owns its descriptor. The name for messages is the path
 * unless opts has one. "/dev/fd/N" is the file that we have open as N, from its beginning, also
 * when we could not open it again: whoever opened it may have been allowed more. */
struct stream *stream_open_path(const char *path, const struct stream_opts *opts, struct err *e);
/* Its source's ctx goes with the stream: released by stream_close(). */
void stream_own(struct stream *s, void (*release)(void *ctx));
void stream_close(struct stream *s);
void stream_close_auto(struct stream **s);
#define STREAM_AUTO __attribute__((cleanup(stream_close_auto))) struct stream

/* The next bytes without copying: *p is valid until the next call. Their number, 0 at the verified
 * end, -1 with *e. */
ssize_t stream_next(struct stream *s, const unsigned char **p, struct err *e);
/* The same, at most max of them. */
ssize_t stream_next_of(struct stream *s, uint64_t max, const unsigned char **p, struct err *e);
/* The same as stream_next(), but *p stays valid: it is in *block from now on, which is the caller's
 * to free(), in exchange for what *block was, of xmalloc(STREAM_BLOCK). */
ssize_t stream_exchange(struct stream *s, unsigned char **block, const unsigned char **p,
			struct err *e);

/* All n bytes, fewer only at the verified end; -1 with *e. */
ssize_t stream_read(struct stream *s, void *p, size_t n, struct err *e);

/* The first bytes, up to n (at most STREAM_PEEK), left unread: fewer only when there are no more
 * or when what follows is damaged (reading on tells). -1 with *e when not even one is readable. */
ssize_t stream_peek(struct stream *s, size_t n, const unsigned char **p, struct err *e);

/* Passes over n bytes: how many there were, fewer only at the verified end; -1 with *e. */
int64_t stream_skip(struct stream *s, uint64_t n, struct err *e);

const char *stream_name(const struct stream *s); /* for messages; borrowed */
uint64_t stream_in_b(const struct stream *s);    /* taken from the source */
uint64_t stream_out_b(const struct stream *s);   /* given out */

/* "none", "gzip", or from the inside out "zstd in gzip". */
const char *stream_compression(const struct stream *s);
/* "none", "age", or from the inside out "age in gpg": of the layers that were decrypted. */
const char *stream_encryption(const struct stream *s);

/* What its encryption cannot prove of what comes out, or "". */
const char *stream_doubt(const struct stream *s);

/* What decryption alone has taken. gpg works at the same time as we do: then it is the time that we
 * waited for it. */
int64_t stream_decrypt_ms(const struct stream *s);

/* How long the file that is read kept us waiting, because it was still being written. */
int64_t stream_waited_ms(const struct stream *s);

/* What people should know though it is no failure ("512 zero bytes follow the gzip data"), or "".
 * Complete at the end only. */
const char *stream_note(const struct stream *s);
#endif
