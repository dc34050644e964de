#include "lib/pg/cluster.h"

#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILL_MS = 15 * 1000 };

/* Line 7 of postmaster.pid: key and id of the segment (src/include/utils/pidfile.h). */
static bool read_shm(const char *dir, uint64_t *key, int *id)
{
	AUTO_FREE char *path = xasprintf("%s/data/postmaster.pid", dir);
	BUF_AUTO b = BUF_INIT(4096);
	struct err e;
	const char *line;
	uintmax_t number;

	if (io_slurp(path, &b, &e) < 0)
		return false;
	line = b.s;
	for (int i = 1; i < 7 && line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (line == NULL || sscanf(line, "%ju %d", &number, id) != 2)
		return false;
	*key = number;
	return true;
}

/* The file is a stranger's word for it: only a segment with that key, of the directory's own user,
 * that nobody uses any more. */
static void remove_segment(uint64_t key, int id, uid_t owner)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds) == 0 && (uint32_t)ds.shm_perm.__key == (uint32_t)key &&
	    ds.shm_perm.cuid == owner && ds.shm_nattch == 0)
		(void)shmctl(id, IPC_RMID, NULL);
}

/* Done as the directory's user: root in a container has not always the right. */
static void remove_shm(const char *dir)
{
	struct stat st;
	uint64_t key;
	pid_t pid;
	int id;

	if (!read_shm(dir, &key, &id) || stat(dir, &st) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		if (geteuid() == st.st_uid || setresuid(st.st_uid, st.st_uid, st.st_uid) == 0)
			remove_segment(key, id, st.st_uid);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int cluster_sweep(const char *dir, struct err *e)
{
	bool none = proctree_kill_inside(dir, KILL_MS);

	remove_shm(dir);
	if (none)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "stop the processes in %s: some do not end; look at them with "
		       "'fuser -v %s'",
		       dir, dir);
}
