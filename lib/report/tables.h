#ifndef LIB_REPORT_TABLES_H
#define LIB_REPORT_TABLES_H
/*
 * tables: how many rows a run counted in which table ("row-count" checks). Pure.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLES_MOST = 5 };

struct table {
	const char *name; /* "schema.table", borrowed from the checks */
	int64_t rows;
};

/* The largest of a run's tables, the largest first. Returns how many. */
size_t tables_largest(const json_t *checks, struct table out[TABLES_MOST]);

/* The rows of one table; NAN where the run has not counted it. */
double tables_rows(const json_t *checks, const char *name);
#endif
