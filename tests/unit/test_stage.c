#include "lib/base/io.h"
#include "lib/base/stage.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* One stage in a child, with text on its standard input; what it wrote and its exit status. */
struct outcome {
	char out[RECORD_MAX];
	int status;
};

static struct tool filter = { .name = "filter", .options = (const struct opt[]){ OPT_TABLE_END } };
static struct tool source = { .name = "source",
			      .options = (const struct opt[]){ OPT_TABLE_END },
			      .source = true };

static int run_empty(struct stage *st)
{
	return stage_end(st);
}

static int run_one_check(struct stage *st)
{
	struct check c;

	stage_drain(st);
	check_init(&c, "thing", "it");
	check_say(&c, V_WARNING, "odd");
	stage_check(st, &c);
	return stage_end(st);
}

static int run_sleep(struct stage *st)
{
	sleep(20);
	return stage_end(st);
}

static int run_fail(struct stage *st)
{
	struct err e = { 0 };

	(void)err_set(&e, ERR_BACKUP, "the file is cut");
	return stage_fail(st, "thing", "", &e);
}

static void play(const struct tool *t, enum output output, int (*body)(struct stage *),
		 const char *input, struct outcome *o)
{
	int in[2], out[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		struct stage st;

		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		common.output = output;
		stage_begin(&st, t);
		_exit(body(&st));
	}
	close(in[0]);
	close(out[1]);
	/* A stage that does not read may be gone already. */
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert(io_write_all(in[1], input, strlen(input)) == 0 || errno == EPIPE);
	close(in[1]);
	n = io_read_full(out[0], o->out, sizeof(o->out) - 1);
	ck_assert_int_ge(n, 0);
	o->out[n] = '\0';
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	o->status = WEXITSTATUS(status);
	close(out[0]);
}

static const char upstream[] = "{\"record\":\"stage\",\"tool\":\"up\",\"run\":\"R1\",\"label\":"
			       "\"shop\",\"event\":\"begin\"}\n"
			       "{ \"record\" : \"strange\", \"big\": 9007199254740993 }\n";

START_TEST(lines_pass_unchanged_and_first)
{
	static struct outcome o;

	play(&filter, OUTPUT_RECORDS, run_one_check, upstream, &o);
	ck_assert_int_eq(o.status, V_WARNING);
	/* The first line, then our begin with its run and label, then the rest as it came. */
	ck_assert(strncmp(o.out, upstream, (size_t)(strchr(upstream, '\n') - upstream) + 1) == 0);
	ck_assert(strstr(o.out, "{ \"record\" : \"strange\", \"big\": 9007199254740993 }\n"));
}
END_TEST

START_TEST(run_and_label_are_adopted)
{
	static struct outcome o;
	const char *begin;

	play(&filter, OUTPUT_RECORDS, run_empty, upstream, &o);
	begin = strstr(o.out, "\"tool\":\"filter\",\"run\":\"R1\"");
	ck_assert_ptr_nonnull(begin);
	ck_assert_ptr_nonnull(strstr(begin, "\"label\":\"shop\""));
}
END_TEST

START_TEST(nothing_checked_is_unknown)
{
	static struct outcome o;

	play(&filter, OUTPUT_RECORDS, run_empty, "", &o);
	ck_assert_int_eq(o.status, V_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(o.out, "\"check\":\"nothing-checked\""));
	ck_assert_ptr_nonnull(strstr(o.out, "\"event\":\"end\",\"status\":\"unknown\""));
}
END_TEST

START_TEST(a_line_that_is_no_record_is_one_finding_and_goes_no_further)
{
	static struct outcome o;

	play(&filter, OUTPUT_RECORDS, run_one_check, "psql: error: no such host\n", &o);
	ck_assert_int_eq(o.status, V_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(o.out, "\"check\":\"input-record\""));
	ck_assert_ptr_null(strstr(o.out, "\npsql"));
	ck_assert(strncmp(o.out, "psql", 4) != 0);
}
END_TEST

START_TEST(a_source_does_not_read)
{
	static struct outcome o;

	play(&source, OUTPUT_RECORDS, run_one_check, upstream, &o);
	ck_assert_int_eq(o.status, V_WARNING);
	ck_assert_ptr_null(strstr(o.out, "strange"));
}
END_TEST

START_TEST(a_plugin_prints_one_line_and_does_not_read)
{
	static struct outcome o;

	play(&filter, OUTPUT_NAGIOS, run_one_check, upstream, &o);
	ck_assert_int_eq(o.status, V_WARNING);
	ck_assert_ptr_null(strchr(o.out, '{'));
	ck_assert_ptr_eq(strchr(o.out, '\n'), o.out + strlen(o.out) - 1);
	ck_assert_ptr_nonnull(strstr(o.out, "WARNING"));
}
END_TEST

START_TEST(the_time_limit_ends_even_a_tool_that_hangs)
{
	static struct outcome o;

	common.timeout_s = 1;
	play(&source, OUTPUT_RECORDS, run_sleep, "", &o);
	ck_assert_int_eq(o.status, V_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(o.out, "\"check\":\"timeout\""));
	ck_assert_ptr_nonnull(strstr(o.out, "\"event\":\"end\""));
}
END_TEST

START_TEST(a_bad_backup_is_critical)
{
	static struct outcome o;

	play(&filter, OUTPUT_RECORDS, run_fail, upstream, &o);
	ck_assert_int_eq(o.status, V_CRITICAL);
	ck_assert_ptr_nonnull(strstr(o.out, "strange"));
}
END_TEST

START_TEST(a_full_disk_behind_standard_output_is_unknown)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct stage st;

		if (freopen("/dev/null", "w", stderr) == NULL ||
		    freopen("/dev/full", "w", stdout) == NULL)
			_exit(99);
		common.output = OUTPUT_RECORDS;
		stage_begin(&st, &source);
		_exit(run_one_check(&st));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), V_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stage");
	TCase *c = tcase_create("stage");

	tcase_add_test(c, lines_pass_unchanged_and_first);
	tcase_add_test(c, run_and_label_are_adopted);
	tcase_add_test(c, nothing_checked_is_unknown);
	tcase_add_test(c, a_line_that_is_no_record_is_one_finding_and_goes_no_further);
	tcase_add_test(c, a_source_does_not_read);
	tcase_add_test(c, a_plugin_prints_one_line_and_does_not_read);
	tcase_add_test(c, the_time_limit_ends_even_a_tool_that_hangs);
	tcase_add_test(c, a_bad_backup_is_critical);
	tcase_add_test(c, a_full_disk_behind_standard_output_is_unknown);
	suite_add_tcase(s, c);
	return suite_run(s);
}
