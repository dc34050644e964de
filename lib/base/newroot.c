#include "lib/base/newroot.h"

#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum access { READ_ONLY, DEVICE, WRITABLE };

/* The system's programs, their libraries, and the few files outside /usr that PostgreSQL looks
 * into: where libraries are, dictionaries, the limit on memory. */
static const char *const system_paths[] = {
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/nix",
	"/gnu",
	"/etc/ld.so.cache",
	"/etc/alternatives",
	"/var/cache/postgresql",
	"/sys/fs/cgroup/memory.max",
	"/sys/fs/cgroup/memory/memory.limit_in_bytes",
};

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
				       "/dev/urandom" };

static int inside(const char *root, const char *path, char out[PATH_MAX])
{
	size_t above = strlen(root), below = strlen(path) + 1;

	if (above + below > PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, root, above);
	memcpy(out + above, path, below);
	return 0;
}

/* All directories that path needs below root. */
static int make_parents(const char *root, const char *path)
{
	char to[PATH_MAX];
	size_t from = strlen(root) + 1;

	if (inside(root, path, to) < 0)
		return -1;
	for (char *p = strchr(to + from, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(to, 0755) < 0 && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return 0;
}

static int make_mount_point(const char *to, bool directory)
{
	FD_AUTO fd = -1;

	if (directory)
		return mkdir(to, 0755) < 0 && errno != EEXIST ? -1 : 0;
	fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -1 : 0;
}

/* With everything that is mounted below it. */
static int forbid_writing(const char *to)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof(attr));
}

static int put(const char *root, const char *path, enum access how)
{
	struct stat st, there;
	char to[PATH_MAX];

	if (stat(path, &st) < 0)
		return errno == ENOENT && how == READ_ONLY ? 0 : -1;
	if (inside(root, path, to) < 0)
		return -1;
	/* Within a directory that is there already. */
	if (how == READ_ONLY && stat(to, &there) == 0 && there.st_dev == st.st_dev &&
	    there.st_ino == st.st_ino)
		return 0;
	if (make_parents(root, path) < 0 || make_mount_point(to, S_ISDIR(st.st_mode)) < 0 ||
	    mount(path, to, NULL, MS_BIND | (how == READ_ONLY ? MS_REC : 0), NULL) < 0)
		return -1;
	return how == READ_ONLY ? forbid_writing(to) : 0;
}

/* /bin may be a link to usr/bin, and stays one. */
static int put_system(const char *root, const char *path)
{
	char to[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return put(root, path, READ_ONLY);
	target[n] = '\0';
	return inside(root, path, to) < 0 ? -1 : symlink(target, to);
}

static int put_proc(const struct newroot *r, const char *root)
{
	char to[PATH_MAX];

	if (inside(root, "/proc", to) < 0 || mkdir(to, 0755) < 0)
		return -1;
	if (mount("proc", to, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		return 0;
	return r->old_proc ? mount("/proc", to, NULL, MS_BIND | MS_REC, NULL) : -1;
}

/* initdb asks for the user's name, which need not be one of this machine's files. */
static int put_user(const struct newroot *r, const char *root)
{
	char to[PATH_MAX];
	FD_AUTO fd = -1;

	if (make_parents(root, "/etc/passwd") < 0 || inside(root, "/etc/passwd", to) < 0)
		return -1;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	return dprintf(fd, "%s:x:%ju:%ju::%s:/bin/sh\n", r->as->name, (uintmax_t)r->as->uid,
		       (uintmax_t)r->as->gid, r->dir) < 0
		       ? -1
		       : 0;
}

static int put_all(const struct newroot *r, const char *root)
{
	char to[PATH_MAX];

	for (size_t i = 0; i < sizeof(system_paths) / sizeof(system_paths[0]); i++)
		if (put_system(root, system_paths[i]) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (put(root, devices[i], DEVICE) < 0)
			return -1;
	if (inside(root, "/dev/fd", to) < 0 || symlink("/proc/self/fd", to) < 0 ||
	    put_proc(r, root) < 0 || put_user(r, root) < 0 || put(root, r->dir, WRITABLE) < 0)
		return -1;
	for (size_t i = 0; r->show && r->show[i]; i++)
		if (put(root, r->show[i], READ_ONLY) < 0)
			return -1;
	return 0;
}

/* pivot_root(2), NOTES: the old root ends up on top of the new one, and is taken away. */
static int go(const char *root)
{
	if (mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) <
		    0 ||
	    chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

int newroot_enter(const struct newroot *r)
{
	char root[PATH_MAX];
	mode_t mask = umask(022);
	int ret = -1;

	if (inside(r->dir, "/root", root) == 0 && (mkdir(root, 0700) == 0 || errno == EEXIST) &&
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
	    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m") == 0 &&
	    put_all(r, root) == 0)
		ret = go(root);
	(void)umask(mask);
	return ret;
}
