#include "lib/storage/select.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
/* Time zones lie between UTC-12 and UTC+14. */
#define ZONE_MS ((int64_t)14 * 60 * 60 * 1000)

const char *const select_markers[] = {
	"toc.dat",           "toc.dat.gz",  "toc.dat.lz4",  "toc.dat.zst",
	"global/pg_control", "base.tar",    "base.tar.gz",  "base.tar.lz4",
	"base.tar.zst",      "base.tar.xz", "base.tar.bz2", NULL,
};

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcasecmp(s + n - m, end) == 0;
}

static bool ends_in_any(const char *s, const char *const *ends)
{
	for (; *ends; ends++)
		if (ends_in(s, *ends))
			return true;
	return false;
}

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* Without the ending of a compression, which may follow any of the names below. */
static size_t bare_length(const char *s)
{
	static const char *const packed[] = { ".gz", ".lz4", ".zst", ".xz", ".bz2" };

	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (ends_in(s, packed[i]))
			return strlen(s) - strlen(packed[i]);
	return strlen(s);
}

/* 3001.dat, blob_12.dat, blobs.toc, blobs_3001.toc: pg_backup_directory.c */
static bool is_dump_part(const char *s, size_t n)
{
	size_t digits;

	if (n > 4 && strncmp(s + n - 4, ".toc", 4) == 0)
		return strncmp(s, "blobs", 5) == 0;
	if (n <= 4 || strncmp(s + n - 4, ".dat", 4) != 0)
		return false;
	if (strncmp(s, "blob_", 5) == 0) {
		s += 5;
		n -= 5;
	}
	digits = strspn(s, "0123456789");
	return digits > 0 && digits + 4 == n;
}

/* 000000010000000A000000FE, with .partial or .00000028.backup; 00000002.history */
static bool is_wal(const char *s, size_t n)
{
	size_t hex = strspn(s, "0123456789ABCDEF");

	if (hex == 8)
		return n == 16 && strncmp(s + 8, ".history", 8) == 0;
	if (hex != 24)
		return false;
	return n == 24 || strncmp(s + 24, ".partial", 8) == 0 || (n == 40 && s[24] == '.');
}

enum select_tree select_tree_of(const char *marker)
{
	const char *s = last_part(marker);

	if (strncmp(s, "toc.dat", 7) == 0)
		return SELECT_DUMP;
	return strncmp(s, "base.tar", 8) == 0 ? SELECT_TARS : SELECT_CLUSTER;
}

/* base.tar, pg_wal.tar and 16384.tar for a tablespace: pg_basebackup.c */
static bool is_tar_part(const char *s, size_t n)
{
	size_t digits = strspn(s, "0123456789");

	if (n <= 4 || strncmp(s + n - 4, ".tar", 4) != 0)
		return strcmp(s, "backup_manifest") == 0;
	n -= 4;
	return (n == 4 && strncmp(s, "base", n) == 0) || (n == 6 && strncmp(s, "pg_wal", n) == 0) ||
	       (digits > 0 && digits == n);
}

bool select_in_part(const char *path)
{
	return strncmp(last_part(path), SELECT_IN_PART, strlen(SELECT_IN_PART)) == 0;
}

bool select_member(enum select_tree tree, const char *path)
{
	size_t n = bare_length(path);

	if (tree == SELECT_CLUSTER)
		return true;
	if (strchr(path, '/'))
		return false;
	if (tree == SELECT_TARS)
		return is_tar_part(path, n);
	return is_dump_part(path, n) || (n == 7 && strncmp(path, "toc.dat", n) == 0);
}

bool select_pointer(const char *name)
{
	static const char *const words[] = { "latest", "current", "newest" };
	static const char between[] = "-_.";
	const char *base = last_part(name), *s = base;
	int64_t ms;
	bool exact;

	for (size_t n; *s; s += n + (s[n] != '\0')) {
		n = strcspn(s, between);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (n == strlen(words[i]) && strncasecmp(s, words[i], n) == 0)
				return !utc_from_name(base, &ms, &exact);
	}
	return false;
}

enum select_class select_classify(const char *name)
{
	static const char *const progress[] = { ".tmp",        ".temp",       ".part",
						".partial",    ".incomplete", ".inprogress",
						".crdownload", ".filepart",   ".swp",
						"~",           NULL };
	static const char *const sidecars[] = { ".md5",    ".md5sum",    ".sha1",      ".sha1sum",
						".sha256", ".sha256sum", ".sha512",    ".sha512sum",
						"md5sums", "sha1sums",   "sha256sums", "sha512sums",
						".sig",    ".asc",       ".minisig",   ".json",
						".txt",    ".log",       ".html",      ".htm",
						".md",     ".yml",       ".yaml",      ".conf",
						".sh",     NULL };
	const char *s = last_part(name);
	size_t n = bare_length(s);

	if (is_wal(s, n) || is_dump_part(s, n))
		return SELECT_PART;
	if (s[0] == '.' || ends_in_any(s, progress))
		return SELECT_IN_PROGRESS;
	if (ends_in_any(s, sidecars) || strncasecmp(s, "readme", 6) == 0 ||
	    strcmp(s, "backup_manifest") == 0)
		return SELECT_SIDECAR;
	return SELECT_BACKUP;
}

int64_t select_marked(const char *name)
{
	size_t n = strlen(name);

	for (const char *const *m = select_markers; *m; m++) {
		size_t k = strlen(*m);

		if (n >= k && strcmp(name + n - k, *m) == 0 && (n == k || name[n - k - 1] == '/'))
			return n == k ? 0 : (int64_t)(n - k - 1);
	}
	return -1;
}

static bool matches(const char *name, const struct strv *globs)
{
	for (size_t i = 0; i < globs->n; i++)
		if (fnmatch(globs->v[i], name, 0) == 0 ||
		    fnmatch(globs->v[i], last_part(name), 0) == 0)
			return true;
	return false;
}

bool select_wanted(const char *name, const struct strv *match, const struct strv *exclude)
{
	return (match->n == 0 || matches(name, match)) && !matches(name, exclude);
}

/* Between a moment and a span of time. */
static int64_t distance(int64_t ms, int64_t from, int64_t to)
{
	if (ms < from)
		return from - ms;
	return ms > to ? ms - to : 0;
}

void select_date(struct backup *b)
{
	int64_t named;
	bool exact;

	b->order_ms = b->modified_ms;
	b->taken_ms = -1;
	b->apart_ms = 0;
	if (!utc_from_name(b->name, &named, &exact))
		return;
	b->order_ms = named;
	if (b->modified_ms >= 0)
		b->apart_ms = distance(b->modified_ms, named, exact ? named : named + DAY_MS);
	if (b->modified_ms < 0 || b->apart_ms > (exact ? DAY_MS : ZONE_MS))
		b->taken_ms = named;
	else if (exact)
		b->taken_ms = named < b->modified_ms ? named : b->modified_ms;
}

int64_t select_moment(const struct backup *b)
{
	if (b->taken_ms >= 0)
		return b->taken_ms;
	return b->modified_ms >= 0 ? b->modified_ms : b->order_ms;
}

bool select_disagrees(const struct backup *b)
{
	return b->apart_ms > DAY_MS;
}

static int compare_ms(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int select_compare(const void *a, const void *b)
{
	const struct backup *x = a, *y = b;
	int by = compare_ms(x->order_ms, y->order_ms);

	if (by == 0)
		by = compare_ms(x->modified_ms, y->modified_ms);
	return by ? by : strcmp(x->name, y->name);
}

struct backup select_copy(const struct backup *b)
{
	struct backup copy = *b;

	copy.name = b->name ? xstrdup(b->name) : NULL;
	copy.etag = b->etag ? xstrdup(b->etag) : NULL;
	copy.link = b->link ? xstrdup(b->link) : NULL;
	return copy;
}

void select_free(struct backup *b)
{
	free(b->name);
	free(b->etag);
	free(b->link);
	*b = (struct backup){ 0 };
}
