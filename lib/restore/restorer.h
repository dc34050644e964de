#ifndef LIB_RESTORE_RESTORER_H
#define LIB_RESTORE_RESTORER_H
/*
 * restorer: everything between the backup's first byte and the restored server's first answer. It
 * reads untrusted input, so it runs in a process of its own that has given up root and the network;
 * all that it starts inherits that.
 *
 * It says what it finds with checks: backup-format, backup-encryption, backup-complete, restore,
 * restore-time, verified-rto; and the instance record. A physical backup is physical.h's.
 */
#include "lib/base/stage.h"
#include "lib/dump/stream.h"
#include "lib/pg/cluster.h"
#include "lib/restore/source.h"
#include "lib/restore/target.h"

#include <stdbool.h>
#include <stdint.h>

struct restore_job {
	const struct source *source;
	const char *path;      /* of the backup, readable for us */
	struct strv ancestors; /* paths of what it builds on, readable, too; the full one first */
	bool brought;          /* it is in dir, to be moved from there (bring.h), */
	int64_t bring_ms;      /* after so long */
	const char *dir;       /* private, ours */
	bool shut_off;         /* no other file of this machine can be reached */
	const struct identity *who;
	const char *pg_bindir; /* NULL: look for it */
	const char *templates; /* of data directories (template.h); NULL: none */
	enum cluster_durability durability;
	const struct strv *settings; /* of production, for a faithful restore; NULL: the usual */
	unsigned jobs;
	uint64_t max_disk_b;        /* 0: what is free */
	uint64_t max_memory_b;      /* of the server; 0: any */
	uint64_t *need_b;           /* filled in: the disk that it should take */
	struct stream_opts reading; /* limits for what comes out of the backup */
	struct target target;       /* of a physical backup's recovery */
	int wal_end; /* where it asks for WAL (walwire.h); -1: only the backup's own */
	struct strv skip_extensions;
	struct keys keys; /* for an encrypted one */
	bool require_encryption;
	uint64_t rto_target_s; /* 0: none */
	bool rows_only;        /* --depth data */
	bool analyze;
	void (*progress)(const char *phase); /* may be NULL */
};

enum { DATABASE_MAX = 256 };

struct restored_server {
	bool up;                     /* it runs, and something was restored into it */
	char database[DATABASE_MAX]; /* the one to look at */
	char user[CLUSTER_NAME];     /* its superuser; "": CLUSTER_USER */
};

void restorer_run(struct stage *st, const struct restore_job *job, struct restored_server *out);
#endif
