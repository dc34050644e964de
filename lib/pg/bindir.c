#include "lib/pg/bindir.h"

#include "lib/base/buf.h"
#include "lib/base/proc.h"
#include "lib/base/xmem.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION_LIMIT_S = 20, OUTPUT_MAX = 4096 };

int bindir_major(const char *version)
{
	long v = strtol(version, NULL, 10);

	return v > 0 && v < 1000 ? (int)v : 0;
}

static bool has(const char *dir, const char *program)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, program);

	return n > 0 && (size_t)n < sizeof(path) && access(path, X_OK) == 0;
}

/* "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" */
static bool ask_version(const char *dir, struct bindir *out)
{
	BUF_AUTO text = BUF_INIT(OUTPUT_MAX);
	AUTO_FREE char *program = xasprintf("%s/postgres", dir);
	char option[] = "--version";
	char *argv[] = { program, option, NULL };
	const struct proc p = { .argv = argv };
	struct err e;
	const char *v;
	size_t n;
	int status;

	if (proc_capture(&p, VERSION_LIMIT_S, &text, &status, &e) < 0 || status != 0)
		return false;
	v = strstr(text.s, ") ");
	if (v == NULL || bindir_major(v + 2) == 0)
		return false;
	v += 2;
	out->major = bindir_major(v);
	n = strcspn(v, " \n");
	if (n >= sizeof(out->version))
		return false;
	memcpy(out->version, v, n);
	out->version[n] = '\0';
	return snprintf(out->path, sizeof(out->path), "%s", dir) < (int)sizeof(out->path);
}

/* Is a better than b for this backup? The wanted major first, then the nearest newer one. */
static bool better(const struct bindir *a, const struct bindir *b, int wanted)
{
	if (b->major == 0)
		return true;
	if (wanted == 0)
		return a->major > b->major;
	return a->major < b->major;
}

struct search {
	int wanted;
	int seen; /* the newest major that is too old */
	struct bindir *best;
};

static void consider(struct search *s, const char *dir)
{
	struct bindir found = { 0 };

	if (!has(dir, "initdb") || !has(dir, "postgres") || !has(dir, "pg_restore") ||
	    !ask_version(dir, &found))
		return;
	if (found.major < s->wanted) {
		s->seen = found.major > s->seen ? found.major : s->seen;
		return;
	}
	if (better(&found, s->best, s->wanted))
		*s->best = found;
}

static void consider_pattern(struct search *s, const char *pattern)
{
	glob_t g = { 0 };

	if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			consider(s, g.gl_pathv[i]);
	globfree(&g);
}

static void consider_path(struct search *s)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");
		AUTO_FREE char *dir = xstrndup(path, n);

		if (n > 0 && has(dir, "initdb"))
			consider(s, dir);
		path += n + (path[n] == ':');
	}
}

static int none_fits(const char *only, const struct search *s, struct err *e)
{
	int advise = s->wanted ? s->wanted : 15;

	if (only)
		return err_set(e, ERR_SYSTEM,
			       "use the PostgreSQL in %s: %s; name the directory of initdb, "
			       "postgres and pg_restore of major %d or newer with --pg-bindir",
			       only, s->seen ? "it is too old" : "it is not there or not whole",
			       advise);
	if (s->seen)
		return err_set(e, ERR_SYSTEM,
			       "find a PostgreSQL server of major %d or newer: the newest "
			       "installed is %d; install postgresql-%d",
			       s->wanted, s->seen, advise);
	return err_set(e, ERR_SYSTEM,
		       "find a PostgreSQL server: no initdb, postgres and pg_restore in "
		       "/usr/lib/postgresql/*/bin, /usr/pgsql-*/bin or PATH; install "
		       "postgresql-%d or name its directory with --pg-bindir",
		       advise);
}

int bindir_find(const char *only, int wanted, struct bindir *out, struct err *e)
{
	struct search s = { .wanted = wanted, .best = out };

	*out = (struct bindir){ 0 };
	if (only) {
		consider(&s, only);
	} else {
		consider_pattern(&s, "/usr/lib/postgresql/*/bin");
		consider_pattern(&s, "/usr/pgsql-*/bin");
		consider_path(&s);
	}
	return out->major ? 0 : none_fits(only, &s, e);
}
