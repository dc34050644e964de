#ifndef LIB_KEEPER_WALG_H
#define LIB_KEEPER_WALG_H
/*
 * walg: what WAL-G prints, read without running it.
 *
 * Format: of WAL-G 3.0.7, internal/databases/postgres: backup_detail.go (backup-list --detail
 * --json), backup_sentinel_dto.go (the object that a backup ends with), wal_show_handler.go
 * (wal-show --detailed-json), wal_verify_handler.go (wal-verify --json); internal/storagetools
 * (st ls).
 */
#include "lib/keeper/keeper.h"

/* An array of backups. One whose base is gone is none, but a trouble. */
int walg_list(const json_t *answer, struct keeper_list *out, struct err *e);

/* What the sentinel of a backup promises. */
struct walg_sentinel {
	char *from;         /* owned: the backup that it builds on; NULL */
	int64_t bytes;      /* of its parts; both -1: not said */
	int64_t data_bytes; /* that it restores to */
	const json_t *spec; /* of its tablespaces: a part of the answer; NULL: none */
};
#define WALG_SENTINEL_AUTO __attribute__((cleanup(walg_sentinel_free))) struct walg_sentinel

int walg_sentinel(const json_t *answer, const char *backup, struct walg_sentinel *out,
		  struct err *e);
void walg_sentinel_free(struct walg_sentinel *s);

/* The file for backup-fetch --restore-spec, which puts the data into data, and each tablespace into
 * a directory of its own in places; the caller's. NULL with *e when the names in spec are not those
 * of tablespaces. */
char *walg_spec(const json_t *spec, const char *data, const char *places, struct err *e);

/* WAL-G 3.0.7 ignores that file, and makes the directories and links of the spec where they were on
 * the machine that was backed up (what is in them goes into data all the same). Are they all there,
 * so that it has nothing to make? False with *e. */
bool walg_spec_harmless(const json_t *spec, const char *backup, struct err *e);

/* The parts of a backup: what st ls prints of its tar_partitions. */
struct walg_parts {
	struct strv names;
	int64_t bytes; /* of all together */
	bool control;  /* the last one, with pg_control, is among them */
};
#define WALG_PARTS_AUTO __attribute__((cleanup(walg_parts_free))) struct walg_parts

void walg_parts(const char *listing, struct walg_parts *out);
void walg_parts_free(struct walg_parts *p);

/* Are they all there, as far as names and sizes tell? promised: bytes of the sentinel, -1: not
 * known. Restored by WAL-G, a backup that lost one of several is not complained about. False, with
 * what is wrong in words. */
bool walg_parts_whole(const struct walg_parts *p, int64_t promised, struct buf *why);

/* wal-show: the name of each segment that is there, and of each timeline's history. */
int walg_wal(const json_t *answer, uint32_t segment_b, struct strv *names, struct err *e);

/* Of what it says about a failure: ERR_BACKUP when it looked, and something is not there or is
 * damaged; else it could not look, which is so of what it has no key for, too. */
enum err_kind walg_kind(const char *said);

/* wal-verify integrity timeline: says it in c. */
void walg_verified(const json_t *answer, struct check *c);
#endif
