#include "lib/alert/delivery.h"

#include "lib/alert/spool.h"
#include "lib/alert/state.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <stdlib.h>

static bool works(const struct delivery *d)
{
	return d->trouble.kind == ERR_NONE;
}

static char *state_path(const struct delivery *d)
{
	return xasprintf("%s/state.json", d->home.dir);
}

void delivery_begin(struct delivery *d, const char *root, const char *sender, const char *label,
		    bool mark)
{
	*d = (struct delivery){ .home = HOME_INIT, .state = state_new(), .unsaved = json_array() };
	(void)runid_make(utc_now_ms(), d->session);
	if (root == NULL) {
		(void)err_set(&d->trouble, ERR_USAGE,
			      "no directory for it: HOME is unset; name one with --state-dir");
		return;
	}
	if (home_open(&d->home, root, sender, label, true, &d->trouble) == 0 && mark)
		(void)home_mark(&d->home, d->session, utc_now_ms(), &d->trouble);
}

/* Messages that the state does not know yet: it was not written before their process died. */
static void redo(struct delivery *d)
{
	SPOOL_LIST_AUTO l;

	if (spool_list(d->home.spool, &l, &d->trouble) < 0)
		return;
	for (size_t i = 0; i < l.n; i++) {
		struct err ignored = { 0 };
		JSON_AUTO *message = NULL;

		if (l.sequence[i] <= d->sequence)
			continue;
		message = spool_read(d->home.spool, l.sequence[i], &ignored);
		if (message)
			state_redo(d->state, message);
		d->sequence = l.sequence[i];
	}
}

void delivery_recover(struct delivery *d, int64_t deadline_ms)
{
	AUTO_FREE char *path = NULL;
	json_t *state;

	if (!works(d) || home_lock(&d->home, deadline_ms, &d->trouble) < 0)
		return;
	home_sweep(&d->home);
	path = state_path(d);
	state = state_load(path, &d->trouble);
	if (state) {
		json_decref(d->state);
		d->state = state;
	}
	d->sequence = state_sequence(d->state);
	redo(d);
}

void delivery_add(struct delivery *d, json_t *message, bool last)
{
	json_object_set_new(message, "sequence", json_integer(d->sequence + 1));
	json_object_set_new(message, "session", json_string(d->session));
	json_object_set_new(message, "last", json_boolean(last));
	if (d->home.lock_fd >= 0 &&
	    spool_add(d->home.spool, d->sequence + 1, message, &d->trouble) == 0)
		d->sequence++;
	else
		json_array_append(d->unsaved, message);
}

void delivery_commit(struct delivery *d)
{
	AUTO_FREE char *path = NULL;

	state_decided(d->state, d->sequence, d->session);
	if (d->home.lock_fd >= 0) {
		path = state_path(d);
		(void)state_save(path, d->state, &d->trouble);
	}
	home_unmark(&d->home);
}

/* The service will never take it: to the next run it must look as if it had not been told. */
static void forget(struct delivery *d, const json_t *message)
{
	AUTO_FREE char *path = state_path(d);
	const char *topic = record_text(message, "topic");

	if (topic == NULL)
		return;
	state_forget(d->state, topic);
	(void)state_save(path, d->state, &d->trouble);
}

/* One spooled message: true when the next may be tried. */
static bool send_spooled(struct delivery *d, int64_t sequence, delivery_send_fn *send, void *ctx,
			 struct delivery_result *r)
{
	JSON_AUTO *message = spool_read(d->home.spool, sequence, &r->why);

	r->fate = message ? send(ctx, message, &r->why) : FATE_REFUSED;
	switch (r->fate) {
	case FATE_ACCEPTED:
		r->sent++;
		return spool_remove(d->home.spool, sequence, &d->trouble) == 0;
	case FATE_REFUSED:
		r->refused++;
		if (message)
			forget(d, message);
		return spool_set_aside(d->home.spool, sequence, &d->trouble) == 0;
	case FATE_LATER:
	case FATE_HELD:
		break;
	}
	return false;
}

static void send_unsaved(struct delivery *d, delivery_send_fn *send, void *ctx,
			 struct delivery_result *r)
{
	json_t *message;
	size_t i;

	json_array_foreach(d->unsaved, i, message) {
		r->fate = send(ctx, message, &r->why);
		if (r->fate == FATE_ACCEPTED)
			r->sent++;
		else
			r->lost++;
	}
}

void delivery_send(struct delivery *d, delivery_send_fn *send, void *ctx, struct delivery_result *r)
{
	SPOOL_LIST_AUTO l = { 0 };
	size_t i = 0;

	*r = (struct delivery_result){ .fate = FATE_ACCEPTED };
	if (d->home.lock_fd >= 0 && spool_list(d->home.spool, &l, &d->trouble) == 0)
		while (i < l.n && send_spooled(d, l.sequence[i], send, ctx, r))
			i++;
	send_unsaved(d, send, ctx, r);
	r->waiting = delivery_waiting(d);
}

unsigned delivery_waiting(const struct delivery *d)
{
	SPOOL_LIST_AUTO l = { 0 };
	struct err ignored = { 0 };

	if (d->home.spool == NULL || spool_list(d->home.spool, &l, &ignored) < 0)
		return 0;
	return (unsigned)l.n;
}

void delivery_end(struct delivery *d)
{
	home_close(&d->home);
	json_decref(d->state);
	json_decref(d->unsaved);
	*d = (struct delivery){ .home = HOME_INIT };
}
