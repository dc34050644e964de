#ifndef LIB_STORAGE_STORAGE_H
#define LIB_STORAGE_STORAGE_H
/*
 * storage: the places that backups are kept in, behind one small interface: list, stat, read a
 * range. The scheme of the source chooses the driver (driver.h says how to add one):
 *
 *	/backups, ../x.dump, '/b/shop-*.dump', file:///backups		local.c
 *	https://host/backups/, https://host/x.dump			web.c
 *	s3://bucket/prefix, gs://bucket/prefix				s3.c
 *	azure://account/container/prefix				azure.c
 *	sftp://user@host/path						sftp.c
 *
 * An object is one file. Its name is relative to the source, with '/' between its parts; what
 * belongs together (the files of a directory-format dump) is put together by catalog.h, from names
 * alone, in the same way for all drivers.
 *
 * A handle serves one thread; several transfers at a time take a handle each (storage_clone()).
 *
 * Errors: ERR_REMOTE and ERR_SYSTEM when it could not be looked, ERR_BACKUP when it was looked
 * and the object is not there.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/storage/sink.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORAGE_NAME_MAX = 8 * 1024, STORAGE_ETAG_SIZE = 512, STORAGE_SUM_SIZE = 96 };

/* What happened on the way, over all handles with the same options. */
struct storage_tally {
	atomic_uint retries;      /* attempts beyond the first ones */
	atomic_bool whole_answer; /* a request for a middle part was answered with the whole */
};

/* Files with what opens a storage; each may be NULL. */
struct storage_access {
	const char *password_file;    /* sftp, http: of the user in the address; of the SSH key */
	const char *token_file;       /* http: a bearer token */
	const char *ssh_key_file;     /* sftp */
	const char *known_hosts_file; /* sftp; NULL: ~/.ssh/known_hosts */
};

struct storage_options {
	uint64_t retries;                    /* further attempts after a passing failure */
	uint64_t connect_s;                  /* limit for a connection to come up */
	uint64_t stall_s;                    /* limit for next to nothing arriving */
	const volatile sig_atomic_t *stop;   /* not 0: give up soon, as an error; may be NULL */
	struct storage_tally *tally;         /* may be NULL */
	const struct storage_access *access; /* may be NULL */
	bool deep; /* list all directories of a place; else only those that are one backup, or have
		    * a date for a name */
};

/* What a listing says of an object. The text is valid during the call only. */
struct storage_object {
	const char *name;
	int64_t bytes;       /* -1: the listing does not say (exactly); storage_stat() does */
	int64_t modified_ms; /* -1: not known */
	const char *etag;    /* with its quotes; "" where there is none */
	const char *link;    /* it is a symbolic link to this; NULL: it is none */
};

/* The digests of an object's content that its storage keeps, "" where it says none: base64 of the
 * big-endian bytes, and "-N" behind one that was made of the digests of N parts (RFC 9110 and RFC
 * 1864; Amazon S3 User Guide, "Checking object integrity"). */
struct storage_sums {
	char sha256[STORAGE_SUM_SIZE], sha1[STORAGE_SUM_SIZE], md5[STORAGE_SUM_SIZE];
	char crc64nvme[STORAGE_SUM_SIZE], crc32c[STORAGE_SUM_SIZE], crc32[STORAGE_SUM_SIZE];
};

/* What is known of one object right now. */
struct storage_stat {
	int64_t bytes, modified_ms; /* -1: not known */
	char etag[STORAGE_ETAG_SIZE];
	bool ranges;        /* several parts can be read at a time, tied together by the etag */
	int64_t part_bytes; /* it was stored in parts of so many bytes, the last one may be
			     * shorter; 0: not known */
	bool etag_md5;      /* the etag is an MD5, of the bytes or of those of the parts */
	struct storage_sums sums;
};

struct storage;

/* NULL with *e (ERR_USAGE) for a source that no driver takes. Asks nobody yet. */
struct storage *storage_open(const char *source, const struct storage_options *options,
			     struct err *e);
void storage_close(struct storage **s);
#define STORAGE_AUTO __attribute__((cleanup(storage_close))) struct storage *

/* Another handle on the same source, for another thread: knows what a listing by *of found out.
 * Serves until *of is closed, at most. NULL with *e. */
struct storage *storage_clone(const struct storage *of, struct err *e);

/* What it was opened with; may be NULL. */
struct storage_tally *storage_tally(const struct storage *s);
const volatile sig_atomic_t *storage_stop(const struct storage *s);

/* The source as it may be shown, without secrets. */
const char *storage_shown(const struct storage *s);

/* The last part of the source: the name of a source that is itself one backup. */
const char *storage_base_name(const struct storage *s);

/* Calls each for every object, in no particular order; when it returns -1 with *e, so does this.
 * Memory does not grow with the number of objects. */
int storage_list(struct storage *s,
		 int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		 struct err *e);

/* After a listing: the source named this one object itself, and not a place. */
bool storage_is_object(const struct storage *s);

/* Names are those of a listing by this handle. */
int storage_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e);

/* The bytes from..from+count (count -1: to the end) into the sink. With an etag other than "" only
 * that version: an object that was replaced meanwhile is an error, never a mixture. */
int storage_read(struct storage *s, const char *name, const char *etag, int64_t from, int64_t count,
		 const struct storage_sink *sink, struct err *e);

/* May what is read be changed meanwhile, unnoticed? */
bool storage_in_place(const struct storage *s);

/* A small object as text, at most out->max bytes. */
int storage_slurp(struct storage *s, const char *name, struct buf *out, struct err *e);

/* The path of an object, or of the directory that holds some, on this machine. False where the
 * storage is elsewhere. */
bool storage_path(const struct storage *s, const char *name, struct buf *out);
#endif
