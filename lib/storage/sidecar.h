#ifndef LIB_STORAGE_SIDECAR_H
#define LIB_STORAGE_SIDECAR_H
/*
 * sidecar: the small files that belong to a backup and lie beside it: its digests, the counts that
 * were taken with it, its signature.
 *
 *	NAME.sha256 NAME.sha256sum NAME.md5 NAME.md5sum NAME.counts.json NAME.sig NAME.asc
 *	SHA256SUMS MD5SUMS	of several files, in the same directory, or in that of the backup
 *
 * Digests are written as sha256sum(1) does, plainly or with --tag, or stand alone on the only line.
 * They may be those of the files of a directory, or that of the directory itself (fetch.h).
 */
#include "lib/base/identity.h"
#include "lib/base/strv.h"
#include "lib/storage/catalog.h"
#include "lib/storage/proof.h"

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
	struct buf odd; /* what could not be read or understood, for people; "" nothing */
};

/* Finds and reads those of b; what cannot be read is odd. -1 with *e when it could not be looked.
 * The caller's in any case: sidecar_free(). */
int sidecar_find(struct sidecars *c, struct storage *s, const struct catalog *catalog,
		 const struct backup *b, struct err *e);
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
