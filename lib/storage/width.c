#include "lib/storage/width.h"

enum {
	SPAN_MS = 100,         /* what is measured for so long tells something */
	WATCH_MS = 1000,       /* the same, of what shall not be given up for a moment's rest */
	BUSY_PERCENT = 50,     /* of one processor: no longer the network alone is waited for */
	AS_QUICK_PERCENT = 85, /* measurements waver */
	SLOW_PERCENT = 50,     /* the network has become slower */
};

static void enter(struct width *w, enum width_phase phase, unsigned now)
{
	w->phase = phase;
	w->now = now;
}

void width_begin(struct width *w, unsigned most, const struct width_look *look)
{
	*w = (struct width){ .most = most, .from = *look };
	enter(w, most > 1 ? WIDTH_ALL : WIDTH_SETTLED, most);
}

/* What comes again after a failure counts once: then there may be less than before. */
static double rate(const struct width *w, const struct width_look *look)
{
	if (look->bytes <= w->from.bytes)
		return 0;
	return (double)(look->bytes - w->from.bytes) / (double)(look->at_ms - w->from.at_ms);
}

static void judge(struct width *w, const struct width_look *look)
{
	const double is = rate(w, look);

	switch (w->phase) {
	case WIDTH_ALL:
		if (100 * (look->cpu_ms - w->from.cpu_ms) <
		    BUSY_PERCENT * (look->at_ms - w->from.at_ms))
			break;
		w->rate = is;
		enter(w, WIDTH_NARROWING, 1);
		break;
	case WIDTH_TRIAL:
		if (100 * is >= AS_QUICK_PERCENT * w->rate)
			enter(w, WIDTH_ONE, 1);
		else
			enter(w, WIDTH_SETTLED, w->most);
		break;
	case WIDTH_ONE:
		if (100 * is < SLOW_PERCENT * w->rate)
			enter(w, WIDTH_SETTLED, w->most);
		break;
	case WIDTH_NARROWING:
		/* The new request has come up to speed. */
		enter(w, WIDTH_TRIAL, 1);
		break;
	case WIDTH_SETTLED:
		break;
	}
}

void width_see(struct width *w, unsigned at_work, const struct width_look *look)
{
	/* Nothing is to be measured before the first bytes come, nor while others are at work. */
	if ((w->phase == WIDTH_ALL && look->bytes == w->from.bytes) ||
	    (w->phase == WIDTH_NARROWING && at_work > 1))
		w->from = *look;
	if (look->at_ms - w->from.at_ms < (w->phase == WIDTH_ONE ? WATCH_MS : SPAN_MS))
		return;
	judge(w, look);
	w->from = *look;
}
