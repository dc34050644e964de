#include "lib/report/changes.h"

#include "lib/base/buf.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <stdlib.h>

enum { KEY_MAX = 256 * 1024 };

/* What makes a check the same one in both runs. */
static void key_of(const json_t *check, struct buf *out)
{
	const char *name = record_text(check, "check");
	const char *subject = record_text(check, "subject");

	buf_reset(out);
	buf_adds(out, name ? name : "");
	buf_addc(out, '\n');
	buf_adds(out, subject ? subject : "");
}

static enum verdict status_of(const json_t *check)
{
	enum verdict v;

	(void)verdict_parse(record_text(check, "status"), &v);
	return v;
}

/* Key -> the worst check of that key. The caller's. */
static json_t *index_of(const json_t *checks)
{
	json_t *index = json_object(), *check;
	BUF_AUTO key = BUF_INIT(KEY_MAX);
	size_t i;

	json_array_foreach(checks, i, check) {
		const json_t *known;

		key_of(check, &key);
		known = json_object_get(index, key.s);
		if (known == NULL ||
		    verdict_worst(status_of(known), status_of(check)) != status_of(known))
			json_object_set(index, key.s, check);
	}
	return index;
}

static void add(struct changes *c, enum change_kind kind, const json_t *before, const json_t *after)
{
	c->v = xrealloc(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct change){
		.kind = kind,
		.check = after ? after : before,
		.before = before ? status_of(before) : V_OK,
		.after = after ? status_of(after) : V_OK,
	};
}

static void compare(struct changes *c, const json_t *before, const json_t *after, bool whole)
{
	if (before == NULL || after == NULL) {
		if (whole)
			add(c, after ? CHANGE_NEW : CHANGE_GONE, before, after);
	} else if (status_of(before) != status_of(after)) {
		add(c,
		    verdict_worst(status_of(before), status_of(after)) == status_of(after)
			    ? CHANGE_WORSE
			    : CHANGE_BETTER,
		    before, after);
	}
}

/* jansson keeps the order in which keys were set. */
void changes_find(const json_t *before, const json_t *after, bool whole, struct changes *out)
{
	JSON_AUTO *earlier = index_of(before), *later = index_of(after);
	struct changes found = { 0 };
	const char *key;
	json_t *check;

	json_object_foreach(later, key, check)
		compare(&found, json_object_get(earlier, key), check, whole);
	json_object_foreach(earlier, key, check)
		if (json_object_get(later, key) == NULL)
			compare(&found, check, NULL, whole);
	*out = (struct changes){ .v = xcalloc(found.n, sizeof(*out->v)) };
	for (int kind = CHANGE_WORSE; kind <= CHANGE_BETTER; kind++)
		for (size_t i = 0; i < found.n; i++)
			if (found.v[i].kind == (enum change_kind)kind)
				out->v[out->n++] = found.v[i];
	free(found.v);
}

void changes_free(struct changes *c)
{
	free(c->v);
	*c = (struct changes){ 0 };
}
