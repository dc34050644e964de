#include "lib/storage/awschain.h"

#include "lib/base/strv.h"
#include "lib/base/xmem.h"
#include "lib/storage/awsfiles.h"
#include "lib/storage/awshost.h"
#include "lib/storage/awsprocess.h"
#include "lib/storage/awssts.h"

#include <string.h>

/* One search. The functions below return 1 and fill out, 0 when there are no keys where they look,
 * -1 with e when there should be. */
struct chain {
	const struct aws *where;
	const struct awsfiles *files;
	struct strv visited; /* profiles whose roles are being assumed */
	struct awskey *out;
	struct err *e;
};

static int take(struct chain *c, const char *id, const char *secret, const char *token)
{
	*c->out = (struct awskey){ .id = xstrdup(id),
				   .secret = xstrdup(secret),
				   .token = token ? xstrdup(token) : NULL,
				   .expires_ms = -1 };
	return 1;
}

static int from_environment(struct chain *c)
{
	const char *id = awsfiles_env("AWS_ACCESS_KEY_ID");
	const char *secret = awsfiles_env("AWS_SECRET_ACCESS_KEY");

	if (id == NULL)
		return 0;
	if (secret == NULL)
		return err_set(c->e, ERR_USAGE,
			       "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not; set both "
			       "or neither");
	return take(c, id, secret, awsfiles_env("AWS_SESSION_TOKEN"));
}

static int from_profile(struct chain *c, const char *profile)
{
	const char *id = awsfiles_get(c->files, profile, "aws_access_key_id");
	const char *secret = awsfiles_get(c->files, profile, "aws_secret_access_key");

	if (id == NULL)
		return 0;
	if (secret == NULL)
		return err_set(c->e, ERR_USAGE, "profile '%s' has an access key without its secret",
			       profile);
	return take(c, id, secret, awsfiles_get(c->files, profile, "aws_session_token"));
}

static int from_process(struct chain *c, const char *profile)
{
	const char *command = awsfiles_get(c->files, profile, "credential_process");

	if (command == NULL)
		return 0;
	return awsprocess_run(command, c->out, c->e) < 0 ? -1 : 1;
}

static int from_web_identity(struct chain *c)
{
	const char *file = awsfiles_env("AWS_WEB_IDENTITY_TOKEN_FILE");
	const struct awssts_role role = { .arn = awsfiles_env("AWS_ROLE_ARN"),
					  .session = awsfiles_env("AWS_ROLE_SESSION_NAME") };

	if (file == NULL || role.arn == NULL)
		return 0;
	return awssts_assume(c->where, &role, NULL, file, c->out, c->e) < 0 ? -1 : 1;
}

/* credential_source of a profile with a role. */
static int from_source(struct chain *c, const char *source)
{
	int rc;

	if (strcmp(source, "Environment") == 0)
		rc = from_environment(c);
	else if (strcmp(source, "Ec2InstanceMetadata") == 0)
		rc = awshost_instance(c->out, c->e);
	else if (strcmp(source, "EcsContainer") == 0)
		rc = awshost_container(c->where, c->out, c->e);
	else
		return err_set(c->e, ERR_USAGE,
			       "credential_source is '%s'; known are Environment, "
			       "Ec2InstanceMetadata, EcsContainer",
			       source);
	return rc ? rc : err_set(c->e, ERR_USAGE, "credential_source %s has none", source);
}

static int from_role(struct chain *c, const char *profile);

static int from_whole_profile(struct chain *c, const char *profile)
{
	int rc = from_role(c, profile);

	if (rc == 0)
		rc = from_profile(c, profile);
	return rc ? rc : from_process(c, profile);
}

/* source_profile of a profile with a role: one with keys of its own, maybe by a role of its own. A
 * profile that names itself means the keys that stand beside its role. */
static int from_other_profile(struct chain *c, const char *profile, const char *source)
{
	int rc;

	if (strcmp(source, profile) == 0)
		rc = from_profile(c, profile);
	else if (strv_has(&c->visited, source))
		return err_set(c->e, ERR_USAGE, "the source_profile of '%s' leads in a circle",
			       profile);
	else if (!awsfiles_has(c->files, source))
		return err_set(c->e, ERR_USAGE,
			       "profile '%s' has source_profile '%s', which is not there", profile,
			       source);
	else
		rc = from_whole_profile(c, source);
	return rc ? rc : err_set(c->e, ERR_USAGE, "source_profile '%s' has no keys", source);
}

static int assume(struct chain *c, const char *profile, const struct awssts_role *role)
{
	const char *token_file = awsfiles_get(c->files, profile, "web_identity_token_file");
	const char *source = awsfiles_get(c->files, profile, "credential_source");
	const char *other = awsfiles_get(c->files, profile, "source_profile");
	AWSKEY_AUTO by = { .expires_ms = -1 };
	struct awskey *out = c->out;
	int rc;

	if (token_file)
		return awssts_assume(c->where, role, NULL, token_file, out, c->e) < 0 ? -1 : 1;
	if (awsfiles_get(c->files, profile, "mfa_serial"))
		return err_set(c->e, ERR_USAGE,
			       "profile '%s' wants a one-time code (mfa_serial), which nobody can "
			       "type here; use a role without it",
			       profile);
	if (source == NULL && other == NULL)
		return err_set(c->e, ERR_USAGE,
			       "profile '%s' has role_arn without source_profile or "
			       "credential_source",
			       profile);
	c->out = &by;
	rc = source ? from_source(c, source) : from_other_profile(c, profile, other);
	c->out = out;
	if (rc < 0)
		return -1;
	return awssts_assume(c->where, role, &by, NULL, out, c->e) < 0 ? -1 : 1;
}

static int from_role(struct chain *c, const char *profile)
{
	const struct awssts_role role = {
		.arn = awsfiles_get(c->files, profile, "role_arn"),
		.session = awsfiles_get(c->files, profile, "role_session_name"),
		.external_id = awsfiles_get(c->files, profile, "external_id"),
		.duration_s = awsfiles_get(c->files, profile, "duration_seconds"),
	};

	if (role.arn == NULL)
		return 0;
	strv_add(&c->visited, profile);
	return assume(c, profile, &role);
}

static int none(struct chain *c, const char *profile)
{
	if (awsfiles_get(c->files, profile, "sso_session") ||
	    awsfiles_get(c->files, profile, "sso_start_url"))
		return err_set(c->e, ERR_USAGE,
			       "profile '%s' gets them by single sign-on; let another profile have "
			       "credential_process = aws configure export-credentials --format "
			       "process --profile %s",
			       profile, profile);
	return err_set(c->e, ERR_USAGE,
		       "none in the environment, none in profile '%s', none from a container or "
		       "instance; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
		       profile);
}

static int find(struct chain *c, const char *profile)
{
	int rc = from_environment(c);

	if (rc == 0)
		rc = from_role(c, profile);
	if (rc == 0)
		rc = from_web_identity(c);
	if (rc == 0)
		rc = from_profile(c, profile);
	if (rc == 0)
		rc = from_process(c, profile);
	if (rc == 0)
		rc = awshost_container(c->where, c->out, c->e);
	if (rc == 0)
		rc = awshost_instance(c->out, c->e);
	return rc ? rc : none(c, profile);
}

int awschain_find(const struct aws *where, struct awskey *out, struct err *e)
{
	AWSFILES_AUTO files = awsfiles_load(e);
	struct chain c = { .where = where, .files = files, .out = out, .e = e };
	bool named;
	int rc;

	*out = (struct awskey){ .expires_ms = -1 };
	if (files == NULL)
		return -1;
	rc = find(&c, awsfiles_profile(&named));
	strv_free(&c.visited);
	return rc < 0 ? err_wrap(e, "find S3 keys") : 0;
}
