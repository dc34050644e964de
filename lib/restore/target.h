#ifndef LIB_RESTORE_TARGET_H
#define LIB_RESTORE_TARGET_H
/*
 * target: up to where a physical backup is recovered, as people say it:
 *
 *	latest                    the end of the archive (the default)
 *	immediate                 the end of the backup: as soon as it is consistent
 *	2026-02-17T01:58:42Z      the last commit not after that moment
 *	0/5000060                 that position in the WAL
 *	742                       that transaction
 *	before-migration          that restore point (pg_create_restore_point)
 *
 * time:, lsn:, xid: and name: before it say which of them is meant.
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"

#include <stdbool.h>
#include <stdint.h>

enum target_kind {
	TARGET_LATEST,
	TARGET_IMMEDIATE,
	TARGET_TIME,
	TARGET_LSN,
	TARGET_XID,
	TARGET_NAME
};

struct target {
	enum target_kind kind;
	char value[80];    /* as PostgreSQL takes it */
	char timeline[16]; /* "latest", "current", "2"; "": immediate stays on the backup's, all
			    * others follow the latest */
};

/* *t keeps its timeline. ERR_USAGE. */
int target_parse(const char *text, struct target *t, struct err *e);
int target_timeline(const char *text, struct target *t, struct err *e);

/* Adds the settings of a server that is to recover so far, and then to be open for all. */
void target_settings(const struct target *t, struct strv *settings);

/* For people: "the end of the archive", "restore point before-migration". Returns out. */
enum { TARGET_TEXT = 128 };
const char *target_text(const struct target *t, char out[TARGET_TEXT]);
#endif
