#include "lib/restore/relay.h"

#include "lib/base/io.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct tool tool = { .name = "test", .what = "t", .operands = "", .source = true };
static struct stage st;
static char out_path[64];
static int records_fd;

#define FIRST "{\"record\":\"check\",\"check\":\"a\",\"status\":\"ok\"}"
#define SECOND "{\"record\":\"x\"}"
#define ADDED "{\"record\":\"check\",\"check\":\"new\",\"status\":\"critical\"}"

/* Standard output goes into a file; the records so far are FIRST, SECOND, FIRST. */
static void set_up(void)
{
	char in[] = "/tmp/test_relay.XXXXXX";
	int fd;

	common.output = OUTPUT_RECORDS;
	(void)snprintf(out_path, sizeof(out_path), "/tmp/test_relay.XXXXXX");
	fd = mkostemp(out_path, O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	(void)fflush(stdout);
	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	io_close(&fd);
	records_fd = mkostemp(in, O_CLOEXEC);
	ck_assert_int_ge(records_fd, 0);
	(void)unlink(in);
	ck_assert_int_eq(io_write_all(records_fd, FIRST "\n" SECOND "\n" FIRST "\n",
				      strlen(FIRST "\n" SECOND "\n" FIRST "\n")),
			 0);
	stage_begin(&st, &tool);
}

static void tear_down(void)
{
	io_close(&records_fd);
	(void)unlink(out_path);
}

static const struct {
	const char *script;
	unsigned records, checks, strays;
	int status;
	const char *last; /* line that was passed on; NULL: none was */
} COMMANDS[] = {
	{ "cat", 0, 0, 0, 0, NULL },
	{ "cat >/dev/null", 0, 0, 0, 0, NULL },
	{ "cat; echo '" ADDED "'", 1, 1, 0, 0, ADDED },
	{ "echo '" ADDED "'; cat", 1, 1, 0, 0, ADDED },
	{ "read a; echo '" ADDED "'; echo \"$a\"; cat; exit 2", 1, 1, 0, 2, ADDED },
	{ "grep -v '\"x\"'; echo '" ADDED "'", 1, 1, 0, 0, ADDED },
	{ "cat; echo '" SECOND "'", 1, 0, 0, 0, SECOND }, /* fed once, written twice: new */
	{ "cat; echo '" FIRST "'", 1, 1, 0, 0, FIRST },   /* the same, but fed twice */
	{ "cat; echo 42 rows", 0, 0, 1, 0, NULL },
	{ "cat; printf '{\"record\":'", 0, 0, 1, 0, NULL }, /* its writer died */
	{ "exec >&-; exit 3", 0, 0, 0, 3, NULL },
	{ "kill -9 $$", 0, 0, 0, -9, NULL },
	{ "exec sleep 0", 0, 0, 0, 0, NULL },
};

static const char *last_line(struct buf *b)
{
	const char *line;

	if (b->len)
		b->s[b->len - 1] = '\0';
	line = strrchr(b->s, '\n');
	return line ? line + 1 : b->s;
}

START_TEST(command)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(COMMANDS[_i].script),
			       NULL };
	BUF_AUTO b = BUF_INIT(10000);
	struct relay_result r;
	struct err e = { 0 };

	ck_assert_msg(relay_run(&st, argv, records_fd, &r, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(r.records, COMMANDS[_i].records);
	ck_assert_uint_eq(r.checks, COMMANDS[_i].checks);
	ck_assert_uint_eq(r.strays, COMMANDS[_i].strays);
	if (COMMANDS[_i].status < 0)
		ck_assert_int_eq(WTERMSIG(r.status), -COMMANDS[_i].status);
	else
		ck_assert_int_eq(WEXITSTATUS(r.status), COMMANDS[_i].status);
	ck_assert_int_eq(io_slurp(out_path, &b, &e), 0);
	if (COMMANDS[_i].last)
		ck_assert_str_eq(last_line(&b), COMMANDS[_i].last);
	else
		ck_assert_ptr_nonnull(strstr(last_line(&b), "\"event\":\"begin\""));
	free(argv[2]);
}
END_TEST

#define A_CHECK(status) "{\"record\":\"check\",\"status\":\"" status "\"}"

/* The exit status of COMMAND's pipe is its last tool's; the first one's finding counts too. */
START_TEST(worst_check)
{
	char *const argv[] = {
		(char[]){ "sh" }, (char[]){ "-c" },
		(char[]){ "cat; echo '" A_CHECK("critical") "'; echo '" A_CHECK("ok") "'" }, NULL
	};
	struct relay_result r;
	struct err e = { 0 };

	ck_assert_int_eq(relay_run(&st, argv, records_fd, &r, &e), 0);
	ck_assert_uint_eq(r.checks, 2);
	ck_assert_int_eq(r.worst, V_CRITICAL);
}
END_TEST

START_TEST(no_such_command)
{
	char *const argv[] = { (char[]){ "no-such-command-x" }, NULL };
	struct relay_result r;
	struct err e = { 0 };

	ck_assert_int_eq(relay_run(&st, argv, records_fd, &r, &e), -1);
	ck_assert_str_eq(e.msg, "run no-such-command-x: No such file or directory; install it or "
				"correct PATH");
}
END_TEST

/* Many lines, more than any pipe holds, do not block either side. */
START_TEST(long_stream)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
			       (char[]){ "cat; cat </dev/null; echo '" ADDED "'" }, NULL };
	struct relay_result r;
	struct err e = { 0 };
	char line[128];

	for (int i = 0; i < 20000; i++) {
		int n = snprintf(line, sizeof(line), "{\"record\":\"check\",\"n\":%d}\n", i);

		ck_assert_int_eq(io_write_all(records_fd, line, (size_t)n), 0);
	}
	ck_assert_int_eq(relay_run(&st, argv, records_fd, &r, &e), 0);
	ck_assert_uint_eq(r.records, 1);
}
END_TEST

START_TEST(hashes)
{
	struct relay_fed f = { 0 };

	ck_assert(!relay_fed_take(&f, "a", 1));
	relay_fed_add(&f, "a", 1);
	relay_fed_add(&f, "b", 1);
	relay_fed_add(&f, "c", 1);
	ck_assert(relay_fed_take(&f, "a", 1));
	ck_assert(relay_fed_take(&f, "c", 1));
	ck_assert(!relay_fed_take(&f, "b", 1)); /* passed already */
	ck_assert(!relay_fed_take(&f, "c", 1));
	relay_fed_free(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("relay");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, command, 0, (int)(sizeof(COMMANDS) / sizeof(COMMANDS[0])));
	tcase_add_test(t, worst_check);
	tcase_add_test(t, no_such_command);
	tcase_add_test(t, long_stream);
	tcase_add_test(t, hashes);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_FORK); /* each test has its standard output bent */
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
