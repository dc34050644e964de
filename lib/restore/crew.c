#include "lib/restore/crew.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/restore/places.h"
#include "lib/restore/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Statements that wait, and settings of a script: only to bound memory. */
enum { WAITING_MAX = 512, SETTINGS_MAX = 4096, CHUNK_B = 256 * 1024 };

struct chunk {
	struct chunk *next;
	size_t n, size;
	char data[];
};

struct work {
	struct work *next; /* in the order of the script */
	uint64_t line;
	char *sql;
	size_t settings; /* of the list: those before it */
	struct place *on[ORDER_ON];
	unsigned n_on;
	const struct place *makes; /* an index; NULL */
	bool shared, copy, begun;
	unsigned waits_for; /* earlier work, not done yet */
	struct work **then; /* that waits for this */
	size_t n_then;
	struct chunk *first, *last; /* COPY: data not taken in yet */
	bool over;                  /* COPY: no more data will come, */
	bool cut;                   /* for the script ends before its end */
};

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
	struct work *works;
	unsigned n_works;
	size_t held_b;
	struct work *filling; /* the COPY whose data is coming */
	unsigned copies;      /* not done */
	int64_t copied_ms;
	bool ending;
	struct err broken;
	struct places places;
	struct strv settings;
	char dbname[256];
};

/* ---- order, under the lock ---------------------------------------------------------- */

static bool must_wait(const struct work *later, const struct work *earlier)
{
	/* Only the first one of a name may succeed. */
	if (later->makes && later->makes == earlier->makes)
		return true;
	if (later->shared && earlier->shared)
		return false;
	for (unsigned i = 0; i < later->n_on; i++)
		for (unsigned k = 0; k < earlier->n_on; k++)
			if (later->on[i] == earlier->on[k])
				return true;
	return false;
}

static void hand_over(struct crew *c, struct work *w)
{
	struct work **end = &c->works;

	for (; *end; end = &(*end)->next) {
		struct work *before = *end;

		if (!must_wait(w, before))
			continue;
		before->then = xrealloc(before->then, before->n_then + 1, sizeof(struct work *));
		before->then[before->n_then++] = w;
		w->waits_for++;
	}
	*end = w;
	c->n_works++;
	c->copies += w->copy;
	(void)pthread_cond_broadcast(&c->news);
}

static uint64_t weight(const struct work *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->n_on; i++)
		sum += w->on[i]->bytes;
	return sum;
}

/* A COPY holds up the reader; else what takes longest goes first. */
static struct work *choose(const struct crew *c)
{
	struct work *best = NULL;

	for (struct work *w = c->works; w; w = w->next) {
		if (w->begun || w->waits_for)
			continue;
		if (w->copy)
			return w;
		if (best == NULL || weight(w) > weight(best))
			best = w;
	}
	return best;
}

static void forget_data(struct crew *c, struct work *w)
{
	for (struct chunk *k = w->first, *next; k; k = next) {
		next = k->next;
		c->held_b -= k->n;
		free(k);
	}
	w->first = w->last = NULL;
}

static void done(struct crew *c, struct work *w)
{
	struct work **at = &c->works;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	c->n_works--;
	for (size_t i = 0; i < w->n_then; i++)
		w->then[i]->waits_for--;
	if (w->copy && --c->copies == 0)
		c->copied_ms = mono_ms();
	forget_data(c, w);
	free(w->then);
	free(w->sql);
	free(w);
	(void)pthread_cond_broadcast(&c->news);
	(void)pthread_cond_broadcast(&c->less);
}

/* ---- members: each in its thread ---------------------------------------------------- */

/* The next data of a COPY, which is the caller's then; NULL: no more will come. */
static struct chunk *next_chunk(struct crew *c, struct work *w)
{
	struct chunk *k;

	(void)pthread_mutex_lock(&c->lock);
	/* What is being filled is left alone until it is full, or all there is. */
	while (!w->over && (w->first == NULL || w->first == w->last) && c->broken.kind == ERR_NONE)
		(void)pthread_cond_wait(&c->news, &c->lock);
	k = w->first;
	if (k) {
		w->first = k->next;
		if (w->first == NULL)
			w->last = NULL;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return k;
}

static void taken_in(struct crew *c, struct chunk *k)
{
	(void)pthread_mutex_lock(&c->lock);
	c->held_b -= k->n;
	(void)pthread_cond_signal(&c->less);
	(void)pthread_mutex_unlock(&c->lock);
	free(k);
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

		while ((w = choose(c)) == NULL && !(c->ending && c->works == NULL))
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
		if (c->filling == w)
			c->filling = NULL;
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
	while (c->n_works >= WAITING_MAX && c->broken.kind == ERR_NONE)
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

/* Where n bytes fit in behind what is there. */
static struct chunk *room(struct work *w, size_t n)
{
	struct chunk *k = w->last;
	size_t size = k == NULL && n < CHUNK_B ? n : n > CHUNK_B ? n : CHUNK_B;

	if (k && k->size - k->n >= n)
		return k;
	k = xmalloc(sizeof(*k) + size);
	*k = (struct chunk){ .size = size };
	if (w->last)
		w->last->next = k;
	else
		w->first = k;
	w->last = k;
	return k;
}

int crew_copy_put(struct crew *c, const char *p, size_t n, struct err *e)
{
	struct chunk *k;
	int ret;

	(void)pthread_mutex_lock(&c->lock);
	while (c->held_b >= c->opts.ahead_b && c->broken.kind == ERR_NONE)
		(void)pthread_cond_wait(&c->less, &c->lock);
	ret = broken(c, e);
	if (ret == 0 && c->filling) {
		k = room(c->filling, n);
		memcpy(k->data + k->n, p, n);
		k->n += n;
		c->held_b += n;
		c->filling->on[0]->bytes += n;
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
	while (c->works && c->broken.kind == ERR_NONE)
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
