#ifndef LIB_RESTORE_PRODUCTION_H
#define LIB_RESTORE_PRODUCTION_H
/*
 * production: the settings of the server that the backup is of, for a restore that is to take as
 * long as it would there. Every failure is only a warning, the check production-settings: the
 * backup can be proven without them.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"

/* jobs: as cluster_opts.jobs. settings: the caller's, then for cluster_opts.settings. */
void production_settings(struct stage *st, const char *conninfo, unsigned jobs,
			 struct strv *settings);
#endif
