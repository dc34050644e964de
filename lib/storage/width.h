#ifndef LIB_STORAGE_WIDTH_H
#define LIB_STORAGE_WIDTH_H
/*
 * width: over how many connections at a time a large file is brought. It begins with one. As soon
 * as that is seen to wait for the network, all that are allowed take part. Where it keeps this
 * machine's processors busy instead, it stays alone: its bytes are proven as they come, none is
 * read again, and nobody competes for the file. All take part, too, when that changes on the way.
 *
 * Pure arithmetic: the caller tells what came so far, and when.
 */
#include <stdbool.h>
#include <stdint.h>

/* A moment of a haul. */
struct width_look {
	int64_t at_us, cpu_us; /* the clock; processor time of this process */
	uint64_t bytes;        /* that came */
};

enum width_phase {
	WIDTH_FIRST, /* one brings a single range */
	WIDTH_ALONE, /* one brings all that follows */
	WIDTH_ALL,
};

struct width {
	unsigned most;
	unsigned now; /* so many may be at work; who is, ends what it does */
	enum width_phase phase;
	int64_t begun_us;
	struct width_look from; /* the beginning of what is measured */
};

/* try_one false: all from the beginning. */
void width_begin(struct width *w, unsigned most, bool try_one, const struct width_look *look);

/* The first range has come, or some of it: to be called often. */
void width_see(struct width *w, const struct width_look *look);

/* One of them was refused. */
void width_lose(struct width *w);

/* Soon, not some time: width_see() waits for little more than a moment. */
bool width_hurries(const struct width *w);
#endif
