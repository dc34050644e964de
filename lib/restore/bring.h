#ifndef LIB_RESTORE_BRING_H
#define LIB_RESTORE_BRING_H
/*
 * bring: a backup that only the program which keeps it can read (lib/keeper/keeper.h): which one is
 * meant, and having it restored into the private directory. From there on it is a base backup like
 * any other (physical.h), but that its files are ours to move.
 *
 * The program needs the repository, so it runs outside of the seal, as the user that all else will
 * run as.
 */
#include "lib/keeper/keeper.h"
#include "lib/restore/source.h"
#include "lib/restore/target.h"

struct bring {
	struct keeper keeper;
	char *backup; /* owned */
	unsigned repo;
	uint64_t bytes; /* that it restores to */
};

/* Is it one, by what the user named (may be NULL), else by the records? */
bool bring_claims(const struct source *s, const char *given);

/* Asks for the list and chooses: the one that the records name, else the newest; for a target in
 * the past the last one before it. Fills *s, and *who: user (may be NULL), else whom the program
 * runs as. Released by bring_free() even after -1. */
int bring_settle(struct bring *b, struct source *s, const char *given, const struct target *target,
		 const char *user, struct identity *who, struct err *e);
void bring_free(struct bring *b);

/* Where it now is, in dir, the caller's to free; NULL with *e. max_disk_b: 0 for no limit. *ms: how
 * long it took. */
char *bring_run(const struct bring *b, const char *dir, unsigned jobs, uint64_t max_disk_b,
		int64_t *ms, struct err *e);
#endif
