#include "lib/pg/cluster.h"

#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/tmpdir.h"
#include "lib/base/tree.h"
#include "lib/base/utc.h"
#include "lib/pg/query.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* On a real server; where none is installed nothing here can be tried, and main() says so. */
static struct pg_bindir bin;
static struct identity who;
static struct tmpdir dir;

static void set_up(void)
{
	struct err e = { 0 };

	ck_assert_int_eq(identity_unprivileged(NULL, &who, &e), 0);
	ck_assert_int_eq(pg_bindir_find(NULL, 0, &who, &bin, &e), 0);
	ck_assert_int_eq(tmpdir_create(&dir, NULL, "test", &who, &e), 0);
}

static void tear_down(void)
{
	struct err e = { 0 };

	ck_assert_int_eq(cluster_sweep(dir.path, &e), 0);
	ck_assert_int_eq(tmpdir_remove(&dir, &e), 0);
}

static struct cluster made(enum cluster_durability durability)
{
	struct cluster c = { .opts = { .bin = &bin,
				       .as = &who,
				       .dir = dir.path,
				       .durability = durability,
				       .jobs = 2 } };
	struct err e = { 0 };

	ck_assert_msg(cluster_init(&c, &e) == 0, "%s", e.msg);
	return c;
}

static void start(struct cluster *c)
{
	struct err e = { 0 };

	ck_assert_msg(cluster_start(c, 60, &e) == 0, "%s", e.msg);
}

static void ask(const struct cluster *c, const char *sql, const char *answer)
{
	BUF_AUTO conninfo = BUF_INIT(PATH_MAX + 100);
	struct pg_target target = { .what = "it", .env = PG_ENV_NONE, .writable = true };
	struct err e = { 0 };
	PG_AUTO pg = { 0 };
	PGRESULT_AUTO *r = NULL;

	target.conninfo = cluster_conninfo(c, "postgres", &conninfo);
	ck_assert_msg(pg_open(&pg, &target, &e) == 0, "%s", e.msg);
	r = pg_query(&pg, sql, NULL, 0, &e);
	ck_assert_msg(r != NULL, "%s: %s", sql, e.msg);
	ck_assert_str_eq(pg_cell(r, 0, 0), answer);
}

static size_t running(void)
{
	struct proc_list l = { 0 };
	size_t n;

	proctree_inside(dir.path, &l);
	n = l.n;
	proc_list_free(&l);
	return n;
}

/* System V segments that nobody is attached to: what killed servers leave. */
static int orphaned_segments(void)
{
	struct shmid_ds ds;
	struct shm_info info;
	int max = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info), n = 0;

	for (int i = 0; i <= max; i++)
		if (shmctl(i, SHM_STAT, &ds) >= 0 && ds.shm_perm.cuid == who.uid &&
		    ds.shm_nattch == 0)
			n++;
	return n;
}

static const struct {
	enum cluster_durability durability;
	const char *setting, *value;
} SETTINGS[] = {
	{ CLUSTER_FAST, "listen_addresses", "" },
	{ CLUSTER_FAST, "fsync", "off" },
	{ CLUSTER_FAST, "wal_level", "minimal" },
	{ CLUSTER_FAST, "autovacuum", "off" },
	{ CLUSTER_FAST, "archive_mode", "off" },
	{ CLUSTER_FAST, "server_encoding", "UTF8" },
	{ CLUSTER_FAST, "dynamic_shared_memory_type", "mmap" },
	{ CLUSTER_FAITHFUL, "listen_addresses", "" },
	{ CLUSTER_FAITHFUL, "fsync", "on" },
	{ CLUSTER_FAITHFUL, "synchronous_commit", "on" },
	{ CLUSTER_FAITHFUL, "wal_level", "replica" },
	{ CLUSTER_FAITHFUL, "archive_mode", "off" },
	{ CLUSTER_FAITHFUL, "shared_preload_libraries", "" },
};

START_TEST(lives_and_goes)
{
	enum cluster_durability durability = _i ? CLUSTER_FAITHFUL : CLUSTER_FAST;
	struct cluster c = made(durability);
	struct err e = { 0 };
	char sql[128];

	start(&c);
	ask(&c, "SELECT current_user", "postgres");
	for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(SETTINGS[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "SHOW %s", SETTINGS[i].setting);
		if (SETTINGS[i].durability == durability)
			ask(&c, sql, SETTINGS[i].value);
	}
	ck_assert_uint_gt(running(), 1);
	ck_assert_int_eq(cluster_check(&c, &e), 0);
	ck_assert_int_eq(cluster_stop(&c, &e), 0);
	ck_assert_uint_eq(running(), 0);
	ck_assert_int_eq(cluster_stop(&c, &e), 0); /* again: nothing to do */
	ck_assert_int_eq(cluster_check(&c, &e), -1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* Settings that a dump left with ALTER SYSTEM lose against ours, also after a restart. */
START_TEST(alter_system_is_overruled)
{
	struct cluster c = made(CLUSTER_FAST);
	struct err e = { 0 };

	start(&c);
	ask(&c, "SELECT pg_catalog.pg_reload_conf()", "t");
	ck_assert_int_eq(cluster_stop(&c, &e), 0);
	FD_AUTO fd = -1;
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/postgresql.auto.conf", c.data);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(io_write_all(fd, "listen_addresses = '*'\narchive_mode = on\n", 41), 0);
	start(&c);
	ask(&c, "SHOW listen_addresses", "");
	ask(&c, "SHOW archive_mode", "off");
	ck_assert_int_eq(cluster_stop(&c, &e), 0);
}
END_TEST

START_TEST(killed_postmaster_is_swept)
{
	struct cluster c = made(CLUSTER_FAST);
	int before = orphaned_segments();
	struct err e = { 0 };

	start(&c);
	ck_assert_int_eq(kill(c.pid, SIGKILL), 0);
	(void)poll(NULL, 0, 100);
	ck_assert_int_eq(orphaned_segments(), before + 1);
	ck_assert_int_eq(cluster_check(&c, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "killed by signal 9"));
	ck_assert_int_eq(cluster_sweep(dir.path, &e), 0);
	ck_assert_uint_eq(running(), 0);
	ck_assert_int_eq(orphaned_segments(), before);
}
END_TEST

/* A session that neither looks at signals nor at its postmaster must not hold up the end. */
START_TEST(stopped_session_is_killed)
{
	struct cluster c = made(CLUSTER_FAST);
	struct proc_list l = { 0 };
	struct err e = { 0 };

	start(&c);
	proctree_below(c.pid, NULL, &l);
	ck_assert_uint_gt(l.n, 0);
	ck_assert_int_eq(kill(l.v[0].pid, SIGSTOP), 0);
	proc_list_free(&l);
	ck_assert_int_eq(cluster_stop(&c, &e), 0);
	ck_assert_uint_eq(running(), 0);
}
END_TEST

START_TEST(failed_start_quotes_the_log)
{
	struct cluster c = made(CLUSTER_FAST);
	char path[PATH_MAX + 32];
	struct err e = { 0 };

	(void)snprintf(path, sizeof(path), "%s/global/pg_control", c.data);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(cluster_start(&c, 30, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "the temporary server exited with status 2: "));
	ck_assert_int_eq(cluster_stop(&c, &e), 0);
}
END_TEST

START_TEST(failed_initdb_is_quoted)
{
	struct cluster c = { .opts = { .bin = &bin, .as = &who, .dir = dir.path } };
	char path[PATH_MAX + 32];
	struct err e = { 0 };

	(void)snprintf(path, sizeof(path), "%s/data", dir.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/data/file", dir.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(cluster_init(&c, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "initdb exited with status 1: "));
}
END_TEST

START_TEST(long_name_is_refused)
{
	char deep[200];
	struct cluster c = { .opts = { .bin = &bin, .as = &who, .dir = deep } };
	struct err e = { 0 };

	memset(deep, 'd', sizeof(deep));
	deep[0] = '/';
	deep[94] = '\0';
	ck_assert_int_eq(cluster_init(&c, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "(108 of 107 characters)"));
	ck_assert_ptr_nonnull(strstr(e.msg, "--work-dir"));
}
END_TEST

START_TEST(conninfo_is_quoted)
{
	struct cluster c = { .opts = { .dir = "/tmp/o'dir\\x y" }, .user = "the owner's" };
	BUF_AUTO b = BUF_INIT(200);

	ck_assert_str_eq(
		cluster_conninfo(&c, "it's", &b),
		"host='/tmp/o\\'dir\\\\x y' port=5432 user='the owner\\'s' dbname='it\\'s'");
	c.user[0] = '\0';
	ck_assert_ptr_nonnull(strstr(cluster_conninfo(&c, "d", &b), " user='postgres' "));
}
END_TEST

/* The whole of it as a plain user: root does not help. */
START_TEST(as_a_plain_user)
{
	const struct passwd *pw = getpwnam("nobody");
	int status;
	pid_t pid;

	ck_assert_ptr_nonnull(pw);
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
			_exit(99);
		(void)prctl(PR_SET_DUMPABLE, 1); /* as after an exec */
		set_up();
		ck_assert(!who.drops);
		struct cluster c = made(CLUSTER_FAST);
		struct err e = { 0 };

		start(&c);
		ask(&c, "SELECT 1 + 1", "2");
		if (cluster_stop(&c, &e) < 0)
			_exit(98);
		tear_down();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static bool installed(void)
{
	struct err e = { 0 };

	if (identity_unprivileged(NULL, &who, &e) == 0 &&
	    pg_bindir_find(NULL, 0, &who, &bin, &e) == 0)
		return true;
	(void)fprintf(stderr, "test_cluster: %s: not tried\n", e.msg);
	return false;
}

int main(void)
{
	Suite *s = suite_create("cluster");
	TCase *t = tcase_create("cluster");

	if (!installed())
		return 0;
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, lives_and_goes, 0, 2);
	tcase_add_test(t, alter_system_is_overruled);
	tcase_add_test(t, killed_postmaster_is_swept);
	tcase_add_test(t, stopped_session_is_killed);
	tcase_add_test(t, failed_start_quotes_the_log);
	tcase_add_test(t, failed_initdb_is_quoted);
	tcase_add_test(t, long_name_is_refused);
	tcase_add_test(t, conninfo_is_quoted);
	if (geteuid() == 0)
		tcase_add_test(t, as_a_plain_user);
	suite_add_tcase(s, t);
	return suite_run(s);
}
