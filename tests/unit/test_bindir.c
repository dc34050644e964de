#include "lib/pg/bindir.h"

#include "lib/base/io.h"
#include "lib/base/tree.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];
static struct identity me;

static void make_base(void)
{
	struct err e;

	(void)umask(022);
	(void)snprintf(base, sizeof(base), "/tmp/test_bindir.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chmod(base, 0755), 0);
	ck_assert_int_eq(identity_unprivileged(NULL, &me, &e), 0);
}

static void drop_base(void)
{
	struct err e;

	ck_assert_int_eq(tree_remove(base, &e), 0);
}

static void program(const char *dir, const char *name, const char *script)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, script, strlen(script)), 0);
	io_close(&fd);
}

/* Something that says it is PostgreSQL of this version; its directory. */
static const char *installed(const char *version)
{
	static char dir[128];
	char script[256];

	(void)snprintf(dir, sizeof(dir), "%s/%s", base, version);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	(void)snprintf(script, sizeof(script),
		       "#!/bin/sh\necho 'postgres (PostgreSQL) %s (Test)'\n", version);
	program(dir, "postgres", script);
	program(dir, "initdb", "#!/bin/sh\n");
	program(dir, "pg_restore", "#!/bin/sh\n");
	return dir;
}

static const struct {
	const char *text;
	int major;
} MAJORS[] = {
	{ "15.20 (Debian 15.20-0+deb12u1)", 15 },
	{ "18beta1", 18 },
	{ "9.6.24", 9 },
	{ "17", 17 },
	{ "", 0 },
	{ "unknown", 0 },
	{ "99999999999999999999", 0 },
};

START_TEST(major)
{
	ck_assert_int_eq(pg_major(MAJORS[_i].text), MAJORS[_i].major);
}
END_TEST

START_TEST(only_this_one)
{
	struct pg_bindir found;
	struct err e = { 0 };
	const char *dir = installed("14.9");

	ck_assert_msg(pg_bindir_find(dir, 0, &me, &found, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(found.major, 14);
	ck_assert_str_eq(found.version, "14.9");
	ck_assert_str_eq(found.path, dir);
	ck_assert_int_eq(pg_bindir_find(dir, 14, &me, &found, &e), 0);
	ck_assert_int_eq(pg_bindir_find(dir, 15, &me, &found, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(e.msg,
				     "it is PostgreSQL 14.9, and the dump needs 15 or newer; "
				     "install postgresql-15"));
}
END_TEST

START_TEST(not_one_at_all)
{
	struct pg_bindir found;
	struct err e = { 0 };
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s", installed("15.1"));
	program(dir, "postgres", "#!/bin/sh\necho nonsense\n");
	ck_assert_int_eq(pg_bindir_find(dir, 0, &me, &found, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "for its version: it said \"nonsense"));
	program(dir, "postgres", "#!/bin/sh\nexit 1\n");
	ck_assert_int_eq(pg_bindir_find(dir, 0, &me, &found, &e), -1);
	ck_assert_int_eq(pg_bindir_find(base, 0, &me, &found, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "there is no initdb in it"));
}
END_TEST

/* Whatever is installed on this machine is found too, so the versions are far away. */
START_TEST(nearest_wins)
{
	struct pg_bindir found;
	struct err e = { 0 };
	char path[1024];

	(void)snprintf(path, sizeof(path),
		       "%s/904.2:%s/902.1:relative:%s/none:%s/903.5:/usr/bin:/bin", base, base,
		       base, base);
	(void)installed("902.1");
	(void)installed("903.5");
	(void)installed("904.2");
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	ck_assert_int_eq(pg_bindir_find(NULL, 903, &me, &found, &e), 0);
	ck_assert_int_eq(found.major, 903);
	ck_assert_int_eq(pg_bindir_find(NULL, 901, &me, &found, &e), 0);
	ck_assert_int_eq(found.major, 902);
	ck_assert_int_eq(pg_bindir_find(NULL, 0, &me, &found, &e), 0);
	ck_assert_int_eq(found.major, 904);
	ck_assert_int_eq(pg_bindir_find(NULL, 905, &me, &found, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "find PostgreSQL 905 or newer, which the dump needs: "
					    "only "));
	ck_assert_ptr_nonnull(strstr(e.msg, "904.2 in "));
	ck_assert_ptr_nonnull(strstr(e.msg, "; install postgresql-905, or name its directory with "
					    "--pg-bindir"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bindir");
	TCase *t = tcase_create("bindir");

	tcase_add_checked_fixture(t, make_base, drop_base);
	tcase_add_loop_test(t, major, 0, CASES(MAJORS));
	tcase_add_test(t, only_this_one);
	tcase_add_test(t, not_one_at_all);
	tcase_add_test(t, nearest_wins);
	suite_add_tcase(s, t);
	return suite_run(s);
}
