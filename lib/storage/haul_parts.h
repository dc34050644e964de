#ifndef LIB_STORAGE_HAUL_PARTS_H
#define LIB_STORAGE_HAUL_PARTS_H
/*
 * haul_parts: what one thread of a haul does with one range, without the order of things; for
 * haul.c alone.
 */
#include "lib/storage/haul.h"

/* A range of a split file into its place. */
int haul_bring_range(struct haul *h, struct storage *s, const struct haul_file *f, int64_t range,
		     struct err *e);

/* A file in one go, proven on the way. from_disk: what an earlier run brought. */
int haul_bring_file(struct haul *h, struct storage *s, struct haul_file *f, bool from_disk,
		    struct err *e);

/* What a file is called in messages, and its judgement by its first bytes and its length. */
int haul_judge(const struct haul_file *f, const unsigned char *head, uint64_t bytes, struct err *e);

/* What is known of it. */
void haul_known(const struct haul_file *f, struct storage_stat *out);

/* Adds what was compared. */
void haul_tell(struct haul *h, const struct buf *told);

#endif
