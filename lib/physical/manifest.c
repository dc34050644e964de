#include "lib/physical/manifest.h"

#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"
#include "lib/storage/digest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MANIFEST_MAX_B = 1 << 30 };

/* Where in the text the next value begins. */
struct cursor {
	const char *p, *end;
	const char *name;
};

/* path: of the file in question; NULL: none. */
static int damaged(const struct cursor *c, const char *why, const char *path, struct err *e)
{
	return err_set(e, ERR_BACKUP, "read %s: damaged backup manifest: %s%s%s", c->name, why,
		       path ? ": " : "", path ? path : "");
}

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && strchr(" \t\r\n", *c->p) != NULL && *c->p != '\0')
		c->p++;
}

static bool take(struct cursor *c, char want)
{
	skip_blanks(c);
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

/* One JSON value, whole. */
static json_t *value(struct cursor *c)
{
	json_error_t error;
	json_t *v;

	skip_blanks(c);
	v = json_loadb(c->p, (size_t)(c->end - c->p),
		       JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	if (v != NULL)
		c->p += error.position;
	return v;
}

bool manifest_lsn(const char *s, uint64_t *lsn)
{
	char *rest;
	unsigned long high, low;

	if (strspn(s, "0123456789abcdefABCDEF/") != strlen(s) || *s == '/')
		return false;
	high = strtoul(s, &rest, 16);
	if (*rest != '/' || rest[1] == '\0' || high > UINT32_MAX)
		return false;
	low = strtoul(rest + 1, &rest, 16);
	if (*rest != '\0' || low > UINT32_MAX)
		return false;
	*lsn = (uint64_t)high << 32 | low;
	return true;
}

/* Every field of the entry is one of these; NULL ends the list. */
static bool only_fields(json_t *entry, const char *const *known)
{
	const char *field;
	json_t *v;

	json_object_foreach(entry, field, v) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], field) != 0)
			i++;
		if (known[i] == NULL)
			return false;
	}
	return true;
}

/* NULL: *path is the entry's, the caller's to free; else what is wrong. */
static const char *path_of(const json_t *entry, char **path)
{
	const char *plain = record_text(entry, "Path");
	const char *encoded = record_text(entry, "Encoded-Path");
	size_t n;

	*path = NULL;
	if (plain != NULL && encoded != NULL)
		return "a file with two paths";
	if (plain != NULL)
		*path = *plain ? xstrdup(plain) : NULL;
	if (encoded == NULL)
		return *path ? NULL : "a file without a path";
	n = strlen(encoded) / 2;
	*path = xcalloc(n + 1, 1);
	if (n > 0 && hash_parse(encoded, (unsigned char *)*path, n) && strlen(*path) == n)
		return NULL;
	free(*path);
	*path = NULL;
	return "a path that is not encoded as one";
}

static const char *sum_of(const json_t *entry, struct manifest_file *f)
{
	const char *algorithm = record_text(entry, "Checksum-Algorithm");
	const char *sum = record_text(entry, "Checksum");

	f->algorithm = HASH_NONE;
	if (algorithm == NULL)
		return sum ? "a checksum without its algorithm" : NULL;
	if (sum == NULL)
		return "an algorithm without a checksum";
	if (!hash_of_name(algorithm, &f->algorithm) || f->algorithm == HASH_NONE)
		return "an unknown checksum algorithm";
	return hash_parse(sum, f->sum, hash_size(f->algorithm)) ? NULL
								: "a checksum of the wrong length";
}

static const char *read_file(json_t *entry, struct manifest_file *f)
{
	static const char *const known[] = { "Path",     "Encoded-Path",
					     "Size",     "Last-Modified",
					     "Checksum", "Checksum-Algorithm",
					     NULL };
	const char *why;
	int64_t size;

	if (!json_is_object(entry) || !only_fields(entry, known))
		return "a file's entry is not one";
	why = path_of(entry, &f->path);
	if (why != NULL)
		return why;
	if (!record_int(entry, "Size", &size) || size < 0)
		return "a file without a size";
	f->size_b = (uint64_t)size;
	return sum_of(entry, f);
}

static int add_file(struct manifest *m, json_t *entry, const struct cursor *c, struct err *e)
{
	struct manifest_file f = { .path = NULL };
	const char *const why = read_file(entry, &f);

	if (why != NULL) {
		(void)damaged(c, why, f.path, e);
		free(f.path);
		return -1;
	}
	m->total_b += f.size_b;
	if (m->files == NULL || m->n_files == m->cap_files) {
		m->cap_files = m->cap_files ? 2 * m->cap_files : 256;
		m->files = xrealloc(m->files, m->cap_files, sizeof(f));
	}
	m->files[m->n_files++] = f;
	return 0;
}

static const char *read_wal(json_t *entry, struct manifest_wal *w)
{
	static const char *const known[] = { "Timeline", "Start-LSN", "End-LSN", NULL };
	const char *start = record_text(entry, "Start-LSN"), *end = record_text(entry, "End-LSN");
	int64_t timeline;

	if (!json_is_object(entry) || !only_fields(entry, known))
		return "a WAL range is not one";
	if (!record_int(entry, "Timeline", &timeline) || timeline < 1 || timeline > UINT32_MAX)
		return "a WAL range without a timeline";
	if (start == NULL || !manifest_lsn(start, &w->start))
		return "a WAL range without a start";
	if (end == NULL || !manifest_lsn(end, &w->end))
		return "a WAL range without an end";
	w->timeline = (uint32_t)timeline;
	return w->end < w->start ? "a WAL range that ends before it starts" : NULL;
}

static int add_wal(struct manifest *m, json_t *entry, const struct cursor *c, struct err *e)
{
	struct manifest_wal w;
	const char *const why = read_wal(entry, &w);

	if (why != NULL)
		return damaged(c, why, NULL, e);
	m->wal = xrealloc(m->wal, m->n_wal + 1, sizeof(w));
	m->wal[m->n_wal++] = w;
	return 0;
}

typedef int add_fn(struct manifest *m, json_t *entry, const struct cursor *c, struct err *e);

static int list(struct cursor *c, struct manifest *m, add_fn *add, struct err *e)
{
	if (!take(c, '['))
		return damaged(c, "a list is missing", NULL, e);
	if (take(c, ']'))
		return 0;
	do {
		JSON_AUTO *entry = value(c);

		if (entry == NULL)
			return damaged(c, "an entry is no JSON", NULL, e);
		if (add(m, entry, c, e) < 0)
			return -1;
	} while (take(c, ','));
	return take(c, ']') ? 0 : damaged(c, "a list does not end", NULL, e);
}

static int take_version(struct cursor *c, struct manifest *m, struct err *e)
{
	JSON_AUTO *v = value(c);

	if (!json_is_integer(v))
		return damaged(c, "its version is no number", NULL, e);
	if (json_integer_value(v) != 1 && json_integer_value(v) != 2)
		return err_set(e, ERR_SYSTEM,
			       "read %s: backup manifest version %" JSON_INTEGER_FORMAT
			       " is not known here; a newer version of this tool may read it",
			       c->name, json_integer_value(v));
	m->version = (int)json_integer_value(v);
	return 0;
}

/* The identifier has 64 bits without a sign, more than JSON libraries take for an integer. */
static int take_system_identifier(struct cursor *c, struct manifest *m, struct err *e)
{
	char digits[24] = "";
	struct err ignored;
	size_t n = 0;

	skip_blanks(c);
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && n < sizeof(digits) - 1)
		digits[n++] = *c->p++;
	if (m->version < 2 || num_u64(digits, 0, UINT64_MAX, &m->system_identifier, &ignored) < 0)
		return damaged(c, "its system identifier is no number", NULL, e);
	return 0;
}

static int take_field(struct cursor *c, const char *field, struct manifest *m, bool *ended,
		      struct err *e)
{
	if (strcmp(field, "PostgreSQL-Backup-Manifest-Version") == 0)
		return m->version ? damaged(c, "two versions", NULL, e) : take_version(c, m, e);
	if (m->version == 0)
		return damaged(c, "it does not begin with its version", NULL, e);
	if (strcmp(field, "System-Identifier") == 0)
		return take_system_identifier(c, m, e);
	if (strcmp(field, "Files") == 0)
		return m->files ? damaged(c, "two lists of files", NULL, e)
				: list(c, m, add_file, e);
	if (strcmp(field, "WAL-Ranges") == 0)
		return m->wal ? damaged(c, "two lists of WAL", NULL, e) : list(c, m, add_wal, e);
	if (strcmp(field, "Manifest-Checksum") == 0) {
		JSON_AUTO *sum = value(c);

		*ended = true;
		return json_is_string(sum) ? 0 : damaged(c, "its checksum is no text", NULL, e);
	}
	return damaged(c, "an unknown field", NULL, e);
}

static int fields(struct cursor *c, struct manifest *m, struct err *e)
{
	bool ended = false;

	if (!take(c, '{'))
		return damaged(c, "it is no JSON object", NULL, e);
	do {
		JSON_AUTO *field = value(c);

		if (!json_is_string(field) || !take(c, ':') || ended)
			return damaged(c, "a field is no JSON", NULL, e);
		if (take_field(c, json_string_value(field), m, &ended, e) < 0)
			return -1;
	} while (take(c, ','));
	if (!take(c, '}') || !ended)
		return damaged(c, "it is cut short", NULL, e);
	skip_blanks(c);
	return c->p == c->end ? 0 : damaged(c, "foreign text follows its end", NULL, e);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct manifest_file *)a)->path,
		      ((const struct manifest_file *)b)->path);
}

/* The checksum on the last line is of all that stands before that line. */
static int verify_itself(const char *text, size_t len, const struct cursor *c, struct err *e)
{
	static const char field[] = "\"Manifest-Checksum\": \"";
	char want[DIGEST_HEX_SIZE] = "", sum[DIGEST_HEX_SIZE];
	const char *last;

	if (len == 0 || text[len - 1] != '\n')
		return damaged(c, "cut short: its last line has no end", NULL, e);
	last = memrchr(text, '\n', len - 1);
	last = last ? last + 1 : text;
	if ((size_t)(text + len - last) < sizeof(field) + DIGEST_HEX_SIZE ||
	    strncmp(last, field, sizeof(field) - 1) != 0)
		return damaged(c, "cut short: its last line is not its checksum", NULL, e);
	memcpy(want, last + sizeof(field) - 1, DIGEST_HEX_SIZE - 1);
	if (digest_of(text, (size_t)(last - text), sum, e) < 0)
		return -1;
	if (strcasecmp(want, sum) != 0)
		return err_set(e, ERR_BACKUP,
			       "read %s: the backup manifest was changed: its SHA-256 is %.16s..., "
			       "it says %.16s...",
			       c->name, sum, want);
	return 0;
}

int manifest_parse(const char *text, size_t len, const char *name, struct manifest *m,
		   struct err *e)
{
	struct cursor c = { text, text + len, name };

	memset(m, 0, sizeof(*m));
	if (verify_itself(text, len, &c, e) < 0 || fields(&c, m, e) < 0)
		return -1;
	if (m->n_files > 0)
		qsort(m->files, m->n_files, sizeof(*m->files), by_path);
	for (size_t i = 1; i < m->n_files; i++)
		if (strcmp(m->files[i - 1].path, m->files[i].path) == 0)
			return damaged(&c, "it lists a file twice", m->files[i].path, e);
	return 0;
}

int manifest_of(const char *backup, struct manifest *m, struct err *e)
{
	AUTO_FREE char *name = xasprintf("%s/backup_manifest", backup);
	BUF_AUTO text = BUF_INIT(MANIFEST_MAX_B);

	memset(m, 0, sizeof(*m));
	return io_slurp(name, &text, e) < 0 ? -1 : manifest_parse(text.s, text.len, name, m, e);
}

void manifest_free(struct manifest *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		free(m->files[i].path);
	free(m->files);
	free(m->wal);
	memset(m, 0, sizeof(*m));
}

static int path_of_entry(const void *path, const void *entry)
{
	return strcmp(path, ((const struct manifest_file *)entry)->path);
}

const struct manifest_file *manifest_find(const struct manifest *m, const char *path)
{
	if (m->n_files == 0)
		return NULL;
	return bsearch(path, m->files, m->n_files, sizeof(*m->files), path_of_entry);
}
