#include "lib/storage/sftp_walk.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/driver.h"
#include "lib/storage/lsline.h"
#include "lib/storage/select.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, DATED_MAX = 2 };

struct walk {
	struct storage *s;
	sftp_page *get;
	int (*each)(const struct storage_object *o, void *ctx, struct err *e);
	void *ctx;
	struct err *e;
};

static int emit(const struct walk *w, const char *name, const struct lsline *line, bool ask)
{
	struct storage_object o = { name, line->bytes, -1, "", line->link };
	struct storage_stat st;

	if (ask) {
		if (storage_stat(w->s, name, &st, w->e) < 0)
			return -1;
		o.modified_ms = st.modified_ms;
		o.etag = st.etag;
	}
	return w->each(&o, w->ctx, w->e);
}

static bool holds_marker(const char *page)
{
	struct lsline line;
	char *text = NULL;

	while (lsline_next(&page, &text, &line)) {
		bool marker = line.kind == '-' && select_marked(line.name) == 0;

		/* A cluster's marker is one level further down. */
		marker |= line.kind == 'd' && strcmp(line.name, "global") == 0;
		if (marker) {
			free(text);
			return true;
		}
	}
	return false;
}

/* All below a directory that is a backup. */
static int walk_tree(const struct walk *w, const char *below, const char *page, int depth)
{
	struct lsline line;
	char *text = NULL;
	int rc = 0;

	while (rc == 0 && lsline_next(&page, &text, &line)) {
		AUTO_FREE char *name = xasprintf("%s%s%s", below, below[0] ? "/" : "", line.name);
		BUF_AUTO more = BUF_INIT(SFTP_PAGE_MAX);

		if (line.kind == '-' || line.kind == 'l')
			rc = emit(w, name, &line,
				  line.kind == '-' &&
					  (w->s->options.deep || select_marked(line.name) >= 0));
		else if (line.kind == 'd' && depth >= DEPTH_MAX)
			rc = err_set(w->e, ERR_REMOTE, "list %s: nested too deep", name);
		else if (line.kind == 'd')
			rc = w->get(w->s, name, &more, w->e) < 0
				     ? -1
				     : walk_tree(w, name, more.s, depth + 1);
	}
	free(text);
	return rc;
}

static int walk_place(const struct walk *w, const char *below, const char *page, int depth);

static int walk_directory(const struct walk *w, const char *name, const char *entry, int depth)
{
	BUF_AUTO page = BUF_INIT(SFTP_PAGE_MAX);
	int64_t ms;
	bool exact;

	if (w->get(w->s, name, &page, w->e) < 0)
		return -1;
	if (w->s->options.deep || holds_marker(page.s))
		return walk_tree(w, name, page.s, 1);
	if (depth < DATED_MAX && utc_from_name(entry, &ms, &exact))
		return walk_place(w, name, page.s, depth + 1);
	return 0;
}

static int walk_place(const struct walk *w, const char *below, const char *page, int depth)
{
	struct lsline line;
	char *text = NULL;
	int rc = 0;

	while (rc == 0 && lsline_next(&page, &text, &line)) {
		AUTO_FREE char *name = xasprintf("%s%s%s", below, below[0] ? "/" : "", line.name);

		if (line.kind == '-' || (line.kind == 'l' && select_pointer(line.name)))
			rc = emit(w, name, &line, line.kind == '-');
		else if (line.kind == 'd' && strcmp(line.name, "lost+found") != 0)
			rc = walk_directory(w, name, line.name, depth);
	}
	free(text);
	return rc;
}

int sftp_walk(struct storage *s, sftp_page *get, const char *page,
	      int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
	      struct err *e)
{
	const struct walk w = { s, get, each, ctx, e };

	return holds_marker(page) ? walk_tree(&w, "", page, 0) : walk_place(&w, "", page, 0);
}
