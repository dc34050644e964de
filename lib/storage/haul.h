#ifndef LIB_STORAGE_HAUL_H
#define LIB_STORAGE_HAUL_H
/*
 * haul: brings the files of a backup, several at a time, and of a large one several ranges at a
 * time, each over a connection (a handle of the storage, a thread) of its own.
 *
 * A range that breaks is resumed where it broke, by its storage; one that fails for good ends the
 * haul. A file is split only where the storage can tie its ranges together (storage_stat.ranges).
 * Bytes go straight to their place in the file. Small files are proven (proof.h) as they come, and
 * so are the ranges of a split one that begin where the proof has got to; behind the others the
 * calling thread follows, in order. So memory does not depend on the size of anything, and what an
 * earlier run has brought is proven like the rest. The ranges do not run far ahead of the proof: it
 * reads them while they are in the caches, and is not left to work alone, on one processor, when
 * all has come. How many connections are at work is seen to by width.h; a single one asks for all
 * ranges that are missing at once, and all its bytes are proven as they come.
 */
#include "lib/storage/landing.h"
#include "lib/storage/pace.h"
#include "lib/storage/proof.h"
#include "lib/storage/storage.h"
#include "lib/storage/width.h"

#include <pthread.h>
#include <stdbool.h>

/* BEGUN: some thread brings it. */
enum haul_range { HAUL_MISSING, HAUL_BEGUN, HAUL_HERE };

enum haul_state { HAUL_NEW, HAUL_ASKED, HAUL_READY, HAUL_DONE };

/* A file to be brought. */
struct haul_file {
	const char *name;              /* of the storage; borrowed */
	const char *member;            /* its path in the tree; NULL: the backup is this file */
	const struct proof_wish *wish; /* borrowed; may be NULL */
	int64_t bytes, modified_ms;    /* what is known of it; -1: not */
	const char *etag;              /* borrowed; "" none */
	struct storage_stat *stat;    /* owned: all that is known of it now; NULL: only the above */
	char sha256[DIGEST_HEX_SIZE]; /* out, once it is done */
	/* The haul's own. */
	enum haul_state state;
	int64_t ranges;       /* it is brought in so many */
	int64_t next, done;   /* the next to be begun; how many are there */
	int64_t followed;     /* how many are proven, from the first on */
	struct intake *proof; /* owned: of all these; who brings or follows the next one has it */
	bool resumed;         /* some of them an earlier run has brought */
	unsigned char *have;  /* owned: which; one byte each */
	bool split;           /* in several ranges, which the calling thread follows */
	bool whole_here;      /* brought in one go, now or by an earlier run */
};

struct haul {
	/* The caller's. */
	struct storage *s;
	struct haul_file *files;
	size_t n;
	struct landing *to; /* NULL: only read and digest */
	unsigned connections;
	bool split; /* large files may be brought in ranges */
	struct pace pace;
	const struct storage_sink *stream; /* gets the bytes of the only file in order; NULL */
	void (*progress)(void *ctx, uint64_t bytes);
	void *progress_ctx;
	struct buf told; /* what the bytes were compared with, for people */
	/* The haul's own, under lock. */
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t first;     /* all files before are begun */
	size_t to_do;     /* files that are not done */
	unsigned at_work; /* threads that bring something */
	unsigned most_at_work;
	unsigned newcomers; /* of them, who bring their first: it may come back, too */
	unsigned joined;    /* threads that have brought something */
	unsigned long_ways; /* of them, who bring several ranges, and may give some back */
	struct width width;
	bool failed;      /* *e says why */
	size_t failed_at; /* the file, n: none of them */
	int write_errno;  /* the disk refused; 0 */
	atomic_ullong bytes;
	struct err e;
};

/* files must be filled, split and the rest set; before landing_tree() asks haul_has(). */
void haul_begin(struct haul *h);
void haul_end(struct haul *h);

/* An earlier run has this range (landing_past.has; ctx is the haul). */
void haul_has(void *ctx, uint64_t file, uint64_t range);

/* All that is not here yet. After an error it may be called again, when the caller has changed what
 * was wrong. */
int haul_run(struct haul *h, struct err *e);

/* Is the file worth several ranges, if its storage can tie them together? */
bool haul_large(const struct haul *h, size_t file);

/* The size of a range. */
enum { HAUL_RANGE_BYTES = 8 * 1024 * 1024 };

/* After an error: forgets what is there of the file that failed. */
void haul_forget(struct haul *h, size_t file);

/* Is there so much that another run had better go on from it? */
bool haul_resumable(const struct haul *h);
#endif
