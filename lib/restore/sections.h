#ifndef LIB_RESTORE_SECTIONS_H
#define LIB_RESTORE_SECTIONS_H
/*
 * sections: an archive through pg_restore into a database that is there, with the time of each of
 * its sections: what comes before rows, rows, and what follows them.
 *
 * With several jobs rows and indexes overlap: all up to the last rows counts as theirs.
 */
#include "lib/restore/into.h"

/* list: a file that names what is to be restored; NULL: all. What fails goes to job->mishaps; -1:
 * pg_restore could not be run. */
int sections_run(const struct into_job *job, const char *database, const char *list, struct err *e);
#endif
