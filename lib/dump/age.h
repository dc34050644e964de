#ifndef LIB_DUMP_AGE_H
#define LIB_DUMP_AGE_H
/*
 * age: the header of a file that age encrypted, and how its key is got out.
 *
 * Format: https://age-encryption.org/v1 (C2SP, "The age file encryption format"). A header of text
 * lines holds the file key once for each recipient, and a MAC of the header under that key. Of the
 * recipients X25519 (age-keygen's) and scrypt (a passphrase) are read here; age itself asks for a
 * passphrase on a terminal only, which is why this is not left to the program.
 */
#include "lib/dump/keys.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	AGE_KEY = 16,     /* bytes of a file key */
	AGE_POINT = 32,   /* of a public or secret key on Curve25519 */
	AGE_WRAPPED = 32, /* of a file key, encrypted, with its tag */
	AGE_MAC = 32,
	AGE_SALT = 16,
	AGE_STANZAS = 256,  /* recipients in one file */
	AGE_SCRYPT_MAX = 21 /* log2 of the work: 2 GiB of memory; age writes 18 */
};

enum age_kind { AGE_X25519, AGE_SCRYPT, AGE_OTHER };

struct age_stanza {
	enum age_kind kind;
	unsigned char share[AGE_POINT]; /* X25519: the sender's; scrypt: the salt */
	unsigned log_n;                 /* scrypt */
	unsigned char wrapped[AGE_WRAPPED];
	char type[24]; /* for people, printable */
};

struct age_header {
	size_t n;     /* bytes of it all */
	size_t mac_n; /* ... of what the MAC is of */
	unsigned char mac[AGE_MAC];
	struct age_stanza stanzas[AGE_STANZAS];
	size_t n_stanzas;
};

bool age_begins(const unsigned char *p, size_t n);

/* 1: parsed; 0: it does not end within these n bytes; -1: it is none, *why says in which way. */
int age_header_parse(const unsigned char *p, size_t n, struct age_header *h, const char **why);

enum age_result { AGE_OPEN, AGE_LOCKED, AGE_DAMAGED, AGE_FAILED };

/* Gets the file key out, and verifies the header (which begins at text) with it. For all but
 * AGE_OPEN why says what is the matter. */
enum age_result age_unlock(const struct age_header *h, const unsigned char *text,
			   const struct keys *keys, unsigned char file_key[AGE_KEY], char why[256]);

/* HKDF-SHA-256 (RFC 5869) of the file key, to 32 bytes. False: the library would not. */
bool age_derive(const unsigned char *key, size_t key_n, const unsigned char *salt, size_t salt_n,
		const char *info, unsigned char out[32]);

/* The secret key of a line "AGE-SECRET-KEY-1..." (Bech32, BIP 173). False: it is none. */
bool age_identity(const char *line, size_t n, unsigned char out[AGE_POINT]);
#endif
