#ifndef LIB_PHYSICAL_CONTROL_H
#define LIB_PHYSICAL_CONTROL_H
/*
 * control: global/pg_control, what a cluster knows of itself.
 *
 * Format: PostgreSQL src/include/catalog/pg_control.h (struct ControlFileData) as 64-bit
 * little-endian hosts lay it out: pg_control versions 1201 (PostgreSQL 12), 1300 (13 to 16), 1700
 * and 1800 (18). Of other versions only what stands before the first checkpoint is known. The
 * CRC-32C at the end covers all before it; where it stands differs with the version and is found by
 * computing it, so the CRC of every version is verified.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTROL_SIZE = 8192 };

enum control_state {
	CONTROL_STARTUP,
	CONTROL_SHUT_DOWN,
	CONTROL_SHUT_DOWN_IN_RECOVERY,
	CONTROL_SHUTTING_DOWN,
	CONTROL_CRASH_RECOVERY,
	CONTROL_ARCHIVE_RECOVERY,
	CONTROL_IN_PRODUCTION,
	CONTROL_STATES
};

struct control {
	uint64_t system_identifier;
	uint32_t version;         /* of the format */
	uint32_t catalog_version; /* of the system catalogues: 202209061 is PostgreSQL 15 */
	enum control_state state;
	int64_t changed_ms;  /* the file's last update */
	uint64_t checkpoint; /* LSN of the latest checkpoint record */
	bool known;          /* the fields that follow are set: the version is one of those above */
	uint64_t redo;
	uint32_t timeline;
	int64_t checkpoint_ms;
	uint64_t min_recovery; /* recovery must reach this */
	int wal_level;         /* 0 minimal, 1 replica, 2 logical */
	/* A standby in recovery needs at least as much as these. */
	int max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions,
		max_locks_per_transaction;
	uint32_t block_size, pages_per_segment, wal_block_size, wal_segment_size;
	bool checksums;
};

/* p is the file's content. ERR_BACKUP when it is too short, its CRC is wrong or its content
 * impossible. name is for messages. */
int control_parse(const unsigned char *p, size_t n, const char *name, struct control *c,
		  struct err *e);

/* "in production", as pg_controldata says it. */
const char *control_state_name(enum control_state s);

/* The server's major version that wrote it, from the catalogue version: 15; 0 when unknown. */
int control_major(const struct control *c);
#endif
