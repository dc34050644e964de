#ifndef LIB_KEEPER_BARMAN_H
#define LIB_KEEPER_BARMAN_H
/*
 * barman: what Barman prints, read without running it.
 *
 * Format: output.py, class JsonOutputWriter, of Barman 3.4 (barman -f json). Whatever it says at
 * all, "_ERROR" holds what went wrong.
 */
#include "lib/keeper/keeper.h"

/* False when there is no error. A server or backup that is not known is ERR_BACKUP. */
bool barman_error(const json_t *answer, struct err *e);

/* list-backups: the names of those that are whole; what is told of the others are troubles, the
 * more serious when nothing newer is whole. */
int barman_names(const json_t *answer, const char *server, struct strv *names,
		 struct keeper_list *troubles, struct err *e);

/* show-backup of one of them. */
int barman_backup(const json_t *answer, const char *server, struct keeper_list *out, struct err *e);

/* verify-backup: the finding, in words. */
enum verdict barman_verified(const json_t *answer, struct buf *text);

/* check: an object of {"status", "hint"}. */
void barman_checked(const json_t *answer, const char *server, struct check *c);
#endif
