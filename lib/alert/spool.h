#ifndef LIB_ALERT_SPOOL_H
#define LIB_ALERT_SPOOL_H
/*
 * spool: messages on their way, one file each, in a private directory: SEQUENCE.json, twelve
 * digits, so that names sort as they are to be sent and say nothing else. A file is on the disk
 * before spool_add() returns, and whole or not there at all (atomic.h). No file holds a secret:
 * keys are put in when it is sent.
 *
 * At most SPOOL_MOST messages wait; the oldest give way. What a service refuses for good is set
 * aside as SEQUENCE.refused for people to look at, the last SPOOL_REFUSED_MOST of them.
 */
#include "lib/base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { SPOOL_MOST = 1000, SPOOL_REFUSED_MOST = 20, SPOOL_MESSAGE_MAX = 4 << 20 };

struct spool_list {
	int64_t *sequence; /* ascending; owned */
	size_t n;
};

int spool_add(const char *dir, int64_t sequence, const json_t *message, struct err *e);

/* An absent directory is an empty spool. */
int spool_list(const char *dir, struct spool_list *l, struct err *e);
void spool_list_free(struct spool_list *l);
#define SPOOL_LIST_AUTO __attribute__((cleanup(spool_list_free))) struct spool_list

/* NULL with *e when it cannot be read or is no message. */
json_t *spool_read(const char *dir, int64_t sequence, struct err *e);

/* Delivered: gone, and known to be gone after a crash. */
int spool_remove(const char *dir, int64_t sequence, struct err *e);

int spool_set_aside(const char *dir, int64_t sequence, struct err *e);
#endif
