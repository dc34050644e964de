#ifndef LIB_KEEPER_PGBACKREST_H
#define LIB_KEEPER_PGBACKREST_H
/*
 * pgbackrest: what pgBackRest prints, read without running it.
 *
 * Format: src/command/info/info.c (info --output=json), src/command/verify/verify.c (verify
 * --output=text --verbose), src/command/repo/ls.c of pgBackRest 2.45.
 */
#include "lib/keeper/keeper.h"

/* An array with the one stanza that was asked for. Troubles are what is wrong with a
 * repository; ERR_BACKUP or ERR_REMOTE when that is so of all of them. */
int pgbackrest_info(const json_t *info, const char *stanza, struct keeper_list *out, struct err *e);

/* Of what it says about a failure: files that are not there or hold something else are bad
 * (src/common/error: ChecksumError 26, FormatError 29, ArchiveMismatchError 44,
 * FileMissingError 55); those that it could
 * not get at are not known. */
enum err_kind pgbackrest_kind(const char *said);

/* What verify counts of one backup or one archive. */
struct pgbackrest_count {
	char *name;   /* owned: label, archive id */
	char *status; /* owned: "valid", "invalid", ...; NULL for an archive */
	int64_t checked, valid, missing, checksum, size, other;
};

struct pgbackrest_verified {
	bool ok, error;   /* what the line "status:" says; neither: it is not there */
	struct buf words; /* lines that only say what is wrong; "; " between */
	struct pgbackrest_count *archives, *backups;
	size_t n_archives, n_backups;
};
#define PGBACKREST_VERIFIED_AUTO \
	__attribute__((cleanup(pgbackrest_verified_free))) struct pgbackrest_verified

/* False when a line of it is not understood: then it must not be taken for good. */
bool pgbackrest_verified(const char *text, struct pgbackrest_verified *out);
void pgbackrest_verified_free(struct pgbackrest_verified *v);
#endif
