#include "lib/storage/aws.h"

#include "lib/base/xmem.h"
#include "lib/storage/awsfiles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where a search looks. */
struct search {
	const struct awsfiles *files;
	const char *profile;
};

/* The first of two variables to say something, then the profile; NULL: none. */
static const char *find(const struct search *s, const char *first, const char *second,
			const char *key)
{
	const char *v = awsfiles_env(first);

	if (v == NULL && second)
		v = awsfiles_env(second);
	return v ? v : awsfiles_get(s->files, s->profile, key);
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static bool is_true(const char *s)
{
	return s && strcasecmp(s, "true") == 0;
}

static char *find_endpoint(const struct search *s, const char *variable, const char *service_key)
{
	const char *v = awsfiles_env(variable);

	if (is_true(awsfiles_env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")))
		return NULL;
	if (v == NULL)
		v = awsfiles_env("AWS_ENDPOINT_URL");
	if (v == NULL)
		v = awsfiles_service(s->files, s->profile, service_key);
	if (v == NULL)
		v = awsfiles_get(s->files, s->profile, "endpoint_url");
	return copy(v);
}

static enum aws_style find_style(const struct search *s)
{
	const char *v = awsfiles_get(s->files, s->profile, "s3.addressing_style");

	if (v && strcmp(v, "path") == 0)
		return AWS_STYLE_PATH;
	return v && strcmp(v, "virtual") == 0 ? AWS_STYLE_VIRTUAL : AWS_STYLE_AUTO;
}

static bool find_requester(const char *v)
{
	return v && strcasecmp(v, "requester") == 0;
}

int aws_load(struct aws *a, struct err *e)
{
	AWSFILES_AUTO files = awsfiles_load(e);
	struct search s = { .files = files };
	const char *region;
	bool named;

	*a = (struct aws){ 0 };
	if (files == NULL)
		return -1;
	s.profile = awsfiles_profile(&named);
	if (named && !awsfiles_has(files, s.profile))
		return err_set(e, ERR_USAGE,
			       "find S3 keys: no profile '%s' in the AWS files; see AWS_PROFILE",
			       s.profile);
	region = find(&s, "AWS_REGION", "AWS_DEFAULT_REGION", "region");
	*a = (struct aws){
		.region = xstrdup(region ? region : "us-east-1"),
		.endpoint = find_endpoint(&s, "AWS_ENDPOINT_URL_S3", "s3.endpoint_url"),
		.sts_endpoint = find_endpoint(&s, "AWS_ENDPOINT_URL_STS", "sts.endpoint_url"),
		.ca_bundle = copy(find(&s, "AWS_CA_BUNDLE", NULL, "ca_bundle")),
		.style = find_style(&s),
		.fips = is_true(find(&s, "AWS_USE_FIPS_ENDPOINT", NULL, "use_fips_endpoint")),
		.dualstack = is_true(
			find(&s, "AWS_USE_DUALSTACK_ENDPOINT", NULL, "use_dualstack_endpoint")),
		.requester_pays = find_requester(awsfiles_env("AWS_REQUEST_PAYER")),
	};
	return 0;
}

void aws_copy(struct aws *to, const struct aws *from)
{
	*to = *from;
	to->region = copy(from->region);
	to->endpoint = copy(from->endpoint);
	to->sts_endpoint = copy(from->sts_endpoint);
	to->ca_bundle = copy(from->ca_bundle);
}

void aws_free(struct aws *a)
{
	free(a->region);
	free(a->endpoint);
	free(a->sts_endpoint);
	free(a->ca_bundle);
	*a = (struct aws){ 0 };
}

char *aws_own_endpoint(const struct aws *a, const char *service)
{
	/* STS has both families under its plain name. */
	const bool dual = a->dualstack && strcmp(service, "s3") == 0;

	return xasprintf("https://%s%s%s.%s.amazonaws.com%s", service, a->fips ? "-fips" : "",
			 dual ? ".dualstack" : "", a->region,
			 strncmp(a->region, "cn-", 3) == 0 ? ".cn" : "");
}
