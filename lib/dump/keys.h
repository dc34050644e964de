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

/* How a tool (lib/base/opt.h) is told of them. */
struct keys_config {
	const char *passphrase_file, *key_file; /* NULL: none named */
	uint64_t iterations;
};

/* clang-format off */
#define KEYS_OPTIONS(c) \
	{ OPT_TEXT, 0, "decrypt-passphrase-file", "FILE", &(c).passphrase_file, \
	  "the passphrase of an encrypted backup, or of the key, is the first line of FILE; or the " \
	  "variable DECRYPT_PASSPHRASE holds it", \
	  "DECRYPT_PASSPHRASE_FILE", false, NULL }, \
	{ OPT_TEXT, 0, "decrypt-key-file", "FILE", &(c).key_file, \
	  "the key of an encrypted backup: age identities, or secret keys as gpg exports them", \
	  "DECRYPT_KEY_FILE", false, NULL }, \
	{ OPT_CALL, 0, "decrypt-iterations", "N", &(c).iterations, \
	  "what openssl enc was told with -iter; default: the usual numbers are tried", \
	  "DECRYPT_ITERATIONS", false, keys_parse_iterations }
/* clang-format on */

/* For the option table. */
int keys_parse_iterations(const char *value, void *to, struct err *e);

/* Reads both: from the files, else from the environment (DECRYPT_PASSPHRASE, DECRYPT_KEY), else
 * from $CREDENTIALS_DIRECTORY. Neither need be there. Leaves dir as it is. */
int keys_load(struct keys *k, const struct keys_config *c, struct err *e);
void keys_wipe(struct keys *k);

/* Is there any? k may be NULL. */
bool keys_any(const struct keys *k);
#endif
