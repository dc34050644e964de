#include "lib/base/io.h"
#include "lib/base/isolate.h"
#include "lib/base/proctree.h"
#include "lib/base/tmpdir.h"
#include "lib/pg/bindir.h"
#include "lib/pg/cluster.h"
#include "lib/pg/query.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct tmpdir dir;
static struct identity as;
static struct bindir bin;
static struct cluster cluster;

static const struct {
	const char *version;
	int major;
} versions[] = {
	{ "15.20", 15 },   { "15.20 (Debian 15.20-0+deb12u1)", 15 },
	{ "9.6.24", 9 },   { "16beta1", 16 },
	{ "17devel", 17 }, { "", 0 },
	{ "-3", 0 },       { "unknown", 0 },
};

START_TEST(a_version_text_has_a_major)
{
	ck_assert_int_eq(bindir_major(versions[_i].version), versions[_i].major);
}
END_TEST

START_TEST(a_version_that_is_not_installed_names_the_package)
{
	struct bindir found;
	struct err e = { 0 };

	ck_assert_int_eq(bindir_find(NULL, 0, &found, &e), 0);
	ck_assert_int_ge(found.major, 10);
	ck_assert_int_eq(bindir_find(NULL, 99, &found, &e), -1);
	ck_assert_msg(strstr(e.msg, "install postgresql-99") != NULL, "%s", e.msg);
	ck_assert_int_eq(bindir_find("/nonexistent", 15, &found, &e), -1);
	ck_assert_msg(strstr(e.msg, "--pg-bindir") != NULL, "%s", e.msg);
}
END_TEST

static struct cluster_spec spec(bool sealed)
{
	return (struct cluster_spec){
		.dir = dir.path, .bindir = bin.path, .as = &as, .sealed = sealed, .start_s = 60
	};
}

static void start(bool sealed)
{
	const struct cluster_spec s = spec(sealed);
	struct err e = { 0 };

	ck_assert_int_eq(identity_unprivileged(NULL, &as, &e), 0);
	ck_assert_int_eq(bindir_find(NULL, 0, &bin, &e), 0);
	ck_assert_msg(tmpdir_create(&dir, NULL, "test_cluster", &as, &e) == 0, "%s", e.msg);
	ck_assert_msg(cluster_init(&s, &cluster, &e) == 0, "%s", e.msg);
	ck_assert_msg(cluster_start(&s, &cluster, &e) == 0, "%s", e.msg);
}

static void end(void)
{
	struct err e = { 0 };

	ck_assert_msg(cluster_end(dir.path, &e) == 0, "%s", e.msg);
	ck_assert_msg(tmpdir_remove(&dir, &e) == 0, "%s", e.msg);
	ck_assert_int_ne(access(dir.path, F_OK), 0);
}

static char *ask(const char *sql)
{
	static char text[4096];
	char conninfo[PATH_MAX + 64];
	PG_AUTO pg = { 0 };
	struct err e = { 0 };

	(void)snprintf(conninfo, sizeof(conninfo), "host=%s user=postgres dbname=postgres",
		       cluster.socket);
	const struct pg_target t = {
		.what = "the server", .conninfo = conninfo, .env = PG_ENV_NONE, .writable = true
	};

	ck_assert_msg(pg_open(&pg, &t, &e) == 0, "%s", e.msg);

	PGRESULT_AUTO *r = pg_query(&pg, sql, NULL, 0, &e);

	ck_assert_msg(r != NULL, "%s", e.msg);
	(void)snprintf(text, sizeof(text), "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
	return text;
}

START_TEST(a_cluster_runs_unprivileged_on_a_socket_only)
{
	start(false);
	ck_assert_str_eq(ask("show listen_addresses"), "");
	ck_assert_str_eq(ask("show archive_mode"), "off");
	ck_assert_str_eq(ask("show server_encoding"), "UTF8");
	ck_assert(cluster_alive(&cluster));
	ck_assert_uint_ne(as.uid, 0);
	end();
}
END_TEST

/* What a hostile function would try: all that it sees of a network is its own loopback. */
START_TEST(a_sealed_cluster_has_no_network)
{
	struct err e = { 0 };
	char *seen;

	if (isolate_possible(&e) < 0)
		return; /* forbidden here; restore-to-temp reports that, and its own test too */
	start(true);
	(void)ask("create table seen (line text)");
	(void)ask("do $$ begin copy seen from program 'tail -n +3 /proc/net/dev'; end $$");
	seen = ask("select count(*) || ' ' || min(trim(line)) from seen");
	ck_assert_msg(strncmp(seen, "1 lo:", 5) == 0, "%s", seen);
	end();
}
END_TEST

START_TEST(a_killed_postmaster_leaves_nothing_after_the_end)
{
	struct proc_list left = { 0 };
	char data[PATH_MAX];

	start(false);
	(void)snprintf(data, sizeof(data), "%s", cluster.data);
	ck_assert_int_eq(kill(cluster.pid, SIGKILL), 0);
	end();
	proctree_inside(data, &left);
	ck_assert_uint_eq(left.n, 0);
	proc_list_free(&left);
}
END_TEST

START_TEST(a_server_that_cannot_start_shows_its_log)
{
	struct cluster_spec s;
	struct err e = { 0 };
	char pidfile[PATH_MAX + 32];

	start(false);
	ck_assert_int_eq(cluster_end(dir.path, &e), 0);
	(void)snprintf(pidfile, sizeof(pidfile), "%s/PG_VERSION", cluster.data);
	ck_assert_int_eq(unlink(pidfile), 0);
	s = spec(false);
	ck_assert_int_eq(cluster_start(&s, &cluster, &e), -1);
	ck_assert_msg(strstr(e.msg, "is not a valid data directory") != NULL, "%s", e.msg);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cluster");
	TCase *c = tcase_create("cluster");

	tcase_set_timeout(c, 90);
	tcase_add_loop_test(c, a_version_text_has_a_major, 0, CASES(versions));
	tcase_add_test(c, a_version_that_is_not_installed_names_the_package);
	tcase_add_test(c, a_cluster_runs_unprivileged_on_a_socket_only);
	tcase_add_test(c, a_sealed_cluster_has_no_network);
	tcase_add_test(c, a_killed_postmaster_leaves_nothing_after_the_end);
	tcase_add_test(c, a_server_that_cannot_start_shows_its_log);
	suite_add_tcase(s, c);
	return suite_run(s);
}
