#include "lib/alert/alert.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { HEADLINE_SUBJECT = 120, HEADLINE_SUMMARY = 400, HASH_DIGITS = 16 };

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

static void add_worst(struct buf *out, const struct alert *a)
{
	const json_t *worst = json_array_get(a->failing, 0);
	const char *check = record_text(worst, "check"), *subject = record_text(worst, "subject");
	const char *summary = record_text(worst, "summary");
	size_t n = json_array_size(a->failing);

	if (worst == NULL)
		return;
	buf_addf(out, ": %s", check ? check : "a check");
	if (subject && subject[0]) {
		buf_addc(out, ' ');
		alert_text(out, subject, HEADLINE_SUBJECT);
	}
	buf_adds(out, ": ");
	alert_text(out, summary ? summary : "it says nothing", HEADLINE_SUMMARY);
	if (n > 1)
		buf_addf(out, " (and %zu more)", n - 1);
}

void alert_headline(struct buf *out, const struct alert *a)
{
	char since[UTC_SIZE];

	alert_text(out, a->label, HEADLINE_SUBJECT);
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
			buf_addf(out, ": all %zu checks passed", json_array_size(a->checks));
		else
			add_worst(out, a);
		break;
	case ALERT_TEST:
		buf_adds(out, ": TEST alert of backup-probes; nothing is wrong");
		break;
	}
}
