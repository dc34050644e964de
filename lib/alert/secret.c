#include "lib/alert/secret.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SECRET_MAX = 8192, LOADED_MAX = 16, WORTH_MASKING = 4 };

/* Borrowed from the struct secret that owns each. */
static const char *loaded[LOADED_MAX];

static int keep(struct secret *s, const char *name, const char *where, const char *value,
		struct err *e)
{
	for (const char *p = value; *p; p++)
		if (*p < ' ' || *p > '~')
			return err_set(e, ERR_USAGE,
				       "use %s of %s: it holds a character that is not printable "
				       "ASCII; expected one line of text",
				       name, where);
	s->value = xstrdup(value);
	for (size_t i = 0; i < LOADED_MAX; i++)
		if (loaded[i] == NULL) {
			loaded[i] = s->value;
			return 0;
		}
	secret_wipe(s);
	return err_set(e, ERR_SYSTEM, "use %s: more than %d secrets", name, LOADED_MAX);
}

static int from_file(struct secret *s, const char *name, const char *path, struct err *e)
{
	struct buf b = BUF_INIT(SECRET_MAX);
	int r = io_read_secret(path, &b, e);

	if (r == 0) {
		b.s[b.len] = '\0';
		r = keep(s, name, path, b.s, e);
	}
	if (b.cap > 0)
		explicit_bzero(b.s, b.cap);
	buf_free(&b);
	return r;
}

/* The bytes behind getenv(3) are what /proc/PID/environ shows: they are overwritten in place. */
static int from_environment(struct secret *s, const char *name, char *value, struct err *e)
{
	int r = keep(s, name, "the environment", value, e);

	explicit_bzero(value, strlen(value));
	(void)unsetenv(name);
	return r;
}

static int from_credentials(struct secret *s, const char *name, const char *dir, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

	if (access(path, F_OK) < 0)
		return 0;
	return from_file(s, name, path, e);
}

int secret_load(struct secret *s, const char *name, const char *file, struct err *e)
{
	char *value = getenv(name);
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	s->value = NULL;
	(void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
	if (file)
		return from_file(s, name, file, e);
	if (value && value[0])
		return from_environment(s, name, value, e);
	if (dir && dir[0])
		return from_credentials(s, name, dir, e);
	return 0;
}

int secret_need(struct secret *s, const char *name, const char *file, struct err *e)
{
	if (secret_load(s, name, file, e) < 0)
		return -1;
	if (s->value == NULL)
		return err_set(e, ERR_USAGE,
			       "find %s: it is set nowhere; put it into the environment, or its "
			       "file's name into %s_FILE",
			       name, name);
	return 0;
}

void secret_mask(char *text)
{
	for (size_t i = 0; i < LOADED_MAX; i++) {
		size_t n = loaded[i] ? strlen(loaded[i]) : 0;
		size_t stars = n < WORTH_MASKING ? n : WORTH_MASKING;

		for (char *p = text; n > 0 && (p = strstr(p, loaded[i])) != NULL; p += stars) {
			memset(p, '*', stars);
			memmove(p + stars, p + n, strlen(p + n) + 1);
		}
	}
}

void secret_wipe(struct secret *s)
{
	if (s->value == NULL)
		return;
	for (size_t i = 0; i < LOADED_MAX; i++)
		if (loaded[i] == s->value)
			loaded[i] = NULL;
	explicit_bzero(s->value, strlen(s->value));
	free(s->value);
	s->value = NULL;
}
