#include "lib/storage/resume.h"

#include "lib/base/xmem.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_strong(const char *etag)
{
	return etag && etag[0] == '"';
}

static bool is_here(const struct storage *s)
{
	BUF_AUTO path = BUF_INIT(PATH_MAX);

	return storage_path(s, "", &path);
}

/* Written when all else of its directory is there. */
static bool is_last(const char *member)
{
	return select_marked(member) == 0 || strcmp(member, "backup_manifest") == 0;
}

int resume_ask(struct storage *s, const struct members *m, struct err *e)
{
	if (is_here(s))
		return 0;
	for (size_t i = 0; i < m->n; i++) {
		struct backup *o = &m->v[i];
		struct storage_stat now;

		if (o->link || is_strong(o->etag) || !is_last(o->name + m->skip))
			continue;
		if (storage_stat(s, o->name, &now, e) < 0)
			return -1;
		free(o->etag);
		o->etag = xstrdup(now.etag);
	}
	return 0;
}

int resume_identity(struct storage *s, const char *name, const struct haul_file *files, size_t n,
		    char out[DIGEST_HEX_SIZE], struct err *e)
{
	DIGEST_AUTO d = digest_new(e);
	BUF_AUTO line = BUF_INIT(STORAGE_NAME_MAX + STORAGE_ETAG_SIZE + 128);
	const bool here = is_here(s);
	bool sure = here;

	out[0] = '\0';
	buf_addf(&line, "%s\n%s\n%" PRId64 "\n", storage_shown(s), name, (int64_t)HAUL_RANGE_BYTES);
	if (d == NULL || digest_add(d, line.s, line.len, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct haul_file *f = &files[i];
		const bool told = here || is_strong(f->etag);

		if (!told && (f->member == NULL || is_last(f->member)))
			return 0;
		sure |= told;
		buf_reset(&line);
		buf_addf(&line, "%s\n%" PRId64 " %" PRId64 " %s\n", f->name, f->bytes,
			 f->modified_ms, f->etag);
		if (digest_add(d, line.s, line.len, e) < 0)
			return -1;
	}
	return sure ? digest_hex(d, out, e) : 0;
}
