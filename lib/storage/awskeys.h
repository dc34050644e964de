#ifndef LIB_STORAGE_AWSKEYS_H
#define LIB_STORAGE_AWSKEYS_H
/*
 * awskeys: as whom to speak S3: finds keys the way the AWS tools do (awschain.h), keeps them, and
 * gets new ones before they run out, so that a download may take longer than a token lives. Serves
 * any number of threads.
 */
#include "lib/storage/aws.h"
#include "lib/storage/awskey.h"

struct awskeys;

/* Looks for none yet. */
struct awskeys *awskeys_open(const struct aws *where);
void awskeys_close(struct awskeys *k);

/* A copy of the keys of the moment; awskey_free(). ERR_USAGE when there are none to be found: the
 * message says where they were looked for. */
int awskeys_get(struct awskeys *k, struct awskey *out, struct err *e);

/* The server takes these no longer. True when there are others by now. */
bool awskeys_renew(struct awskeys *k, const struct awskey *refused);

/* When keys that were got at got_ms are to be replaced: five minutes before they expire, those that
 * live short after three quarters of their time. */
int64_t awskeys_due_ms(int64_t got_ms, int64_t expires_ms);
#endif
