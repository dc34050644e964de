#ifndef LIB_PHYSICAL_SURVEY_H
#define LIB_PHYSICAL_SURVEY_H
/*
 * survey: one parallel pass over the bytes of a base backup: file sizes and checksums against the
 * manifest, and the pages of relation files, in the same read.
 *
 * A base backup is a directory as pg_basebackup -Fp leaves it, or the set of tars of -Ft: base.tar,
 * OID.tar of each tablespace, pg_wal.tar, compressed in any way that lib/dump/stream reads. Or
 * one tar that is all of it. Tars are not unpacked: members are looked at as they pass. Memory is
 * constant for each job.
 *
 * Pages: those changed after the backup began (their LSN lies between the backup's first and last
 * WAL) may have been copied while they were written; replay repairs them, so a wrong checksum there
 * is counted as torn and is no finding (PostgreSQL src/backend/backup/basebackup.c skips them in
 * the same way). A page from beyond the last WAL is a finding.
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/physical/control.h"
#include "lib/physical/label.h"
#include "lib/physical/manifest.h"
#include "lib/physical/wal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum survey_kind {
	FOUND_MISSING,
	FOUND_EXTRA,
	FOUND_SIZE,
	FOUND_SUM,
	FOUND_DAMAGED, /* a tar that cannot be read to its end */
	FOUND_LINK,    /* leaves the backup, or is no file */
	FOUND_SEGMENT, /* an earlier segment of the relation is missing or short */
	FOUND_CLOSED,  /* no finding on the backup: we could not look (permission, disk) */
	FOUND_KINDS
};

struct survey_finding {
	enum survey_kind kind;
	char *path;
	char *what; /* "checksum 12ab... instead of 98fe..." */
};

enum survey_fault { FAULT_HEADER, FAULT_CHECKSUM, FAULT_NO_CHECKSUM, FAULTS };

struct survey_page {
	char *path;
	uint32_t block; /* of the relation's fork */
	enum survey_fault fault;
	uint16_t is, ought; /* its checksum, and that of its content */
};

/* A file in pg_wal that is named like a segment. */
struct survey_wal {
	char name[WAL_NAME_SIZE];
	uint64_t bytes;
	bool has_header; /* its first page is one */
	struct wal_header header;
	uint64_t sound_until; /* LSN: all pages before it belong to this segment */
};

/* How many findings of each kind are kept; those beyond are counted. */
enum { SURVEY_KEPT = 200 };

struct survey {
	/* Found on the way; NULL or 0 while not seen. */
	char *version; /* PG_VERSION: "15" */
	struct control control;
	struct label label;
	bool has_control, has_label;
	struct err control_error, label_error; /* .kind ERR_NONE: none */
	uint64_t files, bytes;                 /* looked at */
	uint64_t pages, new_pages, torn_pages;
	uint64_t sums; /* checksums of the manifest that were compared */
	struct survey_finding *findings;
	size_t n_findings;
	uint64_t found[FOUND_KINDS];
	struct survey_page *bad_pages;
	size_t n_bad_pages;
	uint64_t faults[FAULTS];
	struct survey_wal *wal; /* by name */
	size_t n_wal;
	bool tars;
	/* What could not be looked at: directories, with a slash at their end, and files; "" stands
	 * for all that no other tar holds. */
	struct strv closed;
	uint64_t unlooked; /* files of the manifest that are in it, or behind a tar's damage */
};

struct survey_opts {
	const struct manifest *manifest; /* NULL: there is none */
	const char *lone; /* of all that the directory holds look at this tar alone; NULL: at all */
	unsigned jobs;
	bool sums, pages; /* what to read for; without both only names and sizes */
};

/* dir is the open directory, which is where for messages. -1 with *e when the backup could not be
 * looked at at all; what is wrong with it stands in *out, which is the caller's. */
int survey_run(int dir, const char *where, const struct survey_opts *opts, struct survey *out,
	       struct err *e);
/* Is it there that we could not look? Then nobody knows whether it is missing. */
bool survey_closed(const struct survey *s, const char *path);
void survey_free(struct survey *s);
#define SURVEY_AUTO __attribute__((cleanup(survey_free))) struct survey
#endif
