#ifndef LIB_STORAGE_AWSFILES_H
#define LIB_STORAGE_AWSFILES_H
/*
 * awsfiles: what the shared files of the AWS tools say, by profile (profile.h has their format):
 * AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials, which wins) and AWS_CONFIG_FILE (~/.aws/config).
 * A file that is not there is an error only where a variable names it.
 */
#include "lib/base/err.h"

#include <stdbool.h>

struct awsfiles; /* the caller's: awsfiles_free(), which wipes the secrets */

struct awsfiles *awsfiles_load(struct err *e);
void awsfiles_free(struct awsfiles **f);
#define AWSFILES_AUTO __attribute__((cleanup(awsfiles_free))) struct awsfiles *

/* AWS_PROFILE, AWS_DEFAULT_PROFILE or "default"; *named says whether a variable chose it. */
const char *awsfiles_profile(bool *named);

bool awsfiles_has(const struct awsfiles *f, const char *profile);

/* NULL where the profile does not say; "s3.addressing_style" is a setting inside a block. */
const char *awsfiles_get(const struct awsfiles *f, const char *profile, const char *key);

/* From the [services ...] section that the profile names: "s3.endpoint_url". */
const char *awsfiles_service(const struct awsfiles *f, const char *profile, const char *key);

/* An environment variable; NULL also when it is empty. */
const char *awsfiles_env(const char *name);
#endif
