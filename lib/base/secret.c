#include "lib/base/secret.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
	s->n = strlen(value);
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

/* The file of systemd's; NULL where there is none. */
static char *credential(const char *name)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path = dir && dir[0] ? xasprintf("%s/%s", dir, name) : NULL;

	if (path && access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

int secret_load(struct secret *s, const char *name, const char *file, struct err *e)
{
	AUTO_FREE char *given = credential(name);
	char *value = getenv(name);

	*s = (struct secret){ 0 };
	(void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
	if (file)
		return from_file(s, name, file, e);
	if (value && value[0])
		return from_environment(s, name, value, e);
	return given ? from_file(s, name, given, e) : 0;
}

int secret_load_bytes(struct secret *s, const char *name, const char *file, size_t max,
		      struct err *e)
{
	static const struct rlimit none = { 0, 0 };
	AUTO_FREE char *given = credential(name);
	char *value = getenv(name);
	struct buf b = BUF_INIT(max);
	int r = 0;

	*s = (struct secret){ 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
	if (file == NULL && value && value[0]) {
		buf_adds(&b, value);
		explicit_bzero(value, strlen(value));
		(void)unsetenv(name);
		if (b.full)
			r = err_set(e, ERR_USAGE,
				    "use %s of the environment: larger than %zu bytes", name, max);
	} else if (file || given) {
		r = io_slurp(file ? file : given, &b, e);
	} else {
		return 0;
	}
	if (r == 0 && b.len == 0)
		r = err_set(e, ERR_USAGE, "use %s: %s is empty", name, file ? file : given);
	if (r == 0) {
		s->value = xmalloc(b.len + 1);
		memcpy(s->value, b.s, b.len + 1);
		s->n = b.len;
	}
	if (b.cap > 0)
		explicit_bzero(b.s, b.cap);
	buf_free(&b);
	return r;
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
	explicit_bzero(s->value, s->n);
	free(s->value);
	*s = (struct secret){ 0 };
}
