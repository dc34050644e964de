#ifndef LIB_KEEPER_KEEPER_H
#define LIB_KEEPER_KEEPER_H
/*
 * keeper: programs that keep physical backups in a repository of their own, and alone know how to
 * read it. Not a storage (lib/storage/storage.h): there is no object to fetch, but a program to
 * ask. The scheme of the source chooses the driver (driver.h says how to add one):
 *
 *	pgbackrest:STANZA[?repo=N&config=FILE&user=NAME]
 *	barman:SERVER[?config=FILE&user=NAME]
 *	walg:[FILE][?user=NAME]
 *
 * What opens the repository (keys, passwords, hosts) is in the program's own configuration or its
 * own environment, and is not looked at here. As root the program runs as NAME, else as the user
 *that its package runs it as. It is only ever asked to read; its answers are believed, its exit
 *status is not: 0 says little with either of them.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/identity.h"
#include "lib/base/stage.h"
#include "lib/base/strv.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct keeper {
	const struct keeper_driver *driver;
	char *shown;   /* owned: the source as it was named; it holds no secret */
	char *name;    /* owned: stanza, server; what messages call a nameless one */
	char *config;  /* owned; NULL: the program's default */
	unsigned repo; /* 0: all of them */
	char *archive; /* owned: where the WAL is, of keeper_backup; NULL: that of the newest */
	struct identity who;
	char *home; /* owned: who's */
};
#define KEEPER_AUTO __attribute__((cleanup(keeper_close))) struct keeper

/* A source for a keeper, not for a storage? */
bool keeper_claims(const char *source);

/* -1 with *e (ERR_USAGE). Asks nobody yet. Closed by the caller even then. */
int keeper_open(struct keeper *k, const char *source, struct err *e);
void keeper_close(struct keeper *k);

/* Strings are owned, and NULL where the program does not say. */
struct keeper_backup {
	char *name, *type, *prior; /* type: full, diff, incr; prior: what it builds on */
	char *start_lsn, *stop_lsn, *start_wal, *stop_wal;
	char *archive; /* where its WAL is, when the program has several such places */
	char *system_identifier, *server_version, *encryption;
	char *host;  /* where it was made */
	char *fault; /* it exists and can be restored, but something is known to be wrong */
	unsigned repo;
	bool permanent; /* its retention never removes it */
	int64_t started_ms, stopped_ms;
	int64_t bytes;     /* that it takes in the repository, by itself; all three -1: unknown */
	int64_t set_bytes; /* with all that it builds on: what a restore reads */
	int64_t database_bytes; /* that it restores to */
};

/* What else the answer said: about a repository, or about a backup that is none. */
struct keeper_trouble {
	char *subject, *text;
	enum verdict verdict;
};

enum { KEEPER_REPOS = 256 }; /* the most that pgBackRest takes */

struct keeper_list {
	struct keeper_backup *v; /* by stopped_ms, oldest first */
	size_t n;
	struct keeper_trouble *trouble;
	size_t n_trouble;
	unsigned repos[KEEPER_REPOS]; /* numbers of those that answered, where there are several */
	size_t n_repos;
	uint64_t unwanted; /* left out by the filter */
};
#define KEEPER_LIST_AUTO __attribute__((cleanup(keeper_list_free))) struct keeper_list

struct keeper_filter {
	const struct strv *match, *exclude; /* select_wanted(); may be NULL */
	int64_t as_of_ms;                   /* none that is younger; 0: all */
	uint64_t nth;                       /* only the Nth newest; 0: all */
};

/* ERR_BACKUP when the program looked, and there is no repository (any more), or a broken one. */
int keeper_list(const struct keeper *k, const struct keeper_filter *filter, struct keeper_list *out,
		struct err *e);
void keeper_list_free(struct keeper_list *l);

/* Why an empty list is. */
const char *keeper_none(const struct keeper_list *l);

/* The fields of its "backup" record. */
json_t *keeper_describe(const struct keeper *k, const struct keeper_backup *b);

/* A check "repository" for each trouble, and "backup-fault" for each backup with a fault. */
void keeper_say_troubles(struct stage *st, const struct keeper_list *l);

/* Lets the program look at every byte of its repository, and says what it found, with the troubles
 * of its list unless those have been said:
 * repository-verify	on the whole; with a subject, on one of several repositories
 * repository-backup	of each backup that is not whole, or not in the catalogue
 * repository-copies	of files that it keeps twice, when they do not agree
 * repository-wal	of each archive of which segments are not whole
 * repository-wal-gaps	whether the WAL of each backup, and from the oldest one on, is there */
void keeper_verify(const struct keeper *k, struct stage *st, bool listed);

/* Has a backup restored, without a word about recovery: the server that is started on it says
 * itself how far it goes. ERR_BACKUP when the program says that the backup is damaged. */
struct keeper_restore {
	const char *backup;
	unsigned repo;
	const char *dir;  /* private, of k->who: for what the program needs beside */
	const char *data; /* the data directory to be: there, empty, of k->who, in dir */
	unsigned jobs;
	uint64_t limit_s; /* 0: none */
};
int keeper_restore(const struct keeper *k, const struct keeper_restore *r, struct err *e);

/* The names of the files in the archive of its WAL: each begins with a segment's, or is one of a
 * timeline's history. */
int keeper_wal_names(const struct keeper *k, struct strv *names, struct err *e);

/* Writes one of them, unpacked, to dir/NAME, where there is none yet: 1; 0 when it is not in the
 * archive; -1. data: a data directory of the cluster. */
int keeper_wal_get(const struct keeper *k, const char *name, const char *dir, const char *data,
		   struct err *e);

/* Lets it look at production and the way of WAL from there: the check repository-check. */
void keeper_check(const struct keeper *k, struct stage *st);

/* --- for drivers ------------------------------------------------------------------------------ */

struct keeper_said {
	struct buf out, err; /* standard output and standard error */
	int status;          /* as of wait(2) */
	bool drop;           /* in: standard output is not wanted, however much it is */
};
enum { KEEPER_OUT_MAX = 256 << 20, KEEPER_ERR_MAX = 1 << 20 };
#define KEEPER_SAID_AUTO __attribute__((cleanup(keeper_said_free))) struct keeper_said
#define KEEPER_SAID_INIT \
	{ \
		.out = BUF_INIT(KEEPER_OUT_MAX), .err = BUF_INIT(KEEPER_ERR_MAX) \
	}

/* Runs argv as k->who, at most limit_s seconds (0: no limit), with nothing of our environment but
 * what is the program's own. -1 when it could not be run, or said more than can be taken in. Ends
 * with us. */
int keeper_run(const struct keeper *k, const struct strv *argv, uint64_t limit_s,
	       struct keeper_said *said, struct err *e);
void keeper_said_free(struct keeper_said *said);

/* The JSON text in said->out, an object or an array, of whatever size; the caller's. NULL with *e,
 * which then holds what the program said on standard error. */
json_t *keeper_parse(const struct keeper *k, const struct keeper_said *said, struct err *e);

/* What a program says about a failure, in one line: without its "ERROR: [055]:" or time
 * stamp, cut short. */
void keeper_reason(const char *text, struct buf *out);

/* A field of an answer: text, a copy; NULL. A whole number of 0 and more; -1. */
char *keeper_text(const json_t *o, const char *field);
int64_t keeper_whole(const json_t *o, const char *field);

/* One more, of which nothing is known yet. Valid until the next. */
struct keeper_backup *keeper_list_add(struct keeper_list *l);
void keeper_list_trouble(struct keeper_list *l, const char *subject, enum verdict verdict,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#endif
