#ifndef LIB_DUMP_COMPLETE_PARTS_H
#define LIB_DUMP_COMPLETE_PARTS_H
/*
 * complete_parts: what the archive formats share in complete: which entries' data was found, which
 * large objects are listed and which are there.
 */
#include "lib/dump/archive.h"
#include "lib/dump/complete.h"

#include <stdbool.h>
#include <stdint.h>

struct oids {
	uint32_t *v;
	size_t n, cap;
};

struct parts {
	const char *path; /* for messages */
	struct stream_opts limits;
	uint64_t unpacked_b; /* out of the parts that are done */
	struct archive archive;
	bool *found;         /* of each entry: its data is there, and whole */
	struct oids created; /* large objects that the table of contents creates */
	struct oids listed;  /* ... that a list of large objects, or a block, names */
	struct oids there;   /* ... whose data was read */
	struct complete *out;
};

/* Reads the table of contents from the beginning of s. Whatever it returns, parts_free(). */
int parts_read(struct parts *p, struct stream *s, struct err *e);
void parts_free(struct parts *p);

/* The position of an entry by its id; -1. */
int64_t parts_find(const struct parts *p, int64_t id);
/* "the data of public.users". Returns out. */
enum { PARTS_NAME = 160 };
const char *parts_name(const struct archive_entry *t, char out[PARTS_NAME]);

void parts_add_oid(struct oids *l, uint32_t oid);
/* The oid in the name of a large object's file, "blob_16403.dat"; 0: it is none. */
uint32_t parts_object_file(const char *name);
/* A line of a list of large objects, "16403 blob_16403.dat": its file, NULL with *e. */
const char *parts_list_line(struct parts *p, const char *line, struct err *e);

/* Reads n bytes (or all) of s as the data of an entry; they must end as it must. */
int parts_content(const struct parts *p, struct stream *s, uint64_t n,
		  const struct archive_entry *t, const char *where, struct err *e);

/* In the end: every entry with data was found, every large object created is listed and there. */
int parts_all_found(const struct parts *p, struct err *e);

int complete_custom(struct parts *p, struct err *e);
int complete_directory(struct parts *p, struct err *e);
int complete_tar(struct parts *p, struct err *e);
#endif
