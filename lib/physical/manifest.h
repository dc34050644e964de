#ifndef LIB_PHYSICAL_MANIFEST_H
#define LIB_PHYSICAL_MANIFEST_H
/*
 * manifest: the list of files that pg_basebackup writes beside a base backup, backup_manifest.
 *
 * Format: PostgreSQL documentation, "Backup Manifest Format", versions 1 (PostgreSQL 13 to 16) and
 * 2 (from 17 on, with the system identifier); its own checksum is SHA-256 over all but its last
 * line (src/common/parse_manifest.c). It is read as strictly as pg_verifybackup reads it: an
 * unknown field, a path twice, a checksum of the wrong length make it no manifest. Entries are
 * parsed one by one, so memory is that of the result.
 */
#include "lib/base/err.h"
#include "lib/physical/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct manifest_file {
	char *path; /* relative, as the file system has it: any bytes but NUL */
	uint64_t size_b;
	enum hash_kind algorithm;
	unsigned char sum[HASH_MAX];
};

/* WAL that must be there to make the backup consistent: from start up to end, not including it. */
struct manifest_wal {
	uint32_t timeline;
	uint64_t start, end; /* LSNs */
};

struct manifest {
	int version;
	uint64_t system_identifier;  /* 0 in version 1 */
	struct manifest_file *files; /* by path */
	size_t n_files, cap_files;
	struct manifest_wal *wal;
	size_t n_wal;
	uint64_t total_b;
};

/* text is the whole file; name is for messages. ERR_BACKUP when it is damaged, unknown or not what
 * its own checksum says. The result is the caller's, also after an error. */
int manifest_parse(const char *text, size_t len, const char *name, struct manifest *m,
		   struct err *e);
/* That of the backup in this directory. */
int manifest_of(const char *backup, struct manifest *m, struct err *e);
void manifest_free(struct manifest *m);
#define MANIFEST_AUTO __attribute__((cleanup(manifest_free))) struct manifest

/* NULL: no such file is listed. */
const struct manifest_file *manifest_find(const struct manifest *m, const char *path);

/* "0/2000028" */
bool manifest_lsn(const char *s, uint64_t *lsn);
#endif
