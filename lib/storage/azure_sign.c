#include "lib/storage/azure_sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024, KEY_MAX = 512, SHA256_SIZE = 32, SHA256_BASE64 = 45 };

void azure_sign_text(const char *account, const struct azure_request *r, struct buf *out)
{
	/* Content-Encoding, -Language, -Length, -MD5, -Type, Date and If-Modified-Since are empty,
	 * as are If-None-Match and If-Unmodified-Since. */
	buf_addf(out, "%s\n\n\n\n\n\n\n\n%s\n\n\n%s\n", r->method, r->if_match, r->range);
	buf_addf(out, "x-ms-date:%s\nx-ms-version:%s\n", r->date, r->version);
	buf_addf(out, "/%s%s", account, r->path);
	for (size_t i = 0; i < r->n_query; i++)
		buf_addf(out, "\n%s:%s", r->query[i].name, r->query[i].value);
}

/* How many bytes the base64 text stands for, -1: it is none. */
static int decode(const char *text, unsigned char out[KEY_MAX])
{
	const size_t n = strlen(text);
	int len;

	if (n == 0 || n % 4 != 0 || n / 4 * 3 > KEY_MAX)
		return -1;
	len = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
	/* It counts what the padding stands for. */
	for (size_t i = n; len > 0 && i > n - 2 && text[i - 1] == '='; i--)
		len--;
	return len > 0 ? len : -1;
}

int azure_sign(const char *account, const char *key, const struct azure_request *request,
	       struct buf *authorization, struct err *e)
{
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	unsigned char secret[KEY_MAX], mac[SHA256_SIZE], base64[SHA256_BASE64];
	int n = decode(key, secret);
	bool made;

	if (n < 0)
		return err_set(e, ERR_USAGE,
			       "sign request: AZURE_STORAGE_KEY is no key: it is not base64");
	azure_sign_text(account, request, &text);
	made = !text.full && HMAC(EVP_sha256(), secret, n, (const unsigned char *)text.s, text.len,
				  mac, NULL) != NULL;
	OPENSSL_cleanse(secret, sizeof(secret));
	if (!made)
		return err_set(e, ERR_SYSTEM, "sign request: the OpenSSL library refused");
	(void)EVP_EncodeBlock(base64, mac, SHA256_SIZE);
	buf_addf(authorization, "SharedKey %s:%s", account, (const char *)base64);
	return 0;
}
