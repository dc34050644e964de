#include "lib/restore/kin.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/physical/ancestry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MAX = 16 << 20 };

/* The answer: what the search returned, its error, then the paths, each with its end. */
struct head {
	int found;
	struct err e;
};

/* Behind a directory that only we may enter, it is shown to that user in the sealed place alone,
 * and its neighbours are not. A full backup and a dump need none; an incremental one is refused
 * there (base_look()). */
static bool out_of_reach(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == EACCES;
	return access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) < 0 && errno == EACCES;
}

static _Noreturn void answer(const struct kin_job *job, int to)
{
	struct head head = { .found = -1 };
	struct keys keys = *job->keys;
	STRV_AUTO paths = { 0 };
	bool sent;

	keys.dir = job->dir;
	if (identity_become(job->who) < 0)
		(void)err_set(&head.e, ERR_SYSTEM, "become user %s: %s", job->who->name,
			      strerror(errno));
	else if (out_of_reach(job->path))
		head.found = 0;
	else
		head.found = ancestry_find(job->path, &keys, &paths, &head.e);
	sent = io_write_all(to, &head, sizeof(head)) == 0;
	for (size_t i = 0; sent && i < paths.n; i++)
		sent = io_write_all(to, paths.v[i], strlen(paths.v[i]) + 1) == 0;
	_exit(sent ? 0 : 1);
}

static int read_all(int from, struct buf *out)
{
	char piece[16 * 1024];
	ssize_t n;

	while ((n = io_read_full(from, piece, sizeof(piece))) > 0)
		buf_add(out, piece, (size_t)n);
	return n < 0 || out->full ? -1 : 0;
}

static int take(const struct buf *said, struct strv *out, struct err *e)
{
	struct head head;

	memcpy(&head, said->s, sizeof(head));
	if (head.found < 0) {
		head.e.msg[sizeof(head.e.msg) - 1] = '\0';
		*e = head.e;
		return -1;
	}
	for (size_t at = sizeof(head); at < said->len; at += strlen(said->s + at) + 1)
		strv_add(out, said->s + at);
	return 0;
}

int kin_find(const struct kin_job *job, struct strv *out, struct err *e)
{
	BUF_AUTO said = BUF_INIT(ANSWER_MAX);
	int ends[2], status = 0, got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		answer(job, ends[1]);
	io_close(&ends[1]);
	got = pid < 0 ? -1 : read_all(ends[0], &said);
	io_close(&ends[0]);
	if (pid < 0)
		return err_set(e, ERR_SYSTEM, "start a process: %s", strerror(errno));
	if (proc_wait(pid, &status, e) < 0)
		return -1;
	if (got < 0 || status != 0 || said.len < sizeof(struct head))
		return err_set(e, ERR_SYSTEM,
			       "look what the backup builds on: the process for it broke off");
	return take(&said, out, e);
}
