#include "lib/restore/here.h"
#include "lib/restore/pgrestore.h"

#include "lib/base/strv.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Standard error as pg_restore 15 writes it, and what must come of it. */
static const struct {
	const char *text;
	int status; /* of exit */
	unsigned failed, harmless;
	const char *first;     /* the first failure's message */
	const char *statement; /* and its statement's beginning */
} SAID[] = {
	{ "", 0, 0, 0, NULL, NULL },
	{ "pg_restore: while PROCESSING TOC:\n"
	  "pg_restore: from TOC entry 215; 1259 16386 TABLE orders shop\n"
	  "pg_restore: error: could not execute query: ERROR:  type \"geometry\" does not exist\n"
	  "LINE 3:     place geometry\n"
	  "                  ^\n"
	  "Command was: CREATE TABLE public.orders (\n"
	  "    id integer,\n"
	  "    place geometry\n"
	  ");\n"
	  "\n"
	  "\n"
	  "pg_restore: warning: errors ignored on restore: 1\n",
	  1, 1, 0, "TABLE orders shop: type \"geometry\" does not exist",
	  "CREATE TABLE public.orders" },
	{ "pg_restore: from TOC entry 3313; 0 16386 TABLE DATA orders shop\n"
	  "pg_restore: error: COPY failed for table \"orders\": ERROR:  invalid input syntax for "
	  "type integer: \"x\"\n"
	  "CONTEXT:  COPY orders, line 3, column id: \"x\"\n"
	  "pg_restore: from TOC entry 3170; 2606 16390 CONSTRAINT orders orders_pkey shop\n"
	  "pg_restore: error: could not execute query: ERROR:  could not create unique index "
	  "\"orders_pkey\"\n"
	  "DETAIL:  Key (id)=(1) is duplicated.\n"
	  "Command was: ALTER TABLE ONLY public.orders\n"
	  "    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n"
	  "pg_restore: warning: errors ignored on restore: 2\n",
	  1, 2, 0,
	  "TABLE DATA orders shop: COPY failed for table \"orders\": ERROR:  invalid input syntax "
	  "for "
	  "type integer: \"x\"",
	  "" },
	{ "pg_restore: from TOC entry 5; 2615 2200 SCHEMA public postgres\n"
	  "pg_restore: error: could not execute query: ERROR:  schema \"public\" already exists\n"
	  "Command was: CREATE SCHEMA public;\n"
	  "pg_restore: warning: errors ignored on restore: 1\n",
	  1, 0, 1, NULL, NULL },
	{ "pg_restore: error: could not read from input file: end of file\n", 1, 1, 0,
	  "could not read from input file: end of file", "" },
	/* It ends badly and says nothing, or less than it counts. */
	{ "", 1, 1, 0, "pg_restore exited with status 1", "" },
	{ "Segmentation fault\n", 1, 1, 0, "pg_restore exited with status 1: Segmentation fault",
	  "" },
	{ "pg_restore: warning: errors ignored on restore: 3\n", 1, 3, 0,
	  "pg_restore exited with status 1: warning: errors ignored on restore: 3", "" },
	/* Versions before 12. */
	{ "pg_restore: [archiver (db)] Error while PROCESSING TOC:\n"
	  "pg_restore: [archiver (db)] Error from TOC entry 5; 1259 1 TABLE t me\n"
	  "pg_restore: [archiver (db)] could not execute query: ERROR:  no\n"
	  "    Command was: CREATE TABLE t ();\n"
	  "WARNING: errors ignored on restore: 1\n",
	  1, 1, 0, "TABLE t me: no", "CREATE TABLE t ()" },
	{ "pg_restore: warning: line ignored\n", 0, 0, 0, NULL, NULL },
	{ "pg_restore: error: connection to server on socket \"/x\" failed: No such file\n"
	  "\tIs the server running locally and accepting connections on that socket?\n",
	  1, 1, 0, "connection to server on socket \"/x\" failed: No such file", "" },
};

static void feed(const char *text, int status, struct mishaps *m)
{
	struct pgrestore_said said = PGRESTORE_SAID_INIT;
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL)
		pgrestore_line(&said, 1, line, m);
	pgrestore_end(&said, status << 8, m);
	pgrestore_said_free(&said);
	free(copy);
}

START_TEST(what_it_says)
{
	struct mishaps m = { 0 };

	feed(SAID[_i].text, SAID[_i].status, &m);
	ck_assert_uint_eq(m.count[MISHAP_FAILED], SAID[_i].failed);
	ck_assert_uint_eq(m.count[MISHAP_HARMLESS], SAID[_i].harmless);
	if (SAID[_i].first) {
		ck_assert_int_eq(strncmp(m.v[0].message, SAID[_i].first, strlen(SAID[_i].first)),
				 0);
		ck_assert_int_eq(
			strncmp(m.v[0].statement, SAID[_i].statement, strlen(SAID[_i].statement)),
			0);
	}
	mishaps_free(&m);
}
END_TEST

/* However long a statement or a message is, a bounded quote is all that is kept. */
START_TEST(endless_output)
{
	struct pgrestore_said said = PGRESTORE_SAID_INIT;
	struct mishaps m = { 0 };
	static char line[60000];

	memset(line, 'x', sizeof(line) - 1);
	pgrestore_line(&said, 1, "pg_restore: error: could not execute query: ERROR:  big", &m);
	for (int i = 0; i < 100; i++)
		pgrestore_line(&said, 1, line, &m);
	pgrestore_line(&said, 1, "Command was: SELECT", &m);
	for (int i = 0; i < 100; i++)
		pgrestore_line(&said, 1, line, &m);
	ck_assert_uint_le(said.voices[0].error.len, said.voices[0].error.max);
	ck_assert_uint_le(said.voices[0].statement.len, said.voices[0].statement.max);
	pgrestore_end(&said, 1 << 8, &m);
	ck_assert_uint_eq(m.count[MISHAP_FAILED], 1);
	ck_assert_int_eq(strncmp(m.v[0].message, "big", 3), 0);
	pgrestore_said_free(&said);
	mishaps_free(&m);
}
END_TEST

/* Two workers' failures, line by line in turn: each keeps its own entry, words and statement. */
START_TEST(two_at_once)
{
	static const struct {
		pid_t who;
		const char *line;
	} said[] = {
		{ 7, "pg_restore: from TOC entry 1; 2606 5 CONSTRAINT a a_pkey shop" },
		{ 8, "pg_restore: from TOC entry 2; 2606 6 CONSTRAINT b b_pkey shop" },
		{ 8, "pg_restore: error: could not execute query: ERROR:  second" },
		{ 7, "pg_restore: error: could not execute query: ERROR:  first" },
		{ 8, "Command was: ALTER TABLE b" },
		{ 7, "DETAIL:  of the first" },
		{ 9, "pg_restore: finished item 3 TABLE DATA c" },
		{ 7, "Command was: ALTER TABLE a" },
		{ 8, "    ADD KEY b;" },
		{ 7, "    ADD KEY a;" },
	};
	struct pgrestore_said s = PGRESTORE_SAID_INIT;
	struct mishaps m = { 0 };

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		pgrestore_line(&s, said[i].who, said[i].line, &m);
	pgrestore_end(&s, 1 << 8, &m);
	ck_assert_uint_eq(m.count[MISHAP_FAILED], 2);
	ck_assert_str_eq(m.v[0].message, "CONSTRAINT a a_pkey shop: first DETAIL:  of the first");
	ck_assert_str_eq(m.v[0].statement, "ALTER TABLE a     ADD KEY a;");
	ck_assert_str_eq(m.v[1].message, "CONSTRAINT b b_pkey shop: second");
	ck_assert_str_eq(m.v[1].statement, "ALTER TABLE b     ADD KEY b;");
	pgrestore_said_free(&s);
	mishaps_free(&m);
}
END_TEST

static void see(void *ctx, enum pgrestore_at at)
{
	char *seen = ctx;

	seen[strlen(seen)] = at == PGRESTORE_MADE ? 'm' : 'r';
}

/* A stand-in for pg_restore that shows how it was called. */
START_TEST(how_it_is_run)
{
	char dir[] = "/tmp/test_pgrestore.XXXXXX";
	char path[128];
	struct proc how = { .cwd = "/" };
	static const char *const sections[] = { "pre-data", "data", NULL };
	struct pgrestore p = { .how = &how,
			       .bindir = dir,
			       .conninfo = "host=/x dbname='a b'",
			       .sections = sections,
			       .jobs = 3,
			       .path = "-odd name" };
	char seen[8] = "";
	struct mishaps m = { 0 };
	struct err e = { 0 };
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/pg_restore", dir);
	ck_assert_int_eq(pgrestore_run(&p, &m, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "No such file or directory"));
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs("#!/bin/sh\n"
		    "exec >&2\n"
		    "echo 'pg_restore: creating TABLE \"public.t\"'\n"
		    "echo 'pg_restore: entering main parallel loop'\n"
		    "echo 'pg_restore: finished item 3212 TABLE DATA t'\n"
		    "echo 'pg_restore: finished item 3213 SEQUENCE SET s'\n"
		    "echo 'pg_restore: finished item 3214 BLOBS BLOBS'\n"
		    "printf 'pg_restore: error: '; printf '<%s>' \"$@\"; echo\n"
		    "exit 1\n",
		    f);
	(void)fclose(f);
	ck_assert_int_eq(chmod(path, 0700), 0);
	ck_assert_msg(pgrestore_run(&p, &m, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(m.count[MISHAP_FAILED], 1);
	ck_assert_str_eq(m.v[0].message, "<--dbname=host=/x dbname='a b'><--section=pre-data>"
					 "<--section=data><--no-password><--jobs=3><--><-odd "
					 "name>");
	mishaps_free(&m);
	m = (struct mishaps){ 0 };
	p.see = see;
	p.ctx = seen;
	ck_assert_int_eq(pgrestore_run(&p, &m, &e), 0);
	ck_assert_str_eq(seen, "mrr");
	ck_assert_uint_eq(m.count[MISHAP_FAILED], 1);
	ck_assert_ptr_nonnull(strstr(m.v[0].message, "<--jobs=3><--verbose><-->"));
	mishaps_free(&m);
	ck_assert_int_eq(remove(path), 0);
	ck_assert_int_eq(remove(dir), 0);
}
END_TEST

static const struct {
	const char *message;
	bool here;
} HERE[] = {
	{ "could not extend file \"base/5/1\": No space left on device", true },
	{ "could not open extension control file \"/usr/share/x.control\": No such file", true },
	{ "extension \"postgis\" is not available", true },
	{ "extension \"postgis\" does not exist", false },
	{ "server closed the connection unexpectedly", true },
	{ "type \"geometry\" does not exist", false },
	{ "duplicate key value violates unique constraint \"users_pkey\"", false },
	{ "", false },
};

START_TEST(whose_fault)
{
	ck_assert_int_eq(here_reason(HERE[_i].message) != NULL, HERE[_i].here);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pgrestore");
	TCase *t = tcase_create("pgrestore");

	tcase_add_loop_test(t, what_it_says, 0, CASES(SAID));
	tcase_add_test(t, endless_output);
	tcase_add_test(t, two_at_once);
	tcase_add_test(t, how_it_is_run);
	tcase_add_loop_test(t, whose_fault, 0, CASES(HERE));
	suite_add_tcase(s, t);
	return suite_run(s);
}
