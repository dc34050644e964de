#ifndef LIB_PG_CAPTURE_H
#define LIB_PG_CAPTURE_H
/*
 * capture: several sessions that look at one exported snapshot of production, while a dump is made
 * from the same one, and the state that they see.
 *
 * The snapshot is exported (PostgreSQL documentation, "Snapshot Synchronization Functions"), all
 * tables are locked against changes of their definition (ACCESS SHARE, as pg_dump does), and then
 * it is looked whether a table's file changed between the two: a TRUNCATE or an ALTER TABLE there
 * would be seen by the snapshot although it came later. If so all is begun again.
 *
 * What has no lock (functions, views, grants, indexes made CONCURRENTLY) is read before and after;
 * what differs is listed in the baseline as "ddl", for neither the dump's nor our word on it is
 * sure.
 */
#include "lib/base/strv.h"
#include "lib/pg/conn.h"

#include <jansson.h>
#include <stdbool.h>

enum { CAPTURE_SNAPSHOT_SIZE = 64 };

struct pg_capture {
	/* in */
	struct pg_target target;
	unsigned jobs;
	bool checksum;
	const struct strv *only, *exclude;
	void (*progress)(const char *table, void *ctx); /* from any thread; may be NULL */
	/* out */
	char snapshot[CAPTURE_SNAPSHOT_SIZE]; /* after pg_capture_open() */
	/* own */
	struct pg watch;     /* outside of the snapshot */
	struct pg holder;    /* exports the snapshot and does nothing else that could end it */
	struct pg *sessions; /* inside */
	size_t n;
	json_t *baseline; /* begun */
};

/* Opens all and takes the snapshot. */
int pg_capture_open(struct pg_capture *c, struct err *e);

/* Reads everything in the snapshot. */
int pg_capture_read(struct pg_capture *c, struct err *e);

/* After the backup: what has no snapshot is read once more. The finished baseline is c->baseline,
 * its "ddl" lists what changed meanwhile. */
int pg_capture_finish(struct pg_capture *c, struct err *e);

void pg_capture_close(struct pg_capture *c);

/* A mark of the whole server's transactions: equal marks, no transaction has written in between
 * (and none was running). "" while some are running. The caller's to free; NULL with *e. */
char *pg_capture_mark(const struct pg_target *target, struct err *e);
#endif
