#include "lib/physical/control.h"

#include "lib/base/bytes.h"
#include "lib/storage/crc.h"

#include <string.h>

/* Offsets of the fields: the first ones in every version, the others from 1201 on. */
enum {
	SYSTEM_IDENTIFIER = 0,
	VERSION_AT = 8,
	CATALOG_VERSION = 12,
	STATE = 16,
	CHANGED = 24,
	CHECKPOINT = 32,
	REDO = 40,
	TIMELINE = 48,
	CHECKPOINT_TIME = 104,
	MIN_RECOVERY = 136,
	WAL_LEVEL = 172,
	MAX_CONNECTIONS = 180,
	MAX_WORKER_PROCESSES = 184,
	MAX_WAL_SENDERS = 188,
	MAX_PREPARED_TRANSACTIONS = 192,
	MAX_LOCKS_PER_TRANSACTION = 196,
	BLOCK_SIZE = 216,
	PAGES_PER_SEGMENT = 220,
	WAL_BLOCK_SIZE = 224,
	WAL_SEGMENT_SIZE = 228,
	CHECKSUM_VERSION = 252,
	CRC_FIRST = 200, /* the CRC stands somewhere here */
	CRC_LAST = 504
};

static bool crc_holds(const unsigned char *p)
{
	uint64_t crc = crc_add(CRC_32C, 0, p, CRC_FIRST);

	for (int at = CRC_FIRST; at <= CRC_LAST; at += 4) {
		if (bytes_le32(p + at) == (uint32_t)crc)
			return true;
		crc = crc_add(CRC_32C, crc, p + at, 4);
	}
	return false;
}

static bool power_of_two(uint32_t v, uint32_t lo, uint32_t hi)
{
	return v >= lo && v <= hi && (v & (v - 1)) == 0;
}

static void take_rest(const unsigned char *p, struct control *c)
{
	c->redo = bytes_le64(p + REDO);
	c->timeline = bytes_le32(p + TIMELINE);
	c->checkpoint_ms = (int64_t)(bytes_le64(p + CHECKPOINT_TIME) * 1000);
	c->min_recovery = bytes_le64(p + MIN_RECOVERY);
	c->wal_level = (int)bytes_le32(p + WAL_LEVEL);
	c->max_connections = (int)bytes_le32(p + MAX_CONNECTIONS);
	c->max_worker_processes = (int)bytes_le32(p + MAX_WORKER_PROCESSES);
	c->max_wal_senders = (int)bytes_le32(p + MAX_WAL_SENDERS);
	c->max_prepared_transactions = (int)bytes_le32(p + MAX_PREPARED_TRANSACTIONS);
	c->max_locks_per_transaction = (int)bytes_le32(p + MAX_LOCKS_PER_TRANSACTION);
	c->block_size = bytes_le32(p + BLOCK_SIZE);
	c->pages_per_segment = bytes_le32(p + PAGES_PER_SEGMENT);
	c->wal_block_size = bytes_le32(p + WAL_BLOCK_SIZE);
	c->wal_segment_size = bytes_le32(p + WAL_SEGMENT_SIZE);
	c->checksums = bytes_le32(p + CHECKSUM_VERSION) != 0;
}

static bool possible(const struct control *c)
{
	return c->timeline > 0 && power_of_two(c->block_size, 1024, 32768) &&
	       c->pages_per_segment > 0 && power_of_two(c->wal_block_size, 1024, 65536) &&
	       power_of_two(c->wal_segment_size, 1U << 20, 1U << 30);
}

int control_parse(const unsigned char *p, size_t n, const char *name, struct control *c,
		  struct err *e)
{
	memset(c, 0, sizeof(*c));
	if (n != CONTROL_SIZE)
		return err_set(e, ERR_BACKUP, "read %s: it has %zu bytes instead of %d", name, n,
			       CONTROL_SIZE);
	c->system_identifier = bytes_le64(p + SYSTEM_IDENTIFIER);
	c->version = bytes_le32(p + VERSION_AT);
	c->catalog_version = bytes_le32(p + CATALOG_VERSION);
	c->state = (enum control_state)bytes_le32(p + STATE);
	c->changed_ms = (int64_t)(bytes_le64(p + CHANGED) * 1000);
	c->checkpoint = bytes_le64(p + CHECKPOINT);
	if (!crc_holds(p))
		return err_set(e, ERR_BACKUP, "read %s: damaged: its CRC is wrong", name);
	if ((unsigned)c->state >= CONTROL_STATES)
		return err_set(e, ERR_BACKUP, "read %s: the cluster is in state %u, which none is",
			       name, (unsigned)c->state);
	c->known = c->version == 1201 || c->version == 1300 || c->version == 1700 ||
		   c->version == 1800;
	if (!c->known)
		return 0;
	take_rest(p, c);
	if (!possible(c))
		return err_set(e, ERR_BACKUP, "read %s: its block or segment sizes are impossible",
			       name);
	return 0;
}

const char *control_state_name(enum control_state s)
{
	static const char *const names[CONTROL_STATES] = {
		[CONTROL_STARTUP] = "starting up",
		[CONTROL_SHUT_DOWN] = "shut down",
		[CONTROL_SHUT_DOWN_IN_RECOVERY] = "shut down in recovery",
		[CONTROL_SHUTTING_DOWN] = "shutting down",
		[CONTROL_CRASH_RECOVERY] = "in crash recovery",
		[CONTROL_ARCHIVE_RECOVERY] = "in archive recovery",
		[CONTROL_IN_PRODUCTION] = "in production",
	};

	return (unsigned)s < CONTROL_STATES ? names[s] : "unknown";
}

/* src/include/catalog/catversion.h of each release. */
int control_major(const struct control *c)
{
	static const struct {
		uint32_t catalog_version;
		int major;
	} releases[] = {
		{ 201707211, 10 }, { 201809051, 11 }, { 201909212, 12 },
		{ 202007201, 13 }, { 202107181, 14 }, { 202209061, 15 },
		{ 202307071, 16 }, { 202406281, 17 }, { 202506291, 18 },
	};

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++)
		if (releases[i].catalog_version == c->catalog_version)
			return releases[i].major;
	return 0;
}
