#ifndef LIB_STORAGE_HAUL_PARTS_H
#define LIB_STORAGE_HAUL_PARTS_H
/*
 * haul_parts: what one thread of a haul does with one range, without the order of things; for
 * haul.c alone.
 */
#include "lib/storage/haul.h"

/* Some ranges of a split file, to be brought one after the other. */
struct haul_passage {
	size_t file;
	int64_t first, end;
	bool leads;   /* they are the next to be proven, and are as they come */
	bool touched; /* something came */
};

/* Into their place. Each is noted as soon as it is there; first goes along. Ends early, with 0,
 * when other connections are to help. */
int haul_bring_ranges(struct haul *h, struct storage *s, struct haul_passage *p, struct err *e);

/* With the lock held: writes into the journal that a range, or a file in one go (HAUL_WHOLE), is
 * here. */
#define HAUL_WHOLE ((uint64_t)1 << 62)
int haul_note(struct haul *h, size_t file, uint64_t range, struct err *e);

/* Proves a range, the next one, from where it was written. */
int haul_follow_range(struct haul *h, struct haul_file *f, int fd, struct err *e);

/* All ranges are proven: what comes of it. */
int haul_end_proof(struct haul *h, struct haul_file *f, struct err *e);
void haul_drop_proof(struct haul_file *f);

/* How many bytes these ranges have. */
int64_t haul_ranges_bytes(const struct haul_file *f, int64_t first, int64_t count);

/* A file in one go, proven on the way. from_disk: what an earlier run brought. */
int haul_bring_file(struct haul *h, struct storage *s, struct haul_file *f, bool from_disk,
		    struct err *e);

/* What width.h wants to know; and, with the lock held, how many connections had best be at work. */
void haul_take_look(const struct haul *h, struct width_look *look);
void haul_look(struct haul *h);

/* What a file is called in messages, and its judgement by its first bytes and its length. */
int haul_judge(const struct haul_file *f, const unsigned char *head, uint64_t bytes, struct err *e);

/* What is known of it. */
void haul_known(const struct haul_file *f, struct storage_stat *out);

/* Tells the caller how much is here by now; from its thread alone. */
void haul_show_progress(const struct haul *h);

/* Adds what was compared. */
void haul_tell(struct haul *h, const struct buf *told);

#endif
