#include "lib/alert/digest.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"

#include <string.h>

enum { NOTABLE_MS = 60 * 1000 }; /* what began just now needs no "since" */

static const char *const figures[DIGEST_FIGURES] = { "verified-rpo", "verified-rto",
						     "backup-size" };

enum verdict digest_status(const json_t *check)
{
	enum verdict v;

	(void)verdict_parse(record_text(check, "status"), &v);
	return v;
}

const char *digest_text(const json_t *check, const char *field)
{
	const char *s = record_text(check, field);

	return s ? s : "";
}

const json_t *digest_figure(const json_t *checks, size_t i)
{
	const json_t *check;
	size_t k;

	json_array_foreach(checks, k, check) {
		if (strcmp(digest_text(check, "check"), figures[i]) == 0)
			return check;
	}
	return NULL;
}

bool digest_is_figure(const json_t *check)
{
	for (size_t i = 0; i < DIGEST_FIGURES; i++)
		if (strcmp(digest_text(check, "check"), figures[i]) == 0)
			return true;
	return false;
}

void digest_heading(struct buf *out, const struct alert *a)
{
	switch (a->kind) {
	case ALERT_RESOLVE:
		buf_adds(out, "Recovered: ");
		break;
	case ALERT_REMINDER:
		buf_addf(out, "Still %s: ", alert_shout(a->verdict));
		break;
	case ALERT_TEST:
		buf_adds(out, "Test alert: ");
		break;
	case ALERT_TRIGGER:
	case ALERT_REPORT:
		buf_addf(out, "%s: ", alert_shout(a->verdict));
		break;
	}
	buf_adds(out, a->label);
}

static size_t count_failed(const json_t *checks)
{
	const json_t *check;
	size_t i, n = 0;

	json_array_foreach(checks, i, check)
		n += digest_status(check) != V_OK;
	return n;
}

void digest_outcome(struct buf *out, const struct alert *a)
{
	const size_t all = json_array_size(a->checks), failed = count_failed(a->checks);
	char when[UTC_SIZE], how_long[HUMAN_SIZE];

	if (failed > 0)
		buf_addf(out, "%zu of %zu checks did not pass", failed, all);
	else
		buf_addf(out, "%zu of %zu checks passed", all, all);
	if (a->since_ms > 0 && a->at_ms - a->since_ms >= NOTABLE_MS)
		buf_addf(out, "; %s %s (%s)",
			 a->kind == ALERT_RESOLVE ? "it had failed since" : "failing since",
			 utc_human(a->since_ms, when),
			 human_duration((double)(a->at_ms - a->since_ms) / 1000, how_long));
}
