#include "lib/storage/awsfiles.h"

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

struct item {
	char *section; /* "default", "prod", "services mine" */
	char *key;     /* "region", "s3.addressing_style" */
	char *value;
};

struct awsfiles {
	struct item *v; /* in the order of precedence */
	size_t n;
	bool config; /* the file at hand is the config file: its sections are "profile NAME" */
};

const char *awsfiles_env(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] ? v : NULL;
}

const char *awsfiles_profile(bool *named)
{
	const char *name = awsfiles_env("AWS_PROFILE");

	if (name == NULL)
		name = awsfiles_env("AWS_DEFAULT_PROFILE");
	*named = name != NULL;
	return name ? name : "default";
}

static void see_item(const struct profile_item *item, void *ctx)
{
	struct awsfiles *f = ctx;
	const char *section = item->section;

	if (f->config && strncmp(section, "profile ", 8) == 0)
		section += 8;
	else if (f->config && strcmp(section, "default") != 0 &&
		 strncmp(section, "services ", 9) != 0)
		return;
	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct item){
		.section = xstrdup(section),
		.key = xasprintf("%s%s%s", item->parent, item->parent[0] ? "." : "", item->key),
		.value = xstrdup(item->value),
	};
}

static int file_path(const char *variable, const char *fallback, char out[PATH_MAX], struct err *e)
{
	const char *named = awsfiles_env(variable);
	const char *home = awsfiles_env("HOME");
	const struct passwd *pw;
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

static int see_file(struct awsfiles *f, const char *variable, const char *fallback, struct err *e)
{
	SECRET_AUTO text = BUF_INIT(FILE_LIMIT);
	char path[PATH_MAX];

	if (file_path(variable, fallback, path, e) < 0)
		return -1;
	if (awsfiles_env(variable) == NULL && access(path, R_OK) < 0)
		return 0;
	if (io_slurp(path, &text, e) < 0)
		return -1;
	return profile_parse(text.s, text.len, see_item, f, e) < 0 ? err_wrap(e, "read %s", path)
								   : 0;
}

struct awsfiles *awsfiles_load(struct err *e)
{
	struct awsfiles *f = xcalloc(1, sizeof(*f));

	if (see_file(f, "AWS_SHARED_CREDENTIALS_FILE", "credentials", e) == 0) {
		f->config = true;
		if (see_file(f, "AWS_CONFIG_FILE", "config", e) == 0)
			return f;
	}
	awsfiles_free(&f);
	return NULL;
}

void awsfiles_free(struct awsfiles **f)
{
	if (*f == NULL)
		return;
	for (size_t i = 0; i < (*f)->n; i++) {
		struct item *item = &(*f)->v[i];

		explicit_bzero(item->value, strlen(item->value));
		free(item->section);
		free(item->key);
		free(item->value);
	}
	free((*f)->v);
	free(*f);
	*f = NULL;
}

bool awsfiles_has(const struct awsfiles *f, const char *profile)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].section, profile) == 0)
			return true;
	return false;
}

const char *awsfiles_get(const struct awsfiles *f, const char *profile, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].value[0] && strcmp(f->v[i].section, profile) == 0 &&
		    strcmp(f->v[i].key, key) == 0)
			return f->v[i].value;
	return NULL;
}

const char *awsfiles_service(const struct awsfiles *f, const char *profile, const char *key)
{
	const char *name = awsfiles_get(f, profile, "services");
	AUTO_FREE char *section = name ? xasprintf("services %s", name) : NULL;

	return section ? awsfiles_get(f, section, key) : NULL;
}
