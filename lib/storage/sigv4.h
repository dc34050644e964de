#ifndef LIB_STORAGE_SIGV4_H
#define LIB_STORAGE_SIGV4_H
/*
 * sigv4: AWS Signature Version 4 in the Authorization header ("Authenticating Requests: Using
 * the Authorization Header", Amazon S3 API Reference; test vectors from there and from the AWS
 * signing test suite in tests/unit/test_sigv4.c).
 *
 * Why not libcurl's CURLOPT_AWS_SIGV4: 7.88 signs path and query as they are and leaves
 * x-amz-content-sha256 out, later releases canonicalise in their own ways. This signs the same
 * bytes whatever libcurl is installed.
 *
 * The caller canonicalises: path and query are percent-encoded once (uri_encode), the query's
 * pairs are sorted by name and each has its '='. S3 wants no path normalisation.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/storage/digest.h"

#include <stddef.h>

enum { SIGV4_DATE_SIZE = 17 }; /* 20130524T000000Z */

struct sigv4_key {
	const char *id;
	const char *secret;
	const char *region;
	const char *service; /* "s3" */
};

struct sigv4_header {
	const char *name;  /* lower case */
	const char *value; /* without blanks around it */
};

struct sigv4_request {
	const char *method;
	const char *path;                   /* "/bucket/a%20key" */
	const char *query;                  /* "list-type=2&prefix=a%2Fb", "" for none */
	const struct sigv4_header *headers; /* those to be signed, sorted by name */
	size_t n_headers;
	const char *payload_hash; /* hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
	const char *date;         /* as in the header x-amz-date */
};

struct sigv4_signed {
	char canonical_hash[DIGEST_HEX_SIZE]; /* of the canonical request, for comparing */
	char signature[DIGEST_HEX_SIZE];
};

/* Appends the value of the Authorization header to *authorization. signed_as may be NULL. */
int sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request,
	       struct buf *authorization, struct sigv4_signed *signed_as, struct err *e);

/* The moment in the form that the signature wants. */
int sigv4_date(long long unix_s, char out[SIGV4_DATE_SIZE], struct err *e);
#endif
