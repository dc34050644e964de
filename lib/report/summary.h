#ifndef LIB_REPORT_SUMMARY_H
#define LIB_REPORT_SUMMARY_H
/*
 * summary: the whole stream of one pipeline, gathered for the reports: every check, what each tool
 * said about itself, the backup and the server; and what only the sink can see - a tool that began
 * and did not end, one that never began, checks that got lost on the way.
 *
 * Memory is bounded: SUMMARY_KEPT checks that are ok and as many that are not; more are counted.
 * Of the "backup" records only the fetched one is kept.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/base/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SUMMARY_OTHERS = 100, SUMMARY_KEPT = 20000, SUMMARY_TOOLS = 1000, SUMMARY_TEXT = 256 };

/* One tool; one that ran several times is still one. */
struct summary_tool {
	char *name;
	unsigned begun, ended;
	enum verdict said, seen; /* worst of its "end" records, worst of its checks */
	bool counted;            /* its "end" records told how many checks it wrote */
	uint64_t said_checks, seen_checks;
	double seconds; /* sum */
};

/* A drill: people were at it, and say what they learned. The texts are borrowed. */
struct summary_drill {
	bool is;
	const char *performed_by, *note; /* NULL: not said */
};

struct summary {
	json_t *checks;            /* the kept check records, in stream order */
	json_t *backup, *instance; /* the records of that kind, or NULL */
	json_t *others;            /* the first of kinds that are not known here */
	size_t n_others;           /* how many there were */
	struct summary_tool *tools;
	size_t n_tools;
	size_t counts[4], left_out[4]; /* checks by enum verdict: all, and those not kept */
	uint64_t records;
	bool more_tools; /* than SUMMARY_TOOLS */
	int64_t started_ms, ended_ms;
	char run[SUMMARY_TEXT], label[SUMMARY_TEXT];
	char host[SUMMARY_TEXT];    /* set by the user, "" where unknown */
	struct summary_drill drill; /* set by the user */
	enum verdict status;        /* worst of all checks; critical before the first */
};

void summary_init(struct summary *s);
void summary_free(struct summary *s);

/* Any record; it keeps its own reference to what it needs. */
void summary_take(struct summary *s, json_t *record);

/* What the stage that gathers found wrong with its input. */
void summary_take_own(struct summary *s, const struct stage *st);

/* A finding of the sink's own. */
void summary_find(struct summary *s, const char *name, const char *subject, enum verdict status,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* After the last record: judges the stream as a whole. tools: those that must have begun; restored:
 * those that must have if a server was restored, that is, an "instance" record is there (may be
 * NULL). */
void summary_finish(struct summary *s, const struct strv *tools, const struct strv *restored,
		    int64_t now_ms);

/* All checks, kept or not. */
size_t summary_checks(const struct summary *s);

/* Did the run try to restore the backup? */
bool summary_restored(const struct summary *s);

/* Was the backup restored, and nothing worse than a warning found? A run that only looked at a
 * listing proves nothing about the backup. */
bool summary_verified(const struct summary *s);

/* The value of a metric of the last check of that name. */
bool summary_metric(const struct summary *s, const char *check, const char *metric, double *out);
#endif
