#include "lib/physical/walcommit.h"

#include "lib/base/bytes.h"

/* RM_XLOG_ID, RM_XACT_ID */
enum { RMGR_XLOG = 0, RMGR_XACT = 1 };
enum { XLOG_MASK = 0xf0, XLOG_SWITCH = 0x40 };
enum { XACT_MASK = 0x70, XACT_COMMIT = 0x00, XACT_COMMIT_PREPARED = 0x30 };
/* What stands before the record's own data, and how long each is, its number included. */
enum {
	ID_TOPLEVEL_XID = 252,
	TOPLEVEL_XID_SIZE = 5,
	ID_ORIGIN = 253,
	ORIGIN_SIZE = 3,
	ID_DATA_LONG = 254,
	DATA_LONG_SIZE = 5,
	ID_DATA_SHORT = 255,
	DATA_SHORT_SIZE = 2
};

/* Where the record's own data begins; 0: it has none, or blocks before it. */
static size_t data(const unsigned char *p, size_t n)
{
	size_t at = WAL_RECORD_HEADER;

	while (at < n)
		switch (p[at]) {
		case ID_DATA_SHORT:
			return at + DATA_SHORT_SIZE;
		case ID_DATA_LONG:
			return at + DATA_LONG_SIZE;
		case ID_ORIGIN:
			at += ORIGIN_SIZE;
			break;
		case ID_TOPLEVEL_XID:
			at += TOPLEVEL_XID_SIZE;
			break;
		default:
			return 0;
		}
	return 0;
}

bool wal_commit(const unsigned char *p, size_t n, int64_t *at_ms)
{
	/* TimestampTz: microseconds since 2000-01-01T00:00:00Z. */
	static const int64_t epoch_ms = INT64_C(946684800000);
	const int info = p[WAL_RECORD_INFO] & XACT_MASK;
	size_t at;

	if (p[WAL_RECORD_RMGR] != RMGR_XACT ||
	    (info != XACT_COMMIT && info != XACT_COMMIT_PREPARED))
		return false;
	at = data(p, n);
	if (at == 0 || at + sizeof(int64_t) > n)
		return false;
	*at_ms = (int64_t)bytes_le64(p + at) / 1000 + epoch_ms;
	return true;
}

bool wal_is_switch(const unsigned char *p)
{
	return p[WAL_RECORD_RMGR] == RMGR_XLOG && (p[WAL_RECORD_INFO] & XLOG_MASK) == XLOG_SWITCH;
}
