#include "lib/pg/cluster.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/proc.h"
#include "lib/base/proctree.h"
#include "lib/base/strv.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LOG_TAIL = 2000,
	OUTPUT_MAX = 64 * 1024,
	POLL_MS = 20,
	QUIT_MS = 5000, /* between SIGQUIT and SIGKILL */
	KILL_MS = 5000,
	PIDFILE_MAX = 4096,
	SHMEM_LINE = 7, /* LOCK_FILE_LINE_SHMEM_KEY of src/include/utils/pidfile.h */
	STATUS_LINE = 8 /* LOCK_FILE_LINE_PM_STATUS of the same file */
};

/* Settings of every throw-away server. What a dump or a backup brings along cannot undo them:
 * the command line wins over postgresql.conf and ALTER SYSTEM. */
static const char *const sealed_settings[] = {
	"listen_addresses=",
	"unix_socket_permissions=0700",
	"ssl=off",
	"archive_mode=off",
	"archive_command=",
	"shared_preload_libraries=",
	"session_preload_libraries=",
	"local_preload_libraries=",
	"max_logical_replication_workers=0",
	"max_wal_senders=0",
	"autovacuum=off",
	"restart_after_crash=off",
	"logging_collector=off",
	"log_destination=stderr",
	"log_min_messages=warning",
	"log_min_error_statement=panic",
	"log_checkpoints=off",
	"log_timezone=UTC",
	"timezone=UTC",
	"lc_messages=C",
	"external_pid_file=",
	"huge_pages=off",
	"jit=off",
	"max_connections=64",
	"max_locks_per_transaction=1024",
	/* Shared memory as files in the data directory: they go when it goes. */
	"dynamic_shared_memory_type=mmap",
	"cluster_name=backup-probes",
};

/* A crash of the machine would lose this server, which nobody wants to keep anyway. */
static const char *const fast_settings[] = {
	"fsync=off",        "full_page_writes=off",  "synchronous_commit=off",  "wal_level=minimal",
	"max_wal_size=4GB", "checkpoint_timeout=1h", "bgwriter_lru_maxpages=0",
};

static const char *const faithful_settings[] = {
	"fsync=on",
	"full_page_writes=on",
	"synchronous_commit=on",
	"wal_level=replica",
};

static void add_settings(struct strv *argv, const char *const *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		strv_add(argv, "-c");
		strv_add(argv, settings[i]);
	}
}
#define ADD_SETTINGS(argv, list) add_settings(argv, list, sizeof(list) / sizeof((list)[0]))

static uint64_t clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Sized by this machine: an eighth for shared buffers, a sixteenth for one index build. */
static void add_memory(struct strv *argv)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t mb = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size >> 20 : 1024;

	strv_add(argv, "-c");
	strv_addf(argv, "shared_buffers=%juMB", (uintmax_t)clamp(mb / 8, 32, 1024));
	strv_add(argv, "-c");
	strv_addf(argv, "maintenance_work_mem=%juMB", (uintmax_t)clamp(mb / 16, 32, 512));
}

/* Nothing of our own environment, which may hold keys, gets to a server that runs foreign code. */
static void make_env(const struct cluster_spec *spec, struct strv *env)
{
	strv_add(env, "PATH=/usr/bin:/bin");
	strv_add(env, "LC_ALL=C");
	strv_add(env, "TZ=UTC");
	strv_addf(env, "HOME=%s", spec->dir);
}

static int make_path(char out[PATH_MAX], const char *dir, const char *name, struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ERR_USAGE, "use %s: the path is too long", dir);
	return 0;
}

static int make_socket_dir(const struct cluster_spec *spec, const struct cluster *c, struct err *e)
{
	enum { SOCKET_NAME = sizeof("/.s.PGSQL.5432.lock") };

	if (strlen(c->socket) + SOCKET_NAME > sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(e, ERR_USAGE,
			       "put a socket into %s: longer than a Unix socket's path may be; "
			       "name a shorter directory with --work-dir",
			       spec->dir);
	if (mkdir(c->socket, 0700) < 0)
		return err_set(e, ERR_SYSTEM, "make directory %s: %s", c->socket, strerror(errno));
	if (spec->as->drops && lchown(c->socket, spec->as->uid, spec->as->gid) < 0)
		return err_set(e, ERR_SYSTEM, "give %s to %s: %s", c->socket, spec->as->name,
			       strerror(errno));
	return 0;
}

int cluster_init(const struct cluster_spec *spec, struct cluster *c, struct err *e)
{
	BUF_AUTO output = BUF_INIT(OUTPUT_MAX);
	STRV_AUTO argv = { 0 };
	STRV_AUTO env = { 0 };
	const struct proc p = { .as = spec->as, .cwd = spec->dir, .sealed = spec->sealed };
	struct proc run = p;
	int status;

	*c = (struct cluster){ .pid = -1 };
	if (make_path(c->data, spec->dir, "data", e) < 0 ||
	    make_path(c->socket, spec->dir, "socket", e) < 0 ||
	    make_path(c->log, spec->dir, "log", e) < 0 || make_socket_dir(spec, c, e) < 0)
		return -1;
	strv_addf(&argv, "%s/initdb", spec->bindir);
	strv_add(&argv, "--pgdata");
	strv_add(&argv, c->data);
	strv_addf(&argv, "--encoding=%s", spec->encoding ? spec->encoding : "UTF8");
	/* C takes every encoding; C.UTF-8 only UTF8, but knows its letters. */
	strv_addf(&argv, "--locale=%s",
		  spec->encoding && strcmp(spec->encoding, "UTF8") != 0 ? "C" : "C.UTF-8");
	strv_add(&argv, "--username=postgres");
	strv_add(&argv, "--auth=trust");
	strv_add(&argv, "--no-sync");
	strv_add(&argv, "--no-instructions");
	make_env(spec, &env);
	run.argv = argv.v;
	run.env = env.v;
	if (proc_capture(&run, spec->start_s, &output, &status, e) < 0)
		return -1;
	if (status != 0)
		return err_set(e, ERR_SYSTEM, "make a temporary server with %s: %s", argv.v[0],
			       output.s);
	return 0;
}

/* The server's own log, in its name. */
static int open_log(const struct cluster_spec *spec, const struct cluster *c, struct err *e)
{
	int fd = open(c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", c->log, strerror(errno));
	if (spec->as->drops && fchown(fd, spec->as->uid, spec->as->gid) < 0) {
		io_close(&fd);
		return err_set(e, ERR_SYSTEM, "give %s to %s: %s", c->log, spec->as->name,
			       strerror(errno));
	}
	return fd;
}

static pid_t spawn(const struct cluster_spec *spec, struct cluster *c, struct err *e)
{
	FD_AUTO log = open_log(spec, c, e);
	const int fd[3] = { -1, log, log };
	STRV_AUTO argv = { 0 };
	STRV_AUTO env = { 0 };
	struct proc p = { .as = spec->as,
			  .cwd = spec->dir,
			  .sealed = spec->sealed,
			  .fd = fd,
			  .new_group = true };

	if (log < 0)
		return -1;
	strv_addf(&argv, "%s/postgres", spec->bindir);
	strv_add(&argv, "-D");
	strv_add(&argv, c->data);
	strv_add(&argv, "-c");
	strv_addf(&argv, "unix_socket_directories=%s", c->socket);
	strv_add(&argv, "-c");
	strv_addf(&argv, "port=%d", CLUSTER_PORT);
	ADD_SETTINGS(&argv, sealed_settings);
	if (spec->faithful)
		ADD_SETTINGS(&argv, faithful_settings);
	else
		ADD_SETTINGS(&argv, fast_settings);
	add_memory(&argv);
	make_env(spec, &env);
	p.argv = argv.v;
	p.env = env.v;
	return proc_spawn(&p, e);
}

/* Line `number` (from 1) of the data directory's postmaster.pid, without its newline; false when
 * there is no such line (yet). */
static bool pidfile_line(const char *data, int number, char *out, size_t size)
{
	BUF_AUTO text = BUF_INIT(PIDFILE_MAX);
	char path[PATH_MAX];
	const char *line;
	struct err e;
	size_t n;

	if (make_path(path, data, "postmaster.pid", &e) < 0 || io_slurp(path, &text, &e) < 0)
		return false;
	line = text.s;
	for (int i = 1; i < number && line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (line == NULL || *line == '\0')
		return false;
	n = strcspn(line, "\n");
	if (n >= size)
		return false;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

/* The end of the server's log, for a message. */
static void log_tail(const struct cluster *c, struct buf *out)
{
	FD_AUTO fd = open(c->log, O_RDONLY | O_CLOEXEC);
	char text[LOG_TAIL];
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	ssize_t n;

	if (size < 0 || lseek(fd, size > LOG_TAIL ? size - LOG_TAIL : 0, SEEK_SET) < 0)
		return;
	n = io_read_full(fd, text, sizeof(text));
	if (n > 0)
		buf_add(out, text, (size_t)n);
}

static int start_failed(const struct cluster *c, const char *what, struct err *e)
{
	BUF_AUTO tail = BUF_INIT(LOG_TAIL);

	log_tail(c, &tail);
	return err_set(e, ERR_SYSTEM, "start the temporary server: %s: %s", what,
		       tail.len ? tail.s : "it wrote no log");
}

bool cluster_alive(const struct cluster *c)
{
	uint64_t start;

	return c->pid > 0 && proctree_start(c->pid, &start);
}

int cluster_start(const struct cluster_spec *spec, struct cluster *c, struct err *e)
{
	int64_t deadline = mono_ms() + (int64_t)spec->start_s * 1000;
	char line[64];

	c->pid = spawn(spec, c, e);
	if (c->pid < 0)
		return -1;
	while (!pidfile_line(c->data, STATUS_LINE, line, sizeof(line)) ||
	       strncmp(line, "ready", 5) != 0) {
		if (!cluster_alive(c))
			return start_failed(c, "it ended at once", e);
		if (mono_ms() >= deadline)
			return start_failed(c, "it is not ready in time", e);
		(void)poll(NULL, 0, POLL_MS);
	}
	return 0;
}

/* The System V segment that a killed postmaster leaves behind outside a namespace of its own:
 * postmaster.pid says "key id" (src/backend/port/sysv_shmem.c). Removed only when nobody is
 * attached to it. */
static void remove_segment(const char *data)
{
	struct shmid_ds ds;
	char line[64], *id;
	int64_t shmid;
	struct err e;

	if (!pidfile_line(data, SHMEM_LINE, line, sizeof(line)))
		return;
	id = strrchr(line, ' ');
	if (id == NULL || num_i64(id + 1, 0, INT32_MAX, &shmid, &e) < 0)
		return;
	if (shmctl((int)shmid, IPC_STAT, &ds) == 0 && ds.shm_nattch == 0)
		(void)shmctl((int)shmid, IPC_RMID, NULL);
}

/* The postmaster that runs in data: not a pid alone, but one whose directory that is. */
static pid_t running_postmaster(const char *data)
{
	char line[64], link[64], cwd[PATH_MAX];
	int64_t pid;
	struct err e;
	ssize_t n;

	if (!pidfile_line(data, 1, line, sizeof(line)) || num_i64(line, 1, INT32_MAX, &pid, &e) < 0)
		return -1;
	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n < 0)
		return -1;
	cwd[n] = '\0';
	return strcmp(cwd, data) == 0 ? (pid_t)pid : -1;
}

int cluster_end(const char *dir, struct err *e)
{
	int64_t deadline = mono_ms() + QUIT_MS;
	char data[PATH_MAX];
	uint64_t start;
	pid_t pid;

	if (make_path(data, dir, "data", e) < 0)
		return -1;
	pid = running_postmaster(data);
	if (pid > 0 && kill(pid, SIGQUIT) == 0)
		while (proctree_start(pid, &start) && mono_ms() < deadline)
			(void)poll(NULL, 0, POLL_MS);
	if (!proctree_kill_inside(data, KILL_MS))
		return err_set(e, ERR_SYSTEM, "stop the temporary server in %s: it does not end",
			       dir);
	remove_segment(data);
	if (pid > 0)
		(void)waitpid(pid, NULL, WNOHANG); /* ours or not: no zombie of it stays */
	return 0;
}
