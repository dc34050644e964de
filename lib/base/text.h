#ifndef LIB_BASE_TEXT_H
#define LIB_BASE_TEXT_H
/*
 * text: records as lines for people at a terminal. Control bytes never reach the terminal.
 */
#include "lib/base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* Appends the line(s) for one record, or nothing for kinds that people do not need (stage). */
void text_record(struct buf *out, const json_t *record, bool colour);

/* Appends s with every control character, every character that hides or turns the direction of
 * writing, and invalid UTF-8 replaced by '?': what is left cannot rewrite the line it stands in. */
void text_safe(struct buf *out, const char *s);

/* Colours on this descriptor? A terminal, NO_COLOR unset or empty, TERM known and not "dumb". */
bool text_colour(int fd);

/* "row-count" -> "Row count", "verified-rto" -> "Verified RTO": a check's name as a title. */
void text_title(struct buf *out, const char *check);
/* The same inside a line: "row count", "verified RTO". */
void text_words(struct buf *out, const char *check);
#endif
