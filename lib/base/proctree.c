#include "lib/base/proctree.h"

#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLICE_MS = 10 };

struct entry {
	struct proc_id id;
	pid_t parent;
	char state;
	bool below;
};

/* PID (NAME) STATE PPID ... and STARTTIME as field 22; NAME may hold blanks and parentheses. */
static bool read_stat(pid_t pid, struct entry *out)
{
	char path[64], text[1024];
	const char *rest;
	uintmax_t start;
	ssize_t n;
	int ppid;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);

	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -1 : io_read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	rest = strrchr(text, ')');
	if (rest == NULL || sscanf(rest,
				   ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
				   "%*d %*d %*d %*d %ju",
				   &out->state, &ppid, &start) != 3)
		return false;
	out->id = (struct proc_id){ .pid = pid, .start = (uint64_t)start };
	out->parent = (pid_t)ppid;
	out->below = false;
	return true;
}

static bool living(const struct entry *p)
{
	return p->state != 'Z' && p->state != 'X' && p->state != 'x';
}

bool proctree_start(pid_t pid, uint64_t *start)
{
	struct entry p;

	if (!read_stat(pid, &p) || !living(&p))
		return false;
	*start = p.id.start;
	return true;
}

bool proctree_alive(const struct proc_id *p)
{
	uint64_t start;

	return proctree_start(p->pid, &start) && start == p->start;
}

/* All processes there are. The caller's to free. */
static struct entry *all(size_t *count)
{
	DIR *proc = opendir("/proc");
	struct entry *v = NULL;
	struct dirent *d;
	uint64_t pid;
	struct err e;
	size_t n = 0;

	while (proc && (d = readdir(proc)) != NULL) {
		if (num_u64(d->d_name, 1, INT_MAX, &pid, &e) < 0)
			continue;
		v = xrealloc(v, n + 1, sizeof(*v));
		if (read_stat((pid_t)pid, &v[n]))
			n++;
	}
	if (proc)
		(void)closedir(proc);
	*count = n;
	return v;
}

static bool child_of_marked(const struct entry *v, size_t n, pid_t parent)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].below && v[i].id.pid == parent)
			return true;
	return false;
}

void proctree_below(pid_t root, const struct proc_list *spare, struct proc_list *l)
{
	size_t n;
	AUTO_FREE struct entry *v = all(&n);
	bool found = true;

	/* A child may stand before its parent in the list: until nothing new is found. */
	while (found) {
		found = false;
		for (size_t i = 0; i < n; i++) {
			if (v[i].below || (spare && proc_list_has(spare, v[i].id.pid)) ||
			    (v[i].parent != root && !child_of_marked(v, n, v[i].parent)))
				continue;
			v[i].below = found = true;
			if (living(&v[i]) || v[i].parent == getpid())
				proc_list_add(l, &v[i].id);
		}
	}
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A process with a root of its own has its directories below that: from a chroot, they are seen by
 * another name. What follows the name of dir is the same then, and so is the directory. */
static bool same_below(const char *link, const char *cwd, const char *dir)
{
	const char *name = strrchr(dir, '/');
	char path[2 * PATH_MAX];

	for (const char *at = name ? strstr(cwd, name) : NULL; at; at = strstr(at + 1, name)) {
		(void)snprintf(path, sizeof(path), "%s%s", dir, at + strlen(name));
		if (same_file(link, path))
			return true;
	}
	return false;
}

static bool is_inside(pid_t pid, const char *dir)
{
	const size_t len = strlen(dir);
	char link[64], cwd[PATH_MAX];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n < 0)
		return false;
	cwd[n] = '\0';
	if (strncmp(cwd, dir, len) == 0 &&
	    (cwd[len] == '\0' || cwd[len] == '/' || strcmp(cwd + len, " (deleted)") == 0))
		return true;
	return same_below(link, cwd, dir);
}

void proctree_inside(const char *dir, struct proc_list *l)
{
	size_t n;
	AUTO_FREE struct entry *v = all(&n);

	for (size_t i = 0; i < n; i++)
		if (living(&v[i]) && v[i].id.pid != getpid() && is_inside(v[i].id.pid, dir))
			proc_list_add(l, &v[i].id);
}

struct where {
	const char *dir; /* NULL: below root */
	pid_t root;
	const struct proc_list *spare;
};

static void find(const struct where *w, struct proc_list *l)
{
	if (w->dir)
		proctree_inside(w->dir, l);
	else
		proctree_below(w->root, w->spare, l);
}

/* Kills again and again, for one that is about to die may just have started another. */
static bool kill_until_none(const struct where *w, int64_t limit_ms)
{
	int64_t deadline_ms = mono_ms() + limit_ms;
	struct proc_list killed = { 0 };
	size_t known;

	for (;;) {
		known = killed.n;
		find(w, &killed);
		for (size_t i = known; i < killed.n; i++)
			(void)kill(killed.v[i].pid, SIGKILL);
		/* Those that were ours leave no zombie. */
		for (size_t i = 0; i < killed.n; i++)
			(void)waitpid(killed.v[i].pid, NULL, WNOHANG);
		if (killed.n == known || mono_ms() >= deadline_ms)
			break;
		(void)poll(NULL, 0, SLICE_MS);
	}
	known = killed.n - known;
	proc_list_free(&killed);
	return known == 0;
}

bool proctree_kill_below(pid_t root, const struct proc_list *spare, int64_t limit_ms)
{
	return kill_until_none(&(struct where){ .root = root, .spare = spare }, limit_ms);
}

bool proctree_kill_inside(const char *dir, int64_t limit_ms)
{
	return kill_until_none(&(struct where){ .dir = dir }, limit_ms);
}

void proc_list_add(struct proc_list *l, const struct proc_id *id)
{
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = *id;
}

bool proc_list_has(const struct proc_list *l, pid_t pid)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].pid == pid)
			return true;
	return false;
}

void proc_list_free(struct proc_list *l)
{
	free(l->v);
	*l = (struct proc_list){ 0 };
}
