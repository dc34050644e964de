#include "lib/base/isolate.h"

#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	io_close(&fd);
	return n < 0 ? -1 : 0;
}

/* PostgreSQL up to 14 sends its statistics over the loopback, which is down at first. */
static void raise_loopback(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &r);
	io_close(&fd);
}

/* In the new user namespace we are who we were, and nobody else exists. */
static int stay_who_we_are(uid_t uid, gid_t gid)
{
	char uids[64], gids[64];

	(void)snprintf(uids, sizeof(uids), "%ju %ju 1", (uintmax_t)uid, (uintmax_t)uid);
	(void)snprintf(gids, sizeof(gids), "%ju %ju 1", (uintmax_t)gid, (uintmax_t)gid);
	if (put("/proc/self/setgroups", "deny") < 0 || put("/proc/self/uid_map", uids) < 0)
		return -1;
	return put("/proc/self/gid_map", gids);
}

static int unshare_all(const struct isolate *i)
{
	int flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (i->level == ISOLATE_NONE)
		return 0;
	if (i->level == ISOLATE_FULL)
		flags |= CLONE_NEWNS | CLONE_NEWPID;
	if (i->user)
		flags |= CLONE_NEWUSER;
	if (unshare(flags) < 0 || (i->user && stay_who_we_are(uid, gid) < 0))
		return -1;
	raise_loopback();
	return 0;
}

/* What made us able to build the namespaces must not be there when they are lived in. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return (int)syscall(SYS_capset, &head, none);
}

static void quit(int sig)
{
	_exit(128 + sig);
}

void isolate_tie(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The first process of a PID namespace is spared by signals that it does not handle. */
static int settle(const struct isolate *i)
{
	(void)signal(SIGTERM, quit);
	isolate_tie();
	if (i->level == ISOLATE_FULL && newroot_enter(&i->root) < 0)
		return -1;
	return i->user ? drop_capabilities() : 0;
}

/* Between the two there is a process that was in the old PID namespace, and waits. */
static _Noreturn void stand_between(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(V_UNKNOWN);
	if (WIFSIGNALED(status)) {
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)raise(WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

/* Returns in the process that is to live there. tell: where the reason goes when it cannot. */
static void move_in(const struct isolate *i, int tell)
{
	pid_t child;
	int why;

	isolate_tie();
	child = unshare_all(i) < 0 ? -1 : fork();
	if (child > 0) {
		io_close(&tell);
		stand_between(child);
	}
	if (child == 0 && settle(i) == 0) {
		io_close(&tell);
		return;
	}
	why = errno;
	(void)io_write_all(tell, &why, sizeof(why));
	_exit(V_UNKNOWN);
}

pid_t isolate_fork(const struct isolate *i)
{
	int ready[2], why;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		io_close(&ready[0]);
		move_in(i, ready[1]);
		return 0;
	}
	io_close(&ready[1]);
	if (pid > 0 && io_read_full(ready[0], &why, sizeof(why)) == sizeof(why)) {
		(void)waitpid(pid, NULL, 0);
		pid = -1;
		errno = why;
	}
	io_close(&ready[0]);
	return pid;
}

static bool works(const struct isolate *i)
{
	pid_t pid = isolate_fork(i);

	if (pid == 0)
		_exit(0);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid > 0;
}

void isolate_find(struct isolate *i, struct err *e)
{
	/* Root in a container without CAP_SYS_ADMIN could not become the unprivileged user in a
	 * user namespace that maps just one. */
	i->user = geteuid() != 0;
	i->root.old_proc = i->user;
	for (i->level = ISOLATE_FULL; i->level != ISOLATE_NONE; i->level--) {
		if (works(i))
			return;
		(void)err_set(e, ERR_SYSTEM, "make namespaces of its own: %s", strerror(errno));
	}
}
