#ifndef LIB_REPORT_ANCHOR_H
#define LIB_REPORT_ANCHOR_H
/*
 * anchor: the head of a history, told to somebody else, who keeps it where the history's owner
 * cannot change it. Only this shows that runs were removed from the end of a history.
 *
 * An anchor is {"record":"anchor","label","run","at","seq","sha256"}. In a file each is a line; the
 * file that is written is chained itself (lib/base/history.h), one that is read may come from
 * elsewhere, such as what a web service was sent.
 */
#include "lib/base/chain.h"
#include "lib/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct anchor_run {
	const char *label, *run;
	int64_t at_ms;
	struct chain_head head;
};

/* target: an http(s) URL that is POSTed to, with retries, or a file that is appended to (a
 * directory: LABEL.jsonl in it). */
int anchor_put(const char *target, const struct anchor_run *run, const char *ca_file,
	       uint64_t within_s, struct err *e);

/* The label's anchors in a file. */
struct anchors {
	json_t *known; /* seq in decimal: the SHA-256 that it must have */
	size_t n;
	int64_t last; /* the highest seq */
	int64_t torn; /* a seq that two anchors say differently; 0: none */
};

int anchors_load(struct anchors *a, const char *file, const char *label, struct err *e);
void anchors_free(struct anchors *a);

/* Does the line have the SHA-256 that an anchor says? True when none speaks of it. */
bool anchors_agree(const struct anchors *a, const struct chain_head *line);
#endif
