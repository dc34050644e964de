#ifndef LIB_ALERT_ALERT_H
#define LIB_ALERT_ALERT_H
/*
 * alert: one thing that people are to be told, whatever the service; and the words for it.
 *
 * A sender that keeps one incident for each failing check has a topic for each of them, named like
 * the check; every other sender has the one topic "", the run as a whole.
 *
 * The key is what a service deduplicates by: "backup-probes/LABEL" or "backup-probes/LABEL/CHECK",
 * at most ALERT_KEY_MAX bytes. It never holds anything that changes from run to run (a backup's
 * name, a run's id, a verdict), or nothing could ever be resolved.
 */
#include "lib/alert/policy.h"
#include "lib/base/buf.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { ALERT_KEY_MAX = 255 }; /* PagerDuty's limit of dedup_key, the shortest of all */

struct alert {
	enum alert_kind kind;
	const char *id;       /* of this message: the same when it is sent again */
	const char *key;      /* see above */
	const char *topic;    /* a check's name, or "" */
	enum verdict verdict; /* of the topic now */
	const char *headline; /* one plain sentence, as alert_headline() words it */
	const char *label;    /* never empty: "unlabelled" where nobody said */
	const char *run, *host;
	int64_t at_ms;
	int64_t since_ms;      /* since when it fails, or failed until now; 0 unknown */
	const json_t *failing; /* the topic's check records that are not ok, worst first */
	const json_t *checks;  /* all check records of the run, worst first */
	const char *report_url, *runbook_url; /* NULL: not configured */
};

/* Appends the key. topic "" is the run as a whole. */
void alert_key(struct buf *out, const char *label, const char *topic);

/* Appends the sentence: "shop: CRITICAL: row-count public.orders: 12 rows are missing (and 3
 * more)". Everything but .headline and .id has to be set. */
void alert_headline(struct buf *out, const struct alert *a);

/* Appends one check record as one line: "row-count public.orders: 12 rows are missing". */
void alert_line(struct buf *out, const json_t *check);

/* Appends s as one line of at most `most` characters (code points, not bytes), cut as utf8_cut()
 * does; control characters become blanks. */
void alert_text(struct buf *out, const char *s, size_t most);

/* The records of an array of checks without what only matters in the pipe (run, at, label), as many
 * from the front as fit into most_b bytes of JSON. The caller's. */
json_t *alert_checks(const json_t *checks, size_t most_b);

/* FNV-1a, 64 bits: to tell names apart, no protection against anybody. */
uint64_t alert_hash(const char *s);

/* "CRITICAL": a verdict as it is shouted. */
const char *alert_shout(enum verdict v);
#endif
