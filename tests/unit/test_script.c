#include "lib/restore/script.h"

#include "lib/base/io.h"
#include "lib/dump/sniff.h"
#include "tests/unit/pgserver.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BIG = 64 << 20, AHEAD = 1 << 20 };

static struct pgserver source, target;

static const char *in_dir(const char *name)
{
	static char path[4][PATH_MAX + 64];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", source.dir.path, name);
	return path[i];
}

/* Every promise is kept statement by statement, and by several sessions at a time. */
static unsigned sessions;

static struct script_result result;
static struct err error;

/* Restores a file (or a text) into the target: script_run()'s value. */
static int restore_stream(struct stream *s, const char *dbname, bool cluster)
{
	struct script_opts opts = { .conninfo = target.conninfo,
				    .dbname = dbname,
				    .cluster = cluster,
				    .sessions = sessions,
				    .ahead_b = AHEAD };
	int r;

	ck_assert_ptr_nonnull(s);
	error = (struct err){ 0 };
	r = script_run(s, &opts, &result, &error);
	stream_close(s);
	return r;
}

static int restore_file(const char *path, const char *dbname)
{
	struct err e = { 0 };
	struct sniffed what;

	ck_assert_msg(sniff_path(path, NULL, &what, &e) == 0, "%s", e.msg);
	return restore_stream(stream_open_path(path, NULL, &e), dbname, what.kind == DUMP_CLUSTER);
}

static int restore_text(const char *text, const char *dbname)
{
	int fd = memfd_create("script", MFD_CLOEXEC), r;
	struct err e = { 0 };

	ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	r = restore_stream(stream_open_fd(fd, &(struct stream_opts){ .name = "script" }, &e),
			   dbname, false);
	ck_assert_int_eq(close(fd), 0);
	return r;
}

static void all_good(void)
{
	for (size_t i = 0; i < result.mishaps.n; i++)
		if (result.mishaps.v[i].kind != MISHAP_HARMLESS)
			ck_abort_msg("line %d: %s: %s", (int)result.mishaps.v[i].line,
				     result.mishaps.v[i].message, result.mishaps.v[i].statement);
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

static void start_target(void)
{
	pgserver_start(&target);
}

static void stop_target(void)
{
	pgserver_stop(&target);
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

static const struct {
	const char *line;
	enum mishap_kind kind;
	const char *says;
} wrong[] = {
	{ "\\! touch CANARY\n", MISHAP_REFUSED, "a command of psql" },
	{ "\\copy t from program 'touch CANARY'\n", MISHAP_REFUSED, "a command of psql" },
	{ "select 1 \\g |touch CANARY\n", MISHAP_REFUSED, "a command of psql" },
	{ "\\connect postgres postgres 127.0.0.1\n", MISHAP_REFUSED, "a command of psql" },
	{ "COPY t FROM PROGRAM 'touch CANARY';\n", MISHAP_REFUSED, "runs a program on the server" },
	{ "COPY t TO 'CANARY';\n", MISHAP_REFUSED, "reads or writes a file of the server" },
	{ "ALTER SYSTEM SET archive_mode = on;\n", MISHAP_REFUSED,
	  "changes the server's settings" },
	{ "LOAD 'auto_explain';\n", MISHAP_REFUSED, "loads a library into the server" },
	{ "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p;\n", MISHAP_REFUSED,
	  "connects to another server" },
	{ "CREATE TABLE t (a int);\n", MISHAP_FAILED, "relation \"t\" already exists" },
	{ "COPY t FROM stdin;\n1\nx\n3\n\\.\n", MISHAP_FAILED,
	  "invalid input syntax for type integer: \"x\" (COPY t, line 2)" },
	{ "COPY nosuch FROM stdin;\nDROP TABLE t;\n\\.\n", MISHAP_FAILED,
	  "relation \"nosuch\" does not exist" },
	{ "COPY t TO stdout;\n", MISHAP_FAILED, "COPY without its data" },
	{ "CREATE EXTENSION nosuch;\n", MISHAP_FAILED, "extension \"nosuch\" is not available" },
	{ "\\connect nosuch\nDROP TABLE t;\n\\connect postgres\n", MISHAP_FAILED, "nosuch" },
	{ "DROP TABLE nosuch;\n", MISHAP_HARMLESS, "what it would drop is not there" },
	{ "CREATE ROLE postgres;\n", MISHAP_HARMLESS, "superuser" },
	{ "SET transaction_timeout = 0;\n", MISHAP_HARMLESS, "a setting of the session" },
	{ "CREATE DATABASE d ENCODING 'UTF8' LOCALE = 'xx_YY.UTF-8' TEMPLATE template0;\n",
	  MISHAP_HARMLESS, "its locale is not installed here" },
	{ "CREATE DATABASE e ENCODING 'LATIN1' LOCALE = 'xx_YY' TEMPLATE template0;\n",
	  MISHAP_HARMLESS, "its locale is not installed here" },
};

/* Each in the middle of a script that goes on: noted with its line, and the rest is restored. */
START_TEST(noted)
{
	BUF_AUTO b = BUF_INIT(4096);
	char out[64];
	const struct mishap *m;

	buf_addf(&b, "CREATE TABLE t (a int);\n%sINSERT INTO t VALUES (7);\n", wrong[_i].line);
	ck_assert_msg(restore_text(b.s, "postgres") == 0, "%s", error.msg);
	ck_assert_uint_eq(result.mishaps.n, 1);
	m = &result.mishaps.v[0];
	ck_assert_int_eq(m->kind, wrong[_i].kind);
	ck_assert_uint_eq(m->line, 2);
	ck_assert_msg(strstr(m->why ? m->why : m->message, wrong[_i].says) != NULL, "%s %s",
		      m->message, m->why ? m->why : "");
	script_result_free(&result);
	ck_assert_str_eq(pgserver_ask(&target, "postgres", "SELECT string_agg(a::text, ',') FROM t",
				      out, sizeof(out)),
			 "7");
	(void)snprintf(out, sizeof(out), "CANARY");
	ck_assert_int_lt(access(out, F_OK), 0);
	pgserver_do(&target, "postgres", "DROP TABLE t");
	pgserver_do(&target, "postgres", "DROP DATABASE IF EXISTS d");
	pgserver_do(&target, "postgres", "DROP DATABASE IF EXISTS e");
}
END_TEST

START_TEST(roles_in_a_transaction)
{
	char out[64];

	pgserver_do(&target, "postgres", "CREATE DATABASE wrong");
	ck_assert_int_eq(
		restore_text("BEGIN;\nCREATE TABLE t (a int);\nALTER TABLE t OWNER TO \"x y\";\n"
			     "GRANT SELECT ON t TO z;\nCOMMIT;\n",
			     "wrong"),
		0);
	all_good();
	ck_assert(strv_has(&result.made, "role x y"));
	ck_assert(strv_has(&result.made, "role z"));
	script_result_free(&result);
	ck_assert_str_eq(pgserver_ask(&target, "wrong",
				      "SELECT tableowner FROM pg_tables WHERE tablename = 't'", out,
				      sizeof(out)),
			 "x y");
	ck_assert_int_eq(restore_text("BEGIN;\nCREATE TABLE u (a int);\n", "wrong"), 0);
	ck_assert(result.uncommitted);
	script_result_free(&result);
	pgserver_do(&target, "postgres", "DROP DATABASE wrong");
}
END_TEST

/* COPY of much data empties its table first: never one with rows in it. */
START_TEST(copies_add_up)
{
	enum { ROWS = 200000 };
	BUF_AUTO b = BUF_INIT(BIG);
	char out[64];

	buf_adds(&b, "CREATE TABLE t (a int);\nINSERT INTO t VALUES (-1);\n");
	for (int k = 0; k < 3; k++) {
		buf_adds(&b, "COPY t FROM stdin;\n");
		for (int i = 0; i < (k == 1 ? 10 : ROWS); i++)
			buf_addf(&b, "%d\n", i);
		buf_adds(&b, "\\.\n");
	}
	pgserver_do(&target, "postgres", "CREATE DATABASE wrong");
	ck_assert_msg(restore_text(b.s, "wrong") == 0, "%s", error.msg);
	all_good();
	ck_assert_uint_eq(result.rows, 2 * ROWS + 10);
	script_result_free(&result);
	ck_assert_str_eq(pgserver_ask(&target, "wrong", "SELECT count(*) FROM t", out, sizeof(out)),
			 "400011");
	pgserver_do(&target, "postgres", "DROP DATABASE wrong");
}
END_TEST

/* What fails, where, and what is there in the end: the same for one session and for several. */
static const char mixed[] =
	"SET client_encoding = 'UTF8';\n"
	"SELECT pg_catalog.set_config('search_path', '', false);\n"
	"CREATE TABLE public.a (id int);\nCREATE TABLE public.b (id int);\n"
	"CREATE TABLE public.c (id int);\nCREATE TABLE public.seen (n bigint);\n"
	/* Its constraint looks at another table: b's rows must be there before. */
	"CREATE FUNCTION public.f(i int) RETURNS boolean LANGUAGE sql AS "
	"'SELECT EXISTS (SELECT FROM public.b WHERE id = i)';\n"
	"ALTER TABLE public.c ADD CONSTRAINT k CHECK (public.f(id));\n"
	"COPY public.a (id) FROM stdin;\n1\nx\n\\.\n"
	"COPY public.b (id) FROM stdin;\n1\n1\n2\n\\.\n"
	"COPY public.c (id) FROM stdin;\n2\n1\n\\.\n"
	"COPY public.b (id) FROM stdin;\n3\n\\.\n"
	"COPY public.nosuch (id) FROM stdin;\n3\n\\.\n"
	"INSERT INTO public.seen SELECT pg_catalog.count(*) FROM public.b;\n"
	"ALTER TABLE ONLY public.b ADD CONSTRAINT b_pkey PRIMARY KEY (id);\n"
	"CREATE INDEX i ON public.nosuch USING btree (id);\n"
	"CREATE INDEX b_id ON public.b USING btree (id);\n"
	"CREATE INDEX b_id ON public.b USING btree (id);\n"
	"ALTER TABLE ONLY public.c ADD CONSTRAINT c_fk FOREIGN KEY (id) REFERENCES public.b(id);\n"
	"ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);\n"
	"ALTER TABLE ONLY public.c ADD CONSTRAINT c_fk2 FOREIGN KEY (id) REFERENCES public.a(id);\n"
	"COMMENT ON INDEX public.b_id IS 'one';\nCOMMENT ON INDEX public.none IS 'none';\n";

START_TEST(one_truth)
{
	BUF_AUTO one = BUF_INIT(BIG), several = BUF_INIT(BIG);
	char out[64];

	for (sessions = 0; sessions <= 3; sessions += 3) {
		struct buf *b = sessions ? &several : &one;

		pgserver_do(&target, "postgres", "CREATE DATABASE mixed");
		ck_assert_msg(restore_text(mixed, "mixed") == 0, "%s", error.msg);
		for (size_t i = 0; i < result.mishaps.n; i++)
			buf_addf(b, "%d: %s\n", (int)result.mishaps.v[i].line,
				 result.mishaps.v[i].message);
		buf_addf(b, "%d rows, %d statements\n", (int)result.rows, (int)result.statements);
		buf_adds(b, pgserver_ask(&target, "mixed",
					 "SELECT concat_ws(' ', (SELECT n FROM seen), (SELECT "
					 "count(*) FROM c), "
					 "(SELECT count(*) FROM pg_indexes WHERE schemaname = "
					 "'public'))",
					 out, sizeof(out)));
		script_result_free(&result);
		pgserver_do(&target, "postgres", "DROP DATABASE mixed");
	}
	sessions = 0;
	ck_assert_str_eq(one.s, several.s);
	/* COPY into a and nosuch; b_pkey, i, the second b_id, both foreign keys, the second
	 * comment. */
	ck_assert_msg(strncmp(several.s, "9: invalid input syntax", 23) == 0, "%s", several.s);
}
END_TEST

/* Twenty of each kind are shown: those with the lowest lines, whoever found them. */
START_TEST(first_failures)
{
	BUF_AUTO b = BUF_INIT(BIG);

	for (int i = 0; i < 40; i++)
		buf_addf(&b, "CREATE INDEX i ON public.no%d USING btree (id);\n", i % 7);
	pgserver_do(&target, "postgres", "CREATE DATABASE mixed");
	sessions = 3;
	ck_assert_msg(restore_text(b.s, "mixed") == 0, "%s", error.msg);
	sessions = 0;
	ck_assert_uint_eq(result.mishaps.count[MISHAP_FAILED], 40);
	ck_assert_uint_eq(result.mishaps.n, MISHAP_KEPT);
	for (size_t i = 0; i < result.mishaps.n; i++)
		ck_assert_uint_eq(result.mishaps.v[i].line, i + 1);
	script_result_free(&result);
	pgserver_do(&target, "postgres", "DROP DATABASE mixed");
}
END_TEST

/* A block is larger than what may be read ahead; and one that is cut leaves nothing. */
START_TEST(large_blocks)
{
	BUF_AUTO b = BUF_INIT(BIG);
	char out[64];

	sessions = 2;
	buf_adds(&b, "CREATE TABLE public.t (a text);\nCREATE TABLE public.u (a text);\n");
	for (int k = 0; k < 4; k++) {
		buf_addf(&b, "COPY public.%s (a) FROM stdin;\n", k % 2 ? "u" : "t");
		for (int i = 0; i < 100000; i++)
			buf_addf(&b, "row %d of a block that takes its room\n", i);
		if (k < 3)
			buf_adds(&b, "\\.\n");
	}
	pgserver_do(&target, "postgres", "CREATE DATABASE wrong");
	ck_assert_int_eq(restore_text(b.s, "wrong"), -1);
	ck_assert_int_eq(error.kind, ERR_BACKUP);
	ck_assert_uint_eq(result.rows, 300000);
	script_result_free(&result);
	sessions = 0;
	ck_assert_str_eq(
		pgserver_ask(
			&target, "wrong",
			"SELECT concat_ws(' ', (SELECT count(*) FROM t), (SELECT count(*) FROM u))",
			out, sizeof(out)),
		"200000 100000");
	pgserver_do(&target, "postgres", "DROP DATABASE wrong");
}
END_TEST

static void kill_server(void *ctx, const struct script_result *so_far, enum script_phase phase)
{
	(void)ctx;
	if (phase == SCRIPT_DATA && so_far->bytes > 1 << 20)
		(void)kill(target.c.pid, SIGQUIT);
}

START_TEST(server_dies)
{
	struct script_opts opts = { .conninfo = target.conninfo,
				    .dbname = "postgres",
				    .sessions = (unsigned)_i * 2,
				    .ahead_b = AHEAD,
				    .progress = kill_server };
	BUF_AUTO b = BUF_INIT(BIG);
	int fd = memfd_create("script", MFD_CLOEXEC);
	struct stream *s;

	buf_adds(&b, "CREATE TABLE public.t (a text);\nCOPY public.t FROM stdin;\n");
	while (b.len < 30 << 20)
		buf_adds(&b, "some text that fills it all up with bytes\n");
	buf_adds(&b, "\\.\n");
	ck_assert_int_eq(io_write_all(fd, b.s, b.len), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	s = stream_open_fd(fd, NULL, &error);
	ck_assert_int_eq(script_run(s, &opts, &result, &error), -1);
	ck_assert(error.kind == ERR_SYSTEM || error.kind == ERR_REMOTE);
	ck_assert_msg(strstr(error.msg, "temporary server") != NULL, "%s", error.msg);
	script_result_free(&result);
	stream_close(s);
	ck_assert_int_eq(close(fd), 0);
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
	tcase_add_loop_test(t, noted, 0, CASES(wrong));
	tcase_add_test(t, roles_in_a_transaction);
	tcase_add_test(t, copies_add_up);
	return t;
}

int main(void)
{
	Suite *s = suite_create("script");
	TCase *dies = tcase_create("dies"), *both = tcase_create("both");

	if (!pgserver_installed())
		return 0;
	tcase_set_timeout(both, 120);
	tcase_add_unchecked_fixture(both, start_target, stop_target);
	tcase_add_test(both, one_truth);
	tcase_add_test(both, first_failures);
	tcase_add_test(both, large_blocks);
	suite_add_tcase(s, both);
	suite_add_tcase(s, promises("one session", start_both));
	suite_add_tcase(s, promises("several sessions", start_both_for_several));
	tcase_set_timeout(dies, 120);
	tcase_add_checked_fixture(dies, start_target, stop_target);
	tcase_add_loop_test(dies, server_dies, 0, 2);
	suite_add_tcase(s, dies);
	return suite_run(s);
}
