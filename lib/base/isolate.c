#include "lib/base/isolate.h"

#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
	FD_AUTO fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : io_write_all(fd, text, strlen(text));
}

/* "ID ID 1": inside the user namespace we are who we are outside, and nobody else exists. */
static int map_id(const char *path, unsigned id)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "%u %u 1", id, id);
	return write_file(path, line);
}

static int enter_as_user(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return -1;
	/* Without this the kernel refuses gid_map (CVE-2014-8989). */
	if (write_file("/proc/self/setgroups", "deny") < 0)
		return -1;
	return map_id("/proc/self/uid_map", uid) < 0 ? -1 : map_id("/proc/self/gid_map", gid);
}

/* PostgreSQL before 15 wants a loopback interface for its statistics. */
static int raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	FD_AUTO fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

int isolate_enter(void)
{
	if (geteuid() == 0 ? unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0 : enter_as_user() < 0)
		return -1;
	return raise_loopback();
}

int isolate_possible(struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(isolate_enter() < 0 ? errno : 0);
	if (pid < 0)
		return err_set(e, ERR_SYSTEM, "fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, ERR_SYSTEM, "wait: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "make a network namespace: %s; allow user namespaces "
		       "(sysctl kernel.unprivileged_userns_clone=1), or run as root",
		       strerror(WIFEXITED(status) ? WEXITSTATUS(status) : EINVAL));
}
