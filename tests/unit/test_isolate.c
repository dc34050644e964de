#include "lib/base/isolate.h"

#include "lib/base/proc.h"

#include <check.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Lists the network devices as a program sees them. */
static int devices(const struct isolate *in, struct buf *out, struct err *e)
{
	char *argv[] = { (char[]){ "sed" }, (char[]){ "-n" },
			 (char[]){ "s/^ *\\([^ :]*\\):.*/\\1/p" }, (char[]){ "/proc/net/dev" },
			 NULL };
	struct identity who;
	struct proc p = { .argv = argv, .in = in, .as = &who };
	int status;

	if (identity_unprivileged(NULL, &who, e) < 0)
		return -1;
	return proc_capture(&p, 10, out, &status, e) < 0 ? -1 : status;
}

static void sees_loopback_only(void)
{
	BUF_AUTO out = BUF_INIT(4096);
	struct isolate in;
	struct err e = { 0 };

	if (isolate_network(&in, &e) < 0) {
		ck_assert(!in.network);
		ck_assert_int_eq(strncmp(e.msg, "make a network namespace: ", 26), 0);
		(void)fprintf(stderr, "test_isolate: %s: not tried\n", e.msg);
		return;
	}
	ck_assert_msg(devices(&in, &out, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(out.s, "lo\n");
}

START_TEST(no_network)
{
	sees_loopback_only();
}
END_TEST

START_TEST(no_network_as_nobody)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
		    setresuid(65534, 65534, 65534) < 0)
			_exit(99);
		(void)prctl(PR_SET_DUMPABLE, 1); /* as after an exec */
		sees_loopback_only();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(network_as_it_is)
{
	BUF_AUTO with = BUF_INIT(4096);
	BUF_AUTO without = BUF_INIT(4096);
	struct isolate none = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(devices(&none, &with, &e), 0);
	ck_assert_int_eq(devices(NULL, &without, &e), 0);
	ck_assert_str_eq(with.s, without.s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("isolate");
	TCase *t = tcase_create("isolate");
	SRunner *r;
	int failed;

	tcase_add_test(t, no_network);
	if (geteuid() == 0)
		tcase_add_test(t, no_network_as_nobody);
	tcase_add_test(t, network_as_it_is);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
