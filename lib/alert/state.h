#ifndef LIB_ALERT_STATE_H
#define LIB_ALERT_STATE_H
/*
 * state: what one sender told about one label: a small JSON file, replaced whole.
 *
 *	{"v":1,"sequence":17,"session":"01JD…","topics":{"restore":{"open":true,
 *	 "verdict":"critical","what":"8c…","since":"…","told":"…","tools":["restore-to-temp"]}}}
 *
 * and, while they are being removed, "dead": the marks that were told about.
 *
 * The spool is its log: each message carries what is to be remembered once it exists, and
 * state_redo() applies those that the file does not know yet. So there is no moment at which a
 * message exists and is not remembered, or the reverse.
 */
#include "lib/alert/policy.h"
#include "lib/base/err.h"
#include "lib/base/strv.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A new, empty one: nothing is known. */
json_t *state_new(void);

/* Absent: a new one. Damaged: set aside as PATH.bad, and NULL with *e. */
json_t *state_load(const char *path, struct err *e);
int state_save(const char *path, const json_t *state, struct err *e);

/* No process has decided yet: this is the first run, or the memory was lost. */
bool state_is_new(const json_t *state);

int64_t state_sequence(const json_t *state);
/* Whether that process (its mark's id) has decided. */
bool state_has_decided(const json_t *state, const char *session);

struct policy_memory state_memory(const json_t *state, const char *topic);
/* The tools whose checks made the topic fail: borrowed array, NULL when unknown. */
const json_t *state_tools(const json_t *state, const char *topic);

/* A memory as JSON; tools may be NULL. The caller's. */
json_t *state_pack(const struct policy_memory *m, const json_t *tools);

/* Takes over the memory. */
void state_remember(json_t *state, const char *topic, json_t *memory);
/* The topic's message never arrived and never will: as if it had not been told. */
void state_forget(json_t *state, const char *topic);
void state_decided(json_t *state, int64_t sequence, const char *session);

/* Marks (home.h) of dead runs about which somebody has been told, so that it is not done twice when
 * their teller dies before it can remove them. */
bool state_knows_dead(const json_t *state, const char *id);
void state_know_dead(json_t *state, const struct strv *ids);

/* Applies a spooled message, if it is newer than the state. */
void state_redo(json_t *state, const json_t *message);
#endif
