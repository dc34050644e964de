#include "lib/net/retry.h"

#include "lib/base/utc.h"

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>
#include <time.h>

enum { SLICE_MS = 50 }; /* how often a wait looks whether it is to stop */

void retry_begin(struct retry *r, int64_t deadline_ms)
{
	*r = (struct retry){ .deadline_ms = deadline_ms,
			     .first_ms = RETRY_FIRST_MS,
			     .most_ms = RETRY_MOST_MS,
			     .most_tries = RETRY_MOST_TRIES };
}

/* Half of the doubled wait is sure, the other half is random. */
static uint64_t backed_off(const struct retry *r, uint64_t random)
{
	uint64_t wait = r->first_ms;

	for (unsigned i = 1; i < r->tries && wait < r->most_ms; i++)
		wait *= 2;
	if (wait > r->most_ms)
		wait = r->most_ms;
	return wait / 2 + random % (wait / 2 + 1);
}

int64_t retry_wait_ms(struct retry *r, int64_t now_ms, int64_t asked_ms, uint64_t random)
{
	int64_t left = r->deadline_ms - now_ms;
	uint64_t wait;

	r->tries++;
	if (r->tries >= r->most_tries || left <= 0 || asked_ms >= left)
		return -1;
	wait = backed_off(r, random);
	if (asked_ms >= 0) {
		uint64_t asked = (uint64_t)asked_ms;

		wait = asked + random % (asked / 10 + 1);
	}
	return wait < (uint64_t)left ? (int64_t)wait : -1;
}

int retry_wait(struct retry *r, int64_t asked_ms)
{
	uint64_t random = 0;
	int64_t wait, until;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint64_t)mono_ms() * 2654435761U;
	wait = retry_wait_ms(r, mono_ms(), asked_ms, random);
	if (wait < 0)
		return -1;
	until = mono_ms() + wait;
	for (int64_t left = wait; left > 0 && !(r->stop && *r->stop); left = until - mono_ms()) {
		int64_t nap = r->stop && left > SLICE_MS ? SLICE_MS : left;

		(void)nanosleep(&(struct timespec){ nap / 1000, nap % 1000 * 1000000 }, NULL);
	}
	return 0;
}
