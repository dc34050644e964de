#ifndef LIB_PG_BASELINE_CHECK_H
#define LIB_PG_BASELINE_CHECK_H
/*
 * baseline_check: the restored database, or a dump of which inspect-dump has counted the rows,
 * against the baseline of its backup, as checks (state_diff.h), and what the baseline itself is
 * worth, as the check "baseline".
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/pg/dumped.h"
#include "lib/pg/restored.h"

struct baseline_check {
	const char *setting; /* a file, "auto" (beside the backup) or "none"; NULL: auto */
	const char *key_file;
	bool checksum; /* compare the content too */
	bool show_rows;
	unsigned jobs;
	const struct strv *exclude;
	const char *restored;      /* as of restored_target() */
	const struct dumped *dump; /* to compare instead; NULL: a database was restored */
};

/* True: there is a baseline, and everything that is to be said of it was said. False: there is none
 * and none was asked for. *dated: *snapshot_ms is the exact moment that the backup shows. */
bool baseline_check(struct stage *st, const struct baseline_check *b, const struct restored *from,
		    bool *dated, int64_t *snapshot_ms);
#endif
