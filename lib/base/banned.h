#ifndef LIB_BASE_BANNED_H
#define LIB_BASE_BANNED_H
/*
 * banned: calls that this project does not make, force-included into every file. Each has a
 * bounded, re-entrant or shell-free counterpart (buf, snprintf, utc, proc).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang's fortified headers make these two macros, and a macro cannot be poisoned. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok
#pragma GCC poison gmtime localtime ctime asctime mktemp tmpnam tempnam
#pragma GCC poison system popen atoi atol atoll atof
#endif
