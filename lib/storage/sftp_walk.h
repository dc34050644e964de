#ifndef LIB_STORAGE_SFTP_WALK_H
#define LIB_STORAGE_SFTP_WALK_H
/*
 * sftp_walk: what lies in a directory of an SFTP server, by its listings (lsline.h): the files of
 * its own level, all of the directories that are a backup, and what is in directories named by a
 * date.
 */
#include "lib/storage/storage.h"

enum { SFTP_PAGE_MAX = 64 * 1024 * 1024 };

/* The listing of a directory by its name relative to the source, as text. */
typedef int sftp_page(struct storage *s, const char *below, struct buf *page, struct err *e);

/* page: that of the source itself. Calls each for what it finds. */
int sftp_walk(struct storage *s, sftp_page *get, const char *page,
	      int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
	      struct err *e);
#endif
