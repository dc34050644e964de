#ifndef LIB_REPORT_REMEMBER_H
#define LIB_REPORT_REMEMBER_H
/*
 * remember: a run and its history: what came before it is recalled for the reports, the run is
 * appended, and the head of the history told to somebody else. What goes wrong is a finding of the
 * run: "unknown", for the backup is no worse for it.
 */
#include "lib/base/chain.h"
#include "lib/base/history.h"
#include "lib/report/past.h"
#include "lib/report/summary.h"

#include <stdbool.h>
#include <stdint.h>

struct remember {
	struct history *history; /* NULL: there is none, and nothing is done */
	const char *sign_key; /* a file: the run is signed (lib/base/history.h); NULL: it is not */
	const char *anchor;   /* a file or URL (anchor.h); NULL: none */
	const char *ca_file;  /* for its URL; NULL: the system's */
	uint64_t within_s;    /* time for all tries to tell it */
};

/* Before the run is appended, so that it is not its own past. wanted: a report shows earlier runs.
 */
void remember_past(const struct remember *r, bool wanted, struct summary *s, struct past *past);

/* *head: the history's, with this run; unchanged where the run was not appended. */
void remember_run(const struct remember *r, struct summary *s, struct chain_head *head);
#endif
