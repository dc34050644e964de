#include "lib/pg/cluster.h"

#include "lib/base/io.h"
#include "lib/base/memory.h"
#include "lib/base/num.h"
#include "lib/base/proc.h"
#include "lib/base/strv.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"
#include "lib/pg/template.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	INITDB_LIMIT_S = 300,
	POLL_MS = 30,
	STOP_MS = 15 * 1000,
	OPEN_MS = 10 * 1000,
	LOG_TAIL = 1200,
	LOG_LINES = 3,
	SESSIONS = 40, /* beside the restore's own: COMMAND's, and three that are reserved */
};

#define MIB ((uint64_t)1 << 20)

/* ---- making it ---------------------------------------------------------------------- */

static int check_socket_path(const struct cluster *c, struct err *e)
{
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	size_t len = strlen(c->opts.dir) + strlen("/.s.PGSQL.5432");

	if (len <= max)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "use %s: its name is too long for the server's socket (%zu of %zu "
		       "characters); name a shorter directory with --work-dir",
		       c->opts.dir, len, max);
}

const char *cluster_locale(void)
{
	locale_t l = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);

	if (l == (locale_t)0)
		return "C";
	freelocale(l);
	return "C.UTF-8";
}

void cluster_environment(const struct cluster *c, struct strv *out)
{
	strv_addf(out, "PATH=%s:/usr/bin:/bin", c->opts.bin->path);
	strv_addf(out, "HOME=%s", c->opts.dir);
	strv_addf(out, "TMPDIR=%s", c->opts.dir);
	strv_add(out, "LC_ALL=C");
	strv_add(out, "TZ=UTC");
}

/* The last line that says something, which is where initdb puts its error. */
static const char *last_line(struct buf *text)
{
	const char *line;

	while (text->len && strchr("\n ", text->s[text->len - 1]))
		text->s[--text->len] = '\0';
	line = strrchr(text->s, '\n');
	return line ? line + 1 : text->s;
}

/* initdb: error: could not ...: the reason; then hints and what it removed. */
static const char *reason(struct buf *text)
{
	char *error = strstr(text->s, "error: ");

	if (error == NULL)
		return last_line(text);
	error += strlen("error: ");
	error[strcspn(error, "\n")] = '\0';
	return error;
}

static int run_initdb(const struct cluster *c, struct err *e)
{
	const struct cluster_opts *o = &c->opts;
	BUF_AUTO said = BUF_INIT(8192);
	STRV_AUTO argv = { 0 };
	STRV_AUTO env = { 0 };
	struct proc p = { .as = o->as, .cwd = o->dir };
	char text[64];
	int status;

	strv_addf(&argv, "%s/initdb", o->bin->path);
	strv_addf(&argv, "--pgdata=%s", c->data);
	strv_add(&argv, "--username=" CLUSTER_USER);
	strv_add(&argv, "--auth=trust");
	strv_add(&argv, "--encoding=UTF8");
	strv_addf(&argv, "--locale=%s", cluster_locale());
	strv_add(&argv, "--no-sync");
	cluster_environment(c, &env);
	p.argv = argv.v;
	p.env = env.v;
	if (proc_capture(&p, INITDB_LIMIT_S, &said, &status, e) < 0)
		return -1;
	if (status != 0)
		return err_set(e, ERR_SYSTEM, "make a temporary server: initdb %s: %s",
			       proc_status_text(status, text, sizeof(text)), reason(&said));
	return 0;
}

static int find_places(struct cluster *c, struct err *e)
{
	if (check_socket_path(c, e) < 0)
		return -1;
	(void)snprintf(c->data, sizeof(c->data), "%.*s/data", PATH_MAX - 32, c->opts.dir);
	(void)snprintf(c->log, sizeof(c->log), "%.*s/server.log", PATH_MAX - 32, c->opts.dir);
	return 0;
}

static int write_file(const struct cluster *c, const char *name, const char *text, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s", c->data, name);
	FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0)
		return err_set(e, ERR_SYSTEM, "write %s: %s", path, strerror(errno));
	return 0;
}

int cluster_adopt(struct cluster *c, struct err *e)
{
	if (find_places(c, e) < 0 || write_file(c, "postgresql.conf", "", e) < 0 ||
	    write_file(c, "postgresql.auto.conf", "", e) < 0 ||
	    write_file(c, "pg_ident.conf", "", e) < 0)
		return -1;
	return write_file(c, "pg_hba.conf", "local all all trust\n", e);
}

int cluster_init(struct cluster *c, struct err *e)
{
	const struct cluster_opts *o = &c->opts;
	int copied = 0;

	if (find_places(c, e) < 0)
		return -1;
	if (o->templates && !o->as->drops)
		copied = template_copy(o->templates, o->bin, c->data, e);
	return copied ? (copied > 0 ? 0 : -1) : run_initdb(c, e);
}

/* ---- its settings ------------------------------------------------------------------- */

static uint64_t between(uint64_t lo, uint64_t n, uint64_t hi)
{
	return n < lo ? lo : n > hi ? hi : n;
}

static void set(struct strv *argv, const char *setting)
{
	strv_add(argv, "-c");
	strv_add(argv, setting);
}

static void set_memory(const struct cluster *c, struct strv *argv)
{
	unsigned jobs = c->opts.jobs ? c->opts.jobs : 1;
	uint64_t memory = memory_b();

	strv_add(argv, "-c");
	strv_addf(argv, "shared_buffers=%juMB", (uintmax_t)between(32, memory / 8 / MIB, 1024));
	strv_add(argv, "-c");
	strv_addf(argv, "maintenance_work_mem=%juMB",
		  (uintmax_t)between(64, memory / 8 / jobs / MIB, 1024));
	strv_add(argv, "-c");
	strv_addf(argv, "max_connections=%u", jobs + SESSIONS);
}

/* What a restored cluster must not do, whatever is in it. */
static void set_sealed(const struct cluster *c, struct strv *argv)
{
	static const char *const sealed[] = {
		"listen_addresses=",
		"unix_socket_permissions=0700",
		"ssl=off",
		"archive_mode=off",
		"max_logical_replication_workers=0",
		"max_wal_senders=0", /* whatever wal_level is */
		"shared_preload_libraries=",
		"session_preload_libraries=",
		"local_preload_libraries=",
		"external_pid_file=",
		"logging_collector=off",
		"log_destination=stderr",
		"log_line_prefix=",
		"lc_messages=C",
		"timezone=UTC",
		"jit=off",
		"huge_pages=off", /* they may be set aside for production on this machine */
		/* A killed server leaves no files in /dev/shm, nor fails where that is tiny. */
		"dynamic_shared_memory_type=mmap",
		"max_locks_per_transaction=256", /* large objects by the thousand take one each */
		"restart_after_crash=off",       /* a crash is a finding, not a hiccup */
		"cluster_name=backup-probes",
	};

	strv_add(argv, "-c");
	strv_addf(argv, "unix_socket_directories=%s", c->opts.dir);
	strv_add(argv, "-c");
	strv_addf(argv, "port=%d", CLUSTER_PORT);
	for (size_t i = 0; i < sizeof(sealed) / sizeof(sealed[0]); i++)
		set(argv, sealed[i]);
}

static void set_fast(struct strv *argv)
{
	static const char *const fast[] = {
		"fsync=off",         "full_page_writes=off", "synchronous_commit=off",
		"wal_level=minimal", "max_wal_size=2GB",     "checkpoint_timeout=1h",
		"autovacuum=off",
	};

	for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++)
		set(argv, fast[i]);
}

/* ---- starting and stopping ---------------------------------------------------------- */

/* Appends the last lines of the server's log that matter, as one. */
static void quote_log(const struct cluster *c, struct buf *out)
{
	char text[LOG_TAIL + 1];
	FD_AUTO fd = open(c->log, O_RDONLY | O_CLOEXEC);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	ssize_t n = -1;
	char *line;
	int lines = 0;

	if (end >= 0 && lseek(fd, end > LOG_TAIL ? end - LOG_TAIL : 0, SEEK_SET) >= 0)
		n = io_read_full(fd, text, LOG_TAIL);
	text[n < 0 ? 0 : n] = '\0';
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL && lines < LOG_LINES;)
		if (strstr(line, "FATAL:") || strstr(line, "PANIC:") || strstr(line, "HINT:") ||
		    strstr(line, "ERROR:") || strstr(line, "terminated by"))
			buf_addf(out, "%s%s", lines++ ? "; " : "", line);
	if (lines == 0)
		buf_adds(out, "its log says nothing");
}

int cluster_check(struct cluster *c, struct err *e)
{
	BUF_AUTO log = BUF_INIT(LOG_TAIL * 2);
	char text[64];
	int status;

	if (c->pid > 0 && waitpid(c->pid, &status, WNOHANG) == 0)
		return 0;
	if (c->pid <= 0)
		return err_set(e, ERR_SYSTEM, "the temporary server is not running");
	c->pid = 0;
	quote_log(c, &log);
	return err_set(e, ERR_SYSTEM, "the temporary server %s: %s",
		       proc_status_text(status, text, sizeof(text)), log.s);
}

const char *cluster_user(const struct cluster *c)
{
	return c->user[0] ? c->user : CLUSTER_USER;
}

const char *cluster_database(const struct cluster *c)
{
	if (c->database[0])
		return c->database;
	return c->opts.adopted ? "template1" : "postgres";
}

const char *cluster_conninfo(const struct cluster *c, const char *dbname, struct buf *out)
{
	const char *parts[] = { c->opts.dir, cluster_user(c), dbname };
	const char *const keys[] = { "host='", "' port=5432 user='", "' dbname='" };

	buf_reset(out);
	for (size_t i = 0; i < 3; i++) {
		buf_adds(out, keys[i]);
		for (const char *p = parts[i]; *p; p++) {
			if (*p == '\'' || *p == '\\')
				buf_addc(out, '\\');
			buf_addc(out, *p);
		}
	}
	buf_addc(out, '\'');
	return out->s;
}

/* 1: it answers; 0: not yet; -1: it will not. */
static int ask(const struct cluster *c, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(PATH_MAX + 256);
	struct pg_target target = { .what = "the temporary server",
				    .env = PG_ENV_NONE,
				    .writable = true,
				    .connect_s = 5,
				    .statement_s = 30 };
	PG_AUTO pg = { 0 };

	(void)cluster_conninfo(c, cluster_database(c), &conninfo);
	buf_adds(&conninfo, " options='" CLUSTER_LOADS_NOTHING "'");
	target.conninfo = conninfo.s;
	if (pg_open(&pg, &target, e) == 0 && pg_run(&pg, "SELECT 1", e) == 0)
		return 1;
	return pg.why == PG_WHY_REFUSED || pg.why == PG_WHY_BUSY || pg.why == PG_WHY_TIMEOUT ||
			       pg.why == PG_WHY_LOST
		       ? 0
		       : -1;
}

static int await(struct cluster *c, uint64_t limit_s, struct err *e)
{
	const struct cluster_adopted *a = c->opts.adopted;
	int64_t deadline_ms = limit_s ? mono_ms() + (int64_t)limit_s * 1000 : INT64_MAX;
	struct err last = { 0 };

	for (;;) {
		const bool open = a == NULL || a->ready(a->ctx);
		const int answer = open ? ask(c, &last) : 0;

		if (answer > 0)
			return 0;
		if (cluster_check(c, e) < 0)
			return -1;
		/* It says that it is open: so it answers now, or never. */
		if (a && open && deadline_ms == INT64_MAX)
			deadline_ms = mono_ms() + OPEN_MS;
		if (answer < 0 || mono_ms() >= deadline_ms)
			break;
		(void)poll(NULL, 0, POLL_MS);
	}
	return err_set(e, ERR_SYSTEM, "wait for the temporary server: no answer: %s", last.msg);
}

int cluster_start(struct cluster *c, uint64_t limit_s, struct err *e)
{
	const struct cluster_opts *o = &c->opts;
	FD_AUTO log = open(c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	const int fd[] = { -1, log, log };
	STRV_AUTO argv = { 0 };
	STRV_AUTO env = { 0 };
	struct proc p = { .as = o->as,
			  .cwd = c->data,
			  .fd = fd,
			  .max_data_b = o->max_memory_b,
			  .new_group = true };

	if (log < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", c->log, strerror(errno));
	strv_addf(&argv, "%s/postgres", o->bin->path);
	strv_add(&argv, "-D");
	strv_add(&argv, c->data);
	set_sealed(c, &argv);
	set_memory(c, &argv);
	if (o->durability == CLUSTER_FAST)
		set_fast(&argv);
	for (size_t i = 0; o->settings && i < o->settings->n; i++)
		set(&argv, o->settings->v[i]);
	for (size_t i = 0; o->adopted && i < o->adopted->settings->n; i++)
		set(&argv, o->adopted->settings->v[i]);
	cluster_environment(c, &env);
	p.argv = argv.v;
	p.env = env.v;
	c->pid = proc_spawn(&p, e);
	if (c->pid < 0) {
		c->pid = 0;
		return -1;
	}
	return await(c, limit_s, e);
}

int cluster_stop(struct cluster *c, struct err *e)
{
	int64_t deadline_ms = mono_ms() + STOP_MS;
	pid_t pid = c->pid;

	c->pid = 0;
	if (pid > 0 && kill(pid, SIGQUIT) == 0) /* PostgreSQL's immediate shutdown */
		while (waitpid(pid, NULL, WNOHANG) == 0 && mono_ms() < deadline_ms)
			(void)poll(NULL, 0, POLL_MS);
	return cluster_sweep(c->opts.dir, e);
}
