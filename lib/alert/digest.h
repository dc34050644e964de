#ifndef LIB_ALERT_DIGEST_H
#define LIB_ALERT_DIGEST_H
/*
 * digest: what every message for people says about an alert, whatever it looks like in the end.
 */
#include "lib/alert/alert.h"

#include <stdbool.h>

/* "ok", "warning" ... of a check record; unknown when it does not say. */
enum verdict digest_status(const json_t *check);

/* A field's text, "" when there is none. Borrowed. */
const char *digest_text(const json_t *check, const char *field);

/* The figures that people decide by: verified RPO, verified RTO, size. */
enum { DIGEST_FIGURES = 3 };

/* The run's check for one of them, NULL when it was not found out. Borrowed. */
const json_t *digest_figure(const json_t *checks, size_t i);
bool digest_is_figure(const json_t *check);

/* "Still CRITICAL: shop". The label as it is. */
void digest_heading(struct buf *out, const struct alert *a);

/* "2 of 24 checks did not pass; failing since 2026-02-17 06:11:40 UTC (26 h)" */
void digest_outcome(struct buf *out, const struct alert *a);
#endif
