/* What supervise.h promises of its watchdog. */
#include "tests/unit/supervised.h"

#include <string.h>

static pid_t find_watchdog(void)
{
	struct proc_list l = { 0 };
	pid_t found = 0;

	proctree_below(now.supervisor, NULL, &l);
	for (size_t i = 0; i < l.n; i++) {
		char path[64];
		BUF_AUTO name = BUF_INIT(64);
		struct err e;

		(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)l.v[i].pid);
		if (io_slurp(path, &name, &e) == 0 && strcmp(name.s, "watchdog\n") == 0)
			found = l.v[i].pid;
	}
	proc_list_free(&l);
	return found;
}

/* It takes its name a moment after it was started. */
static pid_t watchdog(void)
{
	int64_t deadline = mono_ms() + DEADLINE_MS;
	pid_t found = find_watchdog();

	while (found == 0 && mono_ms() < deadline) {
		(void)poll(NULL, 0, 10);
		found = find_watchdog();
	}
	ck_assert_int_gt(found, 0);
	return found;
}

/* Ctrl-C at a terminal goes to the whole foreground group: not to the work, not to the watchdog. */
START_TEST(signal_to_the_group)
{
	start((struct supervise){ .work = work_for_ever, .grace_s = 30 });
	ck_assert_int_ne(getpgid(now.told.work), now.supervisor);
	ck_assert_int_ne(getpgid(watchdog()), now.supervisor);
	ck_assert_int_ne(getsid(watchdog()), getsid(now.supervisor));
	ck_assert_int_eq(kill(-now.supervisor, SIGINT), 0);
	ck_assert_int_eq(finish().end, SUPERVISE_SIGNAL);
}
END_TEST

START_TEST(supervisor_is_killed)
{
	pid_t dog;
	int status;

	start((struct supervise){ .work = work_stubborn, .grace_s = 3600 });
	dog = watchdog();
	ck_assert_int_eq(kill(-now.supervisor, SIGKILL), 0);
	ck_assert_int_eq(waitpid(now.supervisor, &status, 0), now.supervisor);
	expect_cleaned(1);
	ck_assert(gone(now.told.work));
	for (int i = 0; i < HELPERS; i++)
		ck_assert(gone(now.told.helper[i]));
	ck_assert(gone(dog));
}
END_TEST

START_TEST(watchdog_is_killed)
{
	start((struct supervise){ .work = work_for_ever, .grace_s = 5 });
	ck_assert_int_eq(kill(watchdog(), SIGKILL), 0);
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	ck_assert_int_eq(finish().end, SUPERVISE_SIGNAL);
}
END_TEST

/* Nothing but a kill -9 moves the watchdog. */
START_TEST(watchdog_is_deaf)
{
	pid_t dog;

	start((struct supervise){ .work = work_for_ever, .grace_s = 5 });
	dog = watchdog();
	ck_assert_int_eq(kill(dog, SIGTERM), 0);
	ck_assert_int_eq(kill(dog, SIGHUP), 0);
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(watchdog(), dog);
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	(void)finish();
}
END_TEST

/* A reader of the supervisor's output sees its end although the watchdog is still there. */
START_TEST(watchdog_holds_no_pipe)
{
	int status, p[2];
	pid_t dog;
	char c;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	start((struct supervise){ .work = work_for_ever, .grace_s = 5 });
	dog = watchdog();
	io_close(&p[1]);
	ck_assert_int_eq(kill(dog, SIGSTOP), 0);
	ck_assert_int_eq(kill(now.supervisor, SIGKILL), 0);
	ck_assert_int_eq(kill(-now.told.work, SIGKILL), 0);
	for (int i = 0; i < HELPERS; i++)
		(void)kill(now.told.helper[i], SIGKILL);
	ck_assert_int_eq(io_read_full(p[0], &c, 1), 0);
	io_close(&p[0]);
	ck_assert_int_eq(kill(dog, SIGCONT), 0);
	ck_assert_int_eq(waitpid(now.supervisor, &status, 0), now.supervisor);
	expect_cleaned(1);
	ck_assert(gone(dog));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("watchdog");
	TCase *t = tcase_create("watchdog");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, signal_to_the_group);
	tcase_add_test(t, supervisor_is_killed);
	tcase_add_test(t, watchdog_is_killed);
	tcase_add_test(t, watchdog_is_deaf);
	tcase_add_test(t, watchdog_holds_no_pipe);
	suite_add_tcase(s, t);
	return suite_run(s);
}
