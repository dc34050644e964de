#ifndef LIB_STORAGE_S3ERROR_H
#define LIB_STORAGE_S3ERROR_H
/*
 * s3error: what a refusal by an S3 server means and what to do about it (Amazon S3 API Reference,
 * "Error responses").
 */
#include "lib/base/err.h"
#include "lib/storage/download.h"

/* Fills *e from an answer that is not good, and returns -1: "VERB SHOWN: code; way out". An object
 * that is not there is ERR_BACKUP, everything else ERR_REMOTE. region is the one that was asked. */
int s3error_set(const struct download_reply *reply, const char *verb, const char *shown,
		const char *region, struct err *e);
#endif
