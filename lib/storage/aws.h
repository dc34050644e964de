#ifndef LIB_STORAGE_AWS_H
#define LIB_STORAGE_AWS_H
/*
 * aws: where to speak S3 and STS, found the way the AWS tools find it ("AWS SDKs and Tools
 * Reference Guide": environment variables first, then the profile in the shared files, awsfiles.h).
 * awskeys.h says as whom.
 *
 * profile   AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"; one that was named must exist
 * region    AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1
 * endpoint  AWS_ENDPOINT_URL_S3 (_STS), AWS_ENDPOINT_URL, the profile's services section, its
 *           endpoint_url; none of them with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
 * other     AWS_CA_BUNDLE or ca_bundle; the profile's s3 addressing_style;
 *           AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT or use_..._endpoint;
 *           AWS_REQUEST_PAYER=requester (not of the AWS tools, but of others that have no option)
 */
#include "lib/base/err.h"

#include <signal.h>
#include <stdbool.h>

enum aws_style { AWS_STYLE_AUTO, AWS_STYLE_PATH, AWS_STYLE_VIRTUAL };

/* All text is owned; NULL where there is none. */
struct aws {
	char *region; /* never NULL */
	char *endpoint, *sts_endpoint;
	char *ca_bundle;
	enum aws_style style;
	bool fips, dualstack; /* of AWS's own endpoints */
	bool requester_pays;
	const volatile sig_atomic_t *stop; /* not 0: ask nobody any more; may be NULL */
};

int aws_load(struct aws *a, struct err *e);
void aws_copy(struct aws *to, const struct aws *from);
void aws_free(struct aws *a);

/* "https://s3.eu-west-1.amazonaws.com": AWS's own endpoint of a service. Owned by the caller. */
char *aws_own_endpoint(const struct aws *a, const char *service);
#endif
