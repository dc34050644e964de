#ifndef LIB_STORAGE_GPGV_H
#define LIB_STORAGE_GPGV_H
/*
 * gpgv: who has signed this? By the program gpgv (GnuPG 2.1 or newer), which knows no other keys
 * than those of the given file, asks no agent and no server, and works in a home of its own that is
 * gone afterwards. (Status lines: GnuPG doc/DETAILS, "Format of the --status-fd output".)
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stdint.h>

enum { GPGV_KEY_SIZE = 41, GPGV_WHO_SIZE = 128 };

/* Of several signatures the worst counts, but that of a key that is not there less than any other.
 */
enum gpgv_verdict {
	GPGV_NONE,    /* the file holds no signature */
	GPGV_UNKNOWN, /* by a key that is not among the given ones */
	GPGV_GOOD,
	GPGV_EXPIRED, /* good, but the key, or the signature, has expired */
	GPGV_REVOKED, /* the key was revoked */
	GPGV_BAD,     /* it is not of these bytes */
};

struct gpgv_said {
	enum gpgv_verdict verdict;
	char key[GPGV_KEY_SIZE]; /* its id, hexadecimal */
	char who[GPGV_WHO_SIZE]; /* as the key calls its owner, printable; "" not known */
};

/* keyring: a file of public keys as gpg --export writes them, with --armor or without. data is read
 * from its beginning, for at most limit_s seconds. -1 with *e when it could not be looked. */
int gpgv_check(const char *keyring, const struct buf *signature, int data, uint64_t limit_s,
	       struct gpgv_said *out, struct err *e);

/* Takes one line of what gpgv says. */
void gpgv_see(struct gpgv_said *said, const char *line);
#endif
