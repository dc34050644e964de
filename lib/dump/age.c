#include "lib/dump/age.h"

#include "lib/base/num.h"
#include "lib/base/xmem.h"
#include "lib/dump/base64.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>

static const char first_line[] = "age-encryption.org/v1\n";

enum { LINE_MAX_N = 8192, BODY_COLUMNS = 64, TAG = 16 };

bool age_begins(const unsigned char *p, size_t n)
{
	return n >= strlen(first_line) && memcmp(p, first_line, strlen(first_line)) == 0;
}

/* ---- the header's text -------------------------------------------------------------- */

struct text {
	const char *p;
	size_t n;
};

/* The next line, without its end. 1; 0: there is no whole one; -1: what is there is no text. */
static int next_line(struct text *rest, struct text *line)
{
	const char *nl = memchr(rest->p, '\n', rest->n);
	size_t n = nl ? (size_t)(nl - rest->p) : rest->n;

	for (size_t i = 0; i < n; i++)
		if (rest->p[i] < ' ' || rest->p[i] > '~')
			return -1;
	if (n > LINE_MAX_N)
		return -1;
	if (nl == NULL)
		return 0;
	*line = (struct text){ rest->p, n };
	rest->p += n + 1;
	rest->n -= n + 1;
	return 1;
}

static struct text word(struct text *line)
{
	const char *blank = memchr(line->p, ' ', line->n);
	size_t n = blank ? (size_t)(blank - line->p) : line->n;
	struct text w = { line->p, n };

	line->p += n + (blank != NULL);
	line->n -= n + (blank != NULL);
	return w;
}

static bool is(struct text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static bool decode(struct text t, unsigned char *out, size_t n)
{
	return base64_decode(t.p, t.n, out, n) == (ssize_t)n;
}

static bool work_factor(struct text t, unsigned *out)
{
	char digits[4];
	uint64_t v;
	struct err e;

	if (t.n == 0 || t.n >= sizeof(digits) || t.p[0] == '0')
		return false;
	memcpy(digits, t.p, t.n);
	digits[t.n] = '\0';
	if (num_u64(digits, 1, 63, &v, &e) < 0)
		return false;
	*out = (unsigned)v;
	return true;
}

/* "-> TYPE ARGUMENT..." */
static bool parse_recipient(struct text line, struct age_stanza *s)
{
	struct text type = word(&line), a = word(&line), b = word(&line);

	size_t shown = type.n < sizeof(s->type) - 1 ? type.n : sizeof(s->type) - 1;

	memcpy(s->type, type.p, shown);
	s->type[shown] = '\0';
	s->kind = AGE_OTHER;
	if (is(type, "X25519")) {
		s->kind = AGE_X25519;
		return decode(a, s->share, AGE_POINT) && b.n == 0;
	}
	if (is(type, "scrypt")) {
		s->kind = AGE_SCRYPT;
		return decode(a, s->share, AGE_SALT) && work_factor(b, &s->log_n) && line.n == 0;
	}
	return type.n > 0;
}

/* Lines of 64 characters up to a shorter one. */
static int parse_body(struct text *rest, struct age_stanza *s)
{
	struct text line;
	bool only = true;
	int r;

	while ((r = next_line(rest, &line)) > 0 && line.n >= BODY_COLUMNS) {
		if (line.n > BODY_COLUMNS)
			return -1;
		only = false;
	}
	if (r <= 0 || s->kind == AGE_OTHER)
		return r;
	return only && decode(line, s->wrapped, AGE_WRAPPED) ? 1 : -1;
}

static int parse_stanza(struct text line, struct text *rest, struct age_header *h, const char **why)
{
	static const char damaged[] = "a recipient of its header is damaged";
	struct age_stanza *s = &h->stanzas[h->n_stanzas];
	int r;

	if (h->n_stanzas == AGE_STANZAS) {
		*why = "more than 256 recipients";
		return -1;
	}
	*why = damaged;
	if (!parse_recipient(line, s))
		return -1;
	r = parse_body(rest, s);
	h->n_stanzas += r > 0;
	return r;
}

int age_header_parse(const unsigned char *p, size_t n, struct age_header *h, const char **why)
{
	struct text rest = { (const char *)p, n }, line;
	int r;

	h->n_stanzas = 0;
	*why = "its first line";
	r = next_line(&rest, &line);
	if (r > 0 && !age_begins(p, n))
		return -1;
	while (r > 0) {
		*why = "a line of its header is damaged";
		r = next_line(&rest, &line);
		if (r <= 0)
			break;
		if (line.n > 3 && memcmp(line.p, "-> ", 3) == 0) {
			r = parse_stanza((struct text){ line.p + 3, line.n - 3 }, &rest, h, why);
		} else if (line.n > 4 && memcmp(line.p, "--- ", 4) == 0 && h->n_stanzas > 0) {
			h->mac_n = (size_t)(line.p - (const char *)p) + 3;
			h->n = n - rest.n;
			return decode((struct text){ line.p + 4, line.n - 4 }, h->mac, AGE_MAC)
				       ? 1
				       : -1;
		} else {
			return -1;
		}
	}
	return r;
}

/* ---- keys --------------------------------------------------------------------------- */

/* BIP 173: a checksum over GF(32). */
static uint32_t bech32_step(uint32_t sum, uint32_t v)
{
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					      0x2a1462b3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ v;
	for (int i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

bool age_identity(const char *line, size_t n, unsigned char out[AGE_POINT])
{
	static const char alphabet[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
	static const char human[] = "AGE-SECRET-KEY-";
	enum { HUMAN = sizeof(human) - 1, SUM = 6, DATA = 52 /* 5 bits each: 32 bytes */ };
	uint32_t sum = 1, bits = 0;
	unsigned have = 0;
	size_t made = 0;

	if (n != HUMAN + 1 + DATA + SUM || memcmp(line, human, HUMAN) != 0 || line[HUMAN] != '1')
		return false;
	for (size_t i = 0; i < HUMAN; i++)
		sum = bech32_step(sum, (uint32_t)tolower((unsigned char)human[i]) >> 5);
	sum = bech32_step(sum, 0);
	for (size_t i = 0; i < HUMAN; i++)
		sum = bech32_step(sum, (uint32_t)tolower((unsigned char)human[i]) & 31);
	for (size_t i = HUMAN + 1; i < n; i++) {
		const char *at = memchr(alphabet, line[i], 32);
		uint32_t v = at ? (uint32_t)(at - alphabet) : 0;

		if (at == NULL)
			return false;
		sum = bech32_step(sum, v);
		bits = bits << 5 | v;
		have += 5;
		if (have >= 8 && made < AGE_POINT) {
			have -= 8;
			out[made++] = (unsigned char)(bits >> have);
		}
	}
	return sum == 1;
}

bool age_derive(const unsigned char *key, size_t key_n, const unsigned char *salt, size_t salt_n,
		const char *info, unsigned char out[32])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	size_t n = 32;
	bool ok = c && EVP_PKEY_derive_init(c) > 0 &&
		  EVP_PKEY_CTX_set_hkdf_md(c, EVP_sha256()) > 0 &&
		  (salt_n == 0 || EVP_PKEY_CTX_set1_hkdf_salt(c, salt, (int)salt_n) > 0) &&
		  EVP_PKEY_CTX_set1_hkdf_key(c, key, (int)key_n) > 0 &&
		  EVP_PKEY_CTX_add1_hkdf_info(c, (const unsigned char *)info, (int)strlen(info)) >
			  0 &&
		  EVP_PKEY_derive(c, out, &n) > 0;

	EVP_PKEY_CTX_free(c);
	return ok;
}

/* ChaCha20-Poly1305 under a nonce of zeros: the key is used but once. */
static bool unwrap(const unsigned char key[32], const unsigned char wrapped[AGE_WRAPPED],
		   unsigned char file_key[AGE_KEY])
{
	static const unsigned char nonce[12];
	unsigned char tag[TAG];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok;

	memcpy(tag, wrapped + AGE_KEY, TAG);
	ok = c && EVP_DecryptInit_ex(c, EVP_chacha20_poly1305(), NULL, key, nonce) > 0 &&
	     EVP_DecryptUpdate(c, file_key, &n, wrapped, AGE_KEY) > 0 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) > 0 &&
	     EVP_DecryptFinal_ex(c, file_key + n, &n) > 0;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

/* public: of the secret key; shared: what both sides know. */
static bool agree(const unsigned char secret[AGE_POINT], const unsigned char share[AGE_POINT],
		  unsigned char public[AGE_POINT], unsigned char shared[AGE_POINT])
{
	EVP_PKEY *ours = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AGE_POINT);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, share, AGE_POINT);
	EVP_PKEY_CTX *c = ours ? EVP_PKEY_CTX_new(ours, NULL) : NULL;
	size_t n = AGE_POINT, m = AGE_POINT;
	bool ok = c && theirs && EVP_PKEY_get_raw_public_key(ours, public, &n) > 0 &&
		  EVP_PKEY_derive_init(c) > 0 && EVP_PKEY_derive_set_peer(c, theirs) > 0 &&
		  EVP_PKEY_derive(c, shared, &m) > 0;

	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
	return ok;
}

static bool open_x25519(const struct age_stanza *s, const unsigned char secret[AGE_POINT],
			unsigned char file_key[AGE_KEY])
{
	unsigned char shared[AGE_POINT], salt[2 * AGE_POINT], key[32];
	bool ok;

	memcpy(salt, s->share, AGE_POINT);
	ok = agree(secret, s->share, salt + AGE_POINT, shared) &&
	     age_derive(shared, sizeof(shared), salt, sizeof(salt), "age-encryption.org/v1/X25519",
			key) &&
	     unwrap(key, s->wrapped, file_key);
	OPENSSL_cleanse(shared, sizeof(shared));
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

/* Every secret key in the key file with every recipient. */
static bool try_identities(const struct age_header *h, const struct secret *keys,
			   unsigned char file_key[AGE_KEY], unsigned *identities)
{
	const char *end = keys->value + keys->n;
	unsigned char secret[AGE_POINT];
	bool open = false;

	for (const char *at = keys->value; at < end && !open;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);

		while (n > 0 && isspace((unsigned char)at[n - 1]))
			n--;
		if (age_identity(at, n, secret)) {
			++*identities;
			for (size_t i = 0; i < h->n_stanzas && !open; i++)
				open = h->stanzas[i].kind == AGE_X25519 &&
				       open_x25519(&h->stanzas[i], secret, file_key);
		}
		at = nl ? nl + 1 : end;
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	return open;
}

static enum age_result try_passphrase(const struct age_stanza *s, const struct secret *passphrase,
				      unsigned char file_key[AGE_KEY], char why[256])
{
	static const char label[] = "age-encryption.org/v1/scrypt";
	enum { LABEL = sizeof(label) - 1, BLOCK = 8 };
	unsigned char salt[LABEL + AGE_SALT], key[32];
	uint64_t work = (uint64_t)1 << s->log_n;
	bool ok;

	if (s->log_n > AGE_SCRYPT_MAX) {
		(void)snprintf(why, 256, "its scrypt asks for a work of 2^%u; at most 2^%d is done",
			       s->log_n, AGE_SCRYPT_MAX);
		return AGE_FAILED;
	}
	memcpy(salt, label, LABEL);
	memcpy(salt + LABEL, s->share, AGE_SALT);
	/* RFC 7914: 128 * r * N bytes, and some. */
	if (EVP_PBE_scrypt(passphrase->value, passphrase->n, salt, sizeof(salt), work, BLOCK, 1,
			   128 * BLOCK * (work + 64), key, sizeof(key)) <= 0) {
		(void)snprintf(why, 256, "scrypt would not; is there not enough memory?");
		return AGE_FAILED;
	}
	ok = unwrap(key, s->wrapped, file_key);
	OPENSSL_cleanse(key, sizeof(key));
	(void)snprintf(why, 256, "the passphrase is wrong (or its header damaged)");
	return ok ? AGE_OPEN : AGE_LOCKED;
}

/* ---- the file key ------------------------------------------------------------------- */

static bool mac_fits(const struct age_header *h, const unsigned char *text,
		     const unsigned char file_key[AGE_KEY])
{
	unsigned char key[32], mac[AGE_MAC];
	unsigned n = 0;
	bool ok = age_derive(file_key, AGE_KEY, NULL, 0, "header", key) &&
		  HMAC(EVP_sha256(), key, sizeof(key), text, h->mac_n, mac, &n) && n == AGE_MAC &&
		  CRYPTO_memcmp(mac, h->mac, AGE_MAC) == 0;

	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

static const struct age_stanza *first_of(const struct age_header *h, enum age_kind kind)
{
	for (size_t i = 0; i < h->n_stanzas; i++)
		if (h->stanzas[i].kind == kind)
			return &h->stanzas[i];
	return NULL;
}

static enum age_result with_identity(const struct age_header *h, const struct keys *keys,
				     unsigned char file_key[AGE_KEY], char why[256])
{
	const struct age_stanza *other = first_of(h, AGE_OTHER);
	unsigned identities = 0;

	if (first_of(h, AGE_X25519) == NULL) {
		(void)snprintf(why, 256,
			       "it is for a recipient of the kind %s; only X25519 and "
			       "passphrases are read here",
			       other ? other->type : "?");
		return AGE_LOCKED;
	}
	if (keys->key.value == NULL) {
		(void)snprintf(why, 256, "it asks for a key; name its file as DECRYPT_KEY_FILE");
		return AGE_LOCKED;
	}
	if (try_identities(h, &keys->key, file_key, &identities))
		return AGE_OPEN;
	(void)snprintf(why, 256, "%s",
		       identities ? "it is not for the given key"
				  : "the given key is no age identity (AGE-SECRET-KEY-1...)");
	return AGE_LOCKED;
}

static enum age_result with_passphrase(const struct age_header *h, const struct keys *keys,
				       unsigned char file_key[AGE_KEY], char why[256])
{
	if (h->n_stanzas > 1) {
		(void)snprintf(why, 256, "a passphrase beside other recipients in its header");
		return AGE_DAMAGED;
	}
	if (keys->passphrase.value == NULL) {
		(void)snprintf(why, 256,
			       "it asks for a passphrase; name its file as "
			       "DECRYPT_PASSPHRASE_FILE");
		return AGE_LOCKED;
	}
	return try_passphrase(&h->stanzas[0], &keys->passphrase, file_key, why);
}

enum age_result age_unlock(const struct age_header *h, const unsigned char *text,
			   const struct keys *keys, unsigned char file_key[AGE_KEY], char why[256])
{
	enum age_result r = first_of(h, AGE_SCRYPT) ? with_passphrase(h, keys, file_key, why)
						    : with_identity(h, keys, file_key, why);

	if (r != AGE_OPEN || mac_fits(h, text, file_key))
		return r;
	(void)snprintf(why, 256, "its header was changed: the MAC is wrong");
	return AGE_DAMAGED;
}
