#include "tests/unit/supervised.h"

static int work_and_end(void *ctx)
{
	tell();
	return *(const int *)ctx;
}

static int work_and_crash(void *ctx)
{
	(void)ctx;
	tell();
	(void)raise(SIGKILL);
	return 0;
}

START_TEST(ends_by_itself)
{
	int value = 2;
	struct result r;

	start((struct supervise){ .work = work_and_end, .ctx = &value, .grace_s = 5 });
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_DONE);
	ck_assert(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 2);
	ck_assert_int_eq(r.signal, 0);
}
END_TEST

START_TEST(work_crashes)
{
	struct result r;

	start((struct supervise){ .work = work_and_crash, .grace_s = 5 });
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_DONE);
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
}
END_TEST

static const int STOPS[] = { SIGINT, SIGTERM, SIGHUP };

START_TEST(signal_stops)
{
	struct result r;

	start((struct supervise){ .work = work_for_ever, .grace_s = 30 });
	ck_assert_int_eq(kill(now.supervisor, STOPS[_i]), 0);
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_SIGNAL);
	ck_assert_int_eq(r.signal, STOPS[_i]);
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGTERM);
}
END_TEST

START_TEST(stubborn_work_is_killed)
{
	int64_t began = mono_ms();
	struct result r;

	start((struct supervise){ .work = work_stubborn, .grace_s = 1 });
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	r = finish();
	ck_assert_int_ge(mono_ms() - began, 900);
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
}
END_TEST

START_TEST(second_signal_hurries)
{
	start((struct supervise){ .work = work_stubborn, .grace_s = 3600 });
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	(void)poll(NULL, 0, 200);
	ck_assert_int_eq(kill(now.supervisor, SIGINT), 0);
	ck_assert_int_eq(finish().signal, SIGTERM);
}
END_TEST

START_TEST(limit_ends)
{
	int64_t began = mono_ms();
	struct result r;

	start((struct supervise){ .work = work_for_ever, .limit_s = 1, .grace_s = 5 });
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_LIMIT);
	ck_assert_int_eq(r.signal, 0);
	ck_assert_int_ge(mono_ms() - began, 900);
}
END_TEST

/* Under nohup, SIGHUP does not end the work. */
START_TEST(ignored_signals_stay_ignored)
{
	struct result r;

	(void)signal(SIGHUP, SIG_IGN);
	start((struct supervise){ .work = work_for_ever, .limit_s = 1, .grace_s = 5 });
	ck_assert_int_eq(kill(now.supervisor, SIGHUP), 0);
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_LIMIT);
	(void)signal(SIGHUP, SIG_DFL);
}
END_TEST

/* A parent that ignores SIGCHLD hands that on; we still see the end. */
START_TEST(ignored_children_are_seen)
{
	int value = 0;

	now.supervisor = fork();
	if (now.supervisor == 0) {
		struct supervise s = { .work = work_and_end, .clean_up = cleaned, .ctx = &value };
		struct result r = { 0 };
		struct err e = { 0 };

		(void)signal(SIGCHLD, SIG_IGN);
		r.ret = supervise_run(&s, &r.status, &r.end, &r.signal, &e);
		(void)io_write_all(now.report[1], &r, sizeof(r));
		_exit(0);
	}
	ck_assert_int_eq(io_read_full(now.tell[0], &now.told, sizeof(now.told)), sizeof(now.told));
	ck_assert_int_eq(finish().status, 0);
}
END_TEST

/* Children that the process had before are none of our business. */
START_TEST(earlier_children_are_spared)
{
	struct supervise s = { .work = work_and_end, .clean_up = cleaned, .ctx = &(int){ 0 } };
	enum supervise_end end;
	struct err e = { 0 };
	int status;
	pid_t mine = fork();

	if (mine == 0) {
		(void)fork(); /* and theirs */
		for (;;)
			(void)pause();
	}
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(supervise_run(&s, &status, &end, NULL, &e), 0);
	ck_assert_int_eq(waitpid(mine, &status, WNOHANG), 0);
	ck_assert(proctree_kill_below(getpid(), NULL, DEADLINE_MS));
}
END_TEST

static int failing(void *ctx, struct err *e)
{
	(void)ctx;
	return err_set(e, ERR_SYSTEM, "prepare it: no");
}

START_TEST(prepare_fails)
{
	struct supervise s = { .prepare = failing, .work = work_for_ever, .clean_up = cleaned };
	enum supervise_end end;
	struct err e = { 0 };
	int status;

	ck_assert_int_eq(supervise_run(&s, &status, &end, NULL, &e), -1);
	ck_assert_str_eq(e.msg, "prepare it: no");
	expect_cleaned(0);
}
END_TEST

static int signalled_meanwhile(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return raise(SIGTERM);
}

/* A signal between the making of something and its supervision is not lost. */
START_TEST(signal_during_prepare)
{
	launch((struct supervise){
		.prepare = signalled_meanwhile, .work = work_for_ever, .grace_s = 5 });
	ck_assert_int_eq(finish().signal, SIGTERM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("supervise");
	TCase *t = tcase_create("supervise");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, ends_by_itself);
	tcase_add_test(t, work_crashes);
	tcase_add_loop_test(t, signal_stops, 0, CASES(STOPS));
	tcase_add_test(t, stubborn_work_is_killed);
	tcase_add_test(t, second_signal_hurries);
	tcase_add_test(t, limit_ends);
	tcase_add_test(t, ignored_signals_stay_ignored);
	tcase_add_test(t, ignored_children_are_seen);
	tcase_add_test(t, earlier_children_are_spared);
	tcase_add_test(t, prepare_fails);
	tcase_add_test(t, signal_during_prepare);
	suite_add_tcase(s, t);
	return suite_run(s);
}
