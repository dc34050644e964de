#ifndef LIB_STORAGE_DESCRIBE_H
#define LIB_STORAGE_DESCRIBE_H
/*
 * describe: what is said of a backup in records, alike in list-backups and fetch-latest.
 */
#include "lib/base/stage.h"
#include "lib/storage/catalog.h"

/* The fields of a "backup" record that a listing knows (design, section 3): source, name, path
 * (where it is on this machine), format (of a directory), files, bytes, modified_at, taken_at,
 * etag. */
json_t *describe_backup(const struct storage *s, const struct backup *b);

/* What is odd about a listing, each a warning; else nothing:
 * name-time	a backup's name and modification time are more than a day apart (catalog_doubtful())
 * latest-pointer	what is called latest stands for an old backup, or for none */
void describe_doubts(struct stage *st, const struct catalog *c);

/* The one source on the command line, else the one from the environment: borrowed. Ends the tool
 * with a message when there is none or more. */
const char *describe_source(int argc, char **argv, int first, const char *otherwise);
#endif
