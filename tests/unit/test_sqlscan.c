#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/sqlscan.h"
#include "tests/unit/suite.h"

/* Events as text: kind, line, text, each ended by '|'; data of one COPY in one piece. */
static const char letters[] = { 'S', 'C', 'D', 'E', 'M', '#' };

struct told {
	struct buf events;
	bool in_data;
	uint64_t rows;
	int status;
	struct err e;
	enum sqlscan_verdict end;
};

static void end_data(struct told *t)
{
	if (t->in_data)
		buf_addf(&t->events, "(%u rows)|", (unsigned)t->rows);
	t->in_data = false;
	t->rows = 0;
}

static void tell(struct told *t, const struct sqlscan_event *ev)
{
	if (ev->kind == SQLSCAN_DATA) {
		if (!t->in_data)
			buf_addf(&t->events, "D%u:", (unsigned)ev->line);
		t->in_data = true;
		t->rows += ev->rows;
		buf_add(&t->events, ev->text, ev->n);
		return;
	}
	end_data(t);
	buf_addf(&t->events, "%c%u", letters[ev->kind], (unsigned)ev->line);
	if (ev->kind != SQLSCAN_DATA_END) {
		ck_assert_uint_eq(strlen(ev->text), ev->n);
		buf_addf(&t->events, "%s:%s", ev->amid ? "!" : "", ev->text);
	}
	buf_addc(&t->events, '|');
}

static void scan(const char *script, size_t n, size_t step, struct told *t)
{
	SQLSCAN_AUTO *sc = sqlscan_new("f", 0);
	struct sqlscan_end end = { 0 };
	struct sqlscan_event ev;
	size_t at = 0;

	*t = (struct told){ .events = BUF_INIT(1 << 20) };
	do {
		size_t k = n - at < step ? n - at : step;
		char *piece = xmalloc(k); /* of its own, for the sanitizers */

		memcpy(piece, script + at, k);
		if (k > 0)
			sqlscan_feed(sc, piece, k);
		else
			sqlscan_feed_end(sc);
		while ((t->status = sqlscan_next(sc, &ev, &t->e)) > 0) {
			if (ev.kind == SQLSCAN_STATEMENT) {
				uint64_t line = 1;

				ck_assert_mem_eq(script + ev.at_b, ev.text, ev.n);
				for (size_t i = 0; i < ev.at_b; i++)
					line += script[i] == '\n';
				ck_assert_uint_eq(line, ev.line);
			}
			sqlscan_end_see(&end, &ev);
			tell(t, &ev);
		}
		free(piece);
		at += k;
		if (k == 0)
			break;
	} while (t->status == 0);
	end_data(t);
	t->end = sqlscan_end_judge(&end, n);
}

static const struct {
	const char *script, *events;
	const char *error; /* NULL: none */
} scripts[] = {
	{ "", "", NULL },
	{ "  \n\t;;\n", "", NULL },
	{ "select 1;", "S1:select 1|", NULL },
	{ "a;b ;\n\n c\n ;", "S1:a|S1:b |S3:c\n |", NULL },
	{ "select ';';x", "S1:select ';'|", "line 1: truncated" },
	{ "select 'it''s;';", "S1:select 'it''s;'|", NULL },
	{ "select '\\';'';", "S1:select '\\'|S1:''|", NULL },
	{ "select E'\\';';", "S1:select E'\\';'|", NULL },
	{ "select e'a''\\\\';b;", "S1:select e'a''\\\\'|S1:b|", NULL },
	{ "select E'a'\n  '\\';';", "S1:select E'a'\n  '\\';'|", NULL },
	{ "select E'a' '\\';b;", "S1:select E'a' '\\'|S1:b|", NULL },
	{ "select E'a', '\\'\n;b;", "S1:select E'a', '\\'\n|S2:b|", NULL },
	{ "select U&'\\0041;', B'1;', x'f;', n';';", "S1:select U&'\\0041;', B'1;', x'f;', n';'|",
	  NULL },
	{ "select U&\"a;b\", u & 'x;';", "S1:select U&\"a;b\", u & 'x;'|", NULL },
	{ "set standard_conforming_strings = off; select '\\';';",
	  "S1:set standard_conforming_strings = off|S1:select '\\';'|", NULL },
	{ "SET standard_conforming_strings TO 'off';select n'\\';';set "
	  "standard_conforming_strings=on;select '\\';",
	  "S1:SET standard_conforming_strings TO 'off'|S1:select n'\\';'|S1:set "
	  "standard_conforming_strings=on|S1:select '\\'|",
	  NULL },
	{ "select \"a\"\";b\";", "S1:select \"a\"\";b\"|", NULL },
	{ "select $$;'\"$$;", "S1:select $$;'\"$$|", NULL },
	{ "select $a$;$b$;$$;$a$;", "S1:select $a$;$b$;$$;$a$|", NULL },
	{ "select $a$ $ab$ $a;$a$;", "S1:select $a$ $ab$ $a;$a$|", NULL },
	{ "select x$a$;y$a$;", "S1:select x$a$|S1:y$a$|", NULL },
	{ "select $1;select $;", "S1:select $1|S1:select $|", NULL },
	{ "select 1-- ;\n;", "S1:select 1-- ;\n|", NULL },
	{ "select 1-1-/;", "S1:select 1-1-/|", NULL },
	{ "select 5*/*;*/3;", "S1:select 5*/*;*/3|", NULL },
	{ "/* a /* ; */ ; */ select 1;", "#1:/* a /* ; */ ; */|S1:select 1|", NULL },
	{ "-- a\n--b\r\nselect /* c */ 1;\n", "#1:-- a|#2:--b|S3:select /* c */ 1|", NULL },
	{ "-- to the end", "#1:-- to the end|", NULL },
	{ "create rule r as on insert to t do (delete from a; delete from b);x;",
	  "S1:create rule r as on insert to t do (delete from a; delete from b)|S1:x|", NULL },
	{ "select );x;", "S1:select )|S1:x|", NULL },
	{ "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT "
	  "2; END;x;",
	  "S1:CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; "
	  "SELECT "
	  "2; END|S1:x|",
	  NULL },
	{ "create or replace procedure p() begin atomic a; end;x;",
	  "S1:create or replace procedure p() begin atomic a; end|S1:x|", NULL },
	{ "begin; create table c(a int); end; commit;",
	  "S1:begin|S1:create table c(a int)|S1:end|S1:commit|", NULL },
	{ "create function \"begin\"() as 'x';y;", "S1:create function \"begin\"() as 'x'|S1:y|",
	  NULL },
	{ "COPY t (a) FROM stdin;\n1\n2\n\\.\n\nx;\n",
	  "C1:COPY t (a) FROM stdin|D2:1\n2\n(2 rows)|E4|S6:x|", NULL },
	{ "copy t from STDIN with (format csv) ;  \r\n1\r\n\\.\r\nx;",
	  "C1:copy t from STDIN with (format csv) |D2:1\r\n(1 rows)|E3|S4:x|", NULL },
	{ "copy t from stdin; -- now\n\\.\n", "C1:copy t from stdin|E2|", NULL },
	{ "copy t from stdin; x;\n\\.\n", "C1:copy t from stdin|", "line 1: more SQL follows" },
	{ "copy t from stdin;\n\\N\n\\\\.\n\\.x\n\\.\rx\n\\\n\\.\n",
	  "C1:copy t from stdin|D2:\\N\n\\\\.\n\\.x\n\\.\rx\n\\\n(5 rows)|E7|", NULL },
	{ "copy t from stdin;\n\n\n\\.\n", "C1:copy t from stdin|D2:\n\n(2 rows)|E4|", NULL },
	{ "copy t from stdin;\n1\n\\.", "C1:copy t from stdin|D2:1\n(1 rows)|E3|", NULL },
	{ "copy t from stdin;\n1\n", "C1:copy t from stdin|D2:1\n(1 rows)|",
	  "line 1: truncated: the script ends in the data" },
	{ "copy t from stdin;\n\\", "C1:copy t from stdin|D2:\\(0 rows)|", "line 1: truncated" },
	{ "copy t from stdin;", "C1:copy t from stdin|", "line 1: truncated" },
	{ "copy (select 1 from stdin) to stdout;x;",
	  "S1:copy (select 1 from stdin) to stdout|S1:x|", NULL },
	{ "copy \"from\" (stdin) from 'f';", "S1:copy \"from\" (stdin) from 'f'|", NULL },
	{ "copy t to stdout;", "S1:copy t to stdout|", NULL },
	{ "create function f() as $$\ncopy t from stdin;\n\\.\n$$;x;",
	  "S1:create function f() as $$\ncopy t from stdin;\n\\.\n$$|S4:x|", NULL },
	{ "\\restrict abc\n\nselect 1;\n\\connect \"a b\"\n",
	  "M1:\\restrict abc|S3:select 1|M4:\\connect \"a b\"|", NULL },
	{ "select 1 \\gexec\nx;\\! rm\ny;", "M1!:\\gexec|S2:x|M2:\\! rm|S3:y|", NULL },
	{ "a\n'b", "", "line 1: truncated" },
	{ "a;\n/* b", "S1:a|", "line 2: truncated" },
	{ "a;\n  $$b", "S1:a|", "line 2: truncated" },
	{ "set client_encoding = 'Johab';", "", "it is written in Johab" },
	{ "set names 'JOHAB';", "", "it is written in JOHAB" },
	{ "\\encoding johab\n", "", "it is written in johab" },
	/* A second byte that is a backslash: within E'', a name, a dollar quote's tag, alone. */
	{ "set client_encoding = 'SJIS';E'\x95\x5c';x;",
	  "S1:set client_encoding = 'SJIS'|S1:E'\x95\x5c'|S1:x|", NULL },
	{ "set names 'Shift_JIS';\n\x83\x5c \x95\x5c;\x95\x5c\x95\x5c;y;",
	  "S1:set names 'Shift_JIS'|S2:\x83\x5c \x95\x5c|S2:\x95\x5c\x95\x5c|S2:y|", NULL },
	{ "set client_encoding to big5;$\xa5\x5c$;$\xa5\x5c$;x;",
	  "S1:set client_encoding to big5|S1:$\xa5\x5c$;$\xa5\x5c$|S1:x|", NULL },
	{ "\\encoding GBK\nE'\xd5\x5c\\';';\nE'\\\xd5';",
	  "M1:\\encoding GBK|S2:E'\xd5\x5c\\';'|S3:E'\\\xd5'|", NULL },
	/* Half-width katakana stand alone; elsewhere they would take the quote for a second byte.
	 */
	{ "set client_encoding = 'sjis';E'\xb1\\';';x;",
	  "S1:set client_encoding = 'sjis'|S1:E'\xb1\\';'|S1:x|", NULL },
	{ "set client_encoding = 'sjis';copy t from stdin;\n\x95\x5c\n\\.\nx;",
	  "S1:set client_encoding = 'sjis'|C1:copy t from stdin|D2:\x95\x5c\n(1 rows)|E3|S4:x|",
	  NULL },
	/* And back. */
	{ "set names gb18030;set names utf8;E'\xc3\x5c';';",
	  "S1:set names gb18030|S1:set names utf8|S1:E'\xc3\x5c';'|", NULL },
};

static void check(int i, size_t n, size_t step, struct told *t)
{
	scan(scripts[i].script, n, step, t);
	ck_assert_msg(strcmp(t->events.s, scripts[i].events) == 0, "script %d, step %zu: %s", i,
		      step, t->events.s);
	if (scripts[i].error == NULL)
		ck_assert_msg(t->status == 0, "script %d: %s", i, t->e.msg);
	else
		ck_assert_msg(t->status < 0 && strstr(t->e.msg, scripts[i].error),
			      "script %d: %d %s", i, t->status, t->e.msg);
	buf_free(&t->events);
}

START_TEST(any_piece_size)
{
	size_t n = strlen(scripts[_i].script);
	struct told t;

	for (size_t step = 1; step <= n + 1; step++)
		check(_i, n, step, &t);
}
END_TEST

#define DUMP "--\n-- PostgreSQL database dump\n--\n\n"
#define DUMP_END "--\n-- PostgreSQL database dump complete\n--\n\n"
#define CLUSTER "--\n-- PostgreSQL database cluster dump\n--\n\n"
#define CLUSTER_END "--\n-- PostgreSQL database cluster dump complete\n--\n\n"

static const struct {
	const char *script;
	enum sqlscan_verdict end;
} ends[] = {
	{ "", SQLSCAN_CUT },
	{ DUMP, SQLSCAN_CUT },
	{ DUMP DUMP_END, SQLSCAN_WHOLE },
	{ DUMP "x;\n" DUMP_END, SQLSCAN_WHOLE },
	{ DUMP "\\restrict abc\n" DUMP_END "\\unrestrict abc\n\n", SQLSCAN_WHOLE },
	{ DUMP "\\restrict abc\n" DUMP_END "\\unrestrict ab\n\n", SQLSCAN_CUT },
	{ DUMP "\\restrict abc\n" DUMP_END, SQLSCAN_CUT },
	{ DUMP DUMP_END "-- copied by nightly\n", SQLSCAN_WHOLE },
	{ DUMP "--\n-- PostgreSQL database dump complete\n--\n", SQLSCAN_CLIPPED },
	{ DUMP "--\n-- PostgreSQL database dump complete\n--", SQLSCAN_CLIPPED },
	{ DUMP "--\n-- PostgreSQL database dump complete\n\n", SQLSCAN_CUT },
	{ DUMP "--\r\n-- PostgreSQL database dump complete\r\n--\r\n\r\n", SQLSCAN_WHOLE },
	{ DUMP DUMP_END "x;\n", SQLSCAN_CUT },
	{ DUMP DUMP_END "copy t from stdin;\n\\.\n", SQLSCAN_CUT },
	{ DUMP DUMP_END "\\connect x\n", SQLSCAN_CUT },
	{ DUMP "copy t from stdin;\n-- PostgreSQL database dump complete\n--\n\n\\.\n",
	  SQLSCAN_CUT },
	{ DUMP "select '\n-- PostgreSQL database dump complete\n--\n';", SQLSCAN_CUT },
	{ DUMP "select $$\n" DUMP_END "$$;", SQLSCAN_CUT },
	{ DUMP DUMP_END DUMP, SQLSCAN_CUT },
	{ DUMP DUMP_END DUMP DUMP_END, SQLSCAN_WHOLE },
	{ CLUSTER DUMP DUMP_END, SQLSCAN_CUT },
	{ CLUSTER DUMP "\\restrict x\n" DUMP_END "\\unrestrict x\n" CLUSTER_END, SQLSCAN_WHOLE },
	{ CLUSTER DUMP CLUSTER_END, SQLSCAN_CUT },
	{ CLUSTER CLUSTER_END DUMP DUMP_END, SQLSCAN_WHOLE },
};

START_TEST(end_reached)
{
	size_t n = strlen(ends[_i].script);
	struct told t;

	for (size_t step = 1; step <= n + 1; step++) {
		scan(ends[_i].script, n, step, &t);
		ck_assert_msg(t.status == 0, "%s", t.e.msg);
		ck_assert_msg(t.end == ends[_i].end, "script %d, step %zu", _i, step);
		buf_free(&t.events);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t n;
	const char *says;
} nuls[] = {
	{ "a;\nb\0c;\n", 8, "read f: line 2: a NUL byte" },
	{ "select '\n\0';", 12, "read f: line 2: a NUL byte" },
	{ "copy t from stdin;\n1\n2\n\0\n\\.\n", 28, "read f: line 4: a NUL byte" },
	/* In what may be the end of the data when a piece ends there. */
	{ "copy t from stdin;\n1\n\\\0\n\\.\n", 27, "read f: line 3: a NUL byte" },
	{ "copy t from stdin;\n\\.\0\n\\.\n", 26, "read f: line 2: a NUL byte" },
	{ "copy t from stdin;\n\\.\r\0\n\\.\n", 27, "read f: line 2: a NUL byte" },
};

START_TEST(nul)
{
	struct told t;

	for (size_t step = 1; step <= nuls[_i].n; step++) {
		scan(nuls[_i].text, nuls[_i].n, step, &t);
		ck_assert_int_eq(t.status, -1);
		ck_assert_int_eq(t.e.kind, ERR_BACKUP);
		ck_assert_msg(strstr(t.e.msg, nuls[_i].says) != NULL, "%s", t.e.msg);
		buf_free(&t.events);
	}
}
END_TEST

START_TEST(too_long)
{
	SQLSCAN_AUTO *sc = sqlscan_new("f", 100 * 1000);
	struct sqlscan_event ev;
	struct err e = { 0 };
	char line[1000];
	int r = 0;

	memset(line, 'x', sizeof(line));
	line[0] = ' ';
	for (int i = 0; i < 300 && r == 0; i++) {
		sqlscan_feed(sc, line, sizeof(line));
		r = sqlscan_next(sc, &ev, &e);
	}
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	ck_assert_str_eq(e.msg, "read f: line 1: a statement without end; damaged, or no SQL");
}
END_TEST

/* Pieces of COPY data lie where the caller put them, and are long. */
START_TEST(data_is_not_copied)
{
	enum { ROWS = 100000 };
	SQLSCAN_AUTO *sc = sqlscan_new("f", 0);
	BUF_AUTO b = BUF_INIT(1 << 22);
	struct sqlscan_event ev;
	struct err e = { 0 };
	unsigned events = 0;
	uint64_t rows = 0;

	buf_adds(&b, "copy t from stdin;\n");
	for (int i = 0; i < ROWS; i++)
		buf_adds(&b, "\\N\tsome text\n");
	buf_adds(&b, "\\.\n");
	sqlscan_feed(sc, b.s, b.len);
	while (sqlscan_next(sc, &ev, &e) > 0) {
		events++;
		rows += ev.rows;
		if (ev.kind == SQLSCAN_DATA)
			ck_assert(ev.text > b.s && ev.text < b.s + b.len);
	}
	ck_assert_uint_eq(events, 3);
	ck_assert_uint_eq(rows, ROWS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sqlscan");
	TCase *c = tcase_create("sqlscan");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, any_piece_size, 0, CASES(scripts));
	tcase_add_loop_test(c, end_reached, 0, CASES(ends));
	tcase_add_loop_test(c, nul, 0, CASES(nuls));
	tcase_add_test(c, too_long);
	tcase_add_test(c, data_is_not_copied);
	suite_add_tcase(s, c);
	return suite_run(s);
}
