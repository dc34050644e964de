#ifndef LIB_PHYSICAL_WALNEED_H
#define LIB_PHYSICAL_WALNEED_H
/*
 * walneed: which WAL a backup needs, as it says itself: a base backup by its backup_label, in a
 * directory, in the base.tar of pg_basebackup or in any other tar of a data directory, and by its
 * manifest, which knows where it ends; one that a keeper keeps by the fields of its "backup"
 * record.
 */
#include "lib/base/record.h"
#include "lib/dump/keys.h"
#include "lib/physical/label.h"

#include <stdbool.h>
#include <stdint.h>

struct walneed {
	struct label label;         /* as that in the archive: .stop and .stopped_ms where known */
	uint64_t system_identifier; /* 0: not said */
};

/* 1; 0: it is no base backup; -1 with *e: it is one, or seems to be, and does not say it. keys may
 * be NULL. Of a tar only the beginning is looked at, where pg_basebackup puts the label. */
int walneed_of_path(const char *path, const struct keys *keys, struct walneed *n, struct err *e);

/* False: it says nothing of it. */
bool walneed_of_record(const json_t *backup, struct walneed *n);
#endif
