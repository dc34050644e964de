#include "lib/restore/crew.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/restore/places.h"
#include "lib/restore/session.h"
#include "lib/restore/works.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Statements that wait, and settings of a script: only to bound memory. */
enum { WAITING_MAX = 512, SETTINGS_MAX = 4096 };

struct member {
	struct crew *crew;
	pthread_t thread;
	struct session session;
	struct mishaps mishaps;
	struct strv made;
	size_t settings; /* that its session has */
};

struct crew {
	struct crew_opts opts;
	struct member *members;
	unsigned n_members;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t news;  /* for members: work, data, the end */
	pthread_cond_t less;  /* for the reader: work done, data taken in */
	struct works works;
	struct work *filling; /* the COPY whose data is coming */
	int64_t copied_ms;
	bool ending;
	struct err broken;
	struct places places;
	struct strv settings;
	char dbname[256];
};

/* ---- under the lock ------------------------------------------------------------------ */

static void hand_over(struct crew *c, struct work *w)
{
	works_add(&c->works, w);
	(void)pthread_cond_broadcast(&c->news);
}

static void done(struct crew *c, struct work *w)
{
	if (c->filling == w)
		c->filling = NULL;
	if (w->copy && c->works.copies == 1)
		c->copied_ms = mono_ms();
	works_done(&c->works, w);
	(void)pthread_cond_broadcast(&c->news);
	(void)pthread_cond_broadcast(&c->less);
}

/* ---- members: each in its thread ---------------------------------------------------- */

/* The next data of a COPY, which is the caller's then; NULL: no more will come. */
static struct chunk *next_chunk(struct crew *c, struct work *w)
{
	struct chunk *k;

	(void)pthread_mutex_lock(&c->lock);
	while (!work_has_data(w) && c->broken.kind == ERR_NONE)
		(void)pthread_cond_wait(&c->news, &c->lock);
	k = work_take_data(w);
	(void)pthread_mutex_unlock(&c->lock);
	return k;
}

static void taken_in(struct crew *c, struct chunk *k)
{
	(void)pthread_mutex_lock(&c->lock);
	works_forget(&c->works, k);
	(void)pthread_cond_signal(&c->less);
	(void)pthread_mutex_unlock(&c->lock);
}

static int copy(struct member *m, struct work *w, struct err *e)
{
	struct chunk *k;
	int ret = 0;

	session_copy_begin(&m->session, w->line, w->sql);
	while ((k = next_chunk(m->crew, w)) != NULL) {
		if (ret == 0)
			ret = session_copy_put(&m->session, k->data, k->n, e);
		taken_in(m->crew, k);
	}
	if (w->cut)
		session_copy_drop(&m->session);
	else if (ret == 0)
		ret = session_copy_end(&m->session, e);
	return ret;
}

/* Its session, as a session that came this far in the script would be. settings grows meanwhile,
 * but what is in it stays. */
static int get_ready(struct member *m, const struct work *w, struct err *e)
{
	struct crew *c = m->crew;

	/* Work is not done in its order: one that has come further cannot go back. */
	if (m->session.db.link == NULL || m->settings > w->settings) {
		if (session_connect(&m->session, w->line, c->dbname, e) < 0)
			return -1;
		m->settings = 0;
	}
	while (m->settings < w->settings && m->session.db.link) {
		AUTO_FREE char *sql = NULL;

		(void)pthread_mutex_lock(&c->lock);
		sql = xstrdup(c->settings.v[m->settings++]);
		(void)pthread_mutex_unlock(&c->lock);
		session_repeat(&m->session, sql);
	}
	return 0;
}

static int perform(struct member *m, struct work *w, struct err *e)
{
	if (get_ready(m, w, e) < 0)
		return -1;
	return w->copy ? copy(m, w, e) : session_run(&m->session, w->line, w->sql, e);
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct crew *c = m->crew;
	struct work *w;

	(void)pthread_mutex_lock(&c->lock);
	for (;;) {
		struct err e = { 0 };
		int ret;

		while ((w = works_choose(&c->works)) == NULL &&
		       !(c->ending && c->works.first == NULL))
			(void)pthread_cond_wait(&c->news, &c->lock);
		if (w == NULL)
			break;
		w->begun = true;
		ret = c->broken.kind == ERR_NONE ? 0 : -1;
		(void)pthread_mutex_unlock(&c->lock);
		if (ret == 0)
			ret = perform(m, w, &e);
		(void)pthread_mutex_lock(&c->lock);
		if (ret < 0 && c->broken.kind == ERR_NONE)
			c->broken = e;
		done(c, w);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- the reader --------------------------------------------------------------------- */

static int broken(struct crew *c, struct err *e)
{
	if (c->broken.kind == ERR_NONE)
		return 0;
	*e = c->broken;
	return -1;
}

static struct work *new_work(struct crew *c, uint64_t line, const char *sql, const struct order *o)
{
	struct work *w = xcalloc(1, sizeof(*w));

	w->line = line;
	w->sql = xstrdup(sql);
	w->shared = o->shared;
	w->settings = c->settings.n;
	for (unsigned i = 0; i < o->n_on; i++)
		w->on[w->n_on++] = places_find(&c->places, o->on[i]);
	if (o->makes[0])
		w->makes = places_add_index(&c->places, o->makes, w->on[0]);
	return w;
}

static int submit(struct crew *c, uint64_t line, const char *sql, const struct order *o, bool copy,
		  struct err *e)
{
	struct work *w;
	int ret;

	(void)pthread_mutex_lock(&c->lock);
	while (c->works.n >= WAITING_MAX && c->broken.kind == ERR_NONE)
		(void)pthread_cond_wait(&c->less, &c->lock);
	ret = broken(c, e);
	if (ret == 0) {
		w = new_work(c, line, sql, o);
		w->copy = copy;
		w->over = !copy;
		if (copy)
			c->filling = w;
		hand_over(c, w);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return ret;
}

bool crew_knows(struct crew *c, const struct order *o)
{
	bool known = true;

	(void)pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < o->n_on && o->indexes; i++)
		known = known && places_is_index(&c->places, o->on[i]);
	(void)pthread_mutex_unlock(&c->lock);
	return known;
}

int crew_run(struct crew *c, uint64_t line, const char *sql, const struct order *o, struct err *e)
{
	return submit(c, line, sql, o, false, e);
}

int crew_copy_begin(struct crew *c, uint64_t line, const char *sql, const struct order *o,
		    struct err *e)
{
	return submit(c, line, sql, o, true, e);
}

int crew_copy_put(struct crew *c, const char *p, size_t n, struct err *e)
{
	int ret;

	(void)pthread_mutex_lock(&c->lock);
	while (c->works.held_b >= c->opts.ahead_b && c->broken.kind == ERR_NONE)
		(void)pthread_cond_wait(&c->less, &c->lock);
	ret = broken(c, e);
	if (ret == 0 && c->filling) {
		works_put_data(&c->works, c->filling, p, n);
		(void)pthread_cond_broadcast(&c->news);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return ret;
}

static void close_filling(struct crew *c, bool cut)
{
	(void)pthread_mutex_lock(&c->lock);
	if (c->filling) {
		c->filling->cut = cut;
		c->filling->over = true;
	}
	c->filling = NULL;
	(void)pthread_cond_broadcast(&c->news);
	(void)pthread_mutex_unlock(&c->lock);
}

void crew_copy_end(struct crew *c)
{
	close_filling(c, false);
}

int crew_drain(struct crew *c, struct err *e)
{
	int ret;

	close_filling(c, true);
	(void)pthread_mutex_lock(&c->lock);
	while (c->works.first && c->broken.kind == ERR_NONE)
		(void)pthread_cond_wait(&c->less, &c->lock);
	ret = broken(c, e);
	(void)pthread_mutex_unlock(&c->lock);
	return ret;
}

int64_t crew_copied_ms(struct crew *c)
{
	int64_t ms;

	(void)pthread_mutex_lock(&c->lock);
	ms = c->copied_ms;
	(void)pthread_mutex_unlock(&c->lock);
	return ms;
}

bool crew_set(struct crew *c, const char *sql)
{
	bool fits;

	(void)pthread_mutex_lock(&c->lock);
	fits = c->settings.n < SETTINGS_MAX;
	if (fits)
		strv_add(&c->settings, sql);
	(void)pthread_mutex_unlock(&c->lock);
	return fits;
}

/* ---- beginning and end -------------------------------------------------------------- */

/* No work, so no member touches its session. */
static void leave(struct crew *c)
{
	(void)pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < c->n_members; i++) {
		struct member *m = &c->members[i];

		pg_close(&m->session.db);
		m->settings = 0;
	}
	strv_free(&c->settings);
	places_free(&c->places);
	(void)pthread_mutex_unlock(&c->lock);
}

void crew_enter(struct crew *c, const char *dbname)
{
	leave(c);
	(void)snprintf(c->dbname, sizeof(c->dbname), "%s", dbname);
}

struct crew *crew_new(const struct crew_opts *opts, struct err *e)
{
	struct crew *c = xcalloc(1, sizeof(*c));
	int failed = 0;

	c->opts = *opts;
	c->members = xcalloc(opts->sessions, sizeof(*c->members));
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->news, NULL);
	(void)pthread_cond_init(&c->less, NULL);
	while (c->n_members < opts->sessions && !failed) {
		struct member *m = &c->members[c->n_members];

		m->crew = c;
		m->session = (struct session){ .conninfo = opts->conninfo,
					       .left_out = opts->left_out,
					       .roles_expected = opts->roles_expected,
					       .mishaps = &m->mishaps,
					       .made = &m->made,
					       .early = BUF_INIT(SESSION_EARLY) };
		failed = pthread_create(&m->thread, NULL, member_main, m);
		c->n_members += failed == 0;
	}
	if (c->n_members > 0)
		return c;
	(void)crew_end(c, NULL, e);
	(void)err_set(e, ERR_SYSTEM, "start a thread: %s", strerror(failed));
	return NULL;
}

static void collect(struct member *m, const struct crew_result *out)
{
	if (out) {
		mishaps_merge(out->mishaps, &m->mishaps);
		for (size_t i = 0; i < m->made.n; i++)
			strv_add(out->made, m->made.v[i]);
		*out->rows += m->session.rows;
	}
	session_close(&m->session);
	mishaps_free(&m->mishaps);
	strv_free(&m->made);
}

int crew_end(struct crew *c, const struct crew_result *out, struct err *e)
{
	int ret = crew_drain(c, e);

	(void)pthread_mutex_lock(&c->lock);
	c->ending = true;
	(void)pthread_cond_broadcast(&c->news);
	(void)pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->n_members; i++) {
		(void)pthread_join(c->members[i].thread, NULL);
		collect(&c->members[i], out);
	}
	leave(c);
	(void)pthread_mutex_destroy(&c->lock);
	(void)pthread_cond_destroy(&c->news);
	(void)pthread_cond_destroy(&c->less);
	free(c->members);
	free(c);
	return ret;
}
