#ifndef LIB_PHYSICAL_WALCOMMIT_H
#define LIB_PHYSICAL_WALCOMMIT_H
/*
 * walcommit: what a WAL record is, by its first bytes.
 *
 * Formats: PostgreSQL src/include/access/xlogrecord.h (XLogRecord, XLR_BLOCK_ID_*), rmgrlist.h (the
 * order is the resource manager's number), xact.h (XLOG_XACT_*, xl_xact_commit), catalog/
 * pg_control.h (XLOG_SWITCH). Little-endian hosts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets in a record's header, and its size. Its checksum covers what is behind the header, then
 * the header up to the checksum. */
enum {
	WAL_RECORD_PREV = 8,
	WAL_RECORD_INFO = 16,
	WAL_RECORD_RMGR = 17,
	WAL_RECORD_CRC = 20,
	WAL_RECORD_HEADER = 24
};

/* A commit, also of a prepared transaction, and its time? p holds n bytes of a whole record, at
 * least its header. */
bool wal_commit(const unsigned char *p, size_t n, int64_t *at_ms);

/* Does the segment end with it? p is a record's header. */
bool wal_is_switch(const unsigned char *p);
#endif
