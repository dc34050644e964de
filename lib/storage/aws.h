#ifndef LIB_STORAGE_AWS_H
#define LIB_STORAGE_AWS_H
/*
 * aws: where and as whom to speak S3, found the way the AWS tools find it ("AWS SDKs and Tools
 * Reference Guide": environment variables first, then the profile in the shared files).
 *
 * keys      AWS_ACCESS_KEY_ID + AWS_SECRET_ACCESS_KEY (+ AWS_SESSION_TOKEN), else the profile's
 *           aws_access_key_id, aws_secret_access_key, aws_session_token
 * profile   AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"; one that was named must exist
 * files     AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials, which wins for keys),
 *           AWS_CONFIG_FILE (~/.aws/config)
 * region    AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1
 * endpoint  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's services section, its
 *           endpoint_url; none of them with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
 * other     AWS_CA_BUNDLE or the profile's ca_bundle; the profile's s3 addressing_style
 */
#include "lib/base/err.h"

#include <stdbool.h>

enum aws_style { AWS_STYLE_AUTO, AWS_STYLE_PATH, AWS_STYLE_VIRTUAL };

/* All text is owned; NULL where there is none. */
struct aws {
	char *key_id, *secret, *token;
	char *region; /* never NULL */
	char *endpoint;
	char *ca_bundle;
	enum aws_style style;
};

/* -1 when no keys are to be found: the message says where they were looked for. */
int aws_load(struct aws *a, struct err *e);

void aws_copy(struct aws *to, const struct aws *from);

/* Wipes the secrets. */
void aws_free(struct aws *a);
#endif
