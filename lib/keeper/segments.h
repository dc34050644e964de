#ifndef LIB_KEEPER_SEGMENTS_H
#define LIB_KEEPER_SEGMENTS_H
/*
 * segments: is the WAL there that backups need, by the names in an archive? Pure. The content of
 * the segments is the program's own to verify; that one is missing none of them notices.
 */
#include "lib/keeper/keeper.h"

/* Borrowed names: of a backup's first and last segment, and where the first byte of it is. */
struct segments_need {
	const char *backup, *first, *last, *start_lsn;
};

/* The size of a segment in the cluster of that need, which names and LSNs tell together; 0: they do
 * not fit. */
uint32_t segments_size(const struct segments_need *need);

struct segments_gap {
	char *first, *last; /* owned: the missing ones */
	uint64_t n;
	const char *backup; /* that cannot be restored without them; NULL: it lies between */
	bool recent;        /* behind the beginning of the newest backup */
};

struct segments_found {
	uint64_t doubled;     /* files beyond the first of a segment */
	char double_name[25]; /* the first of them; "": none */
	uint64_t present;     /* segments, from the first that is needed on */
	uint64_t size_b;      /* of a segment */
	struct segments_gap *v;
	size_t n;
};
#define SEGMENTS_FOUND_AUTO __attribute__((cleanup(segments_free))) struct segments_found

/* names: of files, each beginning with the name of a segment; others are passed over. needs:
 * oldest backup first. False when a need is not understood. */
bool segments_judge(const struct strv *names, const struct segments_need *needs, size_t n,
		    struct segments_found *out);
void segments_free(struct segments_found *f);

/* The check repository-wal-gaps of an archive, from segments_judge(). */
void segments_check(struct stage *st, const char *archive, const struct strv *names,
		    const struct segments_need *needs, size_t n);
#endif
