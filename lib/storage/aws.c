#include "lib/storage/aws.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/storage/profile.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 1024 * 1024 };

/* What the files say about one profile. */
struct search {
	struct aws found;
	const char *profile;
	bool config;     /* the file at hand is the config file: sections are "profile NAME" */
	bool seen;       /* the profile exists */
	char *services;  /* name of its services section */
	char *elsewhere; /* a way to get keys that is not taken here: "role_arn", ... */
	char *service_endpoint, *endpoint;
};

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] ? v : NULL;
}

static void wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

/* The first to say something wins: the credentials file is read before the config file. */
static void set_once(char **to, const char *value)
{
	if (*to == NULL && value && value[0])
		*to = xstrdup(value);
}

static void set_style(struct aws *a, const char *value)
{
	if (strcmp(value, "path") == 0)
		a->style = AWS_STYLE_PATH;
	else if (strcmp(value, "virtual") == 0)
		a->style = AWS_STYLE_VIRTUAL;
}

static void see_profile(struct search *s, const struct profile_item *item)
{
	static const char *const ways[] = { "role_arn", "credential_process", "sso_session",
					    "sso_start_url", "web_identity_token_file" };
	const struct {
		const char *key;
		char **to;
	} keys[] = {
		{ "aws_access_key_id", &s->found.key_id },
		{ "aws_secret_access_key", &s->found.secret },
		{ "aws_session_token", &s->found.token },
		{ "region", &s->found.region },
		{ "ca_bundle", &s->found.ca_bundle },
		{ "endpoint_url", &s->endpoint },
		{ "services", &s->services },
	};

	s->seen = true;
	if (strcmp(item->parent, "s3") == 0 && strcmp(item->key, "addressing_style") == 0)
		set_style(&s->found, item->value);
	if (item->parent[0])
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(item->key, keys[i].key) == 0)
			set_once(keys[i].to, item->value);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(item->key, ways[i]) == 0)
			set_once(&s->elsewhere, ways[i]);
}

static void see_item(const struct profile_item *item, void *ctx)
{
	struct search *s = ctx;
	const char *name = item->section;

	if (s->config && strncmp(name, "profile ", 8) == 0)
		name += 8;
	else if (s->config && strcmp(name, "default") != 0)
		return;
	if (strcmp(name, s->profile) == 0)
		see_profile(s, item);
}

/* The profile names its services section, which may stand before it: hence a pass of its own. */
static void see_service(const struct profile_item *item, void *ctx)
{
	struct search *s = ctx;

	if (strncmp(item->section, "services ", 9) == 0 &&
	    strcmp(item->section + 9, s->services) == 0 && strcmp(item->parent, "s3") == 0 &&
	    strcmp(item->key, "endpoint_url") == 0)
		set_once(&s->service_endpoint, item->value);
}

static int file_path(const char *variable, const char *fallback, char out[PATH_MAX], struct err *e)
{
	const char *named = env(variable);
	const char *home = env("HOME");
	struct passwd *pw;
	int n;

	if (named == NULL && home == NULL) {
		pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : "/";
	}
	n = named ? snprintf(out, PATH_MAX, "%s", named)
		  : snprintf(out, PATH_MAX, "%s/.aws/%s", home, fallback);
	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ERR_USAGE, "read %s: its path is too long", variable);
	return 0;
}

/* A file that cannot be read is an error only where the environment names it. */
static int see_file(struct search *s, const char *variable, const char *fallback, struct err *e)
{
	BUF_AUTO text = BUF_INIT(FILE_LIMIT);
	char path[PATH_MAX];
	int rc;

	if (file_path(variable, fallback, path, e) < 0)
		return -1;
	if (env(variable) == NULL && access(path, R_OK) < 0)
		return 0;
	rc = io_slurp(path, &text, e);
	if (rc == 0 && profile_parse(text.s, text.len, see_item, s, e) < 0)
		rc = err_wrap(e, "read %s", path);
	if (rc == 0 && s->config && s->services)
		rc = profile_parse(text.s, text.len, see_service, s, e);
	explicit_bzero(text.s, text.len);
	return rc;
}

static int see_files(struct search *s, struct err *e)
{
	if (see_file(s, "AWS_SHARED_CREDENTIALS_FILE", "credentials", e) < 0)
		return -1;
	s->config = true;
	return see_file(s, "AWS_CONFIG_FILE", "config", e);
}

static int from_environment(struct aws *a, struct err *e)
{
	set_once(&a->region, env("AWS_REGION"));
	set_once(&a->region, env("AWS_DEFAULT_REGION"));
	set_once(&a->ca_bundle, env("AWS_CA_BUNDLE"));
	if (env("AWS_ACCESS_KEY_ID") == NULL)
		return 0;
	if (env("AWS_SECRET_ACCESS_KEY") == NULL)
		return err_set(e, ERR_USAGE,
			       "find S3 keys: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is "
			       "not; set both or neither");
	set_once(&a->key_id, env("AWS_ACCESS_KEY_ID"));
	set_once(&a->secret, env("AWS_SECRET_ACCESS_KEY"));
	set_once(&a->token, env("AWS_SESSION_TOKEN"));
	return 0;
}

static void move_once(char **to, char **from)
{
	if (*to == NULL) {
		*to = *from;
		*from = NULL;
	}
}

/* Key, secret and token come from one place: never a token of the profile's with keys of the
 * environment's. */
static void take_profile(struct aws *a, struct aws *file)
{
	if (a->key_id == NULL) {
		move_once(&a->key_id, &file->key_id);
		move_once(&a->secret, &file->secret);
		move_once(&a->token, &file->token);
	}
	move_once(&a->region, &file->region);
	move_once(&a->ca_bundle, &file->ca_bundle);
	a->style = file->style;
}

static void choose_endpoint(struct aws *a, const struct search *s)
{
	const char *off = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

	if (off && strcasecmp(off, "true") == 0)
		return;
	set_once(&a->endpoint, env("AWS_ENDPOINT_URL_S3"));
	set_once(&a->endpoint, env("AWS_ENDPOINT_URL"));
	set_once(&a->endpoint, s->service_endpoint);
	set_once(&a->endpoint, s->endpoint);
}

static int complete(struct aws *a, const struct search *s, bool profile_named, struct err *e)
{
	if (profile_named && !s->seen)
		return err_set(e, ERR_USAGE,
			       "find S3 keys: no profile '%s' in the AWS files; see AWS_PROFILE",
			       s->profile);
	if (a->key_id && a->secret)
		return 0;
	if (a->key_id)
		return err_set(e, ERR_USAGE,
			       "find S3 keys: profile '%s' has an access key without its secret",
			       s->profile);
	if (s->elsewhere)
		return err_set(e, ERR_USAGE,
			       "find S3 keys: profile '%s' gets them by %s, which is not taken "
			       "here; hand them over in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY "
			       "and AWS_SESSION_TOKEN",
			       s->profile, s->elsewhere);
	return err_set(e, ERR_USAGE,
		       "find S3 keys: none in the environment, none in profile '%s'; set "
		       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
		       s->profile);
}

int aws_load(struct aws *a, struct err *e)
{
	const char *named = env("AWS_PROFILE") ? env("AWS_PROFILE") : env("AWS_DEFAULT_PROFILE");
	struct search s = { .profile = named ? named : "default" };
	int rc;

	*a = (struct aws){ 0 };
	rc = from_environment(a, e);
	if (rc == 0)
		rc = see_files(&s, e);
	if (rc == 0) {
		take_profile(a, &s.found);
		choose_endpoint(a, &s);
		set_once(&a->region, "us-east-1");
		rc = complete(a, &s, named != NULL, e);
	}
	aws_free(&s.found);
	free(s.services);
	free(s.elsewhere);
	free(s.service_endpoint);
	free(s.endpoint);
	if (rc < 0)
		aws_free(a);
	return rc;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void aws_copy(struct aws *to, const struct aws *from)
{
	*to = (struct aws){ .key_id = copy(from->key_id),
			    .secret = copy(from->secret),
			    .token = copy(from->token),
			    .region = copy(from->region),
			    .endpoint = copy(from->endpoint),
			    .ca_bundle = copy(from->ca_bundle),
			    .style = from->style };
}

void aws_free(struct aws *a)
{
	wipe(&a->key_id);
	wipe(&a->secret);
	wipe(&a->token);
	free(a->region);
	free(a->endpoint);
	free(a->ca_bundle);
	*a = (struct aws){ 0 };
}
