#ifndef LIB_STORAGE_FETCH_H
#define LIB_STORAGE_FETCH_H
/*
 * fetch: brings one backup here, over several connections at a time (haul.h), and knows afterwards
 * that it is whole: as many bytes as the storage said, digested in the same pass, compared with
 * what the storage says of them (proof.h), none of it an error page.
 *
 * Its sidecars are looked for, compared with, and put beside it (sidecar.h).
 *
 * What is replaced meanwhile is begun again, once. What is broken off goes on in the next run as
 * long as it is the same (partial.h).
 *
 * The SHA-256 of a backup that is a directory is that of the text that
 *
 *	cd BACKUP && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum
 *
 * prints: for each file, in byte order of the names, its digest, two blanks, its name, a newline.
 */
#include "lib/base/identity.h"
#include "lib/storage/catalog.h"
#include "lib/storage/digest.h"
#include "lib/storage/signatures.h"

enum { FETCH_TOLD_SIZE = 512, FETCH_CONNECTIONS_MAX = 64, FETCH_RATE_MIN = 64000 };

struct fetch_plan {
	unsigned connections;  /* at most; at least 1 */
	uint64_t max_rate;     /* bytes a second, 0: no limit */
	const char *dir;       /* where to put it; NULL: it is used where it is, if that is here */
	const char *keyring;   /* the keys to check signatures with; NULL: they are not checked */
	struct identity owner; /* who shall be able to read it */
	/* May be NULL. bytes of the whole backup so far; total -1: not known. */
	void (*progress)(void *ctx, uint64_t bytes, int64_t total);
	void *progress_ctx;
	/* May be NULL. Is told, while nothing else happens in our thread, of a large file that can
	 * be read at path while it arrives (early.h). It is proven only when fetch_backup() has
	 * returned 0: whoever acts on it before must be able to undo that. */
	void (*arriving)(void *ctx, const char *path, const char *becomes);
	void *arriving_ctx;
};

struct fetched {
	char *path; /* owned; absolute */
	uint64_t bytes;
	char sha256[DIGEST_HEX_SIZE];
	double seconds;
	unsigned connections;       /* that were at work at the same time, at the most */
	char told[FETCH_TOLD_SIZE]; /* what they were compared with: "x.dump.sha256, ETag" */
	char signer[SIGNATURES_SIGNER_SIZE]; /* who signed it; "" nobody, as far as was looked */
	char odd[FETCH_TOLD_SIZE]; /* what could not be compared though it should, for people */
	struct strv sidecars;      /* ".sha256": what lies beside path, too */
	bool kept;                 /* after an error: the next run goes on from what is here */
};

/* b is one of c's; what the storage says of it by now (bytes, modified_ms, etag) is put into it.
 * ERR_BACKUP: it was looked at, and is empty, or no backup at all. */
int fetch_backup(struct storage *s, const struct catalog *c, struct backup *b,
		 const struct fetch_plan *plan, struct fetched *out, struct err *e);
void fetched_free(struct fetched *f);
#endif
