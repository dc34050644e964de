#include "lib/storage/digest.h"

#include "lib/base/xmem.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct digest {
	EVP_MD_CTX *ctx;
};

static int refused(struct err *e)
{
	return err_set(e, ERR_SYSTEM, "compute SHA-256: the OpenSSL library refused");
}

struct digest *digest_new(struct err *e)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL || digest_reset(d, e) < 0) {
		(void)refused(e);
		digest_free(&d);
	}
	return d;
}

void digest_free(struct digest **d)
{
	if (*d == NULL)
		return;
	EVP_MD_CTX_free((*d)->ctx);
	free(*d);
	*d = NULL;
}

int digest_reset(struct digest *d, struct err *e)
{
	return EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) == 1 ? 0 : refused(e);
}

int digest_add(struct digest *d, const void *p, size_t n, struct err *e)
{
	return EVP_DigestUpdate(d->ctx, p, n) == 1 ? 0 : refused(e);
}

void digest_print(const unsigned char *p, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex[p[i] >> 4];
		out[2 * i + 1] = hex[p[i] & 15];
	}
	out[2 * n] = '\0';
}

int digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE], struct err *e)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(d->ctx, raw, &n) != 1 || 2 * n + 1 != DIGEST_HEX_SIZE)
		return refused(e);
	digest_print(raw, n, out);
	return 0;
}

int digest_of(const void *p, size_t n, char out[DIGEST_HEX_SIZE], struct err *e)
{
	DIGEST_AUTO d = digest_new(e);

	if (d == NULL || digest_add(d, p, n, e) < 0)
		return -1;
	return digest_hex(d, out, e);
}
