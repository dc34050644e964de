#ifndef LIB_PHYSICAL_RELFILES_H
#define LIB_PHYSICAL_RELFILES_H
/*
 * relfiles: pg_class of a restored database against the files of its data directory: the check
 * relation-files, and one for each of the first relations whose file is missing or has a size that
 * no relation can have. Files that belong to no relation (a transaction that a crash ended leaves
 * them) take room, and are told, but are no damage. Needs a session of a superuser.
 *
 * Names of files: PostgreSQL documentation, "Database File Layout".
 */
#include "lib/base/stage.h"
#include "lib/pg/conn.h"

void relfiles_check(struct stage *st, struct pg *pg);
#endif
