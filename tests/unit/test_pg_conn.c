#include "lib/pg/conn.h"
#include "lib/pg/query.h"
#include "tests/unit/suite.h"

static const struct {
	const char *state;
	enum pg_why why;
} states[] = {
	{ "57014", PG_WHY_TIMEOUT },
	{ "55P03", PG_WHY_LOCKED },
	{ "40001", PG_WHY_CONFLICT },
	{ "40P01", PG_WHY_CONFLICT },
	{ "42501", PG_WHY_PERMISSION },
	{ "42P01", PG_WHY_MISSING },
	{ "XX001", PG_WHY_DAMAGED },
	{ "28P01", PG_WHY_AUTH },
	{ "28000", PG_WHY_AUTH },
	{ "3D000", PG_WHY_NO_DATABASE },
	{ "57P03", PG_WHY_BUSY },
	{ "57P04", PG_WHY_NO_DATABASE },
	{ "53300", PG_WHY_BUSY },
	{ "08006", PG_WHY_LOST },
	{ "22012", PG_WHY_OTHER },
	{ "00000", PG_WHY_OTHER },
	{ "", PG_WHY_LOST },
	{ NULL, PG_WHY_LOST },
};

START_TEST(state_table)
{
	ck_assert_int_eq(pg_why_of_sqlstate(states[_i].state), states[_i].why);
}
END_TEST

static const struct {
	const char *text;
	enum pg_why why;
} texts[] = {
	{ "connection to server at \"127.0.0.1\", port 1 failed: Connection refused",
	  PG_WHY_REFUSED },
	{ "connection to server on socket \"/x/.s.PGSQL.5432\" failed: No such file or directory",
	  PG_WHY_REFUSED },
	{ "FATAL:  password authentication failed for user \"app\"", PG_WHY_AUTH },
	{ "fe_sendauth: no password supplied", PG_WHY_AUTH },
	{ "FATAL:  no pg_hba.conf entry for host \"10.0.0.1\", user \"app\", database \"shop\"",
	  PG_WHY_AUTH },
	{ "FATAL:  role \"root\" does not exist", PG_WHY_AUTH },
	{ "FATAL:  database \"shop\" does not exist", PG_WHY_NO_DATABASE },
	{ "FATAL:  the database system is starting up", PG_WHY_BUSY },
	{ "FATAL:  sorry, too many clients already", PG_WHY_BUSY },
	{ "failed: timeout expired", PG_WHY_TIMEOUT },
	{ "server closed the connection unexpectedly", PG_WHY_LOST },
	{ "FATAL:  Passwort-Authentifizierung fehlgeschlagen", PG_WHY_OTHER },
	{ "", PG_WHY_OTHER },
	{ NULL, PG_WHY_OTHER },
};

START_TEST(text_table)
{
	ck_assert_int_eq(pg_why_of_text(texts[_i].text), texts[_i].why);
}
END_TEST

static const struct {
	const char *text, *secret, *want;
} words[] = {
	{ "connection failed: FATAL:  no\n", NULL, "connection failed: no" },
	{ "a failed: Connection refused\n\tIs the server running?\nb failed: timeout\n", "",
	  "a failed: Connection refused; b failed: timeout" },
	{ "with\ttab", NULL, "with\ttab" },
	{ "user:hunter2@host and hunter2", "hunter2", "user:***@host and ***" },
	{ "hunter", "hunter2", "hunter" },
	{ "a two\nlines b", "two\nlines", "a *** b" },
	{ "\n\nx\n\n", NULL, "x" },
	{ "", "x", "" },
};

START_TEST(words_table)
{
	BUF_AUTO b = BUF_INIT(200);

	pg_words(&b, words[_i].text, words[_i].secret);
	ck_assert_str_eq(b.s, words[_i].want);
}
END_TEST

static const struct {
	const char *conninfo;
	bool password, database;
} strings[] = {
	{ "host=db1 dbname=shop", false, true },
	{ "host=db1 user=backup", false, false },
	{ "host=db1 password=x", true, false },
	{ "host=db1 password=''", false, false },
	{ "host=db1 sslpassword=x", true, false },
	{ "postgresql://u:p@db1/shop", true, true },
	{ "postgres://u@db1", false, false },
	{ "service=shop", false, true },
	{ "shop", false, true },
	{ "password", false, true }, /* a database of that name */
	{ "", false, false },
	{ NULL, false, false },
	{ "password=a b", false, false }, /* does not parse; pg_open() refuses it */
};

START_TEST(string_table)
{
	ck_assert_int_eq(pg_has_password(strings[_i].conninfo), strings[_i].password);
	ck_assert_int_eq(pg_names_database(strings[_i].conninfo), strings[_i].database);
}
END_TEST

static const char *const refused[] = { "password=hunter2 hunter3",
				       "hunter2=x y",
				       "postgresql://u:hunter2@db1/shop?nonsense=1",
				       "host='unfinished hunter2",
				       "replication=database hunter2=1",
				       "replication=on password=hunter2" };

START_TEST(refused_without_its_words)
{
	struct pg_target t = { .what = "production", .conninfo = refused[_i] };
	struct err e = { 0 };
	PG_AUTO pg = { 0 };

	ck_assert_int_eq(pg_open(&pg, &t, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_null(strstr(e.msg, "hunter"));
	ck_assert_ptr_nonnull(strstr(e.msg, "production"));
}
END_TEST

START_TEST(nobody_there)
{
	struct pg_target t = { .what = "production",
			       .conninfo = "host=/nonexistent user=u password=hunter2 dbname=shop",
			       .env = PG_ENV_NONE };
	struct err e = { 0 };
	PG_AUTO pg = { 0 };

	(void)setenv("PGHOSTADDR", "127.0.0.1", 1);
	ck_assert_int_eq(pg_open(&pg, &t, &e), -1);
	ck_assert_int_eq(pg.why, PG_WHY_REFUSED);
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(e.msg, "/nonexistent"));
	ck_assert_ptr_null(strstr(e.msg, "hunter"));
	ck_assert_str_eq(getenv("PGHOSTADDR"), "127.0.0.1");
	(void)unsetenv("PGHOSTADDR");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_conn");
	TCase *c = tcase_create("pg_conn");

	tcase_add_loop_test(c, state_table, 0, CASES(states));
	tcase_add_loop_test(c, text_table, 0, CASES(texts));
	tcase_add_loop_test(c, words_table, 0, CASES(words));
	tcase_add_loop_test(c, string_table, 0, CASES(strings));
	tcase_add_loop_test(c, refused_without_its_words, 0, CASES(refused));
	tcase_add_test(c, nobody_there);
	suite_add_tcase(s, c);
	return suite_run(s);
}
