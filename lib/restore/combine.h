#ifndef LIB_RESTORE_COMBINE_H
#define LIB_RESTORE_COMBINE_H
/*
 * combine: an incremental backup and those that it builds on, put together by PostgreSQL's own
 * pg_combinebackup (17 and later) into a full one, in the private directory. Members that are tars
 * are unpacked there first, for it reads directories only; the others are read where they are.
 *
 * pg_combinebackup is another reader of untrusted files: it runs where the server will.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/pg/bindir.h"
#include "lib/restore/phases.h"
#include "lib/restore/unpack.h"

struct combine {
	/* The caller's. */
	const struct strv *ancestors; /* the full backup first */
	const char *path;             /* of the youngest */
	const char *dir;              /* private, ours */
	const struct stream_opts *reading;
	struct phases *phases;
	bool sync; /* wait until it is on the disk */
	/* Its own, combine_free(). */
	struct strv members; /* data directories to read, the full one first */
	struct strv made;    /* those of them that were unpacked */
	struct unpacked last;
};

/* The most that it may take: the data of all members, for each block is one's of them. packed_b:
 * the size to reckon with of one that says nothing itself. */
uint64_t combine_needs(const struct combine *c, uint64_t packed_b);

/* Unpacks what is to be unpacked: members are there afterwards. */
int combine_open(struct combine *c, struct err *e);

/* Writes the full backup to dir/NAME, *out, which is not there yet. ERR_BACKUP: pg_combinebackup
 * does not take them. */
int combine_run(struct combine *c, const struct pg_bindir *bin, const char *out, struct err *e);

/* What the youngest was packed in, for what is said of the whole. */
void combine_layout(const struct combine *c, struct unpacked *out);

/* The check backup-chain. */
void combine_say(const struct combine *c, const struct pg_bindir *bin, struct stage *st);

void combine_free(struct combine *c);
#endif
