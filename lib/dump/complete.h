#ifndef LIB_DUMP_COMPLETE_H
#define LIB_DUMP_COMPLETE_H
/*
 * complete: is a logical backup whole, to the last byte, without a server?
 *
 * - custom: the table of contents, then every data block to its last length, up to the end of the
 *   file; each entry that has data has its block. What lies packed in the blocks is unpacked
 *   only where a number of bytes is set as a limit; pg_restore does, and verifies it.
 * - directory: every file that the table of contents and the lists of large objects name is
 *   there, unpacks to its verified end, and ends as its content must. (pg_restore 15 takes a .gz
 *   of 0 or 1 bytes, and a list of large objects that ends early, for whole.)
 * - tar: every member that is named is there, with its size, and the two zero blocks at the end.
 * - plain SQL: read to the last comment of pg_dump or pg_dumpall (sqlscan.h).
 *
 * complete_count() looks deeper: it unpacks what is packed, too, and counts the rows of all tables.
 * Parts that do not depend on each other (the blocks of a custom archive, the files of a directory)
 * are read on several threads, and so are the members of a compressed file where they tell where
 * they end (multi.h); else a compressed script is unpacked ahead.
 *
 * Large objects in a directory that was dumped without compression have neither a length nor an
 * end mark: the note says so.
 */
#include "lib/base/err.h"
#include "lib/dump/census.h"
#include "lib/dump/sniff.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct complete {
	uint64_t tables;    /* with data, as far as the format tells without SQL being understood */
	uint64_t objects;   /* large objects */
	uint64_t data_b;    /* of tables and objects, as they lie in an archive; of a script, all */
	uint64_t rows_b;    /* of an archive: of these the tables' */
	uint64_t indexed_b; /* of an archive: the sum of the tables' over all its indexes */
	uint64_t indexes;
	bool packed;       /* the data_b of an archive lie packed, and were not unpacked */
	char encoding[32]; /* of the text in it, by complete_count(); "" where it does not say */
	char note[160];    /* what this could not prove; or "" */
	bool unproven;     /* ... which is that it is whole at all */
};

/* 0: whole, or made by others than pg_dump, where the note says that nothing proves it. -1 with *e;
 * ERR_BACKUP names what is missing or damaged. Of opts only limits and keys are used. */
int complete_check(const char *path, const struct sniffed *what, const struct stream_opts *opts,
		   struct complete *out, struct err *e);

/* The same on so many threads, unpacking everything. Whatever it returns, rows (census.h) then has
 * the tables that have data; those that are .whole are counted. */
int complete_count(const char *path, const struct sniffed *what, const struct stream_opts *opts,
		   unsigned threads, struct census *rows, struct complete *out, struct err *e);
#endif
