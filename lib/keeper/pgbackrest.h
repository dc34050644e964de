#ifndef LIB_KEEPER_PGBACKREST_H
#define LIB_KEEPER_PGBACKREST_H
/*
 * pgbackrest: what pgBackRest prints, read without running it; and how it is run.
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

/* What its log on standard error, from "detail" on, says beside. Cut off where that was. */
struct pgbackrest_log {
	struct strv notes;  /* of INFO and WARN: they name a file, a backup, an archive in quotes */
	struct strv copies; /* of DETAIL: a file that is kept twice, of which one is not sound */
	struct buf errors;  /* the rest, as it is */
};
#define PGBACKREST_LOG_AUTO __attribute__((cleanup(pgbackrest_log_free))) struct pgbackrest_log

void pgbackrest_log(const char *text, struct pgbackrest_log *out);
void pgbackrest_log_free(struct pgbackrest_log *l);

/* Is it about the backup or archive of that name, or about a file in it? */
bool pgbackrest_note_names(const char *note, const char *name);

/* --- run: pgbackrest.c, pgbackrest_verify.c --- */

/* Appends what the command of that name begins with; its own arguments follow. Its log file is that
 * of its own runs: console and log are the levels of what goes to standard output and standard
 * error. */
void pgbackrest_command(const struct keeper *k, const char *name, unsigned repo,
			const char *console, const char *log, struct strv *out);

/* Of the files of an archive, such as "15-1", where it would look for them. */
int pgbackrest_wal_names(const struct keeper *k, unsigned repo, const char *archive,
			 struct strv *names, struct err *e);

void pgbackrest_verify(const struct keeper *k, const struct keeper_list *l, struct stage *st);
#endif
