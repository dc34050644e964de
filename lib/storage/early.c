#include "lib/storage/early.h"

#include "lib/base/xmem.h"

#include <string.h>

/* A custom archive, or a tar: both are read with seeking. */
static bool needs_all(const unsigned char *p, size_t n)
{
	static const struct {
		size_t at;
		const char *is;
	} marks[] = { { 0, "PGDMP" }, { 257, "ustar" } };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t len = strlen(marks[i].is);

		if (n >= marks[i].at + len && memcmp(p + marks[i].at, marks[i].is, len) == 0)
			return true;
	}
	return false;
}

static int begin(struct early *early, const void *p, size_t n, struct err *e)
{
	AUTO_FREE char *path = NULL;
	int fd;

	early->looked = true;
	if (early->to->partial.path[0] == '\0' || needs_all(p, n))
		return 0;
	fd = landing_open(early->to, NULL, e);
	if (fd < 0 || arrival_begin(&early->arrival, fd, e) < 0)
		return -1;
	path = partial_content(&early->to->partial);
	early->tell(early->ctx, path, early->to->path);
	return 0;
}

static int take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct early *early = ctx;

	if (!early->looked && begin(early, p, n, e) < 0)
		return -1;
	return early->arrival.fd < 0 ? 0 : arrival_more(&early->arrival, n, e);
}

static int restart(void *ctx, struct err *e)
{
	struct early *early = ctx;

	if (early->arrival.fd >= 0)
		return err_set(e, ERR_SYSTEM,
			       "begin again: it was replaced, or the storage cannot go on where "
			       "it broke off, while it was being restored");
	early->looked = false;
	return 0;
}

struct storage_sink early_sink(struct early *early)
{
	return (struct storage_sink){ .write = take, .restart = restart, .ctx = early };
}

int early_end(struct early *early, bool proven, struct err *e)
{
	return arrival_end(&early->arrival, proven, e);
}
