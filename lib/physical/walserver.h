#ifndef LIB_PHYSICAL_WALSERVER_H
#define LIB_PHYSICAL_WALSERVER_H
/*
 * walserver: how WAL leaves the production server: the checks wal-level, wal-archiver, wal-waiting
 * and wal-slot. Only reads: pg_settings, pg_stat_archiver, pg_ls_archive_statusdir(),
 * pg_replication_slots (PostgreSQL 10 and later; what a version or a role has not is said).
 */
#include "lib/base/stage.h"
#include "lib/pg/conn.h"

struct walserver_opts {
	uint64_t max_waiting;  /* segments that wait to be archived: more is critical */
	uint64_t max_slot_b;   /* WAL that a slot holds back: more is a warning */
	uint64_t max_silent_s; /* without archive_timeout: the last segment may be so old; 0: any */
};

void walserver_check(struct stage *st, struct pg *pg, const struct walserver_opts *opts);
#endif
