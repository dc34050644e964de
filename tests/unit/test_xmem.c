#include "lib/base/xmem.h"

#include "lib/base/verdict.h"
#include "tests/unit/suite.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(nothing_is_still_a_pointer)
{
	AUTO_FREE void *a = xmalloc(0);
	AUTO_FREE void *b = xcalloc(0, 0);
	AUTO_FREE void *c = xrealloc(NULL, 0, 8);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_nonnull(c);
}
END_TEST

START_TEST(zeroed_and_grown)
{
	AUTO_FREE unsigned char *p = xcalloc(100, 3);

	for (int i = 0; i < 300; i++)
		ck_assert_uint_eq(p[i], 0);
	p[299] = 7;
	p = xrealloc(p, 1000, 1);
	ck_assert_uint_eq(p[299], 7);
}
END_TEST

START_TEST(strings)
{
	AUTO_FREE char *a = xstrdup("shop");
	AUTO_FREE char *b = xstrndup("shopping", 4);
	AUTO_FREE char *c = xasprintf("%s-%d", a, 15);
	AUTO_FREE char *d = xasprintf("%s", "");

	ck_assert_str_eq(a, b);
	ck_assert_str_eq(c, "shop-15");
	ck_assert_str_eq(d, "");
}
END_TEST

/* In a child of our own: out of memory ends the process with "could not look". */
START_TEST(too_much_ends_with_unknown)
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		(void)close(STDERR_FILENO);
		(void)xrealloc(NULL, SIZE_MAX / 2, 3);
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), V_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xmem");
	TCase *c = tcase_create("xmem");

	tcase_add_test(c, nothing_is_still_a_pointer);
	tcase_add_test(c, zeroed_and_grown);
	tcase_add_test(c, strings);
	tcase_add_test(c, too_much_ends_with_unknown);
	suite_add_tcase(s, c);
	return suite_run(s);
}
