#ifndef TESTS_UNIT_JSON_H
#define TESTS_UNIT_JSON_H
/*
 * json: JSON in tables of cases, written with single quotes because that reads better in C.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Any JSON value; the caller's. */
static inline json_t *json_of(const char *single_quoted)
{
	char *copy = strdup(single_quoted);
	json_t *value;

	ck_assert_ptr_nonnull(copy);
	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	ck_assert_msg(value != NULL, "not JSON: %s", copy);
	free(copy);
	return value;
}
#endif
