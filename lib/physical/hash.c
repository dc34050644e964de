#include "lib/physical/hash.h"

#include "lib/base/xmem.h"
#include "lib/storage/crc.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct hash {
	EVP_MD_CTX *ctx;
	enum hash_kind kind;
	uint64_t crc;
};

static const struct {
	const char *name;
	size_t size;
	const EVP_MD *(*md)(void);
} kinds[HASH_KINDS] = {
	[HASH_NONE] = { "NONE", 0, NULL },
	[HASH_CRC32C] = { "CRC32C", sizeof(uint32_t), NULL },
	[HASH_SHA224] = { "SHA224", 28, EVP_sha224 },
	[HASH_SHA256] = { "SHA256", 32, EVP_sha256 },
	[HASH_SHA384] = { "SHA384", 48, EVP_sha384 },
	[HASH_SHA512] = { "SHA512", 64, EVP_sha512 },
};

const char *hash_name(enum hash_kind kind)
{
	return kinds[kind].name;
}

bool hash_of_name(const char *name, enum hash_kind *kind)
{
	for (int i = 0; i < HASH_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*kind = (enum hash_kind)i;
			return true;
		}
	return false;
}

size_t hash_size(enum hash_kind kind)
{
	return kinds[kind].size;
}

static int refused(const struct hash *h, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "compute %s: the OpenSSL library refused",
		       hash_name(h->kind));
}

struct hash *hash_new(void)
{
	struct hash *h = xcalloc(1, sizeof(*h));

	h->ctx = EVP_MD_CTX_new();
	return h;
}

void hash_free(struct hash **h)
{
	if (*h == NULL)
		return;
	EVP_MD_CTX_free((*h)->ctx);
	free(*h);
	*h = NULL;
}

int hash_begin(struct hash *h, enum hash_kind kind, struct err *e)
{
	h->kind = kind;
	h->crc = 0;
	if (kinds[kind].md == NULL)
		return 0;
	if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, kinds[kind].md(), NULL) != 1)
		return refused(h, e);
	return 0;
}

int hash_add(struct hash *h, const void *p, size_t n, struct err *e)
{
	if (h->kind == HASH_CRC32C)
		h->crc = crc_add(CRC_32C, h->crc, p, n);
	else if (h->kind != HASH_NONE && EVP_DigestUpdate(h->ctx, p, n) != 1)
		return refused(h, e);
	return 0;
}

int hash_end(struct hash *h, unsigned char out[HASH_MAX], struct err *e)
{
	const uint32_t crc = htole32((uint32_t)h->crc);

	if (h->kind == HASH_CRC32C)
		memcpy(out, &crc, sizeof(crc));
	else if (h->kind != HASH_NONE && EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		return refused(h, e);
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hash_parse(const char *hex, unsigned char *out, size_t n)
{
	if (strlen(hex) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
