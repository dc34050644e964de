#ifndef LIB_STORAGE_AZURE_ERROR_H
#define LIB_STORAGE_AZURE_ERROR_H
/*
 * azure_error: what a refusal by Azure Blob Storage means and what to do about it ("Blob Storage
 * error codes").
 */
#include "lib/storage/azure_account.h"
#include "lib/storage/download.h"

struct azure_asked {
	const char *verb, *shown; /* "get", "azure://shop/pg/x.dump" */
	const struct azure_account *account;
	const char *blob; /* NULL: the container */
};

/* Fills *e from an answer that is not good, and returns -1. A blob that is not there is ERR_BACKUP,
 * everything else ERR_REMOTE. */
int azure_error_set(const struct download_reply *reply, const struct azure_asked *asked,
		    struct err *e);

/* Does the answer to a HEAD say that the blob is in the archive tier? */
bool azure_error_archived(const struct download_reply *reply);
#endif
