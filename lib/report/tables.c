#include "lib/report/tables.h"

#include "lib/base/record.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Is it about a table, and how many rows has that? */
static bool rows_of(const json_t *check, int64_t *rows)
{
	const json_t *m;
	size_t i;

	if (strcmp(record_word(check, "check"), "row-count") != 0 ||
	    !strchr(record_word(check, "subject"), '.'))
		return false;
	json_array_foreach(json_object_get(check, "metrics"), i, m)
		if (strcmp(record_word(m, "name"), "rows") == 0)
			return record_int(m, "value", rows);
	return false;
}

size_t tables_largest(const json_t *checks, struct table out[TABLES_MOST])
{
	const json_t *check;
	size_t n = 0, i;
	int64_t rows;

	json_array_foreach(checks, i, check) {
		size_t at = n;

		if (!rows_of(check, &rows))
			continue;
		while (at > 0 && out[at - 1].rows < rows)
			at--;
		if (at == TABLES_MOST)
			continue;
		n += n < TABLES_MOST;
		memmove(&out[at + 1], &out[at], (n - 1 - at) * sizeof(out[0]));
		out[at] = (struct table){ .name = record_word(check, "subject"), .rows = rows };
	}
	return n;
}

double tables_rows(const json_t *checks, const char *name)
{
	const json_t *check;
	int64_t rows;
	size_t i;

	json_array_foreach(checks, i, check)
		if (rows_of(check, &rows) && strcmp(record_word(check, "subject"), name) == 0)
			return (double)rows;
	return (double)NAN;
}
