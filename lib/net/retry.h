#ifndef LIB_NET_RETRY_H
#define LIB_NET_RETRY_H
/*
 * retry: what became of something sent over a network, and when to try again. No clock and no
 * random source in here: the caller hands them in, so that tests can.
 *
 * Waits double from first_ms to most_ms, the second half of each being random ("equal jitter"), so
 * that many machines that were refused together do not come back together. A wait that the other
 * side asked for (Retry-After) is kept, with up to a tenth on top. A wait that would end after the
 * deadline is not begun: the time is up.
 */
#include <signal.h>
#include <stdint.h>

enum fate {
	FATE_ACCEPTED, /* the other side has it */
	FATE_LATER,    /* it may take it when asked again: network, 429, 5xx */
	FATE_HELD,     /* not before a person changes something: key, address, certificate */
	FATE_REFUSED,  /* it will never take this one: the message itself is wrong */
};

struct retry {
	int64_t deadline_ms; /* monotonic */
	uint64_t first_ms, most_ms;
	unsigned most_tries;
	unsigned tries;                    /* begun so far; 0 at first */
	const volatile sig_atomic_t *stop; /* not 0: retry_wait() waits no longer; may be NULL */
};

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30 * 1000, RETRY_MOST_TRIES = 8 };

void retry_begin(struct retry *r, int64_t deadline_ms);

/* To be called after a try that ended in FATE_LATER: milliseconds to wait before the next one, or
 * -1 when there is to be none. asked_ms: what the other side asked for, -1 nothing. */
int64_t retry_wait_ms(struct retry *r, int64_t now_ms, int64_t asked_ms, uint64_t random);

/* The same with the clock and the kernel's randomness, and the wait itself: 0 try again, -1 give
 * up. */
int retry_wait(struct retry *r, int64_t asked_ms);
#endif
