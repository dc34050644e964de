#ifndef LIB_STORAGE_S3ERROR_H
#define LIB_STORAGE_S3ERROR_H
/*
 * s3error: what a refusal by an S3 server means and what to do about it (Amazon S3 API Reference,
 * "Error responses").
 */
#include "lib/base/err.h"
#include "lib/storage/download.h"

/* What was asked for, and in which region. */
struct s3_asked {
	const char *verb, *shown; /* "get", "s3://bucket/key" */
	const char *bucket;
	const char *key; /* NULL: the bucket itself */
	const char *region;
};

/* Fills *e from an answer that is not good, and returns -1: "VERB SHOWN: code; way out". An object
 * that is not there is ERR_BACKUP, everything else ERR_REMOTE. */
int s3error_set(const struct download_reply *reply, const struct s3_asked *asked, struct err *e);

/* Does the answer to a HEAD say that the object cannot be read before it was asked for from the
 * archive (GLACIER, DEEP_ARCHIVE, an archive tier of INTELLIGENT_TIERING)? */
bool s3error_archived(const struct download_reply *reply);

/* Fills *e for such an object, with the command that asks for it; returns -1. */
int s3error_archive(const struct download_reply *reply, const struct s3_asked *asked,
		    struct err *e);
#endif
