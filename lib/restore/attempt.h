#ifndef LIB_RESTORE_ATTEMPT_H
#define LIB_RESTORE_ATTEMPT_H
/*
 * attempt: one supervised restore: the private directory, the process that restores
 * (restorer.h), COMMAND, and the end of it all. The three functions are what supervise.h asks for;
 * ctx is a struct attempt.
 *
 * Who runs as whom: attempt_work() stays what the tool is, for COMMAND may need our files (a
 * password file for production); it reads nothing of the backup. The restorer and all that it
 * starts are the unprivileged user in a place of their own (seal.h); it lasts as long as its
 * server, for in its namespaces it is the first process, with which all others end.
 */
#include "lib/base/stage.h"
#include "lib/base/tmpdir.h"
#include "lib/restore/bring.h"
#include "lib/restore/restorer.h"
#include "lib/restore/watch.h"
#include "lib/storage/storage.h"

struct attempt {
	struct stage *st;
	int records_fd; /* the stage's tee: all records so far, for COMMAND */
	const struct source *source;
	const struct bring *bring; /* NULL: the source is a path */
	struct identity who;
	struct restore_job job; /* all but source, path, dir and who */
	const char *work_dir;   /* NULL: $TMPDIR or /tmp */
	char *const *command;   /* NULL: none */
	uint64_t keep_for_s;    /* hold the server for people, unless told to stop; 0: do not */
	bool require_isolation; /* refuse where it cannot be shut up (seal.h) */
	const char *wal_source; /* for physical backups: an archive (walstore.h); NULL: none */
	const struct storage_access *wal_access;
	const struct keeper *wal_keeper; /* the program that has the archive, instead */

	struct tmpdir dir;   /* made by attempt_prepare() */
	char path[PATH_MAX]; /* of it, also when it is gone */
	struct watch watch;  /* its limits, from the restore's beginning to the end */
	struct err left;     /* what attempt_clean_up() could not remove; .kind ERR_NONE: nothing */
};

int attempt_prepare(void *ctx, struct err *e);
/* Its value: COMMAND's verdict, V_OK without one. Checks have been said on the stage. */
int attempt_work(void *ctx);
void attempt_clean_up(void *ctx);

/* For tmpdir_reap(): ends what still runs in a directory that a dead run left. */
void attempt_sweep(const char *dir, void *ctx);
#endif
