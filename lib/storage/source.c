#include "lib/storage/source.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/uri.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { DATE_LENGTH = 10 };

int source_parse_time(const char *value, void *to_ms, struct err *e)
{
	int64_t *ms = to_ms;
	char text[UTC_SIZE];

	if (strlen(value) == DATE_LENGTH) {
		(void)snprintf(text, sizeof(text), "%sT23:59:59.999Z", value);
		if (utc_parse(text, ms) && *ms > 0)
			return 0;
	} else if (utc_parse(value, ms) && *ms > 0) {
		return 0;
	}
	return err_set(e, ERR_USAGE,
		       "'%s' is no time; write 2026-02-17T06:00:00Z, or 2026-02-17 for the end of "
		       "that day",
		       value);
}

int source_parse_nth(const char *value, void *to_nth, struct err *e)
{
	return num_u64(value, 1, UINT64_MAX, to_nth, e);
}

/* Does the source only stand for a backup? Then *n is the length of the place that it is in. A
 * directory of such a name is a place of its own, unless it is a link. */
static bool is_pointer(const char *source, size_t *n)
{
	const char *slash = strrchr(source, '/');
	const char *name = slash ? slash + 1 : source;
	struct stat st;

	*n = (size_t)(name - source);
	if (!select_pointer(name) || strpbrk(source, "*?[#"))
		return false;
	return uri_scheme(source) > 0 || lstat(source, &st) < 0 || !S_ISDIR(st.st_mode);
}

int source_open(struct source *s, const struct source_config *c, const char *named,
		const struct storage_options *more, struct err *e)
{
	AUTO_FREE char *place = NULL;
	size_t n;

	*s = (struct source){ .named = named, .options = *more };
	s->options.retries = c->retries;
	s->options.connect_s = c->connect_s;
	s->options.stall_s = c->stall_s;
	s->options.access = &c->access;
	if (is_pointer(named, &n)) {
		s->pointer = named + n;
		place = n ? xstrndup(named, n) : xstrdup(".");
	}
	s->storage = storage_open(place ? place : named, &s->options, e);
	return s->storage ? 0 : -1;
}

/* Only what the pointer stands for, or the backup that is really called so. */
static bool follow(struct catalog *c, const char *pointer, struct err *e)
{
	const char *target = pointers_target(&c->pointers, pointer);
	int rc = catalog_keep(c, pointer, e);

	if (rc == 0 && target)
		rc = catalog_keep(c, target, e);
	return rc > 0;
}

int source_load(struct source *s, const struct source_config *c, struct err *e)
{
	const struct catalog_filter filter = { &c->match, &c->exclude, c->as_of_ms, c->nth };
	struct err why;

	if (s->pointer == NULL)
		return catalog_load(&s->catalog, s->storage, &filter, e);
	if (catalog_load(&s->catalog, s->storage, &filter, &why) == 0 &&
	    follow(&s->catalog, s->pointer, &why))
		return 0;
	/* The place cannot be listed, or knows nothing of it: it is taken for what it is, then. */
	catalog_free(&s->catalog);
	storage_close(&s->storage);
	s->storage = storage_open(s->named, &s->options, e);
	return s->storage ? catalog_load(&s->catalog, s->storage, &filter, e) : -1;
}

void source_close(struct source *s)
{
	catalog_free(&s->catalog);
	storage_close(&s->storage);
}
