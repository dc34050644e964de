#ifndef LIB_DUMP_COMPLETE_PARTS_H
#define LIB_DUMP_COMPLETE_PARTS_H
/*
 * complete_parts: what the archive formats share in complete: which entries' data was found, which
 * large objects are listed and which are there.
 */
#include "lib/dump/archive.h"
#include "lib/dump/complete.h"
#include "lib/dump/content.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct oids {
	uint32_t *v;
	size_t n, cap;
};

struct parts {
	const char *path; /* for messages */
	struct stream_opts limits;
	struct census *rows; /* to count in, unpacking everything; NULL: neither */
	unsigned threads;
	pthread_mutex_t lock; /* on .unpacked_b, .there and .out */
	uint64_t unpacked_b;
	struct archive archive;
	struct census_table *
		*tables;     /* of each entry; NULL: it is no table's data, or none counts */
	bool *found;         /* of each entry: its data is there, and whole */
	uint64_t *bytes;     /* of each entry: what it has of .out->data_b, but for large objects */
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

/* Reads n bytes (or all) of s as the data of an entry; they must end as it must. where: a
 * file or member; NULL: a block. Several threads
 * may do so for different entries. */
int parts_content(struct parts *p, struct stream *s, uint64_t n, const struct archive_entry *t,
		  const char *where, struct err *e);

/* The limits for one part; that on all together is kept by parts_content(). */
struct stream_opts parts_limits(const struct parts *p, const char *name);

/* Calls work(ctx, i, e) for every i below n on .threads threads; -1 with the *e of the first that
 * failed, and how many did. */
int parts_each(struct parts *p, size_t n, int (*work)(void *ctx, size_t i, struct err *e),
	       void *ctx, struct err *e);

/* The same for a large object, which has no end mark. */
int parts_object(struct parts *p, struct stream *s, uint64_t n, const char *where, struct err *e);
/* A large object's data was read; bare: it lay there as it is, in a file of its own. */
void parts_object_there(struct parts *p, uint32_t oid, bool bare);
/* The same in a block, which is its own list. */
void parts_object_in_block(struct parts *p, uint32_t oid);
/* What was found so far is going to be found again. */
void parts_forget(struct parts *p);

/* In the end: every entry with data was found, every large object created is listed and there. Sums
 * up. */
int parts_all_found(const struct parts *p, struct err *e);

int complete_custom(struct parts *p, struct err *e);
int complete_directory(struct parts *p, struct err *e);
int complete_tar(struct parts *p, struct err *e);
#endif
