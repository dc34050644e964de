#ifndef LIB_STORAGE_PROOF_H
#define LIB_STORAGE_PROOF_H
/*
 * proof: are the bytes that came those that were stored? Over the bytes of one file, in order, in
 * one pass: always their SHA-256, and whatever a sidecar and the storage have to compare with.
 *
 * Of what a storage has, the strongest that costs least is compared, one of them: SHA-256, CRC-64/
 * NVME, CRC-32C, CRC-32, SHA-1, Content-MD5, an ETag that is an MD5. MD5 is dear and protects from
 * accidents only, so it is left out where a sidecar's SHA-256 already tells. A digest of an
 * upload's parts needs their size: where the storage does not say it, the usual sizes are tried
 * that fit the number of parts; a match proves then, and a mismatch only says that the guess was
 * wrong.
 */
#include "lib/storage/digest.h"
#include "lib/storage/storage.h"
#include "lib/storage/sum.h"

enum { PROOF_MD5_SIZE = 33, PROOF_TOLD_MAX = 512 };

/* What a sidecar says, lower-case hex; "" where it says nothing. */
struct proof_wish {
	char sha256[DIGEST_HEX_SIZE], md5[PROOF_MD5_SIZE];
	const char *sha256_from, *md5_from; /* the sidecars' names: borrowed */
};

struct beside;

struct proof {
	struct digest *sha256;
	const struct proof_wish *wish; /* borrowed; may be NULL */
	struct sum *stored, *md5;      /* NULL: none to compare with */
	enum sum_kind kind;
	bool hex, guessed;
	char text[SUM_TEXT_SIZE]; /* what the storage says; "" nothing */
	const char *where;        /* of the storage it stands: "ETag" */
	struct beside *beside;    /* for what is not the SHA-256; NULL: not worth it so far */
};

/* wish may be NULL, and is looked at until the end. */
int proof_begin(struct proof *p, const struct storage_stat *known, const struct proof_wish *wish,
		struct err *e);
void proof_free(struct proof *p);

/* Nothing came yet. */
int proof_reset(struct proof *p, struct err *e);
int proof_add(struct proof *p, const void *bytes, size_t n, struct err *e);

/* The SHA-256 of all; -1 with ERR_BACKUP naming both values when one was to be another. name is for
 * messages. *told: what agreed ("shop.dump.sha256, ETag"), appended where it is not there yet. */
int proof_end(struct proof *p, const char *name, char sha256[DIGEST_HEX_SIZE], struct buf *told,
	      struct err *e);

/* The bytes of a part, of total bytes stored in n parts: the most usual size that fits, 0: none. */
int64_t proof_part_bytes(int64_t total, int64_t n);

/* "shop.dump.sha256 says ..., but it is ...": names both. */
int proof_differs(const char *name, const char *what, const char *from, const char *said,
		  const char *is, struct err *e);
void proof_tell(struct buf *told, const char *what);
#endif
