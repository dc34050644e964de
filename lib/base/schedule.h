#ifndef LIB_BASE_SCHEDULE_H
#define LIB_BASE_SCHEDULE_H
/*
 * schedule: how often backups are made, as the moments of those in a listing show it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule {
	int64_t *at_ms; /* owned */
	size_t n;
};

void schedule_add(struct schedule *s, int64_t at_ms);
/* The median of the gaps between neighbours; the same moment twice is one backup seen twice. False:
 * there are fewer than three. */
bool schedule_interval(struct schedule *s, int64_t *ms);
void schedule_free(struct schedule *s);
#endif
