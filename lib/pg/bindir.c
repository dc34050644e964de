#include "lib/pg/bindir.h"

#include "lib/base/buf.h"
#include "lib/base/proc.h"
#include "lib/base/strv.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION_LIMIT_S = 20, FOUND_MAX = 512 };

int pg_major(const char *version)
{
	const char *p = version;
	int n = 0;

	while (*p >= '0' && *p <= '9' && n < 1000)
		n = n * 10 + (*p++ - '0');
	return n < 1000 ? n : 0;
}

static const char *missing(const char *dir)
{
	static const char *const programs[] = { "initdb", "postgres", "pg_restore" };

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, programs[i]);

		if (access(path, X_OK) < 0)
			return programs[i];
	}
	return NULL;
}

/* "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" */
static int ask_version(const char *dir, const struct identity *who, struct pg_bindir *out,
		       struct err *e)
{
	AUTO_FREE char *program = xasprintf("%s/postgres", dir);
	char *argv[] = { program, (char[]){ "--version" }, NULL };
	struct proc p = { .argv = argv, .as = who, .cwd = "/" };
	BUF_AUTO text = BUF_INIT(1024);
	const char *at;
	int status, n;

	if (proc_capture(&p, VERSION_LIMIT_S, &text, &status, e) < 0)
		return -1;
	at = strstr(text.s, "(PostgreSQL) ");
	at = at ? at + strlen("(PostgreSQL) ") : "";
	n = snprintf(out->version, sizeof(out->version), "%.*s", (int)strcspn(at, " \n"), at);
	out->major = pg_major(out->version);
	if (status != 0 || out->major == 0 || n < 0 || (size_t)n >= sizeof(out->version))
		return err_set(e, ERR_SYSTEM, "ask %s for its version: it said \"%.80s\"", program,
			       text.s);
	n = snprintf(out->path, sizeof(out->path), "%s", dir);
	if (n < 0 || (size_t)n >= sizeof(out->path))
		return err_set(e, ERR_SYSTEM, "use %.80s...: the name is too long", dir);
	return 0;
}

static void add_glob(struct strv *dirs, const char *pattern)
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc; i++)
		if (missing(g.gl_pathv[i]) == NULL)
			strv_add(dirs, g.gl_pathv[i]);
	globfree(&g);
}

static void add_path(struct strv *dirs)
{
	const char *p = getenv("PATH");

	while (p && *p) {
		size_t len = strcspn(p, ":");
		AUTO_FREE char *dir = xstrndup(p, len);

		if (dir[0] == '/' && missing(dir) == NULL && !strv_has(dirs, dir))
			strv_add(dirs, dir);
		p += len + (p[len] == ':');
	}
}

static int take_only(const char *only, int need, const struct identity *who, struct pg_bindir *out,
		     struct err *e)
{
	const char *lacks = missing(only);

	if (lacks)
		return err_set(e, ERR_SYSTEM,
			       "use %s: there is no %s in it; install PostgreSQL's "
			       "server or correct --pg-bindir",
			       only, lacks);
	if (ask_version(only, who, out, e) < 0)
		return -1;
	if (out->major < need)
		return err_set(e, ERR_SYSTEM,
			       "use %s: it is PostgreSQL %s, and the dump needs %d "
			       "or newer; install postgresql-%d",
			       only, out->version, need, need);
	return 0;
}

/* The nearest major version that will do; where nothing is asked for, the newest. Of one major
 * version the newest release. */
static bool is_better(const struct pg_bindir *one, const struct pg_bindir *than, int need)
{
	if (one->major == than->major)
		return strverscmp(one->version, than->version) > 0;
	return need ? one->major < than->major : one->major > than->major;
}

static int none_fits(const struct buf *found, int need, struct err *e)
{
	if (need == 0)
		return err_set(e, ERR_SYSTEM,
			       "find PostgreSQL's initdb, postgres and pg_restore: "
			       "not installed; install the package postgresql, or name "
			       "their directory with --pg-bindir");
	return err_set(e, ERR_SYSTEM,
		       "find PostgreSQL %d or newer, which the dump needs: %s; install "
		       "postgresql-%d, or name its directory with --pg-bindir",
		       need, found->len ? found->s : "none is installed", need);
}

int pg_bindir_find(const char *only, int need, const struct identity *who, struct pg_bindir *out,
		   struct err *e)
{
	STRV_AUTO dirs = { 0 };
	BUF_AUTO found = BUF_INIT(FOUND_MAX);
	struct pg_bindir one;
	struct err broken = { 0 };

	if (only)
		return take_only(only, need, who, out, e);
	add_glob(&dirs, "/usr/lib/postgresql/*/bin"); /* Debian, Ubuntu */
	add_glob(&dirs, "/usr/pgsql-*/bin");          /* PGDG's packages for Red Hat */
	add_glob(&dirs, "/usr/local/pgsql/bin");
	add_path(&dirs);
	out->major = 0;
	for (size_t i = 0; i < dirs.n; i++) {
		if (ask_version(dirs.v[i], who, &one, &broken) < 0)
			continue;
		buf_addf(&found, "%s%s in %s", found.len ? ", " : "only ", one.version, one.path);
		if (one.major < need)
			continue;
		if (out->major == 0 || is_better(&one, out, need))
			*out = one;
	}
	if (out->major)
		return 0;
	if (dirs.n && found.len == 0) {
		*e = broken;
		return -1;
	}
	return none_fits(&found, need, e);
}
