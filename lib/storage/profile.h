#ifndef LIB_STORAGE_PROFILE_H
#define LIB_STORAGE_PROFILE_H
/*
 * profile: the file format of ~/.aws/credentials and ~/.aws/config ("Shared config and
 * credentials files", AWS SDKs and Tools Reference Guide): [section] lines, key = value lines,
 * whole-line comments with '#' or ';', and one level of nesting: an indented "key = value" below
 * a "name =" without a value.
 */
#include "lib/base/err.h"

#include <stddef.h>

struct profile_item {
	const char *section; /* "default", "profile prod", "services mine"; quotes removed */
	const char *parent;  /* "" outside a nested block */
	const char *key;
	const char *value;
};

/* Calls each for every setting, in order; the strings are valid during the call only. Broken
 * lines are ERR_USAGE with the line's number (never with its text: it may be a secret). */
int profile_parse(const char *text, size_t len,
		  void (*each)(const struct profile_item *item, void *ctx), void *ctx,
		  struct err *e);
#endif
