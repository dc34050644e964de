#ifndef LIB_STORAGE_INTAKE_H
#define LIB_STORAGE_INTAKE_H
/*
 * intake: takes the bytes of a file, or of a range of one, as they come, in one pass: writes them
 * to their place (or nowhere), proves them (or leaves that to others), keeps the first for a look,
 * and holds them to a speed and to a length.
 *
 * libcurl hands over 16 KiB at a time (CURL_MAX_WRITE_SIZE). Such small pieces may be gathered: to
 * copy a piece once more costs less than to write and prove it alone, and a large one is proven
 * beside (beside.h): while it is written, and the next one comes.
 */
#include "lib/storage/pace.h"
#include "lib/storage/proof.h"
#include "lib/storage/sink.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	INTAKE_HEAD = 256,
	INTAKE_GATHERED = 1024 * 1024, /* is gathered at most: fits a processor's own cache */
};

struct intake {
	/* Set by the caller; zero or NULL is none. */
	int fd;       /* borrowed; -1: nowhere */
	int64_t at;   /* the place of the first byte in fd */
	int64_t most; /* so many bytes may come, -1: any number */
	bool proving; /* all of a file passes here: proof tells of it */
	bool gathers; /* intake_flush() is called after the last piece */
	struct pace *pace;
	const volatile sig_atomic_t *stop;
	atomic_ullong *total; /* counts along, over many files */
	struct intake *of;    /* what they are a part of, the next one: proves them; borrowed */
	/* Both are told of what is in its place, and proven. */
	const struct storage_sink *stream; /* gets the bytes, too */
	int (*arrived)(void *ctx, size_t n, struct err *e);
	void *arrived_ctx;
	const struct proof_wish *wish;
	/* What came. */
	struct proof proof;
	uint64_t bytes;        /* that came */
	uint64_t placed;       /* of these, written */
	char *gathered, *full; /* owned: what is gathered, what is proven beside */
	size_t held, room;     /* there; what fits */
	size_t under_proof;    /* of full; 0: none */
	struct beside *beside; /* owned; NULL: not worth it so far */
	unsigned char head[INTAKE_HEAD];
	int write_errno; /* why fd refused; 0 */
};

/* known: what is said of the file so far. */
int intake_begin(struct intake *t, const struct storage_stat *known, struct err *e);

/* What came counts no more, unless it is kept. */
void intake_end(struct intake *t, bool keep);

/* What is gathered goes where it belongs; after it all is placed and proven. */
int intake_flush(struct intake *t, struct err *e);

/* Where a storage may send the bytes: borrows *t. */
struct storage_sink intake_sink(struct intake *t);

/* "an HTML page", "an XML document": what a server says instead of what was asked for; NULL for
 * anything else. No backup format begins with '<'. */
const char *intake_page(const unsigned char *head, size_t n);
#endif
