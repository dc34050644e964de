#ifndef LIB_BASE_CHECK_H
#define LIB_BASE_CHECK_H
/*
 * check: building one "check" record (design, section 3): one thing was looked at.
 *
 *	struct check c;
 *	check_init(&c, "row-count", "public.orders");
 *	check_metric_int(&c, "rows", n, "rows");
 *	check_say(&c, V_OK, "%s rows", human);
 *	stage_check(&st, &c);          // writes and releases it
 *
 * The check's name is a claim in kebab case; the subject says of what (a table, a backup, "" for
 * the run as a whole); the summary is one sentence that stands in the report's table as it is.
 */
#include "lib/base/range.h"
#include "lib/base/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct check {
	json_t *object;  /* owned until stage_check() or check_drop() */
	json_t *metrics; /* borrowed from object; NULL while there are none */
	enum verdict status;
	bool said; /* something was found out; until then the status is unknown */
};

void check_init(struct check *c, const char *name, const char *subject);

/* The finding: the worst status said stays; a worse one replaces the summary, an equal one is
 * appended ("a; b"). A check on which nothing was ever said is unknown. */
void check_say(struct check *c, enum verdict status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What was seen, what should have been. */
void check_observed_int(struct check *c, int64_t v);
void check_observed_text(struct check *c, const char *s);
void check_expected_int(struct check *c, int64_t v);
void check_expected_text(struct check *c, const char *s);
/* Any further field; takes over the reference. */
void check_field(struct check *c, const char *name, json_t *value);

/* Figures, in base units: "s", "B", "rows", "ratio", "" for a plain count. Thresholds belong to the
 * last metric added. */
void check_metric_int(struct check *c, const char *name, int64_t v, const char *unit);
void check_metric_real(struct check *c, const char *name, double v, const char *unit);
void check_metric_limits(struct check *c, const char *warn, const char *crit);
void check_metric_bounds(struct check *c, const char *min, const char *max);

/* Judges the value under -w and -c ranges: puts them on the last metric and says the verdict with
 * the sentence when one of them alerts. */
void check_ranges(struct check *c, const struct range *warn, const struct range *crit,
		  double value);

void check_drop(struct check *c);
#endif
