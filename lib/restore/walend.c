#include "lib/restore/walend.h"

#include "lib/physical/wal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the archive holds of the timeline, and of later ones. */
struct held {
	uint64_t newest; /* where the newest segment begins */
	const char *newest_name;
	size_t segments; /* that begin at or after the segment where it ended */
	uint32_t later;  /* the newest timeline of all */
};

static void look(const struct walend *w, const struct strv *names, struct held *h)
{
	const uint64_t from = w->lsn - w->lsn % w->segment_b;
	uint32_t timeline;
	uint64_t lsn;

	*h = (struct held){ 0 };
	for (size_t i = 0; i < names->n; i++) {
		if (!wal_of_name(names->v[i], w->segment_b, &timeline, &lsn))
			continue;
		if (timeline > h->later)
			h->later = timeline;
		if (timeline != w->timeline || lsn < from)
			continue;
		h->segments++;
		h->newest = lsn;
		h->newest_name = names->v[i];
	}
}

/* names is sorted, so are the segments of a timeline in it. */
static bool missing(const struct walend *w, const struct strv *names, uint64_t newest,
		    char name[WAL_NAME_SIZE])
{
	uint64_t at = w->lsn - w->lsn % w->segment_b;
	uint32_t timeline;
	uint64_t lsn;

	for (size_t i = 0; i < names->n && at < newest; i++) {
		if (!wal_of_name(names->v[i], w->segment_b, &timeline, &lsn) ||
		    timeline != w->timeline || lsn < at)
			continue;
		if (lsn > at)
			break;
		at += w->segment_b;
	}
	wal_name(w->timeline, at, w->segment_b, name);
	return at < newest;
}

enum verdict walend_judge(const struct walend *w, const struct strv *names, char text[WALEND_TEXT])
{
	char name[WAL_NAME_SIZE];
	struct held h;

	text[0] = '\0';
	look(w, names, &h);
	if (h.segments && missing(w, names, h.newest, name)) {
		(void)snprintf(text, WALEND_TEXT,
			       "there is a hole in the archive: %s is missing, and it goes on up "
			       "to %s",
			       name, h.newest_name);
		return V_CRITICAL;
	}
	wal_name(w->timeline, w->lsn, w->segment_b, name);
	if (h.segments > 1 || (h.segments && w->lsn % w->segment_b == 0)) {
		(void)snprintf(text, WALEND_TEXT,
			       "the archive is damaged: %s is there and could not be replayed to "
			       "its end, and it goes on up to %s",
			       name, h.newest_name);
		return V_CRITICAL;
	}
	if (w->follows && h.later > w->timeline) {
		(void)snprintf(text, WALEND_TEXT,
			       "the archive holds WAL of timeline %" PRIu32
			       ", which could not be followed: its history file, %08" PRIX32
			       ".history, is missing or of another branch",
			       h.later, h.later);
		return V_CRITICAL;
	}
	if (h.segments) {
		(void)snprintf(text, WALEND_TEXT,
			       "the newest segment, %s, ends before its end: is it whole?", name);
		return V_WARNING;
	}
	return V_OK;
}
