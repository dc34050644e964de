#ifndef LIB_PHYSICAL_AMCHECK_H
#define LIB_PHYSICAL_AMCHECK_H
/*
 * amcheck: the relations of a restored server, looked at by PostgreSQL's own extension amcheck
 * (documentation, appendix F): the checks index-integrity and heap-integrity of each database, and
 * of each relation that is damaged, index-valid, and relfiles.h. Only B-trees and heaps: it knows
 * no other kinds. The session must be one that may write: the extension is made where it is not.
 */
#include "lib/base/stage.h"
#include "lib/pg/conn.h"

#include <stdbool.h>

struct amcheck_opts {
	bool deep;        /* every row has its index entry, and parents fit their children */
	int64_t until_ms; /* of mono_ms(): it is ended then; 0: never */
	unsigned jobs;    /* relations at a time */
};

void amcheck_run(struct stage *st, struct pg *pg, const struct amcheck_opts *opts);
#endif
