#ifndef LIB_STORAGE_AWSKEY_H
#define LIB_STORAGE_AWSKEY_H
/*
 * awskey: one set of keys to AWS or to what speaks like it, and the forms in which services and
 * programs hand them out.
 */
#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* The text is owned. */
struct awskey {
	char *id, *secret;
	char *token;        /* NULL: permanent keys */
	int64_t expires_ms; /* -1: never, or not known */
};

void awskey_copy(struct awskey *to, const struct awskey *from);

/* Wipes the secrets. */
void awskey_free(struct awskey *k);
#define AWSKEY_AUTO __attribute__((cleanup(awskey_free))) struct awskey

/* The JSON object that credential_process prints (token_name "SessionToken") and that the container
 * and instance endpoints answer with ("Token"): AccessKeyId, SecretAccessKey, Expiration; Version,
 * where it stands, is 1. ERR_REMOTE without a word of the text, which is secret. */
int awskey_from_json(struct awskey *k, const char *text, size_t n, const char *token_name,
		     struct err *e);
#endif
