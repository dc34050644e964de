#ifndef LIB_RESTORE_PHYSICAL_H
#define LIB_RESTORE_PHYSICAL_H
/*
 * physical: restores a base backup: unpacks it (unpack.h), starts a server on it under our own
 * configuration, lets it recover up to the target (target.h), and says what came of that.
 *
 * It says backup-format, backup-complete, restore, recovery-target, collation-versions, and what
 * outcome.h says.
 */
#include "lib/dump/sniff.h"
#include "lib/restore/restorer.h"

/* Is this kind of backup one that is restored here? */
bool physical_takes(const struct sniffed *what);

void physical_run(struct stage *st, const struct restore_job *job, const struct sniffed *what,
		  struct restored_server *out);
#endif
