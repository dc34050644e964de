/*
 * What a script may say: what is refused, what fails and goes on, what is repaired; the same by one
 * session and by several.
 */
#include "tests/unit/scriptrun.h"

#include <signal.h>

/* Of a loop's tests each second is one of several sessions. */
#define SESSIONS(i) ((unsigned)(i) % 2 * 3)

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

	sessions = SESSIONS(_i);
	buf_addf(&b, "CREATE TABLE t (a int);\n%sINSERT INTO t VALUES (7);\n", wrong[_i / 2].line);
	ck_assert_msg(restore_text(b.s, "postgres") == 0, "%s", error.msg);
	ck_assert_uint_eq(result.mishaps.n, 1);
	m = &result.mishaps.v[0];
	ck_assert_int_eq(m->kind, wrong[_i / 2].kind);
	ck_assert_uint_eq(m->line, 2);
	ck_assert_msg(strstr(m->why ? m->why : m->message, wrong[_i / 2].says) != NULL, "%s %s",
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

	sessions = SESSIONS(_i);
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
	pgserver_do(&target, "postgres", "DROP ROLE \"x y\", z");
}
END_TEST

/* COPY of much data empties its table first: never one with rows in it. */
START_TEST(copies_add_up)
{
	enum { ROWS = 200000 };
	BUF_AUTO b = BUF_INIT(BIG);
	char out[64];

	sessions = SESSIONS(_i);
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

int main(void)
{
	Suite *s = suite_create("script_text");
	TCase *t = tcase_create("text"), *dies = tcase_create("dies");

	if (!pgserver_installed())
		return 0;
	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, start_target, stop_target);
	tcase_add_loop_test(t, noted, 0, 2 * CASES(wrong));
	tcase_add_loop_test(t, roles_in_a_transaction, 0, 2);
	tcase_add_loop_test(t, copies_add_up, 0, 2);
	tcase_add_test(t, one_truth);
	tcase_add_test(t, first_failures);
	tcase_add_test(t, large_blocks);
	suite_add_tcase(s, t);
	tcase_set_timeout(dies, 120);
	tcase_add_checked_fixture(dies, start_target, stop_target);
	tcase_add_loop_test(dies, server_dies, 0, 2);
	suite_add_tcase(s, dies);
	return suite_run(s);
}
