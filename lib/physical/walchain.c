#include "lib/physical/walchain.h"

#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what it should be of ----------------------------------------------------------- */

static bool has_header(const struct walseg *s)
{
	return s->sum.header.segment_size != 0;
}

/* That of most segments (Boyer and Moore's vote). */
static void find_cluster(const struct walarchive *a, struct walchain *out)
{
	size_t votes = 0;

	for (size_t i = 0; i < a->n_segs; i++) {
		const struct wal_header *h = &a->segs[i].sum.header;

		if (!has_header(&a->segs[i]))
			continue;
		if (votes == 0) {
			out->system_identifier = h->system_identifier;
			out->major = wal_major(h->magic);
		}
		votes += h->system_identifier == out->system_identifier ? 1 : (size_t)-1;
	}
}

/* Recovery finds a timeline by its history; without any there is but the first. */
static void find_path(const struct walarchive *a, struct walchain *out)
{
	const struct walhistory *h = NULL;
	uint32_t first = a->n_segs ? a->segs[0].timeline : 1;
	struct err ignored;

	for (size_t i = 0; i < a->n_histories; i++)
		if (a->histories[i].e.kind == ERR_NONE)
			h = &a->histories[i];
	if (h == NULL) {
		(void)walpath_parse(NULL, first, "", &out->path, &ignored);
		return;
	}
	out->path.n = h->path.n;
	out->path.legs = xcalloc(h->path.n, sizeof(*h->path.legs));
	memcpy(out->path.legs, h->path.legs, h->path.n * sizeof(*h->path.legs));
}

/* ---- one segment -------------------------------------------------------------------- */

static bool timeline_fits(const struct walarchive *a, const struct walchain *c,
			  const struct walseg *s)
{
	if (s->sum.timeline == s->timeline)
		return true;
	/* What was written before the switch keeps its timeline. */
	return s->sum.timeline < s->timeline && walpath_forks_in(&c->path, s->lsn, a->segment_b);
}

#define LSN "%" PRIX32 "/%" PRIX32
#define LSN_OF(lsn) (uint32_t)((lsn) >> 32), (uint32_t)(lsn)

bool walchain_fault(const struct walarchive *a, const struct walchain *reference,
		    const struct walseg *s, char why[WALCHAIN_WHY])
{
	const struct wal_header *h = &s->sum.header;
	const enum wal_fault fault = s->sum.fault;
	int n = 0;

	if (s->why != NULL)
		n = snprintf(why, WALCHAIN_WHY, "%s", s->why);
	else if (!has_header(s))
		n = snprintf(why, WALCHAIN_WHY, "%s", wal_fault_text(WAL_NO_HEADER));
	else if (h->system_identifier != reference->system_identifier)
		n = snprintf(why, WALCHAIN_WHY,
			     "it is of another cluster: its system identifier is %" PRIu64
			     ", not %" PRIu64,
			     h->system_identifier, reference->system_identifier);
	else if (wal_major(h->magic) != reference->major)
		n = snprintf(why, WALCHAIN_WHY,
			     "it is of another version of PostgreSQL (magic %04X)", h->magic);
	else if (h->segment_size != a->segment_b)
		n = snprintf(why, WALCHAIN_WHY,
			     "it is of segments of %" PRIu32 " bytes, not %" PRIu32,
			     h->segment_size, a->segment_b);
	else if (h->lsn != s->lsn)
		n = snprintf(why, WALCHAIN_WHY, "it holds the WAL of another segment, " LSN,
			     LSN_OF(h->lsn));
	else if (s->sum.timeline != 0 && !timeline_fits(a, reference, s))
		n = snprintf(why, WALCHAIN_WHY, "it is of timeline %" PRIu32, s->sum.timeline);
	else if (fault == WAL_BAD_SIZE && !s->partial)
		n = snprintf(why, WALCHAIN_WHY, "it has %" PRIu64 " bytes instead of %" PRIu32,
			     s->sum.bytes, a->segment_b);
	else if (fault != WAL_SOUND && !s->partial)
		n = snprintf(why, WALCHAIN_WHY, "%s, at " LSN, wal_fault_text(fault),
			     LSN_OF(s->sum.fault_lsn));
	return n != 0;
}

/* ---- the way ------------------------------------------------------------------------ */

struct way {
	struct walarchive *a;
	struct walchain *out;
	struct walseg *last; /* the sound one before; NULL: none, or a hole */
	uint64_t expected;   /* where the next one begins; 0: not known yet */
	int64_t newest_ms;
};

static struct walhole *add_hole(struct way *w, uint64_t from, uint64_t to, uint32_t timeline)
{
	struct walchain *c = w->out;

	c->holes = xrealloc(c->holes, c->n_holes + 1, sizeof(*c->holes));
	c->holes[c->n_holes] = (struct walhole){
		.from = from, .to = to, .timeline = timeline, .before_ms = w->newest_ms
	};
	w->last = NULL;
	return &c->holes[c->n_holes++];
}

static void damaged(struct way *w, const struct walseg *s, const char *why)
{
	struct walhole *hole;

	/* It is sound up to there. */
	if (s->why == NULL && s->sum.last_commit_ms > w->newest_ms)
		w->newest_ms = s->sum.last_commit_ms;
	hole = add_hole(w, s->lsn, s->lsn + w->a->segment_b, s->timeline);
	hole->damaged = s;
	hole->unread = s->unread;
	(void)snprintf(hole->why, sizeof(hole->why), "%s", why);
}

static void go_over(struct way *w, struct walseg *s)
{
	char why[WALCHAIN_WHY];
	enum wal_fault border;

	if (w->expected != 0 && s->lsn > w->expected) {
		w->out->missing += (s->lsn - w->expected) / w->a->segment_b;
		(void)add_hole(w, w->expected, s->lsn,
			       walpath_at(&w->out->path, w->expected, w->a->segment_b));
	}
	w->out->segments++;
	w->expected = s->lsn + w->a->segment_b;
	if (walchain_fault(w->a, w->out, s, why)) {
		damaged(w, s, why);
		return;
	}
	border = w->last ? wal_join(&w->last->sum, &s->sum) : WAL_SOUND;
	if (border != WAL_SOUND) {
		(void)snprintf(why, sizeof(why), "%s, where %s ends", wal_fault_text(border),
			       w->last->name);
		damaged(w, s, why);
		return;
	}
	if (s->sum.last_commit_ms > w->newest_ms)
		w->newest_ms = s->sum.last_commit_ms;
	w->last = s;
}

static int by_lsn(const void *a, const void *b)
{
	const struct walseg *x = *(struct walseg *const *)a, *y = *(struct walseg *const *)b;

	if (x->lsn != y->lsn)
		return x->lsn < y->lsn ? -1 : 1;
	return x < y ? -1 : x > y; /* as they are sorted: whole ones first */
}

/* Of those with one name the first that is sound, else the first. */
static struct walseg *best(struct way *w, struct walseg *const *same, size_t n)
{
	char why[WALCHAIN_WHY];

	for (size_t i = 0; i < n; i++)
		if (!same[i]->partial && !walchain_fault(w->a, w->out, same[i], why))
			return same[i];
	return same[0];
}

static void go(struct way *w, struct walseg *const *segs, size_t n)
{
	for (size_t i = 0, next; i < n; i = next) {
		struct walseg *s;

		for (next = i + 1; next < n && segs[next]->lsn == segs[i]->lsn; next++)
			;
		s = best(w, segs + i, next - i);
		/* What was not filled ends the way; before that it is as if it was missing. */
		if (!s->partial || next == n)
			go_over(w, s);
	}
}

void walchain_judge(struct walarchive *a, uint64_t from, struct walchain *out)
{
	const uint64_t start = from - from % a->segment_b;
	struct walseg **segs = xcalloc(a->n_segs + 1, sizeof(struct walseg *));
	struct way w = { .a = a, .out = out, .expected = start };
	size_t n = 0;

	*out = (struct walchain){ .from = start };
	find_cluster(a, out);
	find_path(a, out);
	for (size_t i = 0; i < a->n_segs; i++)
		if (a->segs[i].lsn >= start &&
		    a->segs[i].timeline == walpath_at(&out->path, a->segs[i].lsn, a->segment_b))
			segs[n++] = &a->segs[i];
	qsort(segs, n, sizeof(struct walseg *), by_lsn);
	if (from == 0 && n > 0)
		out->from = segs[0]->lsn;
	go(&w, segs, n);
	out->to = w.expected;
	out->newest_ms = w.newest_ms;
	free(segs);
}

void walchain_free(struct walchain *c)
{
	walpath_free(&c->path);
	free(c->holes);
	*c = (struct walchain){ 0 };
}

/* ---- what a hole means -------------------------------------------------------------- */

const struct walhole *walchain_stops(const struct walchain *c, const struct walbackup *b)
{
	for (size_t i = 0; i < c->n_holes; i++)
		if (c->holes[i].to > b->label.start)
			return &c->holes[i];
	return NULL;
}

enum verdict walchain_weigh(const struct walarchive *a, const struct walhole *hole,
			    const struct walbackup **needs, const struct walbackup **next)
{
	*needs = *next = NULL;
	for (size_t i = 0; i < a->n_backups; i++) {
		const struct walbackup *b = &a->backups[i];
		const uint64_t stop = b->label.stop ? b->label.stop : b->label.start + 1;

		if (b->label.start >= hole->to && *next == NULL)
			*next = b;
		if (b->label.start < hole->to && hole->from < stop)
			*needs = b;
	}
	if (hole->unread)
		return V_UNKNOWN;
	return *needs == NULL && *next != NULL ? V_WARNING : V_CRITICAL;
}
