#include "lib/base/signature.h"

#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 16 * 1024, SIGNATURE_MAX = 64 };

static const char hmac_name[] = "hmac-sha256", ed25519_name[] = "ed25519";

struct key {
	EVP_PKEY *pair;    /* of Ed25519; NULL: it is a secret */
	struct buf secret; /* of HMAC */
};

static void key_free(struct key *k)
{
	EVP_PKEY_free(k->pair);
	OPENSSL_cleanse(k->secret.s, k->secret.len);
	buf_free(&k->secret);
}

/* No passphrase is asked for. */
static int no_phrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static int read_pem(const struct buf *text, const char *file, bool private, struct key *k,
		    struct err *e)
{
	BIO *bio = BIO_new_mem_buf(text->s, (int)text->len);

	if (bio)
		k->pair = private ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL)
				  : PEM_read_bio_PUBKEY(bio, NULL, no_phrase, NULL);
	BIO_free(bio);
	if (k->pair && EVP_PKEY_get_id(k->pair) == EVP_PKEY_ED25519)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "read the key %s: it is no %s key for Ed25519 in PEM without a passphrase",
		       file, private ? "private" : "public");
}

static int read_key(const char *file, bool private, struct key *k, struct err *e)
{
	BUF_AUTO text = BUF_INIT(KEY_MAX);
	int rc = 0;

	*k = (struct key){ .secret = BUF_INIT(KEY_MAX) };
	if (io_slurp(file, &text, e) < 0)
		return -1;
	if (strncmp(text.s, "-----BEGIN", 10) == 0)
		rc = read_pem(&text, file, private, k, e);
	else
		rc = io_read_secret(file, &k->secret, e);
	OPENSSL_cleanse(text.s, text.len);
	return rc;
}

/* What is signed: the caller's to free. */
static char *canonical(json_t *object)
{
	JSON_AUTO *bare = json_copy(object);
	char *text;

	(void)json_object_del(bare, "signature");
	text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
	return text ? text : xstrdup("");
}

static bool mac(const struct key *k, const char *text, unsigned char out[SIGNATURE_MAX],
		size_t *size)
{
	unsigned int n = 0;

	if (!HMAC(EVP_sha256(), k->secret.s, (int)k->secret.len, (const unsigned char *)text,
		  strlen(text), out, &n))
		return false;
	*size = n;
	return true;
}

static bool ed25519(const struct key *k, const char *text, unsigned char out[SIGNATURE_MAX],
		    size_t *size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done;

	*size = SIGNATURE_MAX;
	done = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pair) == 1 &&
	       EVP_DigestSign(ctx, out, size, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(ctx);
	return done;
}

int signature_add(json_t *object, const char *key_file, struct err *e)
{
	__attribute__((cleanup(key_free))) struct key k = { .secret = BUF_INIT(0) };
	unsigned char value[SIGNATURE_MAX];
	BUF_AUTO hex = BUF_INIT(2 * SIGNATURE_MAX);
	size_t n = 0;

	if (read_key(key_file, true, &k, e) < 0)
		return -1;
	AUTO_FREE char *text = canonical(object);

	if (!(k.pair ? ed25519(&k, text, value, &n) : mac(&k, text, value, &n)))
		return err_set(e, ERR_SYSTEM, "sign with %s: the library refuses", key_file);
	for (size_t i = 0; i < n; i++)
		buf_addf(&hex, "%02x", value[i]);
	(void)json_object_set_new(object, "signature",
				  json_pack("{s:s, s:s}", "algorithm",
					    k.pair ? ed25519_name : hmac_name, "value", hex.s));
	return 0;
}

static bool from_hex(const char *hex, unsigned char out[SIGNATURE_MAX], size_t *n)
{
	static const char digits[] = "0123456789abcdef";

	*n = strlen(hex) / 2;
	if (*n > SIGNATURE_MAX || strspn(hex, digits) != 2 * *n)
		return false;
	for (size_t i = 0; i < *n; i++)
		out[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) << 4 |
					 (strchr(digits, hex[2 * i + 1]) - digits));
	return true;
}

static bool agrees(const struct key *k, const char *text, const unsigned char *value, size_t n)
{
	unsigned char ours[SIGNATURE_MAX];
	EVP_MD_CTX *ctx;
	size_t size;
	bool right;

	if (!k->pair)
		return mac(k, text, ours, &size) && size == n && CRYPTO_memcmp(ours, value, n) == 0;
	ctx = EVP_MD_CTX_new();
	right = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pair) == 1 &&
		EVP_DigestVerify(ctx, value, n, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(ctx);
	return right;
}

int signature_verify(json_t *object, const char *key_file, struct err *e)
{
	__attribute__((cleanup(key_free))) struct key k = { .secret = BUF_INIT(0) };
	const json_t *field = json_object_get(object, "signature");
	const char *algorithm = record_text(field, "algorithm");
	const char *hex = record_text(field, "value");
	unsigned char value[SIGNATURE_MAX];
	size_t n;

	if (read_key(key_file, false, &k, e) < 0)
		return -1;
	if (!algorithm || !hex)
		return err_set(e, ERR_BACKUP, "it is not signed");
	AUTO_FREE char *text = canonical(object);

	if (strcmp(algorithm, k.pair ? ed25519_name : hmac_name) != 0 ||
	    !from_hex(hex, value, &n) || !agrees(&k, text, value, n))
		return err_set(e, ERR_BACKUP, "its signature is not that of the key in %s",
			       key_file);
	return 0;
}
