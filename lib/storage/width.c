#include "lib/storage/width.h"

enum {
	US_PER_MS = 1000,
	FIRST_US = 30 * US_PER_MS,     /* what is measured for so long tells something, */
	FIRST_BYTES = 8 * 1024 * 1024, /* or with so many bytes, */
	FIRST_MIN_US = 2 * US_PER_MS,  /* but not sooner */
	WATCH_US = 1000 * US_PER_MS,   /* is no moment's rest any more */
	BUSY_PERCENT = 60,             /* of one processor: it is not the network that limits */
	IDLE_PERCENT = 40,             /* it is; between them nothing changes */
};

static void enter(struct width *w, enum width_phase phase, const struct width_look *look)
{
	w->phase = phase;
	w->now = phase == WIDTH_ALL ? w->most : 1;
	w->from = *look;
}

void width_begin(struct width *w, unsigned most, bool try_one, const struct width_look *look)
{
	*w = (struct width){ .most = most, .begun_us = look->at_us };
	if (most == 1)
		enter(w, WIDTH_ALONE, look);
	else
		enter(w, try_one ? WIDTH_FIRST : WIDTH_ALL, look);
}

static int64_t busy_percent(const struct width *w, const struct width_look *look)
{
	return 100 * (look->cpu_us - w->from.cpu_us) / (look->at_us - w->from.at_us);
}

static void see_first(struct width *w, const struct width_look *look)
{
	const int64_t us = look->at_us - w->from.at_us;

	if (look->at_us - w->begun_us >= WATCH_US) {
		enter(w, WIDTH_ALL, look);
		return;
	}
	/* Nothing is to be measured before the first bytes come. */
	if (look->bytes <= w->from.bytes)
		w->from = *look;
	else if (us >= FIRST_US ||
		 (us >= FIRST_MIN_US && look->bytes - w->from.bytes >= FIRST_BYTES))
		enter(w, busy_percent(w, look) >= BUSY_PERCENT ? WIDTH_ALONE : WIDTH_ALL, look);
}

static void see_alone(struct width *w, const struct width_look *look)
{
	if (look->at_us - w->from.at_us < WATCH_US)
		return;
	enter(w, busy_percent(w, look) < IDLE_PERCENT ? WIDTH_ALL : WIDTH_ALONE, look);
}

void width_see(struct width *w, const struct width_look *look)
{
	if (w->phase == WIDTH_FIRST)
		see_first(w, look);
	else if (w->phase == WIDTH_ALONE && w->most > 1)
		see_alone(w, look);
}

void width_lose(struct width *w)
{
	if (w->most > 1)
		w->most--;
	if (w->now > w->most)
		w->now = w->most;
}

bool width_hurries(const struct width *w)
{
	return w->phase == WIDTH_FIRST;
}
