#include "lib/restore/unpack_rules.h"

#include "lib/base/xmem.h"
#include "lib/physical/wal.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_LONGEST = 1000 };

#define TABLESPACES "pg_tblspc/"

/* ---- names -------------------------------------------------------------------------- */

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

bool unpack_leaves(const char *path)
{
	static const char *const files[] = {
		"postgresql.conf", "postgresql.auto.conf", "postgresql.auto.conf.tmp",
		"pg_hba.conf",     "pg_ident.conf",        "recovery.conf",
		"recovery.done",   "recovery.signal",      "standby.signal",
		"tablespace_map",  "backup_manifest",      "postmaster.pid",
		"postmaster.opts", "current_logfiles",
	};
	static const char *const below[] = {
		"pg_replslot/",  "pg_dynshmem/",           "pg_notify/",   "pg_serial/",
		"pg_snapshots/", "pg_stat_tmp/",           "pg_subtrans/", "log/",
		"pg_log/",       "pg_wal/archive_status/",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		if (begins(path, below[i]))
			return true;
	return false;
}

bool unpack_safe(const char *path)
{
	size_t n = strlen(path);

	if (n == 0 || n > PATH_LONGEST)
		return false;
	for (const char *p = path, *end;; p = end + 1) {
		size_t k = strcspn(p, "/");

		end = p + k;
		if (k == 0 || (k == 1 && p[0] == '.') || (k == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (*end == '\0')
			return true;
	}
}

const char *unpack_tablespace(const char *path)
{
	const char *oid = path + strlen(TABLESPACES);

	if (!begins(path, TABLESPACES) || *oid == '\0' || oid[strspn(oid, "0123456789")] != '\0' ||
	    strlen(oid) > 10)
		return NULL;
	return oid;
}

/* ---- beside it ---------------------------------------------------------------------- */

/* Of what link leads to, each entry that belongs to it (want), or the place itself (want NULL) when
 * it holds segments. */
static void add_beside(const char *link, bool tablespace, struct strv *out)
{
	DIR *d = opendir(link);
	const struct dirent *entry;
	char real[PATH_MAX];
	uint64_t lsn;
	uint32_t timeline;
	bool wal = false;

	if (d == NULL || realpath(link, real) == NULL)
		tablespace = wal = false;
	while (d && (entry = readdir(d)) != NULL) {
		if (tablespace && begins(entry->d_name, "PG_"))
			strv_addf(out, "%s/%s", real, entry->d_name);
		wal = wal || wal_of_name(entry->d_name, 1U << 20, &timeline, &lsn);
	}
	if (!tablespace && wal)
		strv_add(out, real);
	if (d)
		(void)closedir(d);
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

void unpack_beside(const char *path, struct strv *out)
{
	AUTO_FREE char *wal = xasprintf("%s/pg_wal", path);
	AUTO_FREE char *all = xasprintf("%s/pg_tblspc", path);
	DIR *d = opendir(all);
	const struct dirent *entry;

	if (is_link(wal))
		add_beside(wal, false, out);
	while (d && (entry = readdir(d)) != NULL) {
		AUTO_FREE char *name = xasprintf(TABLESPACES "%s", entry->d_name);
		AUTO_FREE char *link = xasprintf("%s/%s", path, name);

		if (unpack_tablespace(name) && is_link(link))
			add_beside(link, true, out);
	}
	if (d)
		(void)closedir(d);
}
