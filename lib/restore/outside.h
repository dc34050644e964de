#ifndef LIB_RESTORE_OUTSIDE_H
#define LIB_RESTORE_OUTSIDE_H
/*
 * outside: statements that act outside the database they run in. No dump needs them; a restore
 * refuses them by name. (What functions and DO blocks may do at run time is for the server's
 * isolation to stop.)
 */
#include <stddef.h>

/* What it does, for people ("runs a program"); NULL: it stays inside. */
const char *outside(const char *statement, size_t n);
#endif
