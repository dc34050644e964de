#include "lib/physical/walpath.h"

#include "lib/base/num.h"
#include "lib/base/xmem.h"
#include "lib/physical/manifest.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_B = 1024 };

static void add(struct walpath *p, uint32_t timeline, uint64_t from)
{
	p->legs = xrealloc(p->legs, p->n + 1, sizeof(*p->legs));
	p->legs[p->n++] = (struct walpath_leg){ timeline, from };
}

static int damaged(const char *name, const char *what, struct err *e)
{
	return err_set(e, ERR_BACKUP, "read %s: damaged: %s", name, what);
}

/* "1\t0/5000108\tno recovery target specified": the timeline that was left, and where. */
static int parse_line(char *line, const char *name, uint32_t last, uint64_t *switched,
		      struct walpath *p, struct err *e)
{
	char *rest = NULL, *timeline = strtok_r(line, " \t", &rest);
	char *lsn = strtok_r(NULL, " \t", &rest);
	struct err ignored;
	uint64_t number, at;

	if (timeline == NULL || timeline[0] == '#')
		return 0;
	if (lsn == NULL || num_u64(timeline, 1, UINT32_MAX, &number, &ignored) < 0 ||
	    !manifest_lsn(lsn, &at))
		return damaged(name, "a line is no timeline and switch point", e);
	if (number >= last || at < *switched || (p->n > 0 && number <= p->legs[p->n - 1].timeline))
		return damaged(name, "its timelines are out of order", e);
	add(p, (uint32_t)number, *switched);
	*switched = at;
	return 0;
}

int walpath_parse(const char *text, uint32_t timeline, const char *name, struct walpath *p,
		  struct err *e)
{
	uint64_t switched = 0;

	*p = (struct walpath){ 0 };
	for (const char *s = text; s != NULL && *s != '\0';) {
		const size_t n = strcspn(s, "\n");
		AUTO_FREE char *line = xstrndup(s, n);

		if (n > LINE_MAX_B)
			return damaged(name, "a line is too long", e);
		if (parse_line(line, name, timeline, &switched, p, e) < 0)
			return -1;
		s += n + (s[n] == '\n');
	}
	if (text != NULL && p->n == 0)
		return damaged(name, "it names no timeline", e);
	add(p, timeline, switched);
	return 0;
}

void walpath_free(struct walpath *p)
{
	free(p->legs);
	*p = (struct walpath){ 0 };
}

uint32_t walpath_at(const struct walpath *p, uint64_t lsn, uint32_t segment_b)
{
	size_t i = p->n - 1;

	while (i > 0 && p->legs[i].from - p->legs[i].from % segment_b > lsn)
		i--;
	return p->legs[i].timeline;
}

bool walpath_leads_over(const struct walpath *p, uint32_t timeline, uint64_t lsn)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->legs[i].timeline == timeline)
			return i + 1 == p->n || lsn < p->legs[i + 1].from;
	return false;
}

bool walpath_forks_in(const struct walpath *p, uint64_t lsn, uint32_t segment_b)
{
	for (size_t i = 1; i < p->n; i++)
		if (p->legs[i].from >= lsn && p->legs[i].from - lsn <= segment_b)
			return true;
	return false;
}
