#ifndef LIB_PG_CONTENT_H
#define LIB_PG_CONTENT_H
/*
 * content: what one table holds, read in the transaction that its session is in: rows, the newest
 * values of its time columns, and, where wanted, the hash of all rows (rowhash.h) and of those of
 * each range of its primary key (keyrange.h).
 *
 * The rows are hashed here, not in the server: COPY is cheaper than turning whole rows into text in
 * SQL, it knows every type, and its text is that of every dump, whatever the versions.
 */
#include "lib/base/buf.h"
#include "lib/pg/keyrange.h"
#include "lib/pg/relation.h"

struct pg_content {
	int64_t rows;
	char *newest_created, *newest_changed; /* owned: as the server prints them; NULL: none */
	struct rowhash hash;                   /* of .rows rows; when hashed */
	struct keyranges ranges;               /* .n 0: without a key */
};

void pg_content_free(struct pg_content *c);

/* Settings of a transaction in which content is read, so that COPY writes what pg_dump writes. */
int pg_content_settings(struct pg *pg, struct err *e);

/* Counts the rows. */
int pg_content_count(struct pg *pg, const struct pg_relation *r, struct pg_content *out,
		     struct err *e);

/* Hashes the rows, too. Where out->ranges is not divided yet, it is: by a sample of the keys. */
int pg_content_hash(struct pg *pg, const struct pg_relation *r, struct pg_content *out,
		    struct err *e);

/* The large objects as a table of their numbers and, when deep, a digest of what each holds. */
int pg_content_large_objects(struct pg *pg, bool deep, struct pg_content *out, struct err *e);

/* One row after the other of a COPY ... TO STDOUT, without its newline. each returns -1 with *e to
 * fail. */
int pg_copy_rows(struct pg *pg, const char *sql,
		 int (*each)(const char *line, size_t len, void *ctx, struct err *e), void *ctx,
		 struct err *e);

/* The COPY statement that reads all of a table. */
int pg_content_copy(const struct pg_relation *r, struct buf *sql, struct err *e);

/* The key in a line: appended to out as its columns, tabs between them. False: the line has not so
 * many columns. */
bool pg_content_key(const struct pg_relation *r, const char *line, size_t len, struct buf *out);
#endif
