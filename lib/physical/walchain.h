#ifndef LIB_PHYSICAL_WALCHAIN_H
#define LIB_PHYSICAL_WALCHAIN_H
/*
 * walchain: do the segments of an archive, one behind the other, make a way from one position to
 * the newest? Pure: judges what walarchive found.
 */
#include "lib/base/verdict.h"
#include "lib/physical/walarchive.h"

enum { WALCHAIN_WHY = 400 };

/* Where recovery would stop. */
struct walhole {
	uint64_t from, to; /* LSN: of the segments that are missing, or of the damaged one */
	uint32_t timeline;
	const struct walseg *damaged; /* NULL: missing */
	char why[WALCHAIN_WHY];       /* of a damaged one */
	bool unread;                  /* it may be sound: it could not be looked at */
	int64_t before_ms;            /* the last commit before; 0: none is known */
};

struct walchain {
	struct walpath path;
	uint64_t system_identifier;
	int major;         /* of PostgreSQL; 0: unknown */
	uint64_t from, to; /* LSN of the first and behind the last segment on the way */
	size_t segments, missing;
	int64_t newest_ms;     /* the last commit of all; 0: none */
	struct walhole *holes; /* in order */
	size_t n_holes;
};
#define WALCHAIN_AUTO __attribute__((cleanup(walchain_free))) struct walchain

/* To the newest timeline, from the segment that holds the position from; 0: from the oldest that is
 * there. Commits of records that a border cuts are added to the summaries of a. Without the history
 * of that timeline the way begins with it. */
void walchain_judge(struct walarchive *a, uint64_t from, struct walchain *out);
void walchain_free(struct walchain *c);

/* What is wrong with the one segment; false: nothing. reference: the chain that it should be of. */
bool walchain_fault(const struct walarchive *a, const struct walchain *reference,
		    const struct walseg *s, char why[WALCHAIN_WHY]);

/* The first hole that a recovery from this backup would meet; NULL: none. */
const struct walhole *walchain_stops(const struct walchain *c, const struct walbackup *b);

/* How bad is the hole? *needs: the backup that cannot be restored for it; *next: the first backup
 * that is not touched by it. NULL: there is none. */
enum verdict walchain_weigh(const struct walarchive *a, const struct walhole *hole,
			    const struct walbackup **needs, const struct walbackup **next);
#endif
