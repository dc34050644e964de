#include "lib/storage/haul_crew.h"

#include "lib/base/xmem.h"
#include "lib/storage/haul_parts.h"

#include <stdlib.h>

enum { AHEAD = 8 /* ranges, besides those under way */ };

enum task { TASK_NONE, TASK_ASK, TASK_RANGE, TASK_FILE };

struct job {
	enum task task;
	struct haul_passage passage; /* the file, and for TASK_RANGE the ranges */
	bool several;                /* of these */
	bool first;                  /* that this thread does */
	bool refused;                /* the storage grants no connection for it */
};

/* The next range of a file that nobody has begun, to one that is alone all up to the next that is
 * here; false: there is none. */
static bool next_ranges(const struct haul *h, struct haul_file *f, struct job *job)
{
	struct haul_passage *p = &job->passage;

	while (f->next < f->ranges && f->have && f->have[f->next] != HAUL_MISSING)
		f->next++;
	if (f->next >= f->ranges)
		return false;
	p->first = f->next;
	do {
		if (f->have)
			f->have[f->next] = HAUL_BEGUN;
		f->next++;
	} while (h->width.phase == WIDTH_ALONE && f->next < f->ranges &&
		 f->have[f->next] == HAUL_MISSING);
	p->end = f->next;
	p->leads = f->split && f->followed == p->first;
	p->touched = false;
	job->several = p->end - p->first > 1;
	return true;
}

/* Must the proof catch up first? What is there from an earlier run it has to pass before, and
 * nobody waits for that. */
static bool far_ahead(const struct haul *h, const struct haul_file *f)
{
	const int64_t most = h->width.now > 1 ? (int64_t)h->width.now + AHEAD : 1;

	return f->split && !f->resumed && f->next < f->ranges && f->next - f->followed >= most;
}

/* True when there is something to do on this file. */
static bool job_on(struct haul *h, struct haul_file *f, struct job *job)
{
	if (f->state == HAUL_NEW && haul_large(h, (size_t)(f - h->files)) && f->stat == NULL) {
		f->state = HAUL_ASKED;
		job->task = TASK_ASK;
		return true;
	}
	if (f->state == HAUL_NEW)
		haul_make_ready(h, f);
	if (f->state != HAUL_READY || far_ahead(h, f) || !next_ranges(h, f, job))
		return false;
	job->task = f->split ? TASK_RANGE : TASK_FILE;
	return true;
}

static bool is_long(const struct job *job)
{
	return job->task == TASK_RANGE && job->several;
}

static bool enough_at_work(const struct haul *h)
{
	return h->at_work >= h->width.now;
}

static void pass_begun_files(struct haul *h)
{
	while (h->first < h->n && (h->files[h->first].state == HAUL_DONE ||
				   (h->files[h->first].state == HAUL_READY &&
				    h->files[h->first].next >= h->files[h->first].ranges)))
		h->first++;
}

/* With the lock held. TASK_NONE: nothing more to be begun. */
static void choose(struct haul *h, struct job *job)
{
	bool wait;

	do {
		pass_begun_files(h);
		job->task = TASK_NONE;
		wait = h->long_ways > 0 || h->newcomers > 0 ||
		       (h->first < h->n && enough_at_work(h));
		for (size_t i = h->first; i < h->n && !enough_at_work(h) && !haul_stopped(h); i++) {
			job->passage.file = i;
			if (job_on(h, &h->files[i], job)) {
				if (++h->at_work > h->most_at_work)
					h->most_at_work = h->at_work;
				h->long_ways += is_long(job);
				h->newcomers += job->first;
				return;
			}
			wait |= h->files[i].state == HAUL_ASKED || far_ahead(h, &h->files[i]);
		}
		if (wait && !haul_stopped(h))
			(void)pthread_cond_wait(&h->moved, &h->lock);
	} while (wait && !haul_stopped(h));
}

/* With the lock held: what a passage leaves, others bring. */
static void give_back(struct haul *h, const struct haul_passage *p)
{
	struct haul_file *f = &h->files[p->file];

	for (int64_t r = p->first; f->have && r < p->end; r++)
		f->have[r] = HAUL_MISSING;
	if (p->first == p->end)
		return;
	if (p->first < f->next)
		f->next = p->first;
	if (p->file < h->first)
		h->first = p->file;
}

/* With the lock held, after a job that went well. */
static int settle(struct haul *h, enum task task, const struct haul_passage *p,
		  struct storage_stat *stat, struct err *e)
{
	struct haul_file *f = &h->files[p->file];

	switch (task) {
	case TASK_ASK:
		f->stat = stat;
		f->bytes = stat->bytes;
		haul_make_ready(h, f);
		return 0;
	case TASK_RANGE:
		give_back(h, p);
		return 0;
	case TASK_FILE:
		f->state = HAUL_DONE;
		f->whole_here = true;
		h->to_do--;
		return haul_note(h, p->file, HAUL_WHOLE, e);
	case TASK_NONE:
		break;
	}
	return 0;
}

/* With the lock held, after a job that failed: a storage may grant fewer connections than we would
 * like. As long as there are others, those whose very first request fails do not matter. */
static bool do_without(struct haul *h, const struct job *job, const struct err *e)
{
	if (!job->first || job->task == TASK_ASK || e->kind != ERR_REMOTE || h->failed ||
	    (job->passage.leads && job->passage.touched) || h->at_work + h->joined == 0)
		return false;
	give_back(h, &job->passage);
	width_lose(&h->width);
	if (h->most_at_work > h->width.most)
		h->most_at_work = h->width.most;
	return true;
}

static int work_on(struct haul *h, struct storage *s, struct job *job, struct err *e)
{
	struct haul_file *f = &h->files[job->passage.file];
	const enum task task = job->task;
	struct storage_stat *stat = NULL;
	int rc = 0;

	if (task == TASK_ASK) {
		stat = xcalloc(1, sizeof(*stat));
		rc = storage_stat(s, f->name, stat, e);
	} else if (task == TASK_RANGE) {
		rc = haul_bring_ranges(h, s, &job->passage, e);
	} else {
		rc = haul_bring_file(h, s, f, f->whole_here, e);
	}
	if (rc < 0)
		free(stat);
	(void)pthread_mutex_lock(&h->lock);
	h->at_work--;
	h->long_ways -= is_long(job);
	h->newcomers -= job->first;
	if (rc == 0) {
		h->joined += job->first;
		job->first = false;
		rc = settle(h, task, &job->passage, stat, e);
	} else if (do_without(h, job, e)) {
		job->refused = true;
		rc = 0;
	}
	haul_look(h);
	(void)pthread_cond_broadcast(&h->moved);
	(void)pthread_mutex_unlock(&h->lock);
	return rc;
}

void *haul_work(void *arg)
{
	struct haul *h = arg;
	struct err e = { 0 };
	STORAGE_AUTO s = storage_clone(h->s, &e);
	struct job job = { .passage.file = h->n, .first = true };

	if (s == NULL)
		haul_fail(h, h->n, &e);
	while (s) {
		(void)pthread_mutex_lock(&h->lock);
		choose(h, &job);
		(void)pthread_mutex_unlock(&h->lock);
		if (job.task == TASK_NONE)
			break;
		if (work_on(h, s, &job, &e) < 0) {
			haul_fail(h, job.passage.file, &e);
			break;
		}
		if (job.refused)
			break;
	}
	return NULL;
}
