#include "lib/restore/pick.h"

#include "lib/base/xmem.h"
#include "lib/restore/outside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void leave_out(struct pick *p, size_t i)
{
	p->out[i] = true;
	p->n_out++;
}

static const char *reaches_outside(const struct archive_entry *entry, const char **statement)
{
	const char *const texts[] = { entry->defn, entry->copy };
	const char *why = NULL;

	for (size_t i = 0; why == NULL && i < sizeof(texts) / sizeof(texts[0]); i++) {
		why = outside_any(texts[i], strlen(texts[i]));
		*statement = texts[i];
	}
	return why;
}

static void refuse(const struct archive *a, struct pick *p, struct mishaps *m)
{
	for (size_t i = 0; i < a->n; i++) {
		const char *statement, *why = reaches_outside(&a->entries[i], &statement);

		if (why == NULL || p->out[i])
			continue;
		leave_out(p, i);
		mishaps_add(m, MISHAP_REFUSED, 0, "", "refused", statement, why);
	}
}

static bool depends_on_left_out(const struct archive *a, const struct pick *p,
				const struct archive_entry *entry)
{
	const struct archive_entry *on;

	for (size_t k = 0; k < entry->n_depends; k++) {
		on = archive_entry_by_id(a, entry->depends[k]);
		if (on && p->out[on - a->entries])
			return true;
	}
	return false;
}

/* Entries come after what they depend on, nearly always: until nothing new is found. */
static void follow(const struct archive *a, struct pick *p, struct mishaps *m)
{
	for (bool found = true; found;) {
		found = false;
		for (size_t i = 0; i < a->n; i++) {
			const struct archive_entry *entry = &a->entries[i];
			AUTO_FREE char *name = NULL;

			if (p->out[i] || !depends_on_left_out(a, p, entry))
				continue;
			leave_out(p, i);
			found = true;
			name = xasprintf("%s %s%s%s", entry->desc, entry->schema,
					 *entry->schema ? "." : "", entry->tag);
			mishaps_add(m, MISHAP_SKIPPED, 0, "", name, entry->defn, NULL);
		}
	}
}

void pick_entries(const struct archive *a, const struct strv *skip, struct pick *p,
		  struct mishaps *m)
{
	*p = (struct pick){ .out = xcalloc(a->n + 1, sizeof(bool)) };
	for (size_t i = 0; i < a->n; i++) {
		AUTO_FREE char *name = NULL;

		if (strcmp(a->entries[i].desc, "EXTENSION") != 0 ||
		    !strv_has(skip, a->entries[i].tag))
			continue;
		leave_out(p, i);
		name = xasprintf("extension %s", a->entries[i].tag);
		mishaps_add(m, MISHAP_SKIPPED, 0, "", name, a->entries[i].defn, NULL);
	}
	if (p->n_out)
		follow(a, p, m);
	refuse(a, p, m);
}

void pick_free(struct pick *p)
{
	free(p->out);
	*p = (struct pick){ 0 };
}

int pick_write(const struct archive *a, const struct pick *p, const char *path, struct err *e)
{
	FILE *f = fopen(path, "wxe");
	bool bad = f == NULL;

	for (size_t i = 0; !bad && i < a->n; i++)
		if (!p->out[i])
			bad = fprintf(f, "%" PRId64 ";\n", a->entries[i].id) < 0;
	if (f && fclose(f) != 0)
		bad = true;
	return bad ? err_set(e, ERR_SYSTEM, "write %s: %s", path, strerror(errno)) : 0;
}
