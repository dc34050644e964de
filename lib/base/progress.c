#include "lib/base/progress.h"

#include "lib/base/human.h"
#include "lib/base/tool.h"
#include "lib/base/utc.h"

#include <stdio.h>
#include <unistd.h>

enum { EVERY_MS = 250 };

/* To the line's beginning, and clear to its end (ECMA-48, EL). */
static const char over[] = "\r\033[K";

bool progress_wanted(void)
{
	return common.progress || (isatty(STDERR_FILENO) && !common.quiet);
}

void progress_begin(struct progress *p)
{
	*p = (struct progress){ .begun_ms = mono_ms() };
}

void progress_show(struct progress *p, uint64_t bytes, int64_t total)
{
	int64_t now = mono_ms(), spent = now - p->begun_ms;
	char done[HUMAN_SIZE], all[HUMAN_SIZE], rate[HUMAN_SIZE], left[HUMAN_SIZE];

	if (now - p->shown_ms < EVERY_MS || spent <= 0)
		return;
	p->shown_ms = now;
	p->shown = true;
	(void)human_bytes(bytes, done);
	(void)human_bytes((uint64_t)((double)bytes * 1000 / (double)spent), rate);
	if (total > 0 && bytes > 0 && bytes <= (uint64_t)total)
		(void)fprintf(stderr, "%s%s of %s (%d %%), %s/s, %s left", over, done,
			      human_bytes((uint64_t)total, all),
			      (int)((double)bytes * 100 / (double)total), rate,
			      human_duration((double)((uint64_t)total - bytes) * (double)spent /
						     1000 / (double)bytes,
					     left));
	else
		(void)fprintf(stderr, "%s%s, %s/s", over, done, rate);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		(void)fputs(over, stderr);
	p->shown = false;
}
