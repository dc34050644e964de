#include "lib/physical/label.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/physical/manifest.h"

#include <stdio.h>
#include <string.h>

/* The value of the line "key: value" into out, cut to its size; false when there is no such line.
 */
static bool line_of(const char *text, size_t len, const char *key, char *out, size_t size)
{
	const char *end = text + len;
	const size_t n = strlen(key);

	for (const char *p = text; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		if ((size_t)(stop - p) > n + 2 && memcmp(p, key, n) == 0 &&
		    memcmp(p + n, ": ", 2) == 0) {
			const size_t have = (size_t)(stop - p) - n - 2;
			const size_t kept = have < size - 1 ? have : size - 1;

			memcpy(out, p + n + 2, kept);
			out[kept] = '\0';
			return true;
		}
		p = stop + 1;
	}
	out[0] = '\0';
	return false;
}

/* "2026-02-17 01:58:42 UTC"; other zones are abbreviations that mean several things. */
static int64_t time_of(char *s)
{
	char *zone = strrchr(s, ' ');
	int64_t ms;

	if (zone == NULL || (strcmp(zone, " UTC") != 0 && strcmp(zone, " GMT") != 0))
		return -1;
	(void)snprintf(zone, 4, "Z");
	return utc_parse(s, &ms) ? ms : -1;
}

/* A timeline, 0 without the line; false when there is something else. */
static bool timeline_of(const char *text, size_t len, const char *key, uint32_t *timeline)
{
	struct err ignored;
	char value[32];
	uint64_t n = 0;

	if (line_of(text, len, key, value, sizeof(value)) &&
	    num_u64(value, 1, UINT32_MAX, &n, &ignored) < 0)
		return false;
	*timeline = (uint32_t)n;
	return true;
}

/* Whoever takes an incremental backup for a full one starts a server on parts of files. */
static int parse_prior(const char *text, size_t len, const char *name, struct label *l,
		       struct err *e)
{
	char value[64];

	if (!line_of(text, len, "INCREMENTAL FROM LSN", value, sizeof(value)))
		return 0;
	if (!manifest_lsn(value, &l->prior_start) || l->prior_start == 0)
		return err_set(e, ERR_BACKUP, "read %s: damaged: INCREMENTAL FROM LSN is no LSN",
			       name);
	if (!timeline_of(text, len, "INCREMENTAL FROM TLI", &l->prior_timeline) ||
	    l->prior_timeline == 0)
		return err_set(e, ERR_BACKUP,
			       "read %s: damaged: INCREMENTAL FROM TLI is no timeline", name);
	return 0;
}

int label_parse(const char *text, size_t len, const char *name, struct label *l, struct err *e)
{
	char value[256], *file;

	memset(l, 0, sizeof(*l));
	if (!line_of(text, len, "START WAL LOCATION", value, sizeof(value)))
		return err_set(e, ERR_BACKUP, "read %s: damaged: no START WAL LOCATION", name);
	file = strstr(value, " (file ");
	if (file != NULL) {
		*file = '\0';
		(void)snprintf(l->start_file, sizeof(l->start_file), "%.24s",
			       file + strlen(" (file "));
	}
	if (!manifest_lsn(value, &l->start))
		return err_set(e, ERR_BACKUP, "read %s: damaged: START WAL LOCATION is no LSN",
			       name);
	if (!line_of(text, len, "CHECKPOINT LOCATION", value, sizeof(value)) ||
	    !manifest_lsn(value, &l->checkpoint))
		return err_set(e, ERR_BACKUP, "read %s: damaged: CHECKPOINT LOCATION is no LSN",
			       name);
	(void)timeline_of(text, len, "START TIMELINE", &l->timeline);
	if (parse_prior(text, len, name, l, e) < 0)
		return -1;
	(void)line_of(text, len, "BACKUP METHOD", l->method, sizeof(l->method));
	(void)line_of(text, len, "BACKUP FROM", l->from, sizeof(l->from));
	(void)line_of(text, len, "LABEL", l->text, sizeof(l->text));
	l->started_ms =
		line_of(text, len, "START TIME", value, sizeof(value)) ? time_of(value) : -1;
	l->stopped_ms = line_of(text, len, "STOP TIME", value, sizeof(value)) ? time_of(value) : -1;
	if (line_of(text, len, "STOP WAL LOCATION", value, sizeof(value))) {
		value[strcspn(value, " ")] = '\0';
		if (!manifest_lsn(value, &l->stop))
			return err_set(e, ERR_BACKUP,
				       "read %s: damaged: STOP WAL LOCATION is no LSN", name);
	}
	return 0;
}
