#ifndef LIB_STORAGE_DOWNLOAD_H
#define LIB_STORAGE_DOWNLOAD_H
/*
 * download: reading over HTTP(S) with libcurl so that what arrives is what was stored, or an error.
 *
 * - Certificates are verified; nothing but http and https is spoken; https never falls back to
 *   http; at most five redirects, and none forwards credentials to another host.
 * - A connection that does not come up, or that stalls, is dropped after a time limit.
 * - GET and HEAD are repeated, with growing random pauses, after transport errors and 408, 429,
 *   500, 502, 503, 504, 509. A broken download goes on where it broke, tied by If-Match,
 *   Last-Modified and length to the object that it began with; when that was replaced it starts
 *   over, once.
 * - A part from the middle (from and count given) that is answered with the whole object is an
 *   error, and noted in the tally: a hundred parts must not mean a hundred downloads. The rest of
 * an object (count -1) is found in the whole too.
 * - Bytes are taken as stored: no transfer compression is asked for, none is undone.
 * - Content-Length and Content-Range are held against what came.
 *
 * Messages name the URL as uri_shown() has it. A handle serves one thread.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/storage/storage.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOWNLOAD_FIELD_SIZE = 512, DOWNLOAD_TEXT_MAX = 64 * 1024 };

struct download_config {
	struct storage_options limits;
	const char *ca_file; /* NULL: SSL_CERT_FILE, else the system's */
	bool login;          /* with what limits.access has (plain http and https) */
	bool redirects;      /* follow them (a signed request cannot) */
	bool etag_md5;       /* the ETags are MD5s, where encryption does not forbid it */
};

struct download_reply;
struct downloader; /* a connection that is kept and used again; download_close() */

struct downloader *download_open(const struct download_config *config, struct err *e);
void download_close(struct downloader *h);

/* Another one with the same configuration, for another thread. */
struct downloader *download_clone(const struct downloader *of, struct err *e);

struct download_request {
	const char *url;
	bool head;        /* HEAD instead of GET */
	int64_t from;     /* first byte wanted */
	int64_t count;    /* how many, -1: to the end */
	const char *etag; /* If-Match: only this version; NULL: any */
	/* Adds "Name: value" lines, anew for each attempt (a signature carries the time). NULL:
	 * none. */
	int (*headers)(void *ctx, struct strv *lines, struct err *e);
	/* The answer is a refusal (400, 401, 403): may another attempt fare better, with new
	 * headers? It goes on where the last one ended. NULL: no. */
	bool (*renew)(void *headers_ctx, const struct download_reply *reply);
	void *headers_ctx;
	const struct storage_sink *sink; /* for the body of a good answer */
};

struct download_reply {
	long status;
	unsigned attempts;
	int64_t bytes;                    /* length of the whole object, -1: not said */
	int64_t modified_ms;              /* Last-Modified, -1: not said */
	int64_t date_ms;                  /* the server's clock, -1: not said */
	char etag[DOWNLOAD_FIELD_SIZE];   /* with its quotes, "" for none */
	char type[DOWNLOAD_FIELD_SIZE];   /* Content-Type */
	char region[DOWNLOAD_FIELD_SIZE]; /* x-amz-bucket-region */
	bool ranges;                      /* Accept-Ranges: bytes */
	bool etag_md5;                    /* its ETag is an MD5 */
	struct storage_sums sums;         /* x-amz-checksum-*, Content-MD5 */
	struct strv marks;                /* x-amz-* and x-ms-*: download_mark() */
	int64_t delivered;                /* bytes that the sink got */
	struct buf text; /* body of a refusal, its first DOWNLOAD_TEXT_MAX bytes: see
			    download_reply_free() */
	struct buf url;  /* where redirects led to */
};

/* 0 when the server answered, whatever the status: the caller judges it (2xx: the sink has it all).
 * -1 when it did not, or when what came was not whole. */
int download_run(struct downloader *h, const struct download_request *request,
		 struct download_reply *reply, struct err *e);

/* A small document as text, at most b->max bytes; the request's sink and range are not looked at.
 */
int download_text(struct downloader *h, const struct download_request *request, struct buf *b,
		  struct download_reply *reply, struct err *e);

/* What a good reply says of the object. */
void download_describe(const struct download_reply *r, struct storage_stat *out);

/* The value of a header x-amz-... or x-ms-..., NULL where the answer has none. */
const char *download_mark(const struct download_reply *r, const char *name);

void download_reply_free(struct download_reply *r);
#define DOWNLOAD_REPLY_AUTO __attribute__((cleanup(download_reply_free))) struct download_reply

/* Is this server's clock, or ours, wrong by more than signatures allow (15 minutes)? The
 * difference in seconds, ours minus theirs, else 0. */
int64_t download_clock_skew_s(const struct download_reply *r);
#endif
