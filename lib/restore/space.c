#include "lib/restore/space.h"

#include "lib/base/human.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TIMES_PLAIN = 2, TIMES_PACKED = 8, DEPTH_MAX = 16 };

/* An empty cluster, its WAL and what a server writes beside the data. */
#define SERVER_B ((uint64_t)160 * 1000 * 1000)

uint64_t space_needed(const struct sniffed *what, uint64_t backup_b)
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

uint64_t space_free(const char *dir)
{
	struct statvfs fs;

	return statvfs(dir, &fs) < 0 ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
}

int space_check(const char *dir, uint64_t need_b, uint64_t max_b, struct err *e)
{
	char need[HUMAN_SIZE], have[HUMAN_SIZE];
	uint64_t free_b = space_free(dir);

	if (free_b == UINT64_MAX)
		return err_set(e, ERR_SYSTEM, "look for free space in %s: %s", dir,
			       strerror(errno));
	(void)human_bytes(need_b, need);
	if (max_b && need_b > max_b)
		return err_set(
			e, ERR_SYSTEM,
			"restore into %s: it may take %s, and --max-disk allows %s; allow more",
			dir, need, human_bytes(max_b, have));
	if (need_b > free_b)
		return err_set(
			e, ERR_SYSTEM,
			"restore into %s: it may take %s, and %s are free; free some, or name "
			"a larger file system with --work-dir",
			dir, need, human_bytes(free_b, have));
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
