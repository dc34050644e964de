#include "lib/restore/combine.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/tree.h"
#include "lib/base/xmem.h"
#include "lib/physical/ancestry.h"
#include "lib/restore/base.h"
#include "lib/restore/here.h"
#include "lib/restore/space.h"
#include "lib/restore/unpack_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 64 * 1024 };

static const char *path_of(const struct combine *c, size_t i)
{
	return i < c->ancestors->n ? c->ancestors->v[i] : c->path;
}

static bool is_plain(const char *path)
{
	AUTO_FREE char *name = xasprintf("%s/PG_VERSION", path);

	return access(name, F_OK) == 0;
}

/* ---- room --------------------------------------------------------------------------- */

static uint64_t bytes_of(const char *path, uint64_t packed_b)
{
	BASE_AUTO b = { .has_manifest = false };
	struct err ignored;

	if (base_read_manifest(&b, path, &ignored) == 0 && b.has_manifest)
		return b.manifest.total_b;
	return is_plain(path) ? space_used(path) : packed_b;
}

uint64_t combine_needs(const struct combine *c, uint64_t packed_b)
{
	uint64_t sum = SPACE_SERVER_B;

	for (size_t i = 0; i <= c->ancestors->n; i++) {
		const char *path = path_of(c, i);
		const uint64_t bytes = bytes_of(path, packed_b);

		if (__builtin_add_overflow(sum, bytes, &sum) ||
		    (!is_plain(path) && __builtin_add_overflow(sum, bytes, &sum)))
			return UINT64_MAX;
	}
	return sum;
}

/* ---- tars --------------------------------------------------------------------------- */

/* pg_combinebackup takes the checksums of what it copies from there, and compares the clusters. */
static int copy_manifest(const char *from, const char *to, struct err *e)
{
	AUTO_FREE char *in_name = xasprintf("%s/backup_manifest", from);
	AUTO_FREE char *out_name = xasprintf("%s/backup_manifest", to);
	FD_AUTO in = open(in_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	FD_AUTO out = -1;

	if (in < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_set(e, ERR_SYSTEM, "open %s: %s", in_name, strerror(errno));
	out = open(out_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0 || io_copy(in, out) < 0)
		return err_set(e, ERR_SYSTEM, "write %s: %s", out_name, strerror(errno));
	return 0;
}

static int unpack_member(struct combine *c, const char *path, size_t number, struct err *e)
{
	AUTO_FREE char *dir = xasprintf("%s/member-%zu", c->dir, number);
	AUTO_FREE char *data = xasprintf("%s/data", dir);
	const struct unpack_job job = {
		.path = path, .dir = dir, .data = data, .reading = c->reading
	};
	int ret;

	if (mkdir(dir, 0700) < 0)
		return err_set(e, ERR_SYSTEM, "make %s: %s", dir, strerror(errno));
	strv_add(&c->made, dir);
	strv_add(&c->members, data);
	phases_begin(c->phases, PHASE_UNPACK);
	ret = unpack_run(&job, &c->last, e);
	phases_end(c->phases, PHASE_UNPACK);
	c->phases->bytes[PHASE_UNPACK] += c->last.bytes;
	if (ret < 0)
		return err_wrap(e, "%.200s", path);
	return copy_manifest(path, data, e);
}

int combine_open(struct combine *c, struct err *e)
{
	for (size_t i = 0; i <= c->ancestors->n; i++) {
		const char *path = path_of(c, i);

		unpacked_free(&c->last);
		c->last = (struct unpacked){ .tars = false };
		if (is_plain(path))
			strv_add(&c->members, path);
		else if (unpack_member(c, path, i, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- pg_combinebackup --------------------------------------------------------------- */

/* --tablespace-mapping=OLD=NEW, where a '=' in OLD is escaped. */
static void add_mapping(struct strv *argv, const char *old, const char *dir, const char *oid)
{
	BUF_AUTO text = BUF_INIT(3 * PATH_MAX);

	buf_adds(&text, "--tablespace-mapping=");
	for (const char *p = old; *p; p++) {
		if (*p == '=')
			buf_addc(&text, '\\');
		buf_addc(&text, *p);
	}
	buf_addf(&text, "=%s/combined-%s", dir, oid);
	strv_add(argv, text.s);
}

/* Those of the youngest; the places of the others' it finds itself. */
static void add_mappings(const struct combine *c, struct strv *argv)
{
	AUTO_FREE char *all = xasprintf("%s/pg_tblspc", c->members.v[c->members.n - 1]);
	DIR *d = opendir(all);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		AUTO_FREE char *name = xasprintf("pg_tblspc/%s", entry->d_name);
		char old[PATH_MAX];
		ssize_t n;

		if (unpack_tablespace(name) == NULL)
			continue;
		n = readlinkat(dirfd(d), entry->d_name, old, sizeof(old) - 1);
		if (n <= 0)
			continue;
		old[n] = '\0';
		add_mapping(argv, old, c->dir, entry->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* The first thing that it calls an error, without its name; else its last words. */
static const char *complaint(struct buf *said)
{
	static const char mark[] = "error: ";
	char *text = said->len ? said->s : NULL, *end;

	if (text == NULL)
		return "without a word";
	if (strstr(text, mark) != NULL)
		text = strstr(text, mark) + strlen(mark);
	end = strchr(text, '\n');
	if (end != NULL)
		*end = '\0';
	return text;
}

static int failed(struct buf *said, int status, struct err *e)
{
	const char *words = complaint(said), *here = here_reason(words);
	char text[64];

	if (here != NULL)
		return err_set(e, ERR_SYSTEM, "put the chain together: %.600s: %s", words, here);
	/* It only ever exits with 1 by itself. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
		return err_set(e, ERR_SYSTEM, "put the chain together: pg_combinebackup %s: %.600s",
			       proc_status_text(status, text, sizeof(text)), words);
	return err_set(e, ERR_BACKUP, "put the chain together: pg_combinebackup: %.600s", words);
}

static int drop_unpacked(struct combine *c, struct err *e)
{
	for (size_t i = 0; i < c->made.n; i++)
		if (tree_remove(c->made.v[i], e) < 0)
			return -1;
	return 0;
}

int combine_run(struct combine *c, const struct pg_bindir *bin, const char *out, struct err *e)
{
	BUF_AUTO said = BUF_INIT(SAID_MAX);
	STRV_AUTO argv = { 0 };
	struct proc p = { .cwd = c->dir };
	int status, ret;

	strv_addf(&argv, "%s/pg_combinebackup", bin->path);
	if (access(argv.v[0], X_OK) < 0)
		return err_set(e, ERR_SYSTEM,
			       "put the chain together: %s: %s; install the server package of "
			       "PostgreSQL %d (postgresql-%d), which has pg_combinebackup",
			       argv.v[0], strerror(errno), bin->major, bin->major);
	if (!c->sync)
		strv_add(&argv, "--no-sync");
	strv_addf(&argv, "--output=%s", out);
	add_mappings(c, &argv);
	for (size_t i = 0; i < c->members.n; i++)
		strv_add(&argv, c->members.v[i]);
	p.argv = argv.v;
	phases_begin(c->phases, PHASE_COMBINE);
	ret = proc_capture(&p, 0, &said, &status, e);
	phases_end(c->phases, PHASE_COMBINE);
	if (ret < 0)
		return -1;
	if (status != 0)
		return failed(&said, status, e);
	return drop_unpacked(c, e);
}

/* ---- what it was -------------------------------------------------------------------- */

void combine_layout(const struct combine *c, struct unpacked *out)
{
	out->tars = c->last.tars;
	memcpy(out->compression, c->last.compression, sizeof(out->compression));
	memcpy(out->encryption, c->last.encryption, sizeof(out->encryption));
}

void combine_say(const struct combine *c, const struct pg_bindir *bin, struct stage *st)
{
	BUF_AUTO names = BUF_INIT(64 * 1024);
	struct check check;

	ancestry_add_names(c->ancestors, c->path, &names);
	check_init(&check, "backup-chain", "");
	check_field(&check, "members", ancestry_members(c->ancestors, c->path));
	check_metric_int(&check, "members", (int64_t)c->ancestors->n + 1, "");
	check_say(&check, V_OK, "put together by pg_combinebackup %s of %s", bin->version, names.s);
	stage_check(st, &check);
}

void combine_free(struct combine *c)
{
	strv_free(&c->members);
	strv_free(&c->made);
	unpacked_free(&c->last);
}
