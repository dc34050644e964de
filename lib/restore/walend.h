#ifndef LIB_RESTORE_WALEND_H
#define LIB_RESTORE_WALEND_H
/*
 * walend: was that the end of the WAL, or a hole in it? To a recovering server a file that is
 * missing, or cut off, looks like the end of the archive, and it opens without a word; so where it
 * ended is held against the names of what the archive holds.
 */
#include "lib/base/strv.h"
#include "lib/base/verdict.h"

#include <stdbool.h>
#include <stdint.h>

enum { WALEND_TEXT = 400 };

struct walend {
	uint64_t lsn;      /* the end of the last record replayed */
	uint32_t timeline; /* that it is on */
	uint32_t segment_b;
	bool follows; /* the newest timeline was to be followed */
};

/* names: segments and history files, sorted. text says what is wrong, "" with V_OK. */
enum verdict walend_judge(const struct walend *w, const struct strv *names, char text[WALEND_TEXT]);
#endif
