#include "lib/base/text.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"
#include "lib/base/verdict.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Control characters, line and paragraph separators, and those that turn the direction of writing
 * or hide: a table's name must not be able to rewrite the report's line (CVE-2021-42574). */
static bool misleads(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },       { 0x061c, 0x061c }, { 0x200b, 0x200b },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	return false;
}

void text_safe(struct buf *out, const char *s)
{
	const char *const end = s + strlen(s);
	uint32_t cp = 0;
	size_t n;

	for (; s < end; s += n ? n : 1) {
		n = utf8_take(s, (size_t)(end - s), &cp);
		if (n == 0 || misleads(cp))
			buf_addc(out, '?');
		else
			buf_add(out, s, n);
	}
}

bool text_colour(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no && *no)
		return false;
	return term && *term && strcmp(term, "dumb") != 0 && isatty(fd) == 1;
}

static char ascii_upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* Words that people write in capitals. */
static bool is_acronym(const char *word, size_t len)
{
	static const char *const words[] = { "rto", "rpo", "wal", "s3", "id", "lsn" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && strncmp(word, words[i], len) == 0)
			return true;
	return false;
}

void text_words(struct buf *out, const char *check)
{
	BUF_AUTO words = BUF_INIT(out->max);
	const char *word = check;

	for (;;) {
		const size_t len = strcspn(word, "-");
		const bool capitals = is_acronym(word, len);

		for (size_t i = 0; i < len; i++)
			buf_addc(&words, (char)(capitals ? ascii_upper(word[i]) : word[i]));
		word += len;
		if (*word == '\0')
			break;
		buf_addc(&words, ' ');
		word++;
	}
	text_safe(out, words.s);
}

void text_title(struct buf *out, const char *check)
{
	const size_t at = out->len;

	text_words(out, check);
	if (out->len > at)
		out->s[at] = ascii_upper(out->s[at]);
}

static const char *field(const json_t *record, const char *name)
{
	const char *s = json_string_value(json_object_get(record, name));

	return s ? s : "";
}

static void status_word(struct buf *out, enum verdict v, bool colour)
{
	static const struct {
		const char *word, *escape;
	} look[] = {
		[V_OK] = { "ok", "\033[32m" },
		[V_WARNING] = { "WARNING", "\033[33m" },
		[V_CRITICAL] = { "CRITICAL", "\033[1;31m" },
		[V_UNKNOWN] = { "UNKNOWN", "\033[35m" },
	};

	if (colour)
		buf_addf(out, "%s%-8s\033[0m  ", look[v].escape, look[v].word);
	else
		buf_addf(out, "%-8s  ", look[v].word);
}

static void check_line(struct buf *out, const json_t *check, bool colour)
{
	const char *subject = field(check, "subject");
	enum verdict v;

	(void)verdict_parse(field(check, "status"), &v);
	status_word(out, v, colour);
	if (*subject) {
		text_safe(out, subject);
		buf_addc(out, ' ');
		text_words(out, field(check, "check"));
	} else {
		text_title(out, field(check, "check"));
	}
	buf_adds(out, ": ");
	text_safe(out, field(check, "summary"));
	buf_addc(out, '\n');
}

static void backup_line(struct buf *out, const json_t *backup)
{
	const json_t *bytes = json_object_get(backup, "bytes");
	const char *when = field(backup, "taken_at");
	char size[HUMAN_SIZE] = "?", moment[UTC_SIZE] = "?";
	int64_t ms;

	if (json_is_integer(bytes) && json_integer_value(bytes) >= 0)
		(void)human_bytes((uint64_t)json_integer_value(bytes), size);
	if (utc_parse(*when ? when : field(backup, "modified_at"), &ms))
		(void)utc_human(ms, moment);
	buf_addf(out, "%-23s  %9s  ", moment, size);
	text_safe(out, field(backup, "name"));
	if (json_is_true(json_object_get(backup, "newest")))
		buf_adds(out, "  (newest)");
	if (*field(backup, "path")) {
		buf_adds(out, "  ");
		text_safe(out, field(backup, "path"));
	}
	buf_addc(out, '\n');
}

static void instance_line(struct buf *out, const json_t *instance)
{
	buf_adds(out, "server    PostgreSQL ");
	text_safe(out, field(instance, "server_version"));
	buf_adds(out, ": ");
	text_safe(out, field(instance, "conninfo"));
	buf_addc(out, '\n');
}

void text_record(struct buf *out, const json_t *record, bool colour)
{
	const char *kind = field(record, "record");

	if (strcmp(kind, "check") == 0)
		check_line(out, record, colour);
	else if (strcmp(kind, "backup") == 0)
		backup_line(out, record);
	else if (strcmp(kind, "instance") == 0)
		instance_line(out, record);
}
