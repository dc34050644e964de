#ifndef LIB_PG_SETUP_H
#define LIB_PG_SETUP_H
/*
 * setup: what a server is set up with that decides whether its backups will save it. Each function
 * asks one thing and says one check; what could not be asked is unknown. Nothing here needs more
 * rights than to connect.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/pg/covering.h"
#include "lib/pg/query.h"

/* page-checksums: is damage on disk noticed when it is read, and not just copied into backups? */
void setup_say_checksums(struct stage *st, struct pg *pg);

/* crash-safety: fsync and full_page_writes. */
void setup_say_crash_safety(struct stage *st, struct pg *pg);

/* point-in-time: does WAL go anywhere, or is all lost that came after the newest backup? */
void setup_say_archiving(struct stage *st, struct pg *pg);

/* supported-version: *major is set where it could be asked, else 0. now_ms in Unix time. */
void setup_say_version(struct stage *st, struct pg *pg, int64_t now_ms, int *major);

/* left-out: tables of the session's database whose content no backup, or no physical one, holds. */
void setup_say_left_out(struct stage *st, struct pg *pg, const char *database);

/* Adds the databases that should have a backup: all but `without`; postgres only where somebody put
 * something into it. -1 with *e. */
int setup_databases(struct pg *pg, const struct strv *without, struct covering *c, struct err *e);

/* How many roles there are that a dump of a database leaves out. -1 with *e. */
int setup_roles(struct pg *pg, int64_t *n, struct err *e);

/* The month in which a major version was last mended: 5 years after its first release, which is
 * in autumn (postgresql.org, Versioning Policy: from 10 (2017) on one each year). 0: not known. */
int64_t setup_last_mended_ms(int major);

/* Does the command only say that it archives? ("/bin/true", ":", "exit 0") */
bool setup_archives_nothing(const char *command);
#endif
