#ifndef LIB_REPORT_OTHERS_H
#define LIB_REPORT_OTHERS_H
/*
 * others: records of kinds that no report knows, in words: whatever a probe of your own writes is
 * shown without a change here.
 */
#include "lib/base/buf.h"

#include <jansson.h>

/* Its kind as a title: "wal-gap" is "Wal gap". */
void others_title(const json_t *record, struct buf *out);

/* Its own fields: "first 000000010000000A, segments 5, lost true, files: 3 entries". */
void others_sentence(json_t *record, struct buf *out);
#endif
