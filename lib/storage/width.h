#ifndef LIB_STORAGE_WIDTH_H
#define LIB_STORAGE_WIDTH_H
/*
 * width: over how many connections at a time a haul goes. All that are allowed, as long as it is
 * the network that is waited for. Where this machine's processors have become what it waits for,
 * one connection is tried: its bytes are proven as they come, none is read again, and nobody
 * competes for the file. If that is as quick, it stays with one.
 *
 * Pure arithmetic: the caller tells what came so far, and when.
 */
#include <stdint.h>

/* A moment of a haul. */
struct width_look {
	int64_t at_ms, cpu_ms; /* the clock (mono_ms()); processor time of this process */
	uint64_t bytes;        /* that came */
};

enum width_phase { WIDTH_ALL, WIDTH_NARROWING, WIDTH_TRIAL, WIDTH_ONE, WIDTH_SETTLED };

struct width {
	unsigned most;
	unsigned now; /* so many may be at work; who is, ends what it does */
	enum width_phase phase;
	struct width_look from; /* the beginning of what is measured */
	double rate;            /* of all connections, bytes a millisecond */
};

void width_begin(struct width *w, unsigned most, const struct width_look *look);

/* To be called often: sets now. at_work: connections that bring something. */
void width_see(struct width *w, unsigned at_work, const struct width_look *look);
#endif
