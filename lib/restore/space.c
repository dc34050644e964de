#include "lib/restore/space.h"

#include "lib/base/human.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TIMES_PLAIN = 2, TIMES_PACKED = 8, UNPACKED_MAX = 6, DEPTH_MAX = 16 };

/* Disk for each byte of COPY text and of large objects, and for one of an index's table: rows have
 * headers, pages have room; of the columns some are indexed. */
#define PER_ROW_BYTE 1.5
#define PER_INDEXED_BYTE 0.4
#define PER_OBJECT_BYTE 1.3

/* An empty cluster, its WAL and what a server writes beside the data. */
#define SERVER_B ((uint64_t)160 * 1000 * 1000)

static uint64_t by_size(const struct sniffed *what, uint64_t backup_b)
{
	bool packed = sniff_is_packed(what);
	uint64_t times, need;

	/* A packed archive is unpacked to the disk first; what is in it may be packed again. */
	if (what->packing && strcmp(what->packing, "none") != 0)
		times = packed ? TIMES_PACKED + 1 : TIMES_PACKED;
	else
		times = packed ? TIMES_PACKED : TIMES_PLAIN;
	if (__builtin_mul_overflow(backup_b, times, &need) ||
	    __builtin_add_overflow(need, SERVER_B, &need))
		return UINT64_MAX;
	return need;
}

struct space space_needed(const struct sniffed *what, uint64_t backup_b)
{
	return (struct space){ .need_b = by_size(what, backup_b) };
}

struct space space_of_archive(const struct sniffed *what, const struct complete *in, bool rows_only)
{
	const double times = in->packed ? UNPACKED_MAX : 1;
	const double disk = times * ((double)in->rows_b * PER_ROW_BYTE +
				     (rows_only ? 0 : (double)in->indexed_b * PER_INDEXED_BYTE) +
				     (double)(in->data_b - in->rows_b) * PER_OBJECT_BYTE);
	struct space s = { .need_b = SERVER_B };
	char bytes[HUMAN_SIZE];

	if (disk >= (double)(UINT64_MAX - SERVER_B))
		s.need_b = UINT64_MAX;
	else
		s.need_b += (uint64_t)disk;
	(void)snprintf(s.from, sizeof(s.from),
		       "%s of data%s%s; tables: %ju, large objects: %ju, indexes: %ju",
		       human_bytes(in->data_b, bytes), in->packed ? ", packed with " : "",
		       in->packed ? what->packing : "", (uintmax_t)in->tables,
		       (uintmax_t)in->objects, (uintmax_t)(rows_only ? 0 : in->indexes));
	return s;
}

uint64_t space_free(const char *dir)
{
	struct statvfs fs;

	return statvfs(dir, &fs) < 0 ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
}

int space_check(const char *dir, const struct space *s, uint64_t max_b, struct err *e)
{
	char need[HUMAN_SIZE], have[HUMAN_SIZE], from[sizeof(s->from) + 16] = "";
	uint64_t free_b = space_free(dir);

	if (free_b == UINT64_MAX)
		return err_set(e, ERR_SYSTEM, "look for free space in %s: %s", dir,
			       strerror(errno));
	(void)human_bytes(s->need_b, need);
	if (s->from[0])
		(void)snprintf(from, sizeof(from), " (for %s)", s->from);
	if (max_b && s->need_b > max_b)
		return err_set(
			e, ERR_SYSTEM,
			"restore into %s: it may take %s%s, and --max-disk allows %s; allow more",
			dir, need, from, human_bytes(max_b, have));
	if (s->need_b > free_b)
		return err_set(
			e, ERR_SYSTEM,
			"restore into %s: it may take %s%s, and %s are free; free some, or name "
			"a larger file system with --work-dir",
			dir, need, from, human_bytes(free_b, have));
	return 0;
}

static uint64_t used(int dir, unsigned depth)
{
	DIR *d = fdopendir(dir);
	const struct dirent *entry;
	uint64_t sum = 0;
	struct stat st;

	if (d == NULL) {
		(void)close(dir);
		return 0;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		sum += (uint64_t)st.st_blocks * 512;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int sub = openat(dirfd(d), entry->d_name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			sum += sub < 0 ? 0 : used(sub, depth + 1);
		}
	}
	(void)closedir(d);
	return sum;
}

uint64_t space_used(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? 0 : used(fd, 0);
}
