#include "lib/storage/describe.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"

#include <limits.h>

json_t *describe_backup(const struct storage *s, const struct backup *b)
{
	BUF_AUTO path = BUF_INIT(PATH_MAX);
	json_t *o = json_object();

	record_set_text(o, "source", storage_shown(s));
	record_set_text(o, "name", b->name);
	if (storage_path(s, b->files && b->whole ? "" : b->name, &path))
		record_set_text(o, "path", path.s);
	if (b->files > 0)
		json_object_set_new(o, "files", json_integer(b->files));
	if (b->bytes >= 0)
		json_object_set_new(o, "bytes", json_integer(b->bytes));
	record_set_time(o, "modified_at", b->modified_ms);
	record_set_time(o, "taken_at", b->taken_ms);
	record_set_text(o, "etag", b->etag);
	if (b->in_part)
		record_set_text(o, "type", "incr");
	return o;
}

static void doubt_time(struct stage *st, const struct backup *b)
{
	char modified[UTC_SIZE], apart[HUMAN_SIZE];
	struct check check;

	check_init(&check, "name-time", b->name);
	check_say(
		&check, V_WARNING,
		"its name says another time than its modification (%s), %s apart: which backup is "
		"the newest is not certain",
		utc_human(b->modified_ms, modified),
		human_duration((double)b->apart_ms / 1000, apart));
	stage_check(st, &check);
}

static void doubt_pointer(struct stage *st, const struct pointer *p)
{
	char behind[HUMAN_SIZE];
	struct check check;

	check_init(&check, "latest-pointer", p->object.name);
	if (p->newer)
		check_say(&check, V_WARNING, "it stands for %s, but %s is newer by %s", p->target,
			  p->newer, human_duration((double)p->behind_ms / 1000, behind));
	else
		check_say(&check, V_WARNING, "it stands for %s, which is no backup here",
			  p->target);
	stage_check(st, &check);
}

void describe_doubts(struct stage *st, const struct catalog *c)
{
	const struct backup *b = catalog_doubtful(c);

	if (b)
		doubt_time(st, b);
	for (size_t i = 0; i < c->pointers.n; i++) {
		const struct pointer *p = &c->pointers.v[i];

		if (p->target && (p->newer || !p->there))
			doubt_pointer(st, p);
	}
}

const char *describe_source(int argc, char **argv, int first, const char *otherwise)
{
	const char *source = first < argc ? argv[first] : otherwise;

	if (argc - first > 1)
		tool_usage("one source, please: quote a glob, so that the shell leaves it alone");
	if (source == NULL)
		tool_usage("name a source, or set BACKUP_SOURCE");
	return source;
}
