#ifndef LIB_PHYSICAL_WALFILE_H
#define LIB_PHYSICAL_WALFILE_H
/*
 * walfile: what a file in a WAL archive is, by the last part of its name: a segment
 * (0000000100000000000000A1), also with a digest behind it as pgBackRest stores it
 * (0000000100000000000000A1-5d41402abc4b2a76b9719d911017c592ab1c2d3e), a segment that was not
 * filled (.partial), the label of a backup (0000000100000000000000A1.00000028.backup), or the
 * history of a timeline (00000002.history); each also compressed (.gz .zst .lz4 .xz .bz2) and
 * encrypted (.gpg .pgp .asc .age .enc).
 *
 * Names: PostgreSQL src/include/access/xlog_internal.h (XLogFileName, BackupHistoryFileName,
 * TLHistoryFileName).
 */
#include <stdbool.h>

enum walfile_kind { WALFILE_SEGMENT, WALFILE_PARTIAL, WALFILE_LABEL, WALFILE_HISTORY };
enum { WALFILE_STEM = 25 };

/* stem: the segment's name, "00000002" of a history. False: it is none of these. */
bool walfile_of(const char *object, enum walfile_kind *kind, char stem[WALFILE_STEM]);
#endif
