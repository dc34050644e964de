#ifndef LIB_STORAGE_AZURE_ACCOUNT_H
#define LIB_STORAGE_AZURE_ACCOUNT_H
/*
 * azure_account: where a container of Azure Blob Storage is, and by what right it is read: from the
 * source and from the variables that Azure's own tools read ("Environment variables", az storage).
 *
 *	azure://ACCOUNT/CONTAINER/PREFIX	(without ACCOUNT: that of the variables)
 *	https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX[?SAS]
 *
 * account    AZURE_STORAGE_ACCOUNT
 * right      the SAS of the source, else AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, else what
 *            AZURE_STORAGE_CONNECTION_STRING has; without any of them only what is public
 * endpoint   AZURE_STORAGE_SERVICE_ENDPOINT, the connection string's BlobEndpoint or EndpointSuffix
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stdbool.h>

/* All text is owned. */
struct azure_account {
	char *name;
	char *endpoint; /* "https://shop.blob.core.windows.net", without '/' at the end */
	char *key;      /* base64, as it is handed out; NULL: none */
	char *sas;      /* query of a URL without '?'; NULL: none */
	char *container;
	char *prefix; /* of the blobs' names, decoded */
};

/* Is the https URL one of Azure's Blob Storage? One that carries the right to a single blob only is
 * not: it is read like any other URL. */
bool azure_account_claims(const char *source);

int azure_account_load(struct azure_account *a, const char *source, struct err *e);
void azure_account_copy(struct azure_account *to, const struct azure_account *from);

/* Wipes the secrets. */
void azure_account_free(struct azure_account *a);
#endif
