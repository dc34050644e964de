#ifndef LIB_PG_READINGS_H
#define LIB_PG_READINGS_H
/*
 * readings: how many rows production has ever inserted, updated and deleted in each table, by its
 * own counters (pg_stat_all_tables; PostgreSQL documentation, "The Cumulative Statistics System"),
 * and what two such readings say about the time between them.
 *
 * The counters count rolled-back transactions too, so their growth is an upper bound of what was
 * committed. A session reports what it did some seconds late (at most 10 s once it idles), so a
 * later reading is only complete when pg_readings_settled(), or after PG_READINGS_LATE_S. They say
 * nothing on a standby, after a reset, a crash or a failover (the epoch changes), and nothing
 * about a table that was truncated or rewritten in between (its file changes).
 *
 * Earlier readings are kept in a history file (lib/base/history.h), one line for each run; each
 * table's own row count of that time is there, too.
 */
#include "lib/base/err.h"
#include "lib/pg/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PG_READINGS_LATE_S = 11 };

struct pg_reading {
	int64_t oid, file; /* the table and its file; 0: it has none */
	int64_t inserted, updated, deleted;
	int64_t rows; /* counted after the counters were read; -1: not counted */
};

struct pg_readings {
	char epoch[128];      /* readings of different epochs have nothing to do with each other;
			       * "": a standby, whose counters stand still */
	int64_t at_ms;        /* by production's clock */
	int64_t reset_ms;     /* the counters began before; INT64_MIN: with the cluster */
	struct pg_reading *v; /* by oid; owned */
	size_t n;
};

/* What may have happened to a table since a moment. */
struct pg_activity {
	bool known;
	bool since;      /* from an earlier reading; else from when the counters began */
	bool rewritten;  /* truncated or rewritten since: the counters are no bound; known is false
			  */
	int64_t from_ms; /* of that reading */
	int64_t rows;    /* counted then; -1: not */
	int64_t inserted, updated, deleted; /* at most so many since */
};

/* Reads them all. Not within a transaction, which would see them frozen. */
int pg_readings_take(struct pg *pg, struct pg_readings *out, struct err *e);
void pg_readings_free(struct pg_readings *r);
#define PG_READINGS_AUTO __attribute__((cleanup(pg_readings_free))) struct pg_readings

/* Can no session of this database have anything left to report? When it cannot be told: false. */
bool pg_readings_settled(struct pg *pg);

/* NULL: not among them. */
struct pg_reading *pg_readings_find(const struct pg_readings *r, int64_t oid);

/* from: earlier readings that are not later than the moment, or NULL. */
void pg_readings_between(const struct pg_readings *from, const struct pg_readings *now, int64_t oid,
			 int64_t moment_ms, struct pg_activity *out);

/* Appends the tables that were counted, and loads the newest of the label that is not later than
 * the moment and of the same epoch: *out is empty (.n 0) when there is none. */
int pg_readings_save(const char *path, const char *label, const struct pg_readings *r,
		     struct err *e);
int pg_readings_load(const char *path, const char *label, const char *epoch, int64_t moment_ms,
		     struct pg_readings *out, struct err *e);
#endif
