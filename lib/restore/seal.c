#include "lib/restore/seal.h"

#include "lib/base/xmem.h"
#include "lib/restore/unpack_rules.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(struct seal *s, const char *dir, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s%s", dir, name);
	char real[PATH_MAX];

	if (realpath(path, real) && strcmp(real, "/") != 0 && !strv_has(&s->show, path))
		strv_add(&s->show, path);
}

static void show_backup(struct seal *s, const char *path)
{
	show(s, path, "");
	unpack_beside(path, &s->show);
}

/* PostgreSQL finds its files from where its programs are. */
static void show_programs(struct seal *s, const char *bindir)
{
	static const char *const beside[] = { "", "/../lib", "/../lib64", "/../share" };
	AUTO_FREE char *initdb = xasprintf("%s/initdb", bindir);

	if (bindir[0] == '/' && access(initdb, X_OK) == 0)
		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
			show(s, bindir, beside[i]);
}

static void show_path(struct seal *s)
{
	const char *path = getenv("PATH");
	AUTO_FREE char *copy = xstrdup(path ? path : "");
	char *rest = copy;
	const char *dir;

	while ((dir = strsep(&rest, ":")) != NULL)
		show_programs(s, dir);
}

static enum verdict judge(const struct seal *s, bool required)
{
	if (s->in.level == ISOLATE_FULL)
		return V_OK;
	return required ? V_UNKNOWN : V_WARNING;
}

static void say(const struct seal *s, struct stage *st, const struct identity *who, bool required,
		const struct err *why)
{
	enum verdict v = judge(s, required);
	struct check c;

	check_init(&c, "isolation", "");
	if (v == V_OK)
		check_say(&c, v, "user %s, without a network, with files and processes of its own",
			  who->name);
	else if (required)
		check_say(&c, v, "not restored, for isolation is required: %s", why->msg);
	else
		check_say(&c, v, "user %s, but %s within reach: %s", who->name,
			  s->in.level == ISOLATE_NETWORK ? "this machine's files and sockets are"
							 : "the network is",
			  why->msg);
	stage_check(st, &c);
}

bool seal_find(struct seal *out, struct stage *st, const struct identity *who, const char *dir,
	       const char *backup, const struct strv *ancestors, const char *pg_bindir,
	       const char *templates, bool required)
{
	struct err why = { 0 };

	*out = (struct seal){ .in = { .root = { .dir = dir, .as = who } } };
	if (backup)
		show_backup(out, backup);
	for (size_t i = 0; i < ancestors->n; i++)
		show_backup(out, ancestors->v[i]);
	if (templates)
		show(out, templates, "");
	if (pg_bindir)
		show_programs(out, pg_bindir);
	else
		show_path(out);
	out->in.root.show = (const char *const *)out->show.v;
	isolate_find(&out->in, &why);
	say(out, st, who, required, &why);
	return out->in.level == ISOLATE_FULL || !required;
}

void seal_free(struct seal *s)
{
	strv_free(&s->show);
}
