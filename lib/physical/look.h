#ifndef LIB_PHYSICAL_LOOK_H
#define LIB_PHYSICAL_LOOK_H
/*
 * look: the inside of survey: one file of a base backup at a time, in pieces of any size, against
 * its entry in the manifest and as pages of a relation. Each job has a look of its own; what they
 * find goes into the survey that they share, under its lock.
 */
#include "lib/base/beside.h"
#include "lib/physical/hash.h"
#include "lib/physical/incremental.h"
#include "lib/physical/page.h"
#include "lib/physical/survey.h"

#include <pthread.h>

struct look_shared {
	struct survey *out;
	const struct survey_opts *opts;
	pthread_mutex_t lock;
	uint64_t start,
		end; /* WAL of the backup: pages in between may be torn; UINT64_MAX: not known */
	size_t page_size;
	uint32_t pages_per_segment;
	bool *seen; /* of each file in the manifest */
};

/* In the processor's cache; and so large that handing it to another thread is cheap, on a busy
 * machine, too. */
enum { PIECE = 256 * 1024, PIECE_ASIDE = 4 * 1024 * 1024 };

struct look {
	struct look_shared *shared;
	struct hash *hash;
	/* Two pieces in turn: while one is hashed beside, the next is read into the other. */
	unsigned char *pieces[2];
	unsigned turn;
	struct beside *beside;
	bool pending; /* one is being hashed beside */
	/* The file in hand. */
	char *path;
	const struct manifest_file *entry; /* NULL: not listed */
	uint64_t bytes;
	enum { LOOK_BYTES, LOOK_PAGES, LOOK_PART, LOOK_WAL } as;
	size_t page_size;
	uint32_t block;
	struct incremental part; /* LOOK_PART: pages of a relation, some of them, */
	uint32_t part_first;     /* from this one on, */
	uint32_t part_pages;     /* so many of which were looked at */
	struct survey_wal wal;
	unsigned char page[PAGE_SIZE_MAX]; /* what came of a page so far */
	size_t page_n;
	/* Small files that tell of the cluster are kept whole. */
	unsigned char small[CONTROL_SIZE + 1];
	size_t small_n;
	bool keep;
	uint64_t pages, new_pages, torn_pages; /* since look_begin() */
	uint32_t first_new;
};

int look_open(struct look *l, struct look_shared *shared, struct err *e);
void look_close(struct look *l);

/* path is relative to the data directory. */
int look_begin(struct look *l, const char *path, struct err *e);
/* Room for the next *n bytes of the file; idle: a processor is free to help with its checksum. */
unsigned char *look_piece(struct look *l, bool idle, size_t *n);
/* p is of look_piece(), and not touched any more. */
int look_add(struct look *l, const unsigned char *p, size_t n, struct err *e);
/* The file has ended: compares. */
int look_end(struct look *l, struct err *e);
/* It could not be read to its end, for the reason why (errno); its size is known. */
void look_failed(struct look *l, int why, uint64_t bytes);

/* Writes a finding down. what is copied; NULL for none. */
void look_found(struct look_shared *s, enum survey_kind kind, const char *path, const char *what);

/* Writes down that path could not be looked at, for the reason why (errno), and what lies in it,
 * when it is a directory with a slash at its end. */
void look_closed(struct look_shared *s, const char *path, int why);
/* The same without a finding: what it comes from was told. */
void look_passed(struct look_shared *s, const char *path);

/* "; run this as ...": what helps against an errno; "" when nothing is known. */
const char *look_way_out(int why);

/* Does pg_verifybackup leave a file of this name to itself, too, listed or not? (pg_basebackup -R
 * sets recovery up by changing some; WAL has ranges of its own.) */
bool look_unlisted(const char *path);
#endif
