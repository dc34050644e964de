#ifndef LIB_RESTORE_BASE_H
#define LIB_RESTORE_BASE_H
/*
 * base: what an unpacked base backup says of itself, before a server is started on it, and whether
 * all of it is there: the checks backup-format and backup-complete.
 */
#include "lib/base/stage.h"
#include "lib/physical/control.h"
#include "lib/physical/label.h"
#include "lib/physical/manifest.h"
#include "lib/restore/unpack.h"

struct base {
	struct unpacked unpacked;
	struct manifest manifest; /* with has_manifest */
	bool has_manifest;
	char version[16]; /* PG_VERSION: "15" */
	int major;
	struct control control;
	bool has_label; /* without it: the copy of a server that was shut down, or a snapshot */
	struct label label;
};

/* The manifest beside the backup at path, when there is one. -1: it is damaged. */
int base_read_manifest(struct base *b, const char *path, struct err *e);

/* Reads PG_VERSION into version and major. */
int base_read_version(struct base *b, const char *data, struct err *e);

/* Reads PG_VERSION, pg_control and backup_label. -1 with *e: no server can be started on it. */
int base_look(struct base *b, const char *data, struct err *e);

/* Is every file that the manifest lists there, in its size? Their content is check-integrity's. */
int base_compare(const struct base *b, const char *data, struct err *e);

void base_say_format(const struct base *b, struct stage *st);
void base_say_complete(const struct base *b, struct stage *st);

/* When the backup began, as it says; -1: it does not. */
int64_t base_began_ms(const struct base *b);

void base_free(struct base *b);
#define BASE_AUTO __attribute__((cleanup(base_free))) struct base
#endif
