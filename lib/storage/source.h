#ifndef LIB_STORAGE_SOURCE_H
#define LIB_STORAGE_SOURCE_H
/*
 * source: how a tool is told of a source and of the backups in it that it is to look at: the
 * options that all of them share, once.
 *
 *	static struct source_config config = SOURCE_DEFAULTS;
 *	static const struct opt options[] = { SOURCE_OPTIONS(config), ..., OPT_TABLE_END };
 *	...
 *	if (source_open(&source, &config, operand, &limits, &e) < 0) ...
 *	if (source_load(&source, &config, &e) < 0) ...
 */
#include "lib/storage/access.h"
#include "lib/storage/catalog.h"

struct source_config {
	const char *source;
	struct strv match, exclude;
	int64_t as_of_ms; /* 0: now */
	uint64_t nth;     /* 0: all */
	uint64_t retries, connect_s, stall_s;
	struct storage_access access;
};

#define SOURCE_DEFAULTS .retries = 4, .connect_s = 20, .stall_s = 60

/* clang-format off */
#define SOURCE_OPTIONS(c) \
	{ OPT_TEXT, 0, "source", "SOURCE", &(c).source, \
	  "where the backups are, when it is no operand", "BACKUP_SOURCE", false, NULL }, \
	{ OPT_LIST, 'm', "match", "GLOB", &(c).match, \
	  "only backups whose name matches; may be given several times", "BACKUP_MATCH", false, NULL }, \
	{ OPT_LIST, 'x', "exclude", "GLOB", &(c).exclude, \
	  "no backups whose name matches; may be given several times", "BACKUP_EXCLUDE", false, NULL }, \
	{ OPT_CALL, 0, "as-of", "TIME", &(c).as_of_ms, \
	  "as if it were this time: no younger backups; 2026-02-17T06:00:00Z, or 2026-02-17 for the " \
	  "end of that day", NULL, false, source_parse_time }, \
	{ OPT_CALL, 0, "nth", "N", &(c).nth, \
	  "only the Nth newest: 1 is the newest, 2 the one before", NULL, false, source_parse_nth }, \
	{ OPT_COUNT, 0, "retries", "N", &(c).retries, \
	  "further attempts after a passing network failure; default 4", NULL, false, NULL }, \
	{ OPT_DURATION, 0, "connect-timeout", "DURATION", &(c).connect_s, \
	  "give up a connection that does not come up; default 20s", NULL, false, NULL }, \
	{ OPT_DURATION, 0, "stall-timeout", "DURATION", &(c).stall_s, \
	  "give up a connection that stalls; default 60s", NULL, false, NULL }, \
	ACCESS_OPTIONS((c).access)
/* clang-format on */

/* For the option table: RFC 3339, or a date, which is its end in UTC. */
int source_parse_time(const char *value, void *to_ms, struct err *e);

/* For the option table: from 1 on. */
int source_parse_nth(const char *value, void *to_nth, struct err *e);

struct source {
	struct storage *storage;
	struct catalog catalog;
	/* Its own: */
	const char *
		named; /* borrowed, like pointer: the end of it, when it only stands for a backup */
	const char *pointer; /* else NULL */
	struct storage_options options;
};
#define SOURCE_AUTO __attribute__((cleanup(source_close))) struct source

/* A source that only stands for a backup ("/backups/latest", "s3://b/pg/latest.txt") is opened as
 * the place that it is in. Asks nobody yet. */
int source_open(struct source *s, const struct source_config *c, const char *named,
		const struct storage_options *more, struct err *e);

/* The catalog of what is asked for: of a pointer, the one backup that it stands for. Where that
 * place does not tell, s->storage is opened anew. */
int source_load(struct source *s, const struct source_config *c, struct err *e);

void source_close(struct source *s);
#endif
