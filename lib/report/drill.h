#ifndef LIB_REPORT_DRILL_H
#define LIB_REPORT_DRILL_H
/*
 * drill: what a runbook takes from a run that restored a backup. Pure.
 */
#include "lib/report/tables.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum drill_kind {
	DRILL_ARCHIVE,  /* pg_restore reads it: custom, directory, tar (not in parallel) */
	DRILL_SQL,      /* psql reads it, one database */
	DRILL_CLUSTER,  /* psql reads it, a whole server: pg_dumpall */
	DRILL_PHYSICAL, /* files of a server */
};

struct drill {
	bool known, verified;
	int64_t at_ms;
	enum drill_kind kind;
	bool serial;                                 /* no parallel restore */
	const char *name, *compression, *encryption; /* of the backup; borrowed; "" where unknown */
	const char *version;                         /* of the server; "" */
	int major;                                   /* 0: unknown */
	double fetch_s, unpack_s, restore_s, rto_s, rpo_s; /* NAN: not measured */
	int64_t taken_ms;                                  /* INT64_MIN: unknown */
	struct table tables[TABLES_MOST]; /* the largest first; names are borrowed */
	size_t n_tables;
};

/* run: a "run" object, or NULL. What is borrowed is borrowed from it. */
void drill_of(const json_t *run, struct drill *out);
#endif
