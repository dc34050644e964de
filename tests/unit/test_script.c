#include "lib/dump/sniff.h"
#include "tests/unit/scriptrun.h"

#include <stdlib.h>
#include <sys/stat.h>

static struct pgserver source;

static const char *in_dir(const char *name)
{
	static char path[4][PATH_MAX + 64];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", source.dir.path, name);
	return path[i];
}

static int restore_file(const char *path, const char *dbname)
{
	struct err e = { 0 };
	struct sniffed what;

	ck_assert_msg(sniff_path(path, NULL, &what, &e) == 0, "%s", e.msg);
	return restore_stream(stream_open_path(path, NULL, &e), dbname, what.kind == DUMP_CLUSTER);
}

/* What the source holds is put there by the runner, too. */
static void start_source(void)
{
	struct script_opts opts = { .conninfo = source.conninfo, .dbname = "objects" };
	struct stream *s = stream_open_path("tests/fixtures/objects.sql", NULL, &error);

	pgserver_start(&source);
	pgserver_do(&source, "postgres", "CREATE DATABASE objects");
	ck_assert_msg(s != NULL, "%s", error.msg);
	ck_assert_msg(script_run(s, &opts, &result, &error) == 0, "%s", error.msg);
	all_good();
	script_result_free(&result);
	stream_close(s);
}

static void start_both(void)
{
	start_source();
	start_target();
}

static void start_both_for_several(void)
{
	sessions = 3;
	start_both();
}

static void stop_both(void)
{
	pgserver_stop(&source);
	stop_target();
}

/* Lines that differ between two dumps of the same. */
static bool differs_anyway(const char *line)
{
	static const char *const starts[] = { "\\restrict ", "\\unrestrict ", "-- Started on",
					      "-- Completed", "CREATE TABLESPACE fast" };

	for (int i = 0; i < CASES(starts); i++)
		if (strncmp(line, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static void slurp(const char *path, struct buf *out)
{
	BUF_AUTO all = BUF_INIT(BIG);
	struct err e = { 0 };

	ck_assert_msg(io_slurp(path, &all, &e) == 0, "%s", e.msg);
	for (char *line = all.s, *nl; (nl = strchr(line, '\n')) != NULL; line = nl + 1)
		if (!differs_anyway(line))
			buf_add(out, line, (size_t)(nl + 1 - line));
}

/* pg_dump of both sides: the same to the byte. */
static void same_objects(const char *what)
{
	BUF_AUTO a = BUF_INIT(BIG), b = BUF_INIT(BIG);
	char there[PATH_MAX + 64];
	size_t i = 0;

	(void)snprintf(there, sizeof(there), "%s/after", target.dir.path);
	pgserver_run(&source, "pg_dump", "-f", in_dir("before"), "objects", NULL);
	pgserver_run(&target, "pg_dump", "-f", there, "objects", NULL);
	slurp(in_dir("before"), &a);
	slurp(there, &b);
	ck_assert_uint_gt(a.len, 100000);
	while (a.s[i] && a.s[i] == b.s[i])
		i++;
	ck_assert_msg(a.len == b.len && i == a.len, "%s: differs at: %.200s", what,
		      b.s + (i > 100 ? i - 100 : 0));
}

/* The target as it was: roles that one test left would hide what the next must do. */
static void forget(void)
{
	static const char *const left[] = { "DROP DATABASE objects", "DROP TABLESPACE fast",
					    "DROP ROLE alice", "DROP ROLE readers",
					    "DROP ROLE \"Bob \"\"x\"\" to; --\"" };

	pgserver_do(&target, "objects", "DROP SUBSCRIPTION sub");
	for (int i = 0; i < CASES(left); i++)
		pgserver_do(&target, "postgres", left[i]);
}

static const struct {
	const char *args[4];
	bool makes_database;
} dumps[] = {
	{ { NULL }, false },
	{ { "--inserts" }, false },
	{ { "--column-inserts", "--rows-per-insert=7" }, false },
	{ { "--clean" }, false },
	{ { "--create" }, true },
	{ { "--clean", "--if-exists", "--create" }, true },
	{ { "--use-set-session-authorization" }, false },
	{ { "--disable-dollar-quoting" }, false },
	{ { "--quote-all-identifiers", "--verbose" }, false },
	{ { "--load-via-partition-root", "-Z6" }, false },
};

START_TEST(round_trip)
{
	const char *const *a = dumps[_i].args;
	bool quoted = a[0] && strcmp(a[0], "--quote-all-identifiers") == 0;

	if (!dumps[_i].makes_database)
		pgserver_do(&target, "postgres", "CREATE DATABASE objects");
	pgserver_run(&source, "pg_dump", "-f", in_dir("dump"), "-d", "objects", a[0], a[1], a[2],
		     NULL);
	ck_assert_msg(restore_file(in_dir("dump"),
				   dumps[_i].makes_database ? "postgres" : "objects") == 0,
		      "%s", error.msg);
	all_good();
	ck_assert_int_eq(result.end, SQLSCAN_WHOLE);
	ck_assert(!result.uncommitted);
	ck_assert(strv_has(&result.made, "role alice"));
	ck_assert(strv_has(&result.made, "role Bob \"x\" to; --"));
	ck_assert(strv_has(&result.made, "tablespace fast"));
	ck_assert_uint_eq(result.databases.n, dumps[_i].makes_database ? 1 : 0);
	if (result.copies)
		ck_assert_uint_gt(result.rows, 1600);
	if (!quoted) /* bodies of rules and views are written as the dump asked for */
		same_objects(a[0] ? a[0] : "plain");
	script_result_free(&result);
	forget();
}
END_TEST

START_TEST(cluster)
{
	static const char *const args[] = { "--verbose", "--clean", "--inserts" };
	BUF_AUTO a = BUF_INIT(BIG), b = BUF_INIT(BIG);
	char there[PATH_MAX + 64], out[64];

	pgserver_run(&source, "pg_dumpall", "-f", in_dir("all"), args[_i], NULL);
	ck_assert_msg(restore_file(in_dir("all"), "postgres") == 0, "%s", error.msg);
	all_good();
	ck_assert_int_eq(result.end, SQLSCAN_WHOLE);
	ck_assert(strv_has(&result.databases, "objects"));
	script_result_free(&result);
	same_objects("pg_dumpall");
	/* Roles, memberships and passwords. */
	(void)snprintf(there, sizeof(there), "%s/globals", target.dir.path);
	pgserver_run(&source, "pg_dumpall", "-g", "-f", in_dir("globals"), NULL);
	pgserver_run(&target, "pg_dumpall", "-g", "-f", there, NULL);
	slurp(in_dir("globals"), &a);
	slurp(there, &b);
	ck_assert_str_eq(a.s, b.s);
	ck_assert_str_eq(
		pgserver_ask(&target, "objects", "SELECT count(*) FROM s.t1", out, sizeof(out)),
		"500");
	forget();
}
END_TEST

/* Nothing that is cut anywhere may look good. */
START_TEST(cut_anywhere)
{
	struct stat st;
	const char *path;

	pgserver_do(&source, "postgres", "CREATE DATABASE small");
	pgserver_do(&source, "small", "CREATE TABLE t (a int PRIMARY KEY, b text)");
	pgserver_do(&source, "small",
		    "INSERT INTO t SELECT g, 'x' || g FROM generate_series(1, 30) g");
	pgserver_run(&source, "pg_dump", "-f", in_dir("small"), "small", NULL);
	path = in_dir("small");
	ck_assert_int_eq(stat(path, &st), 0);
	for (off_t n = st.st_size; n > 0; n -= 101) {
		bool good;

		if (n < st.st_size)
			ck_assert_int_eq(truncate(path, n), 0);
		pgserver_do(&target, "postgres", "CREATE DATABASE small");
		good = restore_file(path, "small") == 0 &&
		       result.mishaps.count[MISHAP_FAILED] == 0 && result.end == SQLSCAN_WHOLE;
		ck_assert_msg(good == (n == st.st_size), "cut at %d of %d", (int)n,
			      (int)st.st_size);
		ck_assert(good || error.kind == ERR_NONE || error.kind == ERR_BACKUP);
		script_result_free(&result);
		pgserver_do(&target, "postgres", "DROP DATABASE small");
	}
}
END_TEST

static TCase *promises(const char *name, SFun start)
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, start, stop_both);
	tcase_add_loop_test(t, round_trip, 0, CASES(dumps));
	tcase_add_loop_test(t, cluster, 0, 3);
	tcase_add_test(t, cut_anywhere);
	return t;
}

int main(void)
{
	Suite *s = suite_create("script");

	if (!pgserver_installed())
		return 0;
	suite_add_tcase(s, promises("one session", start_both));
	suite_add_tcase(s, promises("several sessions", start_both_for_several));
	return suite_run(s);
}
