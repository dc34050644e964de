#ifndef LIB_STORAGE_AWSPROCESS_H
#define LIB_STORAGE_AWSPROCESS_H
/*
 * awsprocess: keys from a program, the profile's credential_process ("Process credential provider",
 * AWS SDKs and Tools Reference Guide). It runs without a shell; what it says on standard error goes
 * to ours, what it prints is nowhere shown.
 */
#include "lib/base/strv.h"
#include "lib/storage/awskey.h"

int awsprocess_run(const char *command, struct awskey *out, struct err *e);

/* The words of a command line: blanks part them, '...' and "..." hold them together, and a
 * backslash (not within '...') takes the next character as it is. -1: a quote is not closed, or
 * there is no word. */
int awsprocess_split(const char *command, struct strv *words, struct err *e);
#endif
