#ifndef LIB_REPORT_ROWS_H
#define LIB_REPORT_ROWS_H
/*
 * rows: what all reports for people show, in which order, and in which words.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

/* So many rows of one check that are ok are shown; the others become one line. */
enum { ROWS_OK_SHOWN = 20 };

/* A line of the table: a check, or (check NULL) how many more of a name there are, all ok. */
struct row {
	const json_t *check; /* borrowed from the summary */
	const char *name;    /* the check's name, borrowed */
	enum verdict status;
	size_t more;
};

struct rows {
	struct row *v;
	size_t n;
};

/* The table: getting the backup first, what people decide by last, and in between in the order of
 * the stream. Everything that is not ok is there; of a check with more than ROWS_OK_SHOWN that are
 * ok, those with the most rows are. */
void rows_table(const struct summary *s, struct rows *out);

/* What is not ok, the worst first. */
void rows_findings(const struct summary *s, struct rows *out);

void rows_free(struct rows *rows);

/* What a row is about: "public.users row count", "Verified RTO". */
void rows_name(const struct row *row, struct buf *out);

/* One line for the whole run: the verdict first, then about what, then why. */
void rows_headline(const struct summary *s, const char *title, struct buf *out);

/* The check's sentence, with what other checks add to it. */
void rows_sentence(const struct summary *s, const json_t *check, struct buf *out);

/* "observed" or "expected" for people; false when there is none. */
bool rows_value(const json_t *check, const char *field, struct buf *out);

/* How many checks there are: "24 checks: 23 ok, 1 critical". */
void rows_tally(const struct summary *s, struct buf *out);
#endif
