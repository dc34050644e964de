#include "lib/alert/alert.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SUBJECT = 120, LINE_SUMMARY = 400, HASH_DIGITS = 16 };

static const char prefix[] = "backup-probes/";

uint64_t alert_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3U;
	return h;
}

/* A key that is too long keeps its beginning, for people, and ends in a hash of all of it, so that
 * two long labels do not share their incidents. */
void alert_key(struct buf *out, const char *label, const char *topic)
{
	BUF_AUTO whole = BUF_INIT(SIZE_MAX / 2);
	size_t n;

	buf_addf(&whole, "%s%s%s%s", prefix, label, topic[0] ? "/" : "", topic);
	n = whole.len;
	if (n > ALERT_KEY_MAX) {
		n = ALERT_KEY_MAX - HASH_DIGITS - 1;
		while (n > 0 && utf8_take(whole.s + n, whole.len - n, NULL) == 0)
			n--;
	}
	buf_add(out, whole.s, n);
	if (n < whole.len)
		buf_addf(out, "-%016" PRIx64, alert_hash(whole.s));
}

const char *alert_shout(enum verdict v)
{
	static const char *const shouts[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	return shouts[v];
}

void alert_text(struct buf *out, const char *s, size_t most)
{
	size_t from = out->len;

	utf8_cut(out, s, most);
	for (size_t i = from; i < out->len; i++)
		if (iscntrl((unsigned char)out->s[i]))
			out->s[i] = ' ';
}

void alert_line(struct buf *out, const json_t *check)
{
	const char *name = record_text(check, "check"), *subject = record_text(check, "subject");
	const char *summary = record_text(check, "summary");

	alert_text(out, name ? name : "a check", LINE_SUBJECT);
	if (subject && subject[0]) {
		buf_addc(out, ' ');
		alert_text(out, subject, LINE_SUBJECT);
	}
	buf_adds(out, ": ");
	alert_text(out, summary ? summary : "it says nothing", LINE_SUMMARY);
}

static void add_worst(struct buf *out, const struct alert *a)
{
	size_t n = json_array_size(a->failing);

	if (n == 0)
		return;
	buf_adds(out, ": ");
	alert_line(out, json_array_get(a->failing, 0));
	if (n > 1)
		buf_addf(out, " (and %zu more)", n - 1);
}

void alert_headline(struct buf *out, const struct alert *a)
{
	char since[UTC_SIZE];

	alert_text(out, a->label, LINE_SUBJECT);
	switch (a->kind) {
	case ALERT_TRIGGER:
	case ALERT_REMINDER:
		buf_addf(out, ": %s", alert_shout(a->verdict));
		add_worst(out, a);
		if (a->kind == ALERT_REMINDER && a->since_ms)
			buf_addf(out, "; since %s", utc_human(a->since_ms, since));
		break;
	case ALERT_RESOLVE:
		buf_addf(out, ": %s is well again", a->topic[0] ? a->topic : "the backup");
		if (a->since_ms)
			buf_addf(out, "; it failed since %s", utc_human(a->since_ms, since));
		break;
	case ALERT_REPORT:
		buf_addf(out, ": %s", alert_shout(a->verdict));
		if (a->verdict == V_OK)
			buf_addf(out, ": the backup passed all checks (%zu)",
				 json_array_size(a->checks));
		else
			add_worst(out, a);
		break;
	case ALERT_TEST:
		buf_adds(out, ": TEST alert of backup-probes; nothing is wrong");
		break;
	}
}

static json_t *essence(const json_t *check)
{
	static const char *const fields[] = { "tool",    "check",    "subject",  "status",
					      "summary", "observed", "expected", "metrics" };
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		json_t *value = json_object_get(check, fields[i]);

		if (value)
			json_object_set(o, fields[i], value);
	}
	return o;
}

json_t *alert_checks(const json_t *checks, size_t most_b)
{
	json_t *list = json_array();
	const json_t *check;
	size_t i, size = 0;

	json_array_foreach(checks, i, check) {
		json_t *entry = essence(check);
		char *text = record_print(entry, most_b);

		size += text ? strlen(text) + 1 : most_b;
		free(text);
		if (size >= most_b) {
			json_decref(entry);
			break;
		}
		json_array_append_new(list, entry);
	}
	return list;
}
