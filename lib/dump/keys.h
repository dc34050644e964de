#ifndef LIB_DUMP_KEYS_H
#define LIB_DUMP_KEYS_H
/*
 * keys: what opens encrypted backups (design, section 7: DECRYPT_PASSPHRASE_FILE,
 * DECRYPT_KEY_FILE). They are read while we may still read them, live in memory only, and reach a
 * program by descriptors, never by an argument, the environment or a file.
 */
#include "lib/base/err.h"
#include "lib/base/secret.h"

#include <stdbool.h>
#include <stdint.h>

struct keys {
	struct secret passphrase; /* one line, without its end */
	struct secret key;        /* age identities, or secret keys as gpg exports them */
	uint64_t iterations;      /* of openssl enc -iter; 0: not known */
	const char *dir;          /* private, for gpg's home; borrowed; NULL: $TMPDIR, else /tmp */
};

/* Reads both: from the files (NULL: none named), else from the environment (DECRYPT_PASSPHRASE,
 * DECRYPT_KEY), else from $CREDENTIALS_DIRECTORY. Neither need be there. Leaves the rest as it is.
 */
int keys_load(struct keys *k, const char *passphrase_file, const char *key_file, struct err *e);
void keys_wipe(struct keys *k);

/* Is there any? k may be NULL. */
bool keys_any(const struct keys *k);
#endif
