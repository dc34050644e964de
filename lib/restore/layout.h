#ifndef LIB_RESTORE_LAYOUT_H
#define LIB_RESTORE_LAYOUT_H
/*
 * layout: an archive as pg_restore works on it best: under a name, for it goes back and forth in
 * it; not packed as a whole; and a tar as a directory, for of a tar it restores one thing at a
 * time; so is a tar that somebody else made of a directory archive. (The members of a tar are the
 * files of a directory archive: PostgreSQL src/bin/pg_dump/pg_backup_tar.c and
 * pg_backup_directory.c; but not where there are large objects.)
 */
#include "lib/base/err.h"
#include "lib/dump/sniff.h"
#include "lib/restore/phases.h"

struct layout {
	const char *dir;                   /* private, ours: where it is put if need be */
	const struct stream_opts *reading; /* limits */
	struct phases *phases; /* PHASE_UNPACK; a copy only for a name is no part of it */
};

/* The path to restore from, the caller's to free; what->kind becomes DUMP_DIRECTORY for a tar, all
 * of whose members were there in full then, and the rest of *what is what that directory says. NULL
 * with *e: ERR_BACKUP when it is damaged. */
char *layout_archive(const struct layout *l, const char *path, struct sniffed *what, struct err *e);
#endif
