#ifndef LIB_STORAGE_SIGNATURES_H
#define LIB_STORAGE_SIGNATURES_H
/*
 * signatures: are detached OpenPGP signatures of a backup, or of the digests of one, by a key that
 * is trusted? (gpgv.h)
 */
#include "lib/base/strv.h"
#include "lib/storage/storage.h"

enum { SIGNATURES_SIGNER_SIZE = 192 };

struct signatures {
	const char *keyring; /* of the trusted keys; borrowed; NULL: none is checked */
	struct strv good;    /* what has a good signature, by its last part */
	char signer[SIGNATURES_SIGNER_SIZE]; /* of the last of them, for people */
};

/* The object signature, of what is called signed and stands in fd, which has so many bytes. -1 with
 * *e: ERR_BACKUP when it is bad, or its key was revoked. What leaves a doubt is added to odd. */
int signatures_check(struct signatures *g, struct storage *s, const char *signature,
		     const char *what, int fd, int64_t bytes, struct buf *odd, struct err *e);

/* The same, of a text. */
int signatures_check_text(struct signatures *g, struct storage *s, const char *signature,
			  const char *what, const struct buf *text, struct buf *odd, struct err *e);
void signatures_free(struct signatures *g);
#endif
