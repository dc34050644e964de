#include "lib/physical/walneed.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/xmem.h"
#include "lib/dump/tar.h"
#include "lib/physical/manifest.h"
#include "lib/physical/tarset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LABEL_MAX_B = 64 * 1024 };

/* So far into a tar the label may stand. */
static const uint64_t tar_front_b = UINT64_C(64) << 20;

/* ---- tar ---------------------------------------------------------------------------- */

static bool is_label(const char *name)
{
	return strcmp(name, "backup_label") == 0 || strcmp(name, "./backup_label") == 0;
}

static int read_label(struct stream *s, const struct tar_member *m, const char *path,
		      struct label *l, struct err *e)
{
	AUTO_FREE char *name = xasprintf("backup_label in %s", path);
	char text[LABEL_MAX_B];
	const size_t n = m->size_b < sizeof(text) ? (size_t)m->size_b : sizeof(text);
	const ssize_t got = stream_read(s, text, n, e);

	return got < 0 ? -1 : label_parse(text, (size_t)got, name, l, e) == 0 ? 1 : -1;
}

/* 0: it is no tar, or has none where one would be. */
static int look_into_tar(const char *path, const struct keys *keys, struct label *l, struct err *e)
{
	const struct stream_opts opts = { .name = path, .keys = keys };
	STREAM_AUTO *s = stream_open_path(path, &opts, e);
	const unsigned char *p;
	struct tar_member m;
	struct err ignored;
	ssize_t n;
	int next;

	if (s == NULL)
		return -1;
	/* What does not even begin is others' to judge. */
	n = stream_peek(s, TAR_BLOCK, &p, &ignored);
	if (n < 0 || !tar_header(p, (size_t)n, &m))
		return 0;
	while ((next = tar_next(s, &m, e)) > 0 && stream_out_b(s) < tar_front_b) {
		if (is_label(m.name))
			return read_label(s, &m, path, l, e);
		if (m.size_b > tar_front_b)
			return 0;
		if (stream_skip(s, m.size_b, e) < 0 || tar_pad(s, &m, e) < 0)
			return -1;
	}
	return next < 0 ? -1 : 0;
}

/* ---- directory ---------------------------------------------------------------------- */

/* The base.tar among the files there, the caller's; NULL: none. */
static char *find_tar(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	char *found = NULL;

	while (d != NULL && found == NULL && (entry = readdir(d)) != NULL) {
		AUTO_FREE char *place = tarset_place(entry->d_name);

		if (place != NULL && place[0] == '\0')
			found = xasprintf("%s/%s", path, entry->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

static int look_into_directory(const char *path, const struct keys *keys, struct label *l,
			       struct err *e)
{
	AUTO_FREE char *file = xasprintf("%s/backup_label", path), *tar = NULL;
	BUF_AUTO text = BUF_INIT(LABEL_MAX_B);

	if (access(file, F_OK) == 0)
		return io_slurp(file, &text, e) == 0 &&
				       label_parse(text.s, text.len, file, l, e) == 0
			       ? 1
			       : -1;
	tar = find_tar(path);
	if (tar == NULL)
		return 0;
	switch (look_into_tar(tar, keys, l, e)) {
	case 1:
		return 1;
	case 0:
		return err_set(e, ERR_BACKUP, "read %s: there is no backup_label in it", tar);
	default:
		return -1;
	}
}

/* Where there is none, or a broken one, where it ends is not known: check-integrity tells that. */
static void ask_manifest(const char *path, struct walneed *n)
{
	MANIFEST_AUTO m = { 0 };
	struct err ignored;

	if (manifest_of(path, &m, &ignored) < 0)
		return;
	n->system_identifier = m.system_identifier;
	for (size_t i = 0; i < m.n_wal; i++)
		if (m.wal[i].end > n->label.stop)
			n->label.stop = m.wal[i].end;
}

int walneed_of_path(const char *path, const struct keys *keys, struct walneed *n, struct err *e)
{
	struct stat st;
	int found;

	memset(n, 0, sizeof(*n));
	if (stat(path, &st) < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode))
		return look_into_tar(path, keys, &n->label, e);
	found = look_into_directory(path, keys, &n->label, e);
	if (found > 0)
		ask_manifest(path, n);
	return found;
}

/* ---- record ------------------------------------------------------------------------- */

bool walneed_of_record(const json_t *backup, struct walneed *n)
{
	const char *start = record_text(backup, "start_lsn"),
		   *stop = record_text(backup, "stop_lsn"),
		   *segment = record_text(backup, "start_wal"),
		   *cluster = record_text(backup, "system_identifier");
	struct label *l = &n->label;
	struct err ignored;

	memset(n, 0, sizeof(*n));
	l->started_ms = l->stopped_ms = -1;
	(void)record_time(backup, "started_at", &l->started_ms);
	(void)record_time(backup, "taken_at", &l->stopped_ms);
	if (cluster != NULL)
		(void)num_u64(cluster, 0, UINT64_MAX, &n->system_identifier, &ignored);
	if (stop != NULL)
		(void)manifest_lsn(stop, &l->stop);
	return start != NULL && manifest_lsn(start, &l->start) && segment != NULL &&
	       sscanf(segment, "%8x", &l->timeline) == 1;
}
