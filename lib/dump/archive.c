#include "lib/dump/archive.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <string.h>

enum {
	MINOR_MIN = 12, /* PostgreSQL 9.0 */
	MINOR_TABLEAM = 14,
	MINOR_PACKING = 15, /* one byte in the place of zlib's level */
	MINOR_RELKIND = 16,
	MINOR_MAX = 16, /* PostgreSQL 17 and 18 */
};
enum { INT_SIZE_MAX = 8, OFFSET_SIZE_MAX = 8 };
enum { OFFSET_NOT_SET = 1, OFFSET_SET = 2, OFFSET_NO_DATA = 3 };
enum { BLOCK_DATA = 1, BLOCK_LARGE_OBJECTS = 3 };

/* PostgreSQL itself cannot hold a text of more than 1 GiB; a real table of contents is a few MB. */
static const int64_t TEXT_MAX = 256LL << 20;
enum { STEP = 64 * 1024 };

static void entry_free(struct archive_entry *t)
{
	free(t->tag);
	free(t->desc);
	free(t->defn);
	free(t->drop);
	free(t->copy);
	free(t->schema);
	free(t->tablespace);
	free(t->owner);
	free(t->depends);
	free(t->file);
}

struct archive_index {
	int64_t id;
	size_t i;
};

static int damaged(const struct stream *s, struct err *e, const char *what)
{
	return err_set(e, ERR_BACKUP,
		       "read %s: damaged: %s, before byte %" PRIu64 " of the archive",
		       stream_name(s), what, stream_out_b(s));
}

static int take(struct stream *s, void *p, size_t n, struct err *e)
{
	ssize_t got = stream_read(s, p, n, e);

	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return err_set(e, ERR_BACKUP,
			       "read %s: truncated: the archive ends at byte %" PRIu64,
			       stream_name(s), stream_out_b(s));
	return 0;
}

static int take_byte(struct stream *s, int *out, struct err *e)
{
	unsigned char c;

	if (take(s, &c, 1, e) < 0)
		return -1;
	*out = c;
	return 0;
}

/* A sign byte, then the magnitude, least significant byte first. */
static int take_int(struct stream *s, int size, int64_t *out, struct err *e)
{
	unsigned char b[1 + INT_SIZE_MAX];
	uint64_t v = 0;

	if (take(s, b, 1 + (size_t)size, e) < 0)
		return -1;
	for (int i = size; i > 0; i--)
		v = v << 8 | b[i];
	if (b[0] > 1 || v > (uint64_t)INT32_MAX + b[0])
		return damaged(s, e, "a number is out of range");
	*out = b[0] ? -(int64_t)v : (int64_t)v;
	return 0;
}

/* *out is NULL where the archive says NULL. The length is believed as far as bytes came. */
static int take_text(struct stream *s, int size, char **out, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t got = 0, k;
	int64_t n;

	*out = NULL;
	if (take_int(s, size, &n, e) < 0)
		return -1;
	if (n < 0)
		return 0;
	if (n > TEXT_MAX)
		return damaged(s, e, "a text is longer than 256 MiB");
	do {
		k = got > STEP ? got : STEP;
		if (k > (size_t)n - got)
			k = (size_t)n - got;
		text = xrealloc(text, got + k + 1, 1);
		if (take(s, text + got, k, e) < 0)
			return -1;
		got += k;
	} while (got < (size_t)n);
	if (memchr(text, 0, got))
		return damaged(s, e, "a text holds a NUL byte");
	text[got] = '\0';
	*out = text;
	text = NULL;
	return 0;
}

/* The same with "" for NULL. */
static int take_string(struct stream *s, int size, char **out, struct err *e)
{
	if (take_text(s, size, out, e) < 0)
		return -1;
	if (*out == NULL)
		*out = xstrdup("");
	return 0;
}

static int take_version(struct stream *s, struct archive_header *h, struct err *e)
{
	unsigned char b[5 + 3];

	if (take(s, b, sizeof(b), e) < 0)
		return -1;
	if (memcmp(b, "PGDMP", 5) != 0)
		return err_set(e, ERR_BACKUP, "read %s: not an archive of pg_dump", stream_name(s));
	h->minor = b[6];
	if (b[5] != 1 || h->minor > MINOR_MAX)
		return err_set(e, ERR_SYSTEM,
			       "read %s: archive version %d.%d is newer than 1.%d, which is "
			       "PostgreSQL 18's; install a newer release of this tool",
			       stream_name(s), b[5], h->minor, MINOR_MAX);
	if (h->minor < MINOR_MIN)
		return err_set(e, ERR_SYSTEM,
			       "read %s: archive version 1.%d is older than PostgreSQL 9.0",
			       stream_name(s), h->minor);
	return 0;
}

static int take_sizes(struct stream *s, struct archive_header *h, struct err *e)
{
	int format;

	if (take_byte(s, &h->int_size, e) < 0 || take_byte(s, &h->offset_size, e) < 0 ||
	    take_byte(s, &format, e) < 0)
		return -1;
	if (h->int_size < 1 || h->int_size > INT_SIZE_MAX || h->offset_size < 1 ||
	    h->offset_size > OFFSET_SIZE_MAX)
		return damaged(s, e, "its size of numbers is impossible");
	if (format != ARCHIVE_CUSTOM && format != ARCHIVE_TAR)
		return damaged(s, e, "its format is unknown");
	h->format = (enum archive_format)format;
	return 0;
}

static int take_packing(struct stream *s, struct archive_header *h, struct err *e)
{
	int64_t level;
	int byte;

	if (h->minor < MINOR_PACKING) {
		if (take_int(s, h->int_size, &level, e) < 0)
			return -1;
		h->packing = level == 0 ? ARCHIVE_NONE : ARCHIVE_GZIP;
		return 0;
	}
	if (take_byte(s, &byte, e) < 0)
		return -1;
	if (byte > ARCHIVE_ZSTD)
		return damaged(s, e, "its compression is unknown");
	h->packing = (enum archive_packing)byte;
	return 0;
}

/* struct tm of the dumping host, field by field. */
static int take_time(struct stream *s, struct archive_header *h, struct err *e)
{
	int64_t v[7]; /* sec min hour mday mon year isdst */
	char text[96];

	for (int i = 0; i < 7; i++)
		if (take_int(s, h->int_size, &v[i], e) < 0)
			return -1;
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)v[5] + 1900,
		       (int)v[4] + 1, (int)v[3], (int)v[2], (int)v[1], (int)v[0]);
	if (!utc_parse(text, &h->local_ms))
		h->local_ms = -1;
	return 0;
}

int archive_read_header(struct stream *s, struct archive_header *h, struct err *e)
{
	*h = (struct archive_header){ .local_ms = -1 };
	if (take_version(s, h, e) < 0 || take_sizes(s, h, e) < 0 || take_packing(s, h, e) < 0 ||
	    take_time(s, h, e) < 0 || take_string(s, h->int_size, &h->database, e) < 0 ||
	    take_string(s, h->int_size, &h->server_version, e) < 0 ||
	    take_string(s, h->int_size, &h->dump_version, e) < 0)
		return -1;
	return 0;
}

static int take_depends(struct stream *s, int size, struct archive_entry *t, struct err *e)
{
	char *text, *end;
	long long id;

	for (;;) {
		if (take_text(s, size, &text, e) < 0)
			return -1;
		if (text == NULL)
			return 0;
		id = strtoll(text, &end, 10);
		if (end == text || *end) {
			free(text);
			return damaged(s, e, "a dependency is no number");
		}
		free(text);
		t->depends = xrealloc(t->depends, t->n_depends + 1, sizeof(*t->depends));
		t->depends[t->n_depends++] = id;
	}
}

static int take_offset(struct stream *s, const struct archive_header *h, struct archive_entry *t,
		       struct err *e)
{
	unsigned char b[1 + OFFSET_SIZE_MAX];

	if (take(s, b, 1 + (size_t)h->offset_size, e) < 0)
		return -1;
	for (int i = h->offset_size; i > 0; i--)
		t->offset_b = t->offset_b << 8 | b[i];
	if (b[0] < OFFSET_NOT_SET || b[0] > OFFSET_NO_DATA)
		return damaged(s, e, "an entry's offset has an unknown state");
	t->offset_known = b[0] == OFFSET_SET;
	t->file = xstrdup("");
	return 0;
}

static int skip_text(struct stream *s, int size, struct err *e)
{
	char *text;

	if (take_text(s, size, &text, e) < 0)
		return -1;
	free(text);
	return 0;
}

static int take_kind(struct stream *s, int size, struct archive_entry *t, struct err *e)
{
	int64_t had_dumper, section;

	if (take_int(s, size, &t->id, e) < 0 || take_int(s, size, &had_dumper, e) < 0 ||
	    skip_text(s, size, e) < 0 || /* the catalogue's oid */
	    skip_text(s, size, e) < 0 || /* the object's */
	    take_string(s, size, &t->tag, e) < 0 || take_string(s, size, &t->desc, e) < 0 ||
	    take_int(s, size, &section, e) < 0)
		return -1;
	if (t->id <= 0)
		return damaged(s, e, "an entry's number is not positive");
	if (section < SECTION_NONE || section > SECTION_POST_DATA)
		return damaged(s, e, "an entry's section is unknown");
	t->has_data = had_dumper != 0;
	t->section = (enum archive_section)section;
	return 0;
}

static int take_entry(struct stream *s, const struct archive_header *h, struct archive_entry *t,
		      struct err *e)
{
	int size = h->int_size;
	int64_t relkind;

	if (take_kind(s, size, t, e) < 0 || take_string(s, size, &t->defn, e) < 0 ||
	    take_string(s, size, &t->drop, e) < 0 || take_string(s, size, &t->copy, e) < 0 ||
	    take_string(s, size, &t->schema, e) < 0 ||
	    take_string(s, size, &t->tablespace, e) < 0 ||
	    (h->minor >= MINOR_TABLEAM && skip_text(s, size, e) < 0) ||
	    (h->minor >= MINOR_RELKIND && take_int(s, size, &relkind, e) < 0) ||
	    take_string(s, size, &t->owner, e) < 0 || skip_text(s, size, e) < 0 || /* WITH OIDS */
	    take_depends(s, size, t, e) < 0)
		return -1;
	if (h->format == ARCHIVE_CUSTOM)
		return take_offset(s, h, t, e);
	return take_string(s, size, &t->file, e);
}

static int index_order(const void *a, const void *b)
{
	const struct archive_index *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int build_index(const struct stream *s, struct archive *a, struct err *e)
{
	a->by_id = xcalloc(a->n, sizeof(*a->by_id));
	for (size_t i = 0; i < a->n; i++)
		a->by_id[i] = (struct archive_index){ a->entries[i].id, i };
	qsort(a->by_id, a->n, sizeof(*a->by_id), index_order);
	for (size_t i = 1; i < a->n; i++)
		if (a->by_id[i].id == a->by_id[i - 1].id)
			return damaged(s, e, "two entries have the same number");
	return 0;
}

int archive_read(struct stream *s, struct archive *a, struct err *e)
{
	size_t cap = 0;
	int64_t n;

	*a = (struct archive){ 0 };
	if (archive_read_header(s, &a->header, e) < 0 || take_int(s, a->header.int_size, &n, e) < 0)
		return -1;
	if (n < 0)
		return damaged(s, e, "it has a negative number of entries");
	while (a->n < (size_t)n) {
		if (a->n == cap) {
			cap = cap ? cap * 2 : 64;
			a->entries = xrealloc(a->entries, cap, sizeof(*a->entries));
		}
		a->entries[a->n] = (struct archive_entry){ 0 };
		if (take_entry(s, &a->header, &a->entries[a->n], e) < 0) {
			entry_free(&a->entries[a->n]); /* only whole ones are shown */
			return -1;
		}
		a->n++;
	}
	return build_index(s, a, e);
}

void archive_header_free(struct archive_header *h)
{
	free(h->database);
	free(h->server_version);
	free(h->dump_version);
	*h = (struct archive_header){ 0 };
}

void archive_free(struct archive *a)
{
	for (size_t i = 0; i < a->n; i++)
		entry_free(&a->entries[i]);
	free(a->entries);
	free(a->by_id);
	archive_header_free(&a->header);
	*a = (struct archive){ 0 };
}

const struct archive_entry *archive_entry_by_id(const struct archive *a, int64_t id)
{
	struct archive_index key = { .id = id };
	const struct archive_index *k = NULL;

	if (a->by_id)
		k = bsearch(&key, a->by_id, a->n, sizeof(key), index_order);
	return k ? &a->entries[k->i] : NULL;
}

const char *archive_packing_name(enum archive_packing p)
{
	static const char *const names[] = { "none", "gzip", "lz4", "zstd" };

	return names[p];
}

int archive_block_begin(struct stream *s, const struct archive_header *h, struct archive_block *b,
			struct err *e)
{
	unsigned char type;
	ssize_t got;

	*b = (struct archive_block){ .at_b = stream_out_b(s) };
	got = stream_read(s, &type, 1, e);
	if (got <= 0)
		return (int)got;
	if (type != BLOCK_DATA && type != BLOCK_LARGE_OBJECTS)
		return damaged(s, e, "something that is no data block");
	b->large_objects = type == BLOCK_LARGE_OBJECTS;
	return take_int(s, h->int_size, &b->id, e) < 0 ? -1 : 1;
}

int archive_ends_in_contents(struct stream *s, const struct archive *a, struct err *e)
{
	const unsigned char *next;
	ssize_t got = stream_peek(s, 1, &next, e);
	int64_t n;

	/* A number begins with its sign, and no block is of type 0. */
	if (got <= 0 || *next != 0)
		return got < 0 ? -1 : 0;
	if (take_int(s, a->header.int_size, &n, e) < 0)
		return -1;
	for (size_t i = 0; n == (int64_t)a->n && i < a->n; i++) {
		struct archive_entry t = { 0 };
		const int status = take_entry(s, &a->header, &t, e);
		const bool same = t.id == a->entries[i].id;

		entry_free(&t);
		if (status < 0)
			return -1;
		if (!same)
			n = -1;
	}
	got = n == (int64_t)a->n ? stream_peek(s, 1, &next, e) : 1;
	if (got < 0)
		return -1;
	return got == 0 ? 1 : damaged(s, e, "what follows its data is not its contents again");
}

int archive_object_begin(struct stream *s, const struct archive_header *h, int64_t *oid,
			 struct err *e)
{
	int64_t v;

	if (take_int(s, h->int_size, &v, e) < 0)
		return -1;
	*oid = (uint32_t)v; /* pg_dump writes it through an int: the upper half is negative */
	return *oid != 0;
}

int64_t archive_chunk(struct stream *s, const struct archive_header *h, struct err *e)
{
	int64_t n;

	if (take_int(s, h->int_size, &n, e) < 0)
		return -1;
	if (n < 0)
		return damaged(s, e, "a block's length is negative");
	return n;
}
