#include "lib/keeper/segments.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"
#include "lib/physical/manifest.h"
#include "lib/physical/wal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = WAL_NAME_SIZE - 1, GAPS_SHOWN = 5 };
static const uint32_t smallest_b = 1U << 20, usual_b = 16U << 20, largest_b = 1U << 30;

struct segment {
	uint32_t timeline;
	uint64_t lsn;
};

struct segment_list {
	struct segment *v;
	size_t n;
};

static bool segment_of(const char *name, uint32_t size_b, struct segment *out)
{
	char text[WAL_NAME_SIZE];

	if (!name)
		return false;
	(void)snprintf(text, sizeof(text), "%s", name);
	return strlen(name) >= NAME && (name[NAME] == '\0' || strchr("-.", name[NAME])) &&
	       wal_of_name(text, size_b, &out->timeline, &out->lsn);
}

static int by_place(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->timeline != y->timeline)
		return x->timeline < y->timeline ? -1 : 1;
	return (x->lsn > y->lsn) - (x->lsn < y->lsn);
}

/* "0/2000028" lies in the segment of that name only when its size is this. */
static bool fits(const struct segments_need *need, uint32_t size_b)
{
	struct segment s;
	uint64_t lsn;

	return segment_of(need->first, size_b, &s) && need->start_lsn &&
	       manifest_lsn(need->start_lsn, &lsn) && s.lsn == (lsn & ~(uint64_t)(size_b - 1));
}

static bool all_fit(const struct segments_need *needs, size_t n, uint32_t size_b)
{
	for (size_t i = 0; i < n; i++)
		if (!fits(&needs[i], size_b))
			return false;
	return true;
}

/* No listing says it. 0: nothing fits. */
static uint32_t size_of(const struct segments_need *needs, size_t n)
{
	if (all_fit(needs, n, usual_b))
		return usual_b;
	for (uint32_t size_b = smallest_b; size_b <= largest_b; size_b *= 2)
		if (all_fit(needs, n, size_b))
			return size_b;
	return 0;
}

uint32_t segments_size(const struct segments_need *need)
{
	return size_of(need, 1);
}

static bool has(const struct segment_list *l, const struct segment *s)
{
	return l->n && bsearch(s, l->v, l->n, sizeof(*l->v), by_place) != NULL;
}

/* In f what is doubled from there on. */
static struct segment_list sorted(const struct strv *names, uint32_t size_b,
				  const struct segment *oldest, struct segments_found *f)
{
	struct segment_list l = { .v = xcalloc(names->n + 1, sizeof(*l.v)) };
	size_t kept = 0;

	/* The name of a backup's label file begins with that of its segment. */
	for (size_t i = 0; i < names->n; i++)
		l.n += !strstr(names->v[i], ".backup") && !strstr(names->v[i], ".partial") &&
		       segment_of(names->v[i], size_b, &l.v[l.n]);
	qsort(l.v, l.n, sizeof(*l.v), by_place);
	for (size_t i = 0; i < l.n; i++) {
		if (kept == 0 || by_place(&l.v[kept - 1], &l.v[i]) != 0)
			l.v[kept++] = l.v[i];
		else if (by_place(oldest, &l.v[i]) <= 0 && f->doubled++ == 0)
			wal_name(l.v[i].timeline, l.v[i].lsn, size_b, f->double_name);
	}
	l.n = kept;
	return l;
}

static void add_gap(struct segments_found *f, uint32_t timeline, uint64_t from, uint64_t to,
		    const char *backup, bool recent)
{
	const uint32_t size_b = (uint32_t)f->size_b;
	char first[WAL_NAME_SIZE], last[WAL_NAME_SIZE];

	wal_name(timeline, from, size_b, first);
	wal_name(timeline, to - size_b, size_b, last);
	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct segments_gap){ .first = xstrdup(first),
					      .last = xstrdup(last),
					      .n = (to - from) / size_b,
					      .backup = backup,
					      .recent = recent };
}

/* The runs of segments that are missing from..to of one backup. */
static void judge_need(const struct segment_list *l, const struct segments_need *need,
		       const struct segment *from, const struct segment *to,
		       struct segments_found *f)
{
	uint64_t missing = 0;

	for (struct segment s = *from; s.lsn <= to->lsn + f->size_b; s.lsn += f->size_b) {
		if (s.lsn <= to->lsn && !has(l, &s)) {
			missing++;
			continue;
		}
		if (missing)
			add_gap(f, s.timeline, s.lsn - missing * f->size_b, s.lsn, need->backup,
				true);
		missing = 0;
	}
}

static bool is_needed(const struct segments_found *f, const struct segment *s)
{
	struct segment first, last;

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].backup && segment_of(f->v[i].first, (uint32_t)f->size_b, &first) &&
		    segment_of(f->v[i].last, (uint32_t)f->size_b, &last) &&
		    by_place(&first, s) <= 0 && by_place(s, &last) <= 0)
			return true;
	return false;
}

/* What is missing between those that are there, from the oldest backup on. A new timeline goes on
 * where one before it ended, or earlier. */
static void judge_between(const struct segment_list *l, const struct segment *oldest,
			  const struct segment *newest, struct segments_found *f)
{
	uint64_t next = 0, furthest = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct segment *s = &l->v[i];

		if (s->lsn < oldest->lsn)
			continue;
		if (i == 0 || l->v[i - 1].timeline != s->timeline)
			next = furthest;
		if (next && s->lsn > next && !is_needed(f, &(struct segment){ s->timeline, next }))
			add_gap(f, s->timeline, next, s->lsn, NULL, s->lsn > newest->lsn);
		next = s->lsn + f->size_b;
		if (next > furthest)
			furthest = next;
		f->present++;
	}
}

bool segments_judge(const struct strv *names, const struct segments_need *needs, size_t n,
		    struct segments_found *out)
{
	struct segment from = { 0 }, to, oldest = { 0 };
	struct segment_list l;
	bool understood = true;
	uint32_t size_b;

	*out = (struct segments_found){ 0 };
	size_b = size_of(needs, n);
	if (n == 0 || size_b == 0)
		return n == 0;
	out->size_b = size_b;
	(void)segment_of(needs[0].first, size_b, &oldest);
	l = sorted(names, size_b, &oldest, out);
	for (size_t i = 0; i < n && understood; i++) {
		understood = segment_of(needs[i].first, size_b, &from) &&
			     segment_of(needs[i].last, size_b, &to) &&
			     from.timeline == to.timeline && from.lsn <= to.lsn;
		if (understood)
			judge_need(&l, &needs[i], &from, &to, out);
	}
	if (understood)
		judge_between(&l, &oldest, &from, out);
	free(l.v);
	return understood;
}

void segments_free(struct segments_found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].first);
		free(f->v[i].last);
	}
	free(f->v);
	*f = (struct segments_found){ 0 };
}

/* --- said ------------------------------------------------------------------------------------- */

static void say_gap(struct check *c, const struct segments_gap *gap)
{
	BUF_AUTO which = BUF_INIT(128);
	char n[HUMAN_SIZE];

	buf_adds(&which, gap->first);
	if (gap->n > 1)
		buf_addf(&which, " to %s (%s segments)", gap->last,
			 human_count((int64_t)gap->n, n));
	if (gap->backup)
		check_say(c, V_CRITICAL, "missing %s: backup %s cannot be restored", which.s,
			  gap->backup);
	else if (gap->recent)
		check_say(c, V_CRITICAL, "missing %s: nothing later can be recovered", which.s);
	else
		check_say(c, V_WARNING,
			  "missing %s: what is later, up to the next backup, cannot be recovered",
			  which.s);
}

void segments_check(struct stage *st, const char *archive, const struct strv *names,
		    const struct segments_need *needs, size_t n)
{
	SEGMENTS_FOUND_AUTO found;
	char present[HUMAN_SIZE];
	struct check c;

	check_init(&c, "repository-wal-gaps", archive);
	if (!segments_judge(names, needs, n, &found))
		check_say(&c, V_UNKNOWN,
			  "the backups name no WAL that could be looked for: first and last "
			  "segment, and where they begin");
	for (size_t i = 0; i < found.n && i < GAPS_SHOWN; i++)
		say_gap(&c, &found.v[i]);
	if (found.doubled > 0)
		check_say(&c, V_CRITICAL,
			  "%" PRIu64 " segments are there twice, first of all %s: a recovery that "
			  "comes to it may stop",
			  found.doubled, found.double_name);
	if (found.n > GAPS_SHOWN)
		check_say(&c, c.status, "%zu more gaps", found.n - GAPS_SHOWN);
	if (!c.said)
		check_say(&c, V_OK, "%s segments from the oldest backup on, none is missing",
			  human_count((int64_t)found.present, present));
	check_metric_int(&c, "segments", (int64_t)found.present, "");
	check_metric_int(&c, "gaps", (int64_t)found.n, "");
	stage_check(st, &c);
}
