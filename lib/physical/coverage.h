#ifndef LIB_PHYSICAL_COVERAGE_H
#define LIB_PHYSICAL_COVERAGE_H
/*
 * coverage: is the WAL that makes a base backup consistent in the backup itself?
 */
#include "lib/base/buf.h"
#include "lib/physical/survey.h"

struct coverage {
	unsigned needed, present; /* segments */
	unsigned closed;          /* they may be there: we could not look */
	bool complete;            /* the end of what is needed is known (only a manifest tells) */
	struct buf faults; /* a sentence for each segment that is missing or wrong; "; " between */
	unsigned n_faults;
};

/* m may be NULL. The result is the caller's: coverage_free(). */
void coverage_judge(const struct manifest *m, const struct survey *s, struct coverage *out);
void coverage_free(struct coverage *c);
#define COVERAGE_AUTO __attribute__((cleanup(coverage_free))) struct coverage
#endif
