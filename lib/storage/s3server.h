#ifndef LIB_STORAGE_S3SERVER_H
#define LIB_STORAGE_S3SERVER_H
/*
 * s3server: signed requests to one bucket. Knows its address, signs with keys that are fresh
 * (awskeys.h), and asks once more where the answer says how: in the bucket's own region, with other
 * keys when these have run out. aws.h says where the settings come from.
 *
 * With a configured endpoint the bucket goes into the path, at AWS into the host's name unless it
 * has dots (which no wildcard certificate covers); the profile's addressing_style wins. Redirects
 * are not followed: a signature holds for one host.
 *
 * Google Cloud Storage speaks S3 too, with HMAC keys ("Simple migration from Amazon S3 to Cloud
 * Storage"), at https://storage.googleapis.com or STORAGE_EMULATOR_HOST.
 *
 * A handle serves one thread; clones share the keys.
 */
#include "lib/storage/download.h"

struct s3server;

/* -1 for a setting that cannot be; asks nobody. bucket is copied. */
struct s3server *s3server_open(const char *bucket, bool google,
			       const struct storage_options *limits, struct err *e);
/* Not to outlive *of. */
struct s3server *s3server_clone(const struct s3server *of, struct err *e);
void s3server_close(struct s3server *k);

struct s3_call {
	const char *verb, *shown; /* for messages: "get", "s3://bucket/key" */
	const char *key;          /* NULL: the bucket itself */
	const char *query;        /* encoded, sorted by name; "" for none */
};

/* What request says of range, etag, method and sink; its url and headers are filled here. 0: a good
 * answer, download_reply_free(). -1 with *e (s3error.h) and nothing to free. */
int s3server_run(struct s3server *k, const struct s3_call *call, struct download_request request,
		 struct download_reply *reply, struct err *e);

/* A document. An error that comes with status 200 is one; a document that a proxy has compressed is
 * unpacked. */
int s3server_text(struct s3server *k, const struct s3_call *call, struct buf *text, struct err *e);
#endif
