#ifndef LIB_REPORT_RUNBOOK_PARTS_H
#define LIB_REPORT_RUNBOOK_PARTS_H
/*
 * runbook_parts: what the pieces of a runbook (runbook.h) have from each other.
 */
#include "lib/report/drill.h"
#include "lib/report/runbook.h"

#include <stdbool.h>

enum { RUNBOOK_BLOCK = 64 * 1024 };

/* Where the good rows come from while the live database stays as it is. */
enum side {
	SIDE_DATABASE, /* a dump in a database of its own on the same server */
	SIDE_CLUSTER,  /* a pg_dumpall in a server of its own */
	SIDE_REPLAY,   /* a base backup and the WAL after it, in a server of its own */
	SIDE_NONE,     /* this cannot be done with what there is */
};

/* How far a replay goes, and which dump is taken. */
enum until { UNTIL_END, UNTIL_INCIDENT };

/* A runbook while it is written. */
struct writing {
	const struct runbook *rb;
	struct drill drill;
	struct paper *p;
	int step; /* the last one's number */
};

/* "public.users" as SQL has it; the first full stop separates. */
void runbook_table(struct buf *out, const char *name);

/* The four emergencies. */
void runbook_deletion(struct writing *w);
void runbook_corruption(struct writing *w);
void runbook_point_in_time(struct writing *w);
void runbook_loss(struct writing *w);

/* "### Step 2: title", and what it took in the drill. seconds: NAN when that was not measured. */
void runbook_step(struct writing *w, const char *title, double seconds);

/* The best side for a state of that moment. */
enum side runbook_side(const struct writing *w, enum until until);

/* The block that sets the variables of the scenario, and the steps that bring the side up. */
void runbook_set_up(struct writing *w, enum side side, bool tables, enum until until);
void runbook_open_side(struct writing *w, enum side side, enum until until);

/* What restores the fetched dump into a database: commands. */
void runbook_fetch(struct writing *w, enum until until);
void runbook_unpack(struct writing *w);
void runbook_load(const struct writing *w, const char *database, struct buf *out);

/* How many rows the drill's tables have, asked by that command ("side", "live"), and how many they
 * should. */
void runbook_verify(struct writing *w, const char *command, enum until until);
#endif
