#ifndef LIB_STORAGE_S3LIST_H
#define LIB_STORAGE_S3LIST_H
/*
 * s3list: the XML that S3 answers with (Amazon S3 API Reference, "ListObjectsV2" and "Error
 * responses"), read with expat.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/storage/keyspace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { S3_WORD_SIZE = 128, S3_MESSAGE_SIZE = 512 };

struct s3_page {
	bool encoded;    /* EncodingType is url: keys are percent-encoded, tokens are not */
	bool truncated;  /* there is more */
	struct buf next; /* NextContinuationToken; the caller's to free */
};

/* Reads a whole page. The page's own words may stand after its keys (MinIO), so a first pass fills
 * *page and a second calls each (which stops everything with -1 and *e). ERR_REMOTE when it is no
 * ListBucketResult: *page is freed then. */
int s3list_parse(const char *xml, size_t len, struct s3_page *page, keyspace_each *each, void *ctx,
		 struct err *e);

struct s3_error {
	char code[S3_WORD_SIZE]; /* "NoSuchBucket"; "" where the document is no error */
	char message[S3_MESSAGE_SIZE];
	char region[S3_WORD_SIZE];
	char endpoint[S3_MESSAGE_SIZE];
	char storage_class[S3_WORD_SIZE];
};

/* Of S3 and of STS. */
void s3list_error(const char *xml, size_t len, struct s3_error *out);
#endif
