#ifndef LIB_REPORT_CHANGES_H
#define LIB_REPORT_CHANGES_H
/*
 * changes: what two runs say differently. Pure.
 */
#include "lib/base/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum change_kind { CHANGE_WORSE, CHANGE_GONE, CHANGE_NEW, CHANGE_BETTER };

/* A check of both runs with another status, or of only one of them. */
struct change {
	enum change_kind kind;
	const json_t *check; /* the later run's; of one that is gone the earlier's; borrowed */
	enum verdict before, after; /* before: not for CHANGE_NEW; after: not for CHANGE_GONE */
};

struct changes {
	struct change *v; /* by kind, in the order of the enum; then as in the run */
	size_t n;
};

/* before, after: lists of checks. Several of one name and subject count as the worst of them.
 * whole: neither list lacks any; otherwise nothing is called new or gone. */
void changes_find(const json_t *before, const json_t *after, bool whole, struct changes *out);
void changes_free(struct changes *c);
#endif
