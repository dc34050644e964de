#ifndef LIB_STORAGE_SIDECAR_H
#define LIB_STORAGE_SIDECAR_H
/*
 * sidecar: the small files that belong to a backup and lie beside it: its digests, the counts that
 * were taken with it, its signature.
 *
 *	NAME.sha256 NAME.sha256sum NAME.md5 NAME.md5sum NAME.counts.json NAME.sig NAME.asc
 *	SHA256SUMS MD5SUMS	of several files, in the same directory, or in that of the backup
 *	NAME.sha256.asc NAME.sha256.sig SHA256SUMS.asc SHA256SUMS.sig SHA256SUMS.gpg
 *				signatures of the digests
 *
 * Digests are written as sha256sum(1) does, plainly or with --tag, or stand alone on the only line.
 * They may be those of the files of a directory, or that of the directory itself (fetch.h).
 */
#include "lib/base/identity.h"
#include "lib/base/strv.h"
#include "lib/storage/catalog.h"
#include "lib/storage/proof.h"
#include "lib/storage/signatures.h"

struct sidecar_member {
	char *member; /* owned: path in the directory */
	struct proof_wish wish;
};

struct sidecars {
	struct strv names;              /* of the objects, as the storage calls them */
	struct strv suffixes;           /* of NAME's own ones, ".sha256" */
	struct proof_wish whole;        /* of the backup itself */
	struct sidecar_member *members; /* sorted; of its files */
	size_t n_members;
	struct signatures signatures;
	struct buf odd; /* what could not be read or understood, for people; "" nothing */
};

/* Finds and reads those of b; what cannot be read is odd. Signatures are checked where there is a
 * keyring (signatures.h). -1 with *e when it could not be looked, or when a signature of digests is
 * bad. The caller's in any case: sidecar_free(). */
int sidecar_find(struct sidecars *c, struct storage *s, const struct catalog *catalog,
		 const struct backup *b, const char *keyring, struct err *e);

/* Checks the signatures of b itself, a file whose content is in fd. -1 with *e when one is bad. */
int sidecar_verify(struct sidecars *c, struct storage *s, const struct backup *b, int fd,
		   struct err *e);
void sidecar_free(struct sidecars *c);

/* What they say of a file of the directory; NULL: nothing. */
const struct proof_wish *sidecar_wish(const struct sidecars *c, const char *member);

/* Puts NAME's own ones beside dir/name, and removes such as are there from an older backup of that
 * name. */
int sidecar_bring(const struct sidecars *c, struct storage *s, const struct backup *b,
		  const char *dir, const char *name, const struct identity *owner, struct err *e);

/* For each line of a list of digests: hex as it stands there, in lower case; name "" where a digest
 * stands alone. */
void sidecar_parse(const char *text, void (*each)(void *ctx, const char *hex, const char *name),
		   void *ctx);
#endif
