#ifndef LIB_PG_COVERING_H
#define LIB_PG_COVERING_H
/*
 * covering: which databases of a server have a backup, by what a listing says of its backups.
 *
 * A backup is of the whole cluster, of the database that its own header names, or else of the
 * database whose name stands in its name as a word: shop-20260217.dump is of shop, workshop.dump is
 * not; where several names fit (shop, shop_eu), of the longest.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct covered {
	char *name; /* owned */
	int64_t bytes;
	char *backup; /* owned: its newest; NULL: none */
	int64_t at_ms;
};

struct covering {
	struct covered *v; /* owned, in the order they were added */
	size_t n;
	uint64_t backups; /* that were taken */
	bool roles;       /* one of them holds the roles */
};
void covering_free(struct covering *c);
#define COVERING_AUTO __attribute__((cleanup(covering_free))) struct covering

/* bytes -1: not known. */
void covering_add_database(struct covering *c, const char *name, int64_t bytes);

enum covering_of {
	COVERING_CLUSTER,  /* all databases, and the roles */
	COVERING_DATABASE, /* the one that is named, NULL or "": by the backup's name */
	COVERING_ROLES,    /* nothing but what belongs to the cluster as a whole */
};

/* One backup, of which at_ms is known. */
void covering_take(struct covering *c, const char *backup, int64_t at_ms, enum covering_of of,
		   const char *database);

/* By its name alone: pg_dumpall's output, pg_dumpall --globals-only's, or that of one database. */
enum covering_of covering_by_name(const char *backup);
#endif
