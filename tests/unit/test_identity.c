#include "lib/base/identity.h"

#include "tests/unit/suite.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs body() as nobody (from root) or as ourselves, in a child; its exit status. */
static int in_child(bool as_nobody, int (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		const struct passwd *pw = getpwnam("nobody");

		if (as_nobody &&
		    (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		     setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0))
			_exit(99);
		_exit(body());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int plain_user(void)
{
	struct identity id;
	struct err e = { 0 };

	if (identity_unprivileged(NULL, &id, &e) < 0 || id.drops || id.uid != geteuid())
		return 1;
	if (identity_unprivileged(id.name, &id, &e) < 0)
		return 2;
	if (identity_unprivileged("daemon", &id, &e) == 0 || e.kind != ERR_USAGE ||
	    strstr(e.msg, "only root can become somebody else") == NULL)
		return 3;
	if (identity_unprivileged(NULL, &id, &e) < 0 || identity_become(&id) < 0)
		return 4;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

static int unnamed_user(void)
{
	struct identity id;
	struct err e = { 0 };

	if (setresuid(54321, 54321, 54321) < 0)
		return 1;
	if (identity_unprivileged(NULL, &id, &e) < 0 || id.drops)
		return 2;
	return strcmp(id.name, "54321") == 0 ? 0 : 3;
}

static int drop_from_root(void)
{
	struct identity id;
	struct err e = { 0 };
	gid_t groups[8];

	if (identity_unprivileged("nobody", &id, &e) < 0 || !id.drops || id.uid == 0)
		return 1;
	if (identity_become(&id) < 0)
		return 2;
	if (getuid() != id.uid || geteuid() != id.uid || getgid() != id.gid)
		return 3;
	if (getgroups(8, groups) != 1 || groups[0] != id.gid)
		return 4;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return 5;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 6;
}

START_TEST(plain)
{
	ck_assert_int_eq(in_child(geteuid() == 0, plain_user), 0);
}
END_TEST

START_TEST(root_drops)
{
	ck_assert_int_eq(in_child(false, drop_from_root), 0);
	ck_assert_int_eq(in_child(false, unnamed_user), 0);
}
END_TEST

START_TEST(root_chooses)
{
	struct identity id;
	struct err e = { 0 };
	const char *usual = getpwnam("postgres") ? "postgres" : "nobody";

	ck_assert_int_eq(identity_unprivileged(NULL, &id, &e), 0);
	ck_assert_str_eq(id.name, usual);
	ck_assert(id.drops);
	ck_assert_int_eq(identity_unprivileged("root", &id, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.msg, "refuses to run as root"));
	ck_assert_int_eq(identity_unprivileged("no-such-user-x", &id, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "no such user"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("identity");
	TCase *t = tcase_create("identity");

	tcase_add_test(t, plain);
	if (geteuid() == 0) {
		tcase_add_test(t, root_drops);
		tcase_add_test(t, root_chooses);
	}
	suite_add_tcase(s, t);
	return suite_run(s);
}
