#ifndef LIB_STORAGE_TRANSFER_H
#define LIB_STORAGE_TRANSFER_H
/*
 * transfer: one attempt at an HTTP request: what libcurl is told, and how an answer is held against
 * what was asked for and against the answer that an earlier attempt got. For download.c alone,
 * which decides what comes after an attempt.
 */
#include "lib/storage/download.h"

#include <curl/curl.h>

enum { DOWNLOAD_URL_MAX = 16 * 1024 };

struct downloader {
	CURL *curl;
	struct download_config config;
	char reason[CURL_ERROR_SIZE];
	curl_socket_t connection; /* the last one that was opened */
};

/* One request over all its attempts. */
struct transfer {
	struct downloader *h;
	const struct download_request *request;
	struct download_reply *reply;
	struct err *e;
	int64_t done; /* bytes of the range that the sink has */
	int64_t skip; /* bytes still to be dropped: a whole object answered a range request */
	/* The object as the first answer described it; -1 and "" for what it did not say. */
	int64_t total, modified_ms;
	char etag[DOWNLOAD_FIELD_SIZE];
	int64_t range_from, range_total; /* Content-Range of this answer, -1 */
	bool judged;                     /* this answer's headers were held against the first's */
	bool replaced;                   /* the object is another now */
	bool enough;                     /* more comes than was wanted */
	bool failed;                     /* *e is filled: no further attempt */
	bool restarted;                  /* it was replaced before */
	int64_t renewed_at; /* done, when new headers were got for a refusal; -1: not yet */
};

/* What all requests of a handle want. */
bool transfer_set_up(struct downloader *h);

/* One attempt. */
CURLcode transfer_perform(struct transfer *t);

/* Could an answer to a request for the rest be tied to what is here already? */
bool transfer_resumable(const struct transfer *t);
#endif
