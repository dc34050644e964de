#include "lib/base/bytes.h"
#include "lib/base/xmem.h"
#include "lib/dump/codec.h"
#include "lib/dump/tar.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What "openssl enc" writes: "Salted__", the salt of 8 bytes, and the data. Nothing in it says
 * which cipher, digest and derivation made it, and nothing verifies what comes out. So the usual
 * ones are tried, and those are taken with which the first bytes are something that is known here.
 */
enum {
	MAGIC = 8,
	SALT = 8,
	HEAD = MAGIC + SALT,
	KEY = 32,
	IV = 16,
	BLOCK = 16,
	TRIED = 2 * TAR_BLOCK /* that much is decrypted to be looked at */
};

static const char magic[] = "Salted__";

enum derivation {
	PBKDF2,      /* -pbkdf2: 10,000 iterations unless -iter says another number */
	BYTES_TO_KEY /* EVP_BytesToKey(3), one iteration: without -pbkdf2 */
};

/* -md is sha256 since OpenSSL 1.1.0, and was md5. */
static const struct recipe {
	enum derivation how;
	const char *digest;
	int iterations; /* PBKDF2; 0: the number that was given */
} recipes[] = {
	{ PBKDF2, "SHA256", 0 },       { PBKDF2, "SHA512", 0 },       { PBKDF2, "SHA1", 0 },
	{ PBKDF2, "SHA256", 10000 },   { BYTES_TO_KEY, "SHA256", 1 }, { BYTES_TO_KEY, "MD5", 1 },
	{ BYTES_TO_KEY, "SHA512", 1 }, { BYTES_TO_KEY, "SHA1", 1 },   { PBKDF2, "SHA512", 10000 },
	{ PBKDF2, "SHA1", 10000 },     { PBKDF2, "SHA256", 100000 },  { PBKDF2, "SHA512", 100000 },
	{ PBKDF2, "SHA256", 1000000 }, { PBKDF2, "SHA256", 600000 },
};
enum { RECIPES = sizeof(recipes) / sizeof(recipes[0]) };

static const struct {
	const char *name;
	int key;
} ciphers[] = { { "AES-256-CBC", 32 }, { "AES-128-CBC", 16 }, { "AES-192-CBC", 24 } };
enum { CIPHERS = sizeof(ciphers) / sizeof(ciphers[0]) };

struct openssl {
	const struct keys *keys;
	EVP_CIPHER_CTX *cipher;
	bool open;
	char why[256];
};

static bool openssl_begins(const unsigned char *p, size_t n)
{
	return n >= MAGIC && memcmp(p, magic, MAGIC) == 0;
}

static void *openssl_open(const struct keys *keys)
{
	struct openssl *o = xcalloc(1, sizeof(*o));

	o->keys = keys;
	o->cipher = EVP_CIPHER_CTX_new();
	if (o->cipher)
		return o;
	free(o);
	return NULL;
}

static void openssl_close(void *state)
{
	struct openssl *o = state;

	EVP_CIPHER_CTX_free(o->cipher);
	free(o);
}

/* Bytes for a key and, right behind it, the initialization vector: as many as the cipher takes, for
 * both derivations go on where they were. */
static bool derive(const struct recipe *r, const struct keys *keys, const unsigned char *salt,
		   unsigned char out[KEY + IV])
{
	const EVP_MD *md = EVP_get_digestbyname(r->digest);
	const struct secret *pass = &keys->passphrase;
	int iterations = r->iterations ? r->iterations : (int)keys->iterations;

	/* Who gave the number of iterations means that one. */
	if (md == NULL || iterations == 0 || (r->iterations && keys->iterations))
		return false;
	if (r->how == PBKDF2)
		return PKCS5_PBKDF2_HMAC(pass->value, (int)pass->n, salt, SALT, iterations, md,
					 KEY + IV, out) > 0;
	return EVP_BytesToKey(EVP_aes_256_cbc(), md, salt, (const unsigned char *)pass->value,
			      (int)pass->n, 1, out, out + KEY) > 0;
}

/* Random bytes are text in some encoding once in 10^13 times if they are this many; a few bytes are
 * too often, unless they are plain ASCII. */
static bool is_text(const unsigned char *p, size_t n)
{
	enum { ENOUGH = 256, FEW = 128 };

	for (size_t i = 0; i < n && i < ENOUGH; i++)
		if ((p[i] < ' ' && !memchr("\t\n\r", p[i], 3)) || p[i] == 0x7f ||
		    (p[i] >= 0x80 && n < FEW))
			return false;
	return n >= BLOCK;
}

/* The first page of a WAL segment (PostgreSQL src/include/access/xlog_internal.h,
 * XLogLongPageHeaderData): it begins where a multiple of its size does. */
static bool is_wal(const unsigned char *p, size_t n)
{
	enum { INFO = 2, AT = 8, SIZE = 32, HEADER = 40, INFO_LONG = 2, INFO_KNOWN = 0xf };
	const uint32_t size_b = n < HEADER ? 0 : bytes_le32(p + SIZE);

	return size_b >= 1U << 20 && (size_b & (size_b - 1)) == 0 &&
	       (bytes_le16(p) & 0xfe00) == 0xd000 && (bytes_le16(p + INFO) & ~INFO_KNOWN) == 0 &&
	       (bytes_le16(p + INFO) & INFO_LONG) && bytes_le64(p + AT) % size_b == 0;
}

/* Is this the beginning of anything that could be a backup? Signs of one or two bytes are none:
 * many recipes are tried. */
static bool plausible(const unsigned char *p, size_t n)
{
	struct tar_member m;

	return codec_recognise(p, n) || tar_header(p, n, &m) ||
	       (n >= 5 && memcmp(p, "PGDMP", 5) == 0) || is_wal(p, n) || is_text(p, n);
}

static bool begin_cipher(struct openssl *o, int which, const unsigned char *key)
{
	const EVP_CIPHER *c = EVP_get_cipherbyname(ciphers[which].name);

	return c && EVP_DecryptInit_ex(o->cipher, c, NULL, key, key + ciphers[which].key) > 0;
}

/* The first n bytes behind the head. in_ends: they are all there are. */
static bool fits(struct openssl *o, int which, const unsigned char *key, const unsigned char *p,
		 size_t n, bool in_ends)
{
	unsigned char plain[TRIED + BLOCK];
	int made = 0, rest = 0;
	bool ok = begin_cipher(o, which, key) &&
		  EVP_DecryptUpdate(o->cipher, plain, &made, p, (int)n) > 0;

	if (ok && in_ends)
		ok = EVP_DecryptFinal_ex(o->cipher, plain + made, &rest) > 0;
	ok = ok && (plausible(plain, (size_t)made + (size_t)rest) || (in_ends && made + rest == 0));
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok && begin_cipher(o, which, key);
}

static enum codec_step try_all(struct openssl *o, struct codec_io *io)
{
	size_t n = io->in_n - HEAD < TRIED ? io->in_n - HEAD : TRIED;
	unsigned char key[KEY + IV];

	for (int i = 0; i < RECIPES && !o->open; i++)
		if (derive(&recipes[i], o->keys, io->in + MAGIC, key))
			for (int k = 0; k < CIPHERS && !o->open; k++)
				o->open = fits(o, k, key, io->in + HEAD, n,
					       io->in_ends && io->in_n == HEAD + n);
	OPENSSL_cleanse(key, sizeof(key));
	if (!o->open)
		return CODEC_LOCKED;
	io->in += HEAD;
	io->in_n -= HEAD;
	return CODEC_MORE;
}

static enum codec_step say(struct openssl *o, enum codec_step r, const char *why)
{
	(void)snprintf(o->why, sizeof(o->why), "%s", why);
	return r;
}

static enum codec_step begin(struct openssl *o, struct codec_io *io)
{
	if (o->keys->passphrase.value == NULL)
		return say(o, CODEC_LOCKED,
			   "it asks for a passphrase; name its file as DECRYPT_PASSPHRASE_FILE");
	if (io->in_n < HEAD + TRIED && !io->in_ends)
		return CODEC_MORE;
	if (io->in_n < HEAD + BLOCK)
		return say(o, CODEC_CUT, "it ends before its first block");
	if (io->in_ends && (io->in_n - HEAD) % BLOCK != 0 && io->in_n - HEAD <= TRIED)
		return say(o, CODEC_CUT, "it ends within a block");
	(void)say(o, CODEC_LOCKED,
		  "nothing that is known comes out: the passphrase is wrong, or another cipher, "
		  "digest or number of iterations was used (DECRYPT_ITERATIONS), or it is damaged; "
		  "this format does not tell which");
	return try_all(o, io);
}

static enum codec_step end(struct openssl *o, struct codec_io *io, bool within_block)
{
	int made = 0;

	if (within_block)
		return say(o, CODEC_CUT, "it ends within a block");
	if (EVP_DecryptFinal_ex(o->cipher, io->out, &made) <= 0)
		return say(o, CODEC_DAMAGED,
			   "its last block does not end as it must: cut there, or changed");
	io->out += made;
	io->out_n -= (size_t)made;
	return CODEC_END;
}

static enum codec_step openssl_step(void *state, struct codec_io *io, const char **why)
{
	struct openssl *o = state;
	bool whole = io->in_ends;
	int made = 0;
	size_t n;

	*why = o->why;
	if (!o->open)
		return begin(o, io);
	/* Whole blocks, with room for the one that is held back until it is known to be the last.
	 */
	n = io->in_n / BLOCK * BLOCK;
	if (n + 2 * BLOCK > io->out_n) {
		n = io->out_n < 3 * BLOCK ? 0 : (io->out_n / BLOCK - 2) * BLOCK;
		whole = false;
	}
	if (n > 0 && EVP_DecryptUpdate(o->cipher, io->out, &made, io->in, (int)n) <= 0)
		return say(o, CODEC_FAILED, "the library would not");
	io->in += n;
	io->in_n -= n;
	io->out += made;
	io->out_n -= (size_t)made;
	return whole && io->in_n < BLOCK ? end(o, io, io->in_n > 0) : CODEC_MORE;
}

const struct codec codec_openssl = {
	.name = "openssl",
	.kind = CODEC_ENCRYPTION,
	.begins = openssl_begins,
	.open = openssl_open,
	.step = openssl_step,
	.close = openssl_close,
	.doubt = "openssl enc cannot tell whether what comes out was changed",
};
