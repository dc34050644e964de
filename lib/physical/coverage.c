#include "lib/physical/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_SAID = 3, SEGMENT_SIZE_DEFAULT = 16 << 20 };

static int by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct survey_wal *)element)->name);
}

static void fault(struct coverage *out, const char *name, const char *what)
{
	if (out->n_faults++ < FAULTS_SAID)
		buf_addf(&out->faults, "%s%s %s", out->faults.len ? "; " : "", name, what);
}

/* What is wrong with the segment that must be sound from its start up to until; NULL: nothing. */
static const char *wrong(const struct survey *s, const struct survey_wal *w, uint32_t timeline,
			 uint64_t begin, uint64_t until, uint32_t size_b)
{
	if (w->bytes != size_b)
		return "has the wrong size";
	if (!w->has_header)
		return "is no WAL segment";
	if (w->header.lsn != begin || w->header.timeline > timeline)
		return "holds WAL of another place or timeline";
	if (s->has_control && w->header.system_identifier != s->control.system_identifier)
		return "is of another cluster";
	return w->sound_until < until ? "is damaged before the backup's end" : NULL;
}

static bool could_not_look(const struct survey *s, const char *name)
{
	char path[sizeof("pg_wal/") + WAL_NAME_SIZE];

	(void)snprintf(path, sizeof(path), "pg_wal/%s", name);
	return survey_closed(s, path);
}

static void judge_range(const struct survey *s, uint32_t timeline, uint64_t start, uint64_t end,
			uint32_t size_b, struct coverage *out)
{
	for (uint64_t begin = start - start % size_b; begin < end; begin += size_b) {
		const uint64_t until = begin + size_b < end ? begin + size_b : end;
		char name[WAL_NAME_SIZE];
		const struct survey_wal *w;
		const char *why;

		wal_name(timeline, begin, size_b, name);
		out->needed++;
		w = s->n_wal ? bsearch(name, s->wal, s->n_wal, sizeof(*w), by_name) : NULL;
		if (w == NULL && could_not_look(s, name)) {
			out->closed++;
			continue;
		}
		if (w == NULL) {
			fault(out, name, "is missing");
			continue;
		}
		out->present++;
		why = wrong(s, w, timeline, begin, until, size_b);
		if (why != NULL)
			fault(out, name, why);
	}
}

/* As the cluster has it; where that is not known, as its WAL says. */
static uint32_t segment_size(const struct survey *s)
{
	if (s->has_control && s->control.known)
		return s->control.wal_segment_size;
	for (size_t i = 0; i < s->n_wal; i++)
		if (s->wal[i].has_header)
			return s->wal[i].header.segment_size;
	return SEGMENT_SIZE_DEFAULT;
}

void coverage_judge(const struct manifest *m, const struct survey *s, struct coverage *out)
{
	const uint32_t size_b = segment_size(s);

	memset(out, 0, sizeof(*out));
	out->faults = (struct buf)BUF_INIT(1024);
	if (m != NULL) {
		out->complete = true;
		for (size_t i = 0; i < m->n_wal; i++)
			judge_range(s, m->wal[i].timeline, m->wal[i].start, m->wal[i].end, size_b,
				    out);
	} else if (s->has_label) {
		judge_range(s, s->label.timeline ? s->label.timeline : 1, s->label.start,
			    s->label.start + 1, size_b, out);
	}
}

void coverage_free(struct coverage *c)
{
	buf_free(&c->faults);
}
