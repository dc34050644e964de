#ifndef LIB_DUMP_ARCHIVE_H
#define LIB_DUMP_ARCHIVE_H
/*
 * archive: the header and the table of contents that pg_dump writes into custom archives, into
 * toc.dat of directories, and into the first member of tar files; and the data blocks that
 * follow them in custom archives.
 *
 * Format: PostgreSQL src/bin/pg_dump/pg_backup_archiver.c (ReadHead, ReadToc) and
 * pg_backup_custom.c, archive versions 1.12 (PostgreSQL 9.0) to 1.16 (17 and 18). Nothing in an
 * archive is trusted: lengths are bounded and memory grows with the bytes that were read.
 */
#include "lib/base/err.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

enum archive_format { ARCHIVE_CUSTOM = 1, ARCHIVE_TAR = 3 /* directories say so too */ };
enum archive_packing { ARCHIVE_NONE, ARCHIVE_GZIP, ARCHIVE_LZ4, ARCHIVE_ZSTD };
enum archive_section { SECTION_NONE = 1, SECTION_PRE_DATA, SECTION_DATA, SECTION_POST_DATA };

struct archive_header {
	int minor;    /* of version 1.MINOR */
	int int_size; /* bytes of an integer in this file */
	int offset_size;
	enum archive_format format;
	enum archive_packing packing; /* of the data blocks or files */
	int64_t local_ms;             /* when it was made, as the dumping host's clock showed it,
				       * without a zone: hours off from UTC; -1: nonsense */
	char *database;
	char *server_version; /* "15.20 (Debian 15.20-0+deb12u1)" */
	char *dump_version;
};

struct archive_entry {
	int64_t id;
	bool has_data;
	char *tag, *desc; /* "users", "TABLE DATA" */
	enum archive_section section;
	char *defn, *drop, *copy; /* SQL; "" when there is none */
	char *schema, *tablespace, *owner;
	int64_t *depends; /* ids */
	size_t n_depends;
	bool offset_known; /* custom */
	uint64_t offset_b; /* custom: where its block begins */
	char *file;        /* directory and tar: its file or member; "" when it has none */
};

struct archive {
	struct archive_header header;
	struct archive_entry *entries;
	size_t n;
	struct archive_index *by_id; /* n of them, for archive_entry_by_id() */
};

/* Reads from the very beginning of s. ERR_BACKUP for what is no archive, too new, damaged or cut
 * short. The result is the caller's, also after an error; it then holds what was read whole. */
int archive_read_header(struct stream *s, struct archive_header *h, struct err *e);
/* The header and all entries; s then stands at the first data block. */
int archive_read(struct stream *s, struct archive *a, struct err *e);
void archive_header_free(struct archive_header *h);
void archive_free(struct archive *a);
#define ARCHIVE_AUTO __attribute__((cleanup(archive_free))) struct archive

/* NULL when there is none. */
const struct archive_entry *archive_entry_by_id(const struct archive *a, int64_t id);
/* "none", "gzip", "lz4", "zstd". */
const char *archive_packing_name(enum archive_packing p);

/* The data blocks of a custom archive, in the order of the file. */
struct archive_block {
	int64_t id;         /* of its entry */
	bool large_objects; /* many objects, each with chunks of its own */
	uint64_t at_b;      /* where it begins in the archive */
};
/* Behind the last block: is there nothing but the table of contents once more? 1; 0: something
 * else, or nothing; -1 with *e. pg_dump 17 leaves it there, with the offsets that the first one
 * lacks, when it writes to its standard output. */
int archive_ends_in_contents(struct stream *s, const struct archive *a, struct err *e);

/* 1: a block begins; 0: the end of the file, at a border of blocks; -1. */
int archive_block_begin(struct stream *s, const struct archive_header *h, struct archive_block *b,
			struct err *e);
/* In a block of large objects: 1: the next object begins; 0: no more. */
int archive_object_begin(struct stream *s, const struct archive_header *h, int64_t *oid,
			 struct err *e);
/* The size of the next chunk of packed data, which the caller then reads or skips with
 * stream_read() or stream_skip(); 0: the last one was it; -1. */
int64_t archive_chunk(struct stream *s, const struct archive_header *h, struct err *e);
#endif
