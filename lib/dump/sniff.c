#include "lib/dump/sniff.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/dump/archive.h"
#include "lib/dump/codec.h"
#include "lib/dump/part.h"
#include "lib/dump/sniff_content.h"
#include "lib/dump/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum refusal { RESTORABLE, NO_BACKUP, NOT_LOOKED_INTO };

static const struct {
	const char *format; /* in records */
	const char *text;   /* for people */
	enum refusal refusal;
	const char *way_out;
} kinds[DUMP_KINDS] = {
	[DUMP_CUSTOM] = { "custom", "custom archive", RESTORABLE, "" },
	[DUMP_DIRECTORY] = { "directory", "directory archive", RESTORABLE, "" },
	[DUMP_TAR] = { "tar", "tar archive", RESTORABLE, "" },
	[DUMP_SQL] = { "plain", "plain SQL", RESTORABLE, "" },
	[DUMP_CLUSTER] = { "pg_dumpall", "SQL of pg_dumpall", RESTORABLE, "" },
	[DUMP_OTHER_SQL] = { "sql", "SQL not made by pg_dump", RESTORABLE, "" },
	[DUMP_PACKED_DIRECTORY] = { "packed-directory", "tar of a directory archive", RESTORABLE,
				    "" },
	[DUMP_BASE_DIRECTORY] = { "base-directory", "physical base backup", NOT_LOOKED_INTO,
				  "check-integrity looks into it, restore-to-temp restores it" },
	[DUMP_BASE_TAR] = { "base-tar", "physical base backup in tar", NOT_LOOKED_INTO,
			    "check-integrity looks into it, restore-to-temp restores it" },
	[DUMP_MYSQL] = { "mysql", "dump of MySQL or MariaDB", NOT_LOOKED_INTO,
			 "only backups of PostgreSQL can be restored" },
	[DUMP_MONGO] = { "mongodb", "dump of MongoDB", NOT_LOOKED_INTO,
			 "only backups of PostgreSQL can be restored" },
	[DUMP_ENCRYPTED] = { "encrypted", "encrypted file", NOT_LOOKED_INTO,
			     "give the key with DECRYPT_PASSPHRASE_FILE or DECRYPT_KEY_FILE" },
	[DUMP_CONTAINER] = { "container", "file packed in a way that is not supported",
			     NOT_LOOKED_INTO, "use gzip, zstd, lz4, xz or bzip2" },
	[DUMP_HTML] = { "html", "HTML page, no backup", NO_BACKUP,
			"a web server's page was saved in the place of the backup" },
	[DUMP_XML] = { "xml", "XML text, no backup", NO_BACKUP,
		       "a server's error was saved in the place of the backup" },
	[DUMP_EMPTY] = { "empty", "empty file", NO_BACKUP,
			 "the backup job wrote nothing; see its log" },
	[DUMP_TEXT] = { "text", "text, no backup", NO_BACKUP,
			"an error message may have been saved in the place of the backup" },
	[DUMP_BINARY] = { "unknown", "unknown bytes, no backup that is known here", NO_BACKUP,
			  "see what wrote it" },
};

/* Extensions, longest first, and what they claim. */
static const struct {
	const char *end;
	const char *encryption;  /* NULL: none claimed or denied */
	const char *compression; /* the same */
	const char *format;      /* NULL: could be any */
} names[] = {
	{ ".gpg", "gpg", NULL, NULL },       { ".pgp", "gpg", NULL, NULL },
	{ ".age", "age", NULL, NULL },       { ".enc", "openssl", NULL, NULL },
	{ ".gz", NULL, "gzip", NULL },       { ".zst", NULL, "zstd", NULL },
	{ ".zstd", NULL, "zstd", NULL },     { ".lz4", NULL, "lz4", NULL },
	{ ".xz", NULL, "xz", NULL },         { ".bz2", NULL, "bzip2", NULL },
	{ ".tgz", NULL, "gzip", "tar" },     { ".tar", NULL, NULL, "tar" },
	{ ".sql", NULL, NULL, "SQL" },       { ".pgdump", NULL, NULL, NULL },
	{ ".dump", NULL, NULL, NULL },       { ".dmp", NULL, NULL, NULL },
	{ ".custom", NULL, NULL, "custom" },
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static bool is_sql(enum dump_kind k)
{
	return k == DUMP_SQL || k == DUMP_CLUSTER || k == DUMP_OTHER_SQL || k == DUMP_MYSQL;
}

static bool is_format(enum dump_kind k, const char *format)
{
	if (strcmp(format, "SQL") == 0)
		return is_sql(k);
	if (strcmp(format, "tar") == 0)
		return k == DUMP_TAR || k == DUMP_BASE_TAR || k == DUMP_PACKED_DIRECTORY;
	return k == DUMP_CUSTOM;
}

/* Cuts the known extension off the end of the name: its row, or -1. */
static int cut_extension(const char *name, size_t *n)
{
	for (int i = 0; i < NAMES; i++) {
		size_t k = strlen(names[i].end);

		if (*n > k && strncasecmp(name + *n - k, names[i].end, k) == 0) {
			*n -= k;
			return i;
		}
	}
	return -1;
}

/* The same layer is claimed and found, or neither. */
static bool differs(const char *claimed, const char *found, const char *none, char *out,
		    size_t size)
{
	if (strcmp(claimed, found) == 0)
		return false;
	(void)snprintf(out, size, "%s", strcmp(claimed, "none") == 0 ? none : claimed);
	return true;
}

void sniff_name(const char *path, struct sniffed *s)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *compression = "none", *encryption = "none";
	size_t n = strlen(name);
	bool known = false;

	s->name_says[0] = '\0';
	for (int i = cut_extension(name, &n); i >= 0; i = cut_extension(name, &n)) {
		known = true;
		if (names[i].compression)
			compression = names[i].compression;
		if (names[i].encryption)
			encryption = names[i].encryption;
		if (names[i].format == NULL && (names[i].compression || names[i].encryption))
			continue;
		if (names[i].format && !is_format(s->kind, names[i].format))
			(void)snprintf(s->name_says, sizeof(s->name_says), "%s", names[i].format);
		break;
	}
	/* Without any known extension the name claims nothing. */
	if (known && !differs(compression, s->compression, "not compressed", s->name_says,
			      sizeof(s->name_says)))
		(void)differs(encryption, s->encryption, "not encrypted", s->name_says,
			      sizeof(s->name_says));
}

const char *sniff_encryption(const unsigned char *p, size_t n)
{
	const struct codec *c = codec_recognise(p, n);

	if (c == NULL)
		return "none";
	return c->kind == CODEC_COMPRESSION ? NULL : c->name;
}

const char *sniff_encryption_of(const char *path)
{
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	unsigned char head[CODEC_MAGIC];
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, head, sizeof(head));

	return n < 0 ? NULL : sniff_encryption(head, (size_t)n);
}

const char *sniff_encryption_named(const char *name)
{
	size_t n = strlen(name);

	for (int i = cut_extension(name, &n); i >= 0; i = cut_extension(name, &n))
		if (names[i].encryption)
			return names[i].encryption;
	return NULL;
}

static void take_header(const struct archive_header *h, struct sniffed *out)
{
	out->archive_minor = h->minor;
	out->packing = archive_packing_name(h->packing);
	out->local_ms = h->local_ms;
	sniff_quote(out->database, sizeof(out->database), h->database, strlen(h->database));
	sniff_quote(out->server_version, sizeof(out->server_version), h->server_version,
		    strcspn(h->server_version, " "));
	sniff_quote(out->dump_version, sizeof(out->dump_version), h->dump_version,
		    strcspn(h->dump_version, " "));
}

static void take_encoding(const struct archive *a, struct sniffed *out)
{
	static const char set[] = "SET client_encoding = '";

	for (size_t i = 0; i < a->n; i++) {
		const char *defn = a->entries[i].defn;

		if (strcmp(a->entries[i].desc, "ENCODING") == 0 &&
		    strncmp(defn, set, strlen(set)) == 0) {
			defn += strlen(set);
			sniff_quote(out->encoding, sizeof(out->encoding), defn, strcspn(defn, "'"));
			return;
		}
	}
}

/* The stream stands at the beginning of an archive. What is wrong behind its header is for
 * complete.h to say. */
static int sniff_archive(struct stream *s, struct sniffed *out, struct err *e)
{
	ARCHIVE_AUTO a = { 0 };
	struct err later = { 0 };

	if (archive_read(s, &a, &later) < 0 && a.header.dump_version == NULL) {
		*e = later;
		return -1;
	}
	take_header(&a.header, out);
	take_encoding(&a, out);
	if (out->kind != DUMP_CUSTOM || a.header.format == ARCHIVE_CUSTOM)
		return 0;
	return err_set(e, ERR_USAGE,
		       "read %s: it is the toc.dat of a directory or tar archive; give the whole",
		       stream_name(s));
}

static int sniff_stream(struct stream *s, struct sniffed *out, struct err *e)
{
	const unsigned char *p;
	struct tar_member m;
	ssize_t n = stream_peek(s, STREAM_PEEK, &p, e);

	if (n < 0)
		return -1;
	(void)snprintf(out->compression, sizeof(out->compression), "%s", stream_compression(s));
	(void)snprintf(out->encryption, sizeof(out->encryption), "%s", stream_encryption(s));
	out->doubt = stream_doubt(s); /* a constant of the format's */
	if (n >= 5 && memcmp(p, "PGDMP", 5) == 0) {
		out->kind = DUMP_CUSTOM;
		return sniff_archive(s, out, e);
	}
	if (!tar_header(p, (size_t)n, &m)) {
		sniff_content(p, (size_t)n, out);
		return 0;
	}
	sniff_tar(p, (size_t)n, out);
	if (out->kind != DUMP_TAR)
		return 0;
	if (stream_skip(s, TAR_BLOCK, e) < 0)
		return -1;
	return sniff_archive(s, out, e);
}

static int sniff_file(const char *path, const struct stream_opts *opts, struct sniffed *out,
		      struct err *e)
{
	STREAM_AUTO *s = stream_open_path(path, opts, e);

	return s ? sniff_stream(s, out, e) : -1;
}

static bool there(const char *dir, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return n > 0 && n < PATH_MAX && access(path, F_OK) == 0;
}

static bool is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	if (d == NULL)
		return false;
	while (n < 3 && readdir(d))
		n++;
	(void)closedir(d);
	return n < 3; /* "." and ".." */
}

static int sniff_directory(const char *dir, const struct stream_opts *opts, struct sniffed *out,
			   struct err *e)
{
	static const char *const toc[] = { "toc.dat", "toc.dat.gz", "toc.dat.lz4", "toc.dat.zst" };
	static const char *const base[] = { "PG_VERSION",  "backup_manifest", "base.tar",
					    "base.tar.gz", "base.tar.lz4",    "base.tar.zst" };
	char path[PATH_MAX];

	(void)snprintf(out->compression, sizeof(out->compression), "none");
	(void)snprintf(out->encryption, sizeof(out->encryption), "none");
	for (size_t i = 0; i < sizeof(toc) / sizeof(toc[0]); i++) {
		STREAM_AUTO *s = NULL;

		if (!there(dir, toc[i], path))
			continue;
		out->kind = DUMP_DIRECTORY;
		s = part_open(dir, toc[0], opts, NULL, e);
		return s ? sniff_archive(s, out, e) : -1;
	}
	for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++) {
		if (there(dir, base[i], path)) {
			out->kind = DUMP_BASE_DIRECTORY;
			return 0;
		}
	}
	if (access(dir, R_OK | X_OK) < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", dir, strerror(errno));
	out->kind = is_empty(dir) ? DUMP_EMPTY : DUMP_BINARY;
	(void)snprintf(out->detail, sizeof(out->detail), "%s",
		       out->kind == DUMP_EMPTY ? "an empty directory"
					       : "a directory without toc.dat");
	return 0;
}

int sniff_path(const char *path, const struct stream_opts *opts, struct sniffed *out, struct err *e)
{
	struct stream_opts limits = { 0 };
	struct stat st;

	*out = (struct sniffed){ .kind = DUMP_BINARY, .local_ms = -1 };
	if (opts) {
		limits.max_out_b = opts->max_out_b;
		limits.max_ratio = opts->max_ratio;
		limits.keys = opts->keys;
	}
	if (stat(path, &st) < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return sniff_directory(path, &limits, out, e);
	if (sniff_file(path, &limits, out, e) < 0)
		return -1;
	sniff_name(path, out);
	return 0;
}

bool sniff_is_encrypted(const struct sniffed *s)
{
	return s->encryption[0] && strcmp(s->encryption, "none") != 0;
}

bool sniff_is_packed(const struct sniffed *s)
{
	return sniff_is_encrypted(s) || (s->compression[0] && strcmp(s->compression, "none") != 0);
}

int sniff_refuse(const char *path, const struct sniffed *s, struct err *e)
{
	BUF_AUTO how = BUF_INIT(sizeof(e->msg) - 1);

	if (kinds[s->kind].refusal == RESTORABLE)
		return 0;
	if (strcmp(s->compression, "none") != 0)
		buf_addf(&how, " in %s", s->compression);
	if (sniff_is_encrypted(s))
		buf_addf(&how, ", encrypted with %s", s->encryption);
	if (s->detail[0])
		buf_addf(&how, " (%s)", s->detail);
	return err_set(e, kinds[s->kind].refusal == NO_BACKUP ? ERR_BACKUP : ERR_USAGE,
		       "restore %.200s: %s%s; %s", path, kinds[s->kind].text, how.s,
		       kinds[s->kind].way_out);
}

bool sniff_has_end(const struct sniffed *s)
{
	return kinds[s->kind].refusal == RESTORABLE && s->kind != DUMP_OTHER_SQL;
}

const char *sniff_format(const struct sniffed *s)
{
	return kinds[s->kind].format;
}

const char *sniff_describe(const struct sniffed *s, char out[SNIFF_TEXT])
{
	BUF_AUTO b = BUF_INIT(SNIFF_TEXT - 1);

	buf_adds(&b, kinds[s->kind].text);
	if (s->archive_minor)
		buf_addf(&b, " 1.%d", s->archive_minor);
	if (s->server_version[0])
		buf_addf(&b, " of PostgreSQL %s", s->server_version);
	if (s->detail[0])
		buf_addf(&b, " (%s)", s->detail);
	if (s->packing && strcmp(s->packing, "none") != 0)
		buf_addf(&b, ", %s", s->packing);
	if (strcmp(s->compression, "none") != 0)
		buf_addf(&b, ", %s%s", s->packing ? "all in " : "", s->compression);
	if (sniff_is_encrypted(s))
		buf_addf(&b, ", encrypted with %s", s->encryption);
	(void)snprintf(out, SNIFF_TEXT, "%s", b.s);
	return out;
}
