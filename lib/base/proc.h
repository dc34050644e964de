#ifndef LIB_BASE_PROC_H
#define LIB_BASE_PROC_H
/*
 * proc: run programs without a shell. A failed exec is reported in the parent, with the
 * program's name and the reason, never as a mysterious exit status 127.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/identity.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
	char *const *argv;         /* NULL-terminated; argv[0] is looked up in PATH */
	char *const *env;          /* NULL: our own environment */
	const char *cwd;           /* NULL: ours */
	const struct identity *as; /* NULL: ourselves */
	const int *fd;             /* three descriptors that become 0, 1, 2; NULL: all inherited,
				    * an entry of -1: /dev/null */
	uint64_t max_data_b;       /* memory of its own, by RLIMIT_DATA; 0: as ours */
	const int *keep;   /* descriptors that it gets under the numbers they have here; ends
			    * with -1; NULL: none */
	bool new_group;    /* own process group: kill(-pid) reaches all of it */
	bool dies_with_us; /* gets SIGTERM when the thread that started it ends, however that ends
			    */
};

/* The pid, or -1. The child has SIGPIPE and all caught signals back at their defaults and an
 * empty signal mask. */
pid_t proc_spawn(const struct proc *p, struct err *e);

/* Waits; *status as of wait(2). */
int proc_wait(pid_t pid, int *status, struct err *e);

/* Runs to the end, at most limit_s seconds (0: no limit; then its group is killed and
 * ERR_SYSTEM says so). Standard output and error go into *out together (NULL: dropped);
 * what exceeds its ceiling is read and dropped. With p->fd, fd[0] is standard input and fd[2]
 * standard error, which then is not in *out; fd[1] is ignored. It never outlives the caller. */
int proc_capture(const struct proc *p, uint64_t limit_s, struct buf *out, int *status,
		 struct err *e);

/* "exited with status 1", "killed by signal 9 (Killed)". Returns out. */
const char *proc_status_text(int status, char *out, size_t size);
#endif
