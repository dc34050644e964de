#ifndef LIB_RESTORE_WALSTORE_H
#define LIB_RESTORE_WALSTORE_H
/*
 * walstore: the WAL archive of a recovery: any source of storage.h, or the repository of a program
 * (keeper.h), listed once; files are fetched
 * ahead of the questions (walwire.h), several at a time, as they are stored. Unpacking them is left
 * to the inside, for they are untrusted.
 *
 * What a file is its name says: lib/physical/walfile.h. Folders do not matter.
 */
#include "lib/base/err.h"
#include "lib/keeper/keeper.h"
#include "lib/storage/storage.h"

#include <stdbool.h>

struct walstore_opts {
	const char *source;
	const struct storage_access *access; /* may be NULL */
	const struct keeper *keeper;         /* the program to ask instead of source; NULL */
	const char *dir;                     /* private: for the files, on their way */
};

/* In a process of its own: answers until the other end is closed. */
_Noreturn void walstore_serve(const struct walstore_opts *opts, int end);

/* The name that a recovering server calls a file by: key is filled. False: it is none. */
bool walstore_key(const char *object, char key[32]);
#endif
