#ifndef LIB_RESTORE_RECOVERED_H
#define LIB_RESTORE_RECOVERED_H
/*
 * recovered: what is asked of a physical restore once it is open: how far it came, which databases
 * it has, whether their collations are those of this machine.
 *
 * Preload libraries that roles or databases set for themselves are forgotten first, in the copy:
 * they would act, or, not installed here, keep every session out.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/pg/cluster.h"

struct recovered {
	uint64_t lsn;      /* end of the last record that was replayed; 0: nothing was */
	uint32_t timeline; /* that it was replayed on */
	bool has_commit;
	int64_t commit_ms;     /* of the last transaction that was replayed */
	struct strv databases; /* that take connections; the largest first */
	int64_t bytes;
	unsigned forgotten; /* settings that named libraries */
};

int recovered_look(const struct cluster *c, struct recovered *out, struct err *e);

/* The first correct answer, of the largest database. */
int recovered_answer(const struct cluster *c, const struct recovered *r, struct err *e);

/* The check collation-versions. */
void recovered_say_collations(const struct cluster *c, const struct recovered *r, struct stage *st);
void recovered_free(struct recovered *r);
#endif
