#ifndef LIB_RESTORE_OUTSIDE_H
#define LIB_RESTORE_OUTSIDE_H
/*
 * outside: statements that act outside the database they run in. No dump needs them; a restore
 * refuses them by name, and the report can say what they are after. What functions do when they run
 * is for the server's isolation to stop (lib/base/isolate.h): that is the wall, this explains.
 */
#include <stddef.h>

/* What it does, for people ("runs a program"); NULL: it stays inside. */
const char *outside(const char *statement, size_t n);

/* The same for a text of several statements: of the first one that does. */
const char *outside_any(const char *text, size_t n);
#endif
