#include "lib/base/isolate.h"

#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
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

int isolate_enter(const struct isolate *i)
{
	if (!i->network)
		return 0;
	if (unshare(CLONE_NEWNET | (i->user ? CLONE_NEWUSER : 0)) < 0)
		return -1;
	if (i->user &&
	    (put("/proc/self/setgroups", "deny") < 0 || put("/proc/self/uid_map", i->uid_map) < 0 ||
	     put("/proc/self/gid_map", i->gid_map) < 0))
		return -1;
	raise_loopback();
	return 0;
}

/* errno of an attempt in a child of its own; 0: it works. */
static int attempt(const struct isolate *i)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(isolate_enter(i) < 0 ? errno : 0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
}

int isolate_network(struct isolate *out, struct err *e)
{
	int why;

	*out = (struct isolate){ .network = true };
	(void)snprintf(out->uid_map, sizeof(out->uid_map), "%ju %ju 1", (uintmax_t)geteuid(),
		       (uintmax_t)geteuid());
	(void)snprintf(out->gid_map, sizeof(out->gid_map), "%ju %ju 1", (uintmax_t)getegid(),
		       (uintmax_t)getegid());
	if (attempt(out) == 0)
		return 0;
	/* Root in a container without CAP_SYS_ADMIN may come here too; but it could not become
	 * the unprivileged user in a namespace that maps just one. */
	if (geteuid() != 0) {
		out->user = true;
		why = attempt(out);
		if (why == 0)
			return 0;
	} else {
		why = EPERM;
	}
	*out = (struct isolate){ 0 };
	return err_set(e, ERR_SYSTEM, "make a network namespace: %s", strerror(why));
}
