#ifndef LIB_REPORT_GITHUB_H
#define LIB_REPORT_GITHUB_H
/*
 * github: the findings as workflow commands of GitHub Actions ("::error title=...::message"), which
 * its log turns into annotations. It keeps ten errors and ten warnings of a step: the worst come
 * first, and a notice at the end says the verdict and how many checks there were. Names and
 * messages are escaped, so that they cannot be commands of their own.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

#include <stdbool.h>

enum { GITHUB_ANNOTATIONS = 10 };

/* title may be NULL: "backup of LABEL". */
void github_report(const struct summary *s, const char *title, struct buf *out);

/* s as a command's message; a property (title) needs more characters escaped. */
void github_escape(const char *s, bool property, struct buf *out);
#endif
