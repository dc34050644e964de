#ifndef LIB_PG_CONTENT_JSON_H
#define LIB_PG_CONTENT_JSON_H
/*
 * content_json: a table's content (content.h) as it stands in a baseline (docs/baseline.md).
 */
#include "lib/pg/content.h"

#include <jansson.h>

/* r: NULL for the large objects. The caller's. */
json_t *pg_content_json(const struct pg_content *c, const struct pg_relation *r, bool hashed);

/* Divides as an entry is divided; leaves *out alone when the entry (NULL: none) has no ranges, or
 * they are no ranges. */
void pg_ranges_like(const json_t *entry, struct keyranges *out, bool number);

/* The ranges of an entry with their sums. False: it has none, or they are none. */
bool pg_ranges_parse(const json_t *entry, struct keyranges *out);
#endif
