#include "lib/alert/sign.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

void sign_body(struct buf *out, const char *secret, int64_t at_ms, const void *body, size_t len)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	BUF_AUTO signed_text = BUF_INIT(SIZE_MAX / 2);

	buf_addf(&signed_text, "%" PRId64 ".", at_ms / 1000);
	buf_add(&signed_text, body, len);
	/* NULL only when OpenSSL has no memory; then n is 0 and no receiver accepts the result. */
	(void)HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)signed_text.s,
		   signed_text.len, mac, &n);
	buf_addf(out, "t=%" PRId64 ",v1=", at_ms / 1000);
	for (unsigned int i = 0; i < n; i++)
		buf_addf(out, "%02x", mac[i]);
}
