#ifndef LIB_STORAGE_RESUME_H
#define LIB_STORAGE_RESUME_H
/*
 * resume: may a fetch go on from what an earlier run has left (partial.h), or was that of something
 * else?
 *
 * A file is told by its ETag; on this machine by its time, to the millisecond. Of the files of a
 * directory, index pages and SFTP listings tell little more than names and sizes. There the
 * directory's markers (select.h) and backup_manifest stand for all: who writes a backup writes them
 * when all else is there (PostgreSQL src/bin/pg_dump/pg_backup_directory.c, _CloseArchive();
 * src/backend/backup/basebackup.c, perform_base_backup()).
 */
#include "lib/storage/catalog.h"
#include "lib/storage/digest.h"
#include "lib/storage/haul.h"

/* Asks the storage for the ETags of a directory's markers, where its listing told none. */
int resume_ask(struct storage *s, const struct members *m, struct err *e);

/* What name is now, made of the n files: a digest that is another one as soon as any of it is; ""
 * where nothing tells for sure. */
int resume_identity(struct storage *s, const char *name, const struct haul_file *files, size_t n,
		    char out[DIGEST_HEX_SIZE], struct err *e);
#endif
