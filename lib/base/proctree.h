#ifndef LIB_BASE_PROCTREE_H
#define LIB_BASE_PROCTREE_H
/*
 * proctree: who runs below a process, or in a directory, as /proc tells it (proc(5)).
 *
 * A process is its id together with its start time: an id alone may be somebody else's by now.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_id {
	pid_t pid;
	uint64_t start; /* clock ticks after the boot: field 22 of /proc/PID/stat */
};

struct proc_list {
	struct proc_id *v; /* owned: proc_list_free() */
	size_t n;
};

/* False when there is no such process, or only its zombie. */
bool proctree_start(pid_t pid, uint64_t *start);

bool proctree_alive(const struct proc_id *p);

/* Adds the living processes below root, root itself left out; those in spare (may be NULL) and
 * what is below them too. Our own zombies count as well: somebody has to wait for them. */
void proctree_below(pid_t root, const struct proc_list *spare, struct proc_list *l);

/* Adds the living processes whose current directory is dir or below it: a PostgreSQL server's are
 * in its data directory, all of them. Those that we may not look into are left out. */
void proctree_inside(const char *dir, struct proc_list *l);

/* SIGKILL for all of these, repeated until there are none: false when some are left after
 * limit_ms. Children of ours among them are waited for. */
bool proctree_kill_below(pid_t root, const struct proc_list *spare, int64_t limit_ms);
bool proctree_kill_inside(const char *dir, int64_t limit_ms);

void proc_list_add(struct proc_list *l, const struct proc_id *id);
bool proc_list_has(const struct proc_list *l, pid_t pid);
void proc_list_free(struct proc_list *l);
#endif
