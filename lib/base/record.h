#ifndef LIB_BASE_RECORD_H
#define LIB_BASE_RECORD_H
/*
 * record: reading the lines that travel through the pipes (design, section 3): one JSON object a
 * line, at most RECORD_MAX bytes.
 *
 * JSON is jansson's: unlike cJSON it keeps integers exact to 64 bits, refuses trailing text,
 * invalid UTF-8, "\u0000", numbers like 01 and integers beyond 64 bits by itself. Duplicate keys
 * are refused too.
 */
#include "lib/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_MAX = 64 * 1024 };

/* A line as it was read, and what it means. Valid until the next read on the same reader. */
struct record {
	const char *line; /* without its newline, NUL-terminated */
	size_t len;
	json_t *object;   /* borrowed; NULL when the line is no record: see why */
	const char *kind; /* borrowed: the field "record", "" where it has none */
	const char *why;  /* why it is no record; NULL when it is one */
};

struct record_reader;

struct record_reader *record_open(int fd);
/* 1: *r is the next line; 0: the end; -1: *e. A line over the limit comes as its first bytes with
 * .why set. A last line without its newline counts when it is whole. */
int record_read(struct record_reader *reader, struct record *r, struct err *e);
void record_close(struct record_reader *reader);
/* From this moment of mono_ms() on, a read that would have to wait fails instead. */
void record_give_up_at(struct record_reader *reader, int64_t ms);

/* Fields. NULL or false when absent or of another type. Text is borrowed. */
const char *record_text(const json_t *object, const char *field);
/* The same, but "" instead of NULL. */
const char *record_word(const json_t *object, const char *field);
bool record_int(const json_t *object, const char *field, int64_t *out);
bool record_real(const json_t *object, const char *field, double *out);
bool record_true(const json_t *object, const char *field);
/* A field that holds an RFC 3339 time, in milliseconds. */
bool record_time(const json_t *object, const char *field, int64_t *ms);

/* Sets a field of a record that is being made, where there is something to say: no text or an empty
 * one, and a time before 1970, are nothing. */
void record_set_text(json_t *object, const char *field, const char *s);
void record_set_time(json_t *object, const char *field, int64_t ms);

/* One JSON text to an object, with the same strictness; NULL with *e. The caller's. */
json_t *record_parse(const char *text, size_t len, struct err *e);

/* An object as one line without its newline, integers exact, no line break in it: the caller's to
 * free. NULL when it would be longer than max. */
char *record_print(const json_t *object, size_t max);

void record_decref(json_t **object);
#define JSON_AUTO __attribute__((cleanup(record_decref))) json_t

/* Text from the outside as a JSON string: invalid UTF-8 and NUL become U+FFFD. */
json_t *record_string(const char *s, size_t len);
#endif
