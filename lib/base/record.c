#include "lib/base/record.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct record_reader {
	int fd;
	size_t start, end; /* unread bytes in buf */
	bool at_eof;
	int64_t give_up_ms; /* 0: never */
	json_t *object;
	char why[JSON_ERROR_TEXT_LENGTH + 64];
	char buf[RECORD_MAX + 2]; /* a longest line, its newline, and the NUL */
};

struct record_reader *record_open(int fd)
{
	struct record_reader *reader = xcalloc(1, sizeof(*reader));

	reader->fd = fd;
	return reader;
}

void record_close(struct record_reader *reader)
{
	if (reader == NULL)
		return;
	json_decref(reader->object);
	free(reader);
}

void record_give_up_at(struct record_reader *reader, int64_t ms)
{
	reader->give_up_ms = ms;
}

/* 1 when something can be read, 0 when the time is over, -1 on an error. */
static int wait_for_input(const struct record_reader *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	int64_t left;
	int got;

	if (r->give_up_ms == 0)
		return 1;
	do {
		left = r->give_up_ms - mono_ms();
		if (left <= 0)
			return 0;
		got = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* More bytes behind the unread ones: 1, 0 at the end of the file, -1 on an error. */
static int fill(struct record_reader *r)
{
	ssize_t n;

	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	n = wait_for_input(r);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return -1;
	do
		n = read(r->fd, r->buf + r->end, sizeof(r->buf) - 1 - r->end);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	r->end += (size_t)n;
	return 1;
}

static int read_failed(struct err *e)
{
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_SYSTEM,
			       "standard input did not end within the time limit; allow more with "
			       "--timeout");
	return err_set(e, ERR_SYSTEM, "read standard input: %s", strerror(errno));
}

/* Drops what is left of a line that is too long. */
static int skip_line(struct record_reader *r, struct err *e)
{
	for (;;) {
		char *nl;
		int got;

		r->start = r->end = 0;
		got = fill(r);
		if (got < 0)
			return read_failed(e);
		nl = memchr(r->buf, '\n', r->end);
		if (nl)
			r->start = (size_t)(nl - r->buf) + 1;
		if (got == 0)
			r->at_eof = true;
		if (got == 0 || nl)
			return 0;
	}
}

static void parse(struct record_reader *reader, struct record *r)
{
	json_error_t je;

	json_decref(reader->object);
	reader->object = json_loadb(r->line, r->len, JSON_REJECT_DUPLICATES, &je);
	r->object = reader->object;
	if (json_is_object(r->object)) {
		r->kind = record_text(r->object, "record");
		if (r->kind == NULL)
			r->kind = "";
		return;
	}
	(void)snprintf(reader->why, sizeof(reader->why), "%s",
		       r->object ? "it is no JSON object" : je.text);
	r->object = NULL;
	r->why = reader->why;
}

/* The next whole line in the buffer, -1 when there is none yet. */
static ssize_t line_length(struct record_reader *r)
{
	char *nl = memchr(r->buf + r->start, '\n', r->end - r->start);

	if (nl)
		return nl - (r->buf + r->start);
	if (r->at_eof && r->end > r->start)
		return (ssize_t)(r->end - r->start);
	return -1;
}

int record_read(struct record_reader *reader, struct record *r, struct err *e)
{
	static const char too_long[] = "it is longer than 64 KiB";
	ssize_t n;

	*r = (struct record){ .kind = "" };
	while ((n = line_length(reader)) < 0) {
		int got;

		if (reader->at_eof)
			return 0;
		if (reader->end - reader->start > RECORD_MAX) {
			static char first[64];

			memcpy(first, reader->buf + reader->start, sizeof(first) - 1);
			r->line = first;
			r->len = sizeof(first) - 1;
			r->why = too_long;
			return skip_line(reader, e) < 0 ? -1 : 1;
		}
		got = fill(reader);
		if (got < 0)
			return read_failed(e);
		if (got == 0)
			reader->at_eof = true;
	}
	r->line = reader->buf + reader->start;
	r->len = (size_t)n;
	reader->buf[reader->start + r->len] = '\0';
	reader->start += r->len + (reader->start + r->len < reader->end);
	parse(reader, r);
	return 1;
}

const char *record_text(const json_t *object, const char *field)
{
	return json_string_value(json_object_get(object, field));
}

const char *record_word(const json_t *object, const char *field)
{
	const char *s = record_text(object, field);

	return s ? s : "";
}

bool record_int(const json_t *object, const char *field, int64_t *out)
{
	const json_t *v = json_object_get(object, field);

	if (!json_is_integer(v))
		return false;
	*out = json_integer_value(v);
	return true;
}

bool record_real(const json_t *object, const char *field, double *out)
{
	const json_t *v = json_object_get(object, field);

	if (!json_is_number(v))
		return false;
	*out = json_number_value(v);
	return true;
}

bool record_true(const json_t *object, const char *field)
{
	return json_is_true(json_object_get(object, field));
}

bool record_time(const json_t *object, const char *field, int64_t *ms)
{
	const char *s = record_text(object, field);

	return s && utc_parse(s, ms);
}

void record_set_text(json_t *object, const char *field, const char *s)
{
	if (s && s[0])
		json_object_set_new(object, field, record_string(s, strlen(s)));
}

void record_set_time(json_t *object, const char *field, int64_t ms)
{
	char text[UTC_SIZE];

	if (ms >= 0)
		json_object_set_new(object, field, json_string(utc_format(ms, text)));
}

json_t *record_parse(const char *text, size_t len, struct err *e)
{
	json_error_t je;
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);

	if (json_is_object(object))
		return object;
	(void)err_set(e, ERR_SYSTEM, "parse JSON: %s", object ? "not an object" : je.text);
	json_decref(object);
	return NULL;
}

char *record_print(const json_t *object, size_t max)
{
	/* 15 digits print every measured figure as it was meant: 0.1, not 0.10000000000000001. */
	char *s = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));

	if (s && strlen(s) > max) {
		free(s);
		s = NULL;
	}
	return s;
}

void record_decref(json_t **object)
{
	json_decref(*object);
}

json_t *record_string(const char *s, size_t len)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 0; i < len;) {
		const size_t n = utf8_take(s + i, len - i, NULL);

		if (n > 0 && s[i] != '\0')
			buf_add(&b, s + i, n);
		else
			buf_adds(&b, "\xef\xbf\xbd"); /* U+FFFD REPLACEMENT CHARACTER */
		i += n ? n : 1;
	}
	return json_stringn(b.s, b.len);
}
