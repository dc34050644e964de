#ifndef LIB_REPORT_FLEET_H
#define LIB_REPORT_FLEET_H
/*
 * fleet: one look at many databases: of each the newest run, and how the last year went. Reads all
 * parts of a history (lib/base/history.h); of earlier runs only what stands before their lists.
 * Memory does not grow with the length of a history.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/history.h"
#include "lib/report/calendar.h"
#include "lib/report/past.h"

#include <stddef.h>
#include <stdint.h>

enum { FLEET_DAYS = 366, FLEET_STRIP = 30 };

struct fleet_member {
	char *label; /* owned */
	struct past_run last;
	int64_t verified_ms; /* the newest verified run; INT64_MIN: none in the last year */
	double bytes_before; /* of the oldest run within the strip that has a size; NAN */
	unsigned char days[FLEET_DAYS];   /* enum calendar_day, today last */
	unsigned verified_days, run_days; /* of the last year */
	unsigned unreadable;              /* lines */
	enum verdict status; /* of the last run; unknown when it is stale or lines are unreadable */
	bool stale;
};

struct fleet {
	struct fleet_member *v; /* what needs a look first, then by label */
	size_t n;
	enum verdict status; /* the worst; unknown for none at all */
	int64_t now_ms;
};

/* stale_s: a newest run that is older counts as unknown. 0, or -1 with *e. */
int fleet_load(struct fleet *f, struct history *all, uint64_t stale_s, int64_t now_ms,
	       struct err *e);
void fleet_free(struct fleet *f);

struct fleet_page {
	const char *title;
	const char *link; /* an address with LABEL in it, for each report; NULL: none */
	const char *path; /* a file; NULL: standard output */
	uint64_t stale_s; /* as of fleet_load() */
};

/* Reads them and writes the page. 0, with the status of all; or -1 with *e. */
int fleet_put(struct history *all, const struct fleet_page *page, int64_t now_ms,
	      enum verdict *status, struct err *e);
#endif
