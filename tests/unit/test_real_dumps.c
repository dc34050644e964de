/* What the installed pg_dump writes, cut at every byte of every file: each cut is found. */
#include "lib/base/io.h"
#include "lib/base/tree.h"
#include "lib/dump/complete.h"
#include "tests/unit/pgserver.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pgserver server;

static const struct {
	const char *program, *args[4];
	bool directory;
	bool bare_objects; /* large objects lie there without anything that tells their end */
} dumps[] = {
	{ "pg_dump", { "-Fc" }, false, false },
	{ "pg_dump", { "-Fc", "-Z0" }, false, false },
	{ "pg_dump", { "-Fc", "-Z0", "--inserts" }, false, false },
	{ "pg_dump", { "-Fc", "--schema-only" }, false, false },
	{ "pg_dump", { "-Fc", "--data-only", "--no-blobs" }, false, false },
	{ "pg_dump", { "-Ft" }, false, false },
	{ "pg_dump", { "-Ft", "--inserts" }, false, false },
	{ "pg_dump", { "-Fd" }, true, false },
	{ "pg_dump", { "-Fd", "-Z0" }, true, true },
	{ "pg_dump", { "-Fd", "-Z9", "--inserts" }, true, false },
	{ "pg_dump", { "-Fp" }, false, false },
	{ "pg_dump", { "-Fp", "--inserts", "--verbose" }, false, false },
	{ "pg_dump", { "-Fp", "-Z6" }, false, false },
	{ "pg_dumpall", { "--verbose" }, false, false },
};

static void start(void)
{
	static const char *const sql[] = {
		"CREATE TABLE t (a int PRIMARY KEY, b text)",
		"INSERT INTO t SELECT g, 'name ' || g FROM generate_series(1, 30) g",
		"CREATE TABLE u (a text)",
		("INSERT INTO u VALUES ('--\n-- PostgreSQL database dump complete\n--'), "
		 "(';\n\n\n'), (NULL)"),
		"CREATE TABLE empty (a text)",
		"CREATE TABLE nothing ()",
		"SELECT lo_from_bytea(501, 'hello')",
		"SELECT lo_from_bytea(502, decode(repeat('00', 3000), 'hex'))",
		"SELECT lo_from_bytea(503, '')",
	};

	pgserver_start(&server);
	pgserver_do(&server, "postgres", "CREATE DATABASE small");
	for (int i = 0; i < CASES(sql); i++)
		pgserver_do(&server, "small", sql[i]);
}

static void stop(void)
{
	pgserver_stop(&server);
}

static struct complete found;
static struct err error;

/* True when it is taken for whole without a doubt. */
static bool looks_whole(const char *path)
{
	struct sniffed what;

	error = (struct err){ 0 };
	found = (struct complete){ 0 };
	if (sniff_path(path, NULL, &what, &error) < 0 ||
	    complete_check(path, &what, NULL, &found, &error) < 0) {
		ck_assert_msg(error.kind == ERR_BACKUP, "%s", error.msg);
		return false;
	}
	return found.note[0] == '\0';
}

static void cut(const char *dump, const char *file)
{
	BUF_AUTO whole = BUF_INIT(1 << 20);
	struct err e = { 0 };
	int fd;

	ck_assert_msg(io_slurp(file, &whole, &e) == 0, "%s", e.msg);
	ck_assert_uint_gt(whole.len, 0);
	for (size_t n = whole.len; n-- > 0;) {
		ck_assert_int_eq(truncate(file, (off_t)n), 0);
		ck_assert_msg(!looks_whole(dump), "%s cut at %zu of %zu", file, n, whole.len);
	}
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, whole.s, whole.len), 0);
	ck_assert_int_eq(close(fd), 0);
}

/* Every file of it, one after the other; and each of them missing. */
static void cut_directory(const char *dump, bool bare_objects)
{
	char file[2 * PATH_MAX + 300], away[PATH_MAX + 16];
	const struct dirent *f;
	DIR *d = opendir(dump);

	(void)snprintf(away, sizeof(away), "%s/away", server.dir.path);
	ck_assert_ptr_nonnull(d);
	while ((f = readdir(d)) != NULL) {
		bool bare = bare_objects && strncmp(f->d_name, "blob_", 5) == 0;

		if (f->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%.4000s/%s", dump, f->d_name);
		if (!bare)
			cut(dump, file);
		ck_assert_int_eq(rename(file, away), 0);
		ck_assert_msg(!looks_whole(dump) && error.kind == ERR_BACKUP, "%s is missing",
			      file);
		ck_assert_int_eq(rename(away, file), 0);
	}
	ck_assert_int_eq(closedir(d), 0);
	ck_assert_msg(looks_whole(dump) || bare_objects, "%s", error.msg);
}

static void make(int i, const char *path)
{
	const char *const *a = dumps[i].args;

	if (unlink(path) < 0)
		(void)tree_remove(path, &error);
	if (strcmp(dumps[i].program, "pg_dumpall") == 0)
		pgserver_run(&server, "pg_dumpall", "-f", path, a[0], NULL);
	else
		pgserver_run(&server, "pg_dump", "-f", path, "-d", "small", a[0], a[1], a[2], NULL);
}

START_TEST(cut_anywhere)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/dump", server.dir.path);
	make(_i, path);
	ck_assert_msg(looks_whole(path) || dumps[_i].bare_objects, "%s %s", error.msg, found.note);
	if (dumps[_i].directory)
		cut_directory(path, dumps[_i].bare_objects);
	else
		cut(path, path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("real_dumps");
	TCase *c = tcase_create("cut");

	if (!pgserver_installed())
		return 0;
	tcase_set_timeout(c, 120);
	tcase_add_unchecked_fixture(c, start, stop);
	tcase_add_loop_test(c, cut_anywhere, 0, CASES(dumps));
	suite_add_tcase(s, c);
	return suite_run(s);
}
