#ifndef LIB_RESTORE_WALWIRE_H
#define LIB_RESTORE_WALWIRE_H
/*
 * walwire: how the restorer, which has no network and sees no archive (seal.h), asks for files of
 * the WAL archive the process outside that has both (walstore.h): a packet with a name, answered by
 * a packet with an open file. No path crosses, so neither side can lead the other astray.
 */
#include "lib/base/err.h"

#include <stdbool.h>

enum { WALWIRE_NAME = 64 };

/* Two ends, close-on-exec. */
int walwire_open(int ends[2], struct err *e);

/* The inside. 1: *fd is open, the caller's, at its beginning; 0: there is no such file; -1. The
 * name
 * "" stands for the list of all names, a line each, sorted. */
int walwire_ask(int end, const char *name, int *fd, struct err *e);

/* The outside. False: nobody asks any more. */
bool walwire_hear(int end, char name[WALWIRE_NAME]);

/* found 1 with fd, which stays the caller's; 0; -1 with *e. */
void walwire_answer(int end, int found, int fd, const struct err *e);
#endif
