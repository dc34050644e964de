#ifndef LIB_STORAGE_INTAKE_H
#define LIB_STORAGE_INTAKE_H
/*
 * intake: takes the bytes of one file as they come, in one pass: writes them (or not), digests
 * them, and keeps the first for a look.
 */
#include "lib/storage/digest.h"
#include "lib/storage/sink.h"

#include <stdbool.h>
#include <stdint.h>

enum { INTAKE_HEAD = 256 };

struct intake {
	struct digest *digest; /* owned */
	int fd;                /* borrowed; -1: nowhere */
	int write_errno;       /* why fd refused; 0 */
	uint64_t bytes;
	unsigned char head[INTAKE_HEAD];
	void (*progress)(void *ctx, uint64_t bytes); /* may be NULL; of this file */
	void *progress_ctx;
	const struct storage_sink *stream; /* gets them too; may be NULL */
};

int intake_begin(struct intake *t, int fd, struct err *e);
void intake_free(struct intake *t);

/* Where a storage may send the bytes: borrows *t. */
struct storage_sink intake_sink(struct intake *t);

/* "an HTML page", "an XML document": what a server says instead of what was asked for; NULL for
 * anything else. No backup format begins with '<'. */
const char *intake_page(const unsigned char *head, size_t n);
#endif
