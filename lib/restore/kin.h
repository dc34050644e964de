#ifndef LIB_RESTORE_KIN_H
#define LIB_RESTORE_KIN_H
/*
 * kin: which backups the one that is to be restored builds on (lib/physical/ancestry.h), asked by a
 * process of the unprivileged user: it opens tars, and what that user may not read would be of no
 * use.
 */
#include "lib/base/identity.h"
#include "lib/base/strv.h"
#include "lib/dump/keys.h"

struct kin_job {
	const char *path; /* of the backup, where it lies */
	const struct identity *who;
	const struct keys *keys; /* for encrypted ones */
	const char *dir;         /* private, of *who */
};

/* Paths, the full backup first: none when it builds on none. ERR_BACKUP: one is not there. */
int kin_find(const struct kin_job *job, struct strv *out, struct err *e);
#endif
