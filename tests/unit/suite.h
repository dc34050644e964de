#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H
/*
 * suite: what every unit program's main() ends with, and the length of a table of cases.
 */
#include <check.h>
#include <stdlib.h>

#define CASES(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Runs the suite as CK_VERBOSITY and CK_FORK say: the exit status of main(). */
static inline int suite_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#endif
