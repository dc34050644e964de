#ifndef LIB_STORAGE_AZURE_SIGN_H
#define LIB_STORAGE_AZURE_SIGN_H
/*
 * azure_sign: the Shared Key of Azure Storage ("Authorize with Shared Key", Azure Storage REST API,
 * version 2009-09-19 and later), for requests without a body.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stddef.h>

/* One pair of the query, not encoded. */
struct azure_pair {
	const char *name, *value;
};

struct azure_request {
	const char *method;
	const char *path;               /* of the URL, encoded as it is sent */
	const struct azure_pair *query; /* sorted by name */
	size_t n_query;
	const char *range, *if_match; /* of these headers, "" for none */
	const char *date, *version;   /* of x-ms-date and x-ms-version */
};

/* The text that is signed. */
void azure_sign_text(const char *account, const struct azure_request *request, struct buf *out);

/* Adds the value of the header Authorization; key in base64. */
int azure_sign(const char *account, const char *key, const struct azure_request *request,
	       struct buf *authorization, struct err *e);
#endif
