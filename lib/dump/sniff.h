#ifndef LIB_DUMP_SNIFF_H
#define LIB_DUMP_SNIFF_H
/*
 * sniff: what is this? Told by content - the first bytes after unpacking, or what a directory
 * holds - and never by name; but whether the name says something else is told too.
 */
#include "lib/base/err.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

enum dump_kind {
	/* Restorable here. */
	DUMP_CUSTOM,    /* pg_dump -Fc */
	DUMP_DIRECTORY, /* pg_dump -Fd */
	DUMP_TAR,       /* pg_dump -Ft */
	DUMP_SQL,       /* pg_dump -Fp, pg_restore -f */
	DUMP_CLUSTER,   /* pg_dumpall */
	DUMP_OTHER_SQL, /* SQL that somebody else wrote: no end marker, so never provably whole */
	DUMP_PACKED_DIRECTORY, /* a tar of a directory that pg_dump -Fd wrote */
	/* Recognised, and refused by sniff_refuse(). */
	DUMP_BASE_DIRECTORY, /* a physical base backup */
	DUMP_BASE_TAR,
	DUMP_MYSQL,
	DUMP_MONGO,
	DUMP_ENCRYPTED, /* and no key was given */
	DUMP_CONTAINER, /* zip, 7z, rar */
	DUMP_HTML,
	DUMP_XML,
	DUMP_EMPTY,
	DUMP_TEXT,
	DUMP_BINARY,
	DUMP_KINDS
};

struct sniffed {
	enum dump_kind kind;
	char compression[64];    /* of the file as a whole, as stream_compression() says it */
	char encryption[64];     /* the same: "none", "age", "gpg", "openssl" */
	const char *doubt;       /* what its encryption cannot prove; NULL or "": nothing */
	const char *packing;     /* of the data inside an archive: "none", "gzip" ...; else NULL */
	int archive_minor;       /* archive version 1.MINOR; 0: no archive */
	char server_version[64]; /* "15.20"; these are "" where the backup does not say */
	char dump_version[64];
	char database[256];
	char encoding[32];
	int64_t local_ms;   /* when it was made by the dumping host's clock, zone unknown; or -1 */
	char detail[160];   /* what an error page says, which encryption, ... printable; or "" */
	char name_says[64]; /* what the name claims where the content is something else; or "" */
};

/* path is a file or a directory. Of opts the limits and keys are used. -1 with *e when it cannot be
 * read, or is damaged before it could be told what it is. */
int sniff_path(const char *path, const struct stream_opts *opts, struct sniffed *out,
	       struct err *e);

/* What another name of the same file claims: fills name_says anew. (A copy may have lost its name.)
 */
void sniff_name(const char *path, struct sniffed *s);

/* 0 when restore-to-temp can restore it; else -1 with the reason: ERR_BACKUP for what is no
 * backup at all, ERR_USAGE for a backup of a kind that is not looked into. */
int sniff_refuse(const char *path, const struct sniffed *s, struct err *e);

/* For the field "encryption" of records, "none", "age", "gpg", "openssl", without unpacking
 * anything: of what begins with these n bytes (48 are enough), of that file, or of what is called
 * so. NULL: that does not say; what is compressed may be encrypted inside. */
const char *sniff_encryption(const unsigned char *p, size_t n);
const char *sniff_encryption_of(const char *path);
const char *sniff_encryption_named(const char *name);

bool sniff_is_encrypted(const struct sniffed *s);
/* Compressed or encrypted as a whole: not to be read without a stream. */
bool sniff_is_packed(const struct sniffed *s);

/* One of pg_dump's own (or pg_dumpall's) formats: there is an end that must be there. */
bool sniff_has_end(const struct sniffed *s);

/* For the field "format" of records: "custom", "directory", "tar", "plain", "pg_dumpall", ... */
const char *sniff_format(const struct sniffed *s);

/* For people: "custom archive 1.14 of PostgreSQL 15.20, gzip". Returns out. */
enum { SNIFF_TEXT = 256 };
const char *sniff_describe(const struct sniffed *s, char out[SNIFF_TEXT]);
#endif
