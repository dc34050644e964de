#ifndef LIB_REPORT_RUNBOOK_H
#define LIB_REPORT_RUNBOOK_H
/*
 * runbook: how to recover, written from the configuration and the last measured drill, so that it
 * cannot rot: exact commands with the real names, what each step took when it was last measured, a
 * query that shows that it worked, and what it must answer.
 *
 * Four emergencies: rows or tables deleted; the database damaged; a point in time before an
 * incident; the host or region lost. From a repository of pgBackRest, Barman or WAL-G its own
 * program restores, from a directory of base backups cp or tar. What a scenario needs and the
 * configuration does not have (archived WAL, a standby) is said in the place where it would be
 * needed.
 *
 * The commands are POSIX sh; in a scenario all blocks belong into one shell, in their order. They
 * touch the damaged database only in the steps that say so, and never remove it.
 */
#include "lib/report/paper.h"

#include <jansson.h>
#include <stdint.h>

/* A repository whose own program restores from it (lib/keeper/keeper.h). */
enum runbook_program { KEEPER_NONE, KEEPER_PGBACKREST, KEEPER_BARMAN, KEEPER_WALG };

struct runbook_keeper {
	enum runbook_program program;
	const char *name, *config; /* stanza or server; NULL: the program's default */
	unsigned repo;             /* 0: whichever has the backup */
};

/* Strings are NULL where unknown. None is a secret. */
struct runbook {
	const char *label;
	const char *source; /* of dumps, or of the keeper */
	struct runbook_keeper keeper;
	const char *database;            /* its name on the server */
	const char *host, *port, *user;  /* of the server, for an administrator */
	const char *bin_dir;             /* NULL: Debian's, of the drill's version */
	const char *work;                /* room for the recovery */
	const char *base_backup, *wal;   /* directories: of base backups, of archived WAL */
	const char *restore_command;     /* NULL: cp from wal */
	const char *data_directory;      /* of the server */
	const char *stop, *start;        /* commands that stop and start it; NULL: pg_ctl */
	const char *standby, *elsewhere; /* hosts */
	const char *key_file, *passphrase_file;
	const char *contact;               /* who is told, and who decides */
	const char *incident;              /* when it happened; NULL: to be filled in */
	const char *const *tables;         /* to bring back, NULL-terminated; NULL: the largest */
	double rto_target_s, rpo_target_s; /* NAN: none */
	const json_t *drill; /* a "run" object (docs/records.md); NULL: never drilled */
	int64_t now_ms;
};

void runbook_write(const struct runbook *rb, struct paper *p);
#endif
