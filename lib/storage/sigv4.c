#include "lib/storage/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <time.h>

enum { CANONICAL_MAX = 64 * 1024, SHA256_SIZE = 32, DAY = 8 };

int sigv4_date(long long unix_s, char out[SIGV4_DATE_SIZE], struct err *e)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) != SIGV4_DATE_SIZE - 1)
		return err_set(e, ERR_SYSTEM, "sign request: the clock shows no usable time");
	return 0;
}

static int hmac(const void *key, size_t key_n, const char *text, unsigned char out[SHA256_SIZE],
		struct err *e)
{
	if (HMAC(EVP_sha256(), key, (int)key_n, (const unsigned char *)text, strlen(text), out,
		 NULL) == NULL)
		return err_set(e, ERR_SYSTEM, "sign request: the OpenSSL library refused");
	return 0;
}

static void signed_names(const struct sigv4_request *r, struct buf *out)
{
	for (size_t i = 0; i < r->n_headers; i++)
		buf_addf(out, "%s%s", i ? ";" : "", r->headers[i].name);
}

static int canonical_hash(const struct sigv4_request *r, const char *names,
			  char out[DIGEST_HEX_SIZE], struct err *e)
{
	BUF_AUTO text = BUF_INIT(CANONICAL_MAX);

	buf_addf(&text, "%s\n%s\n%s\n", r->method, r->path, r->query);
	for (size_t i = 0; i < r->n_headers; i++)
		buf_addf(&text, "%s:%s\n", r->headers[i].name, r->headers[i].value);
	buf_addf(&text, "\n%s\n%s", names, r->payload_hash);
	if (text.full)
		return err_set(e, ERR_USAGE, "sign request: the path is too long");
	return digest_of(text.s, text.len, out, e);
}

/* The key for one day, region and service; the secret itself never signs. */
static int signing_key(const struct sigv4_key *k, const char *day, unsigned char out[SHA256_SIZE],
		       struct err *e)
{
	BUF_AUTO first = BUF_INIT(4096);
	unsigned char a[SHA256_SIZE], b[SHA256_SIZE];
	int rc = -1;

	buf_addf(&first, "AWS4%s", k->secret);
	if (first.full)
		return err_set(e, ERR_USAGE, "sign request: the secret key is too long");
	if (hmac(first.s, first.len, day, a, e) == 0 && hmac(a, sizeof(a), k->region, b, e) == 0 &&
	    hmac(b, sizeof(b), k->service, a, e) == 0 &&
	    hmac(a, sizeof(a), "aws4_request", out, e) == 0)
		rc = 0;
	OPENSSL_cleanse(first.s, first.len);
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(b, sizeof(b));
	return rc;
}

int sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request,
	       struct buf *authorization, struct sigv4_signed *signed_as, struct err *e)
{
	BUF_AUTO names = BUF_INIT(1024);
	BUF_AUTO scope = BUF_INIT(1024);
	BUF_AUTO text = BUF_INIT(4096);
	unsigned char secret[SHA256_SIZE], mac[SHA256_SIZE];
	struct sigv4_signed made;
	char day[DAY + 1];
	int rc;

	(void)snprintf(day, sizeof(day), "%.*s", DAY, request->date);
	buf_addf(&scope, "%s/%s/%s/aws4_request", day, key->region, key->service);
	signed_names(request, &names);
	if (canonical_hash(request, names.s, made.canonical_hash, e) < 0)
		return -1;
	buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", request->date, scope.s,
		 made.canonical_hash);
	if (names.full || scope.full || text.full)
		return err_set(e, ERR_USAGE, "sign request: the region is too long");
	rc = signing_key(key, day, secret, e);
	if (rc == 0)
		rc = hmac(secret, sizeof(secret), text.s, mac, e);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (rc < 0)
		return -1;
	digest_print(mac, sizeof(mac), made.signature);
	buf_addf(authorization, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		 key->id, scope.s, names.s, made.signature);
	if (signed_as)
		*signed_as = made;
	return 0;
}
