#include "lib/restore/watch.h"

#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/utc.h"
#include "lib/restore/space.h"

#include <stdio.h>
#include <unistd.h>

enum { CLOSELY_MS = 500, RESERVE_SHARE = 100, RESERVE_MAX_B = 64 * 1024 * 1024 };

void watch_begin(struct watch *w)
{
	w->free_b = space_free(w->dir);
	w->next_ms = 0;
}

static uint64_t reserve(const struct watch *w)
{
	uint64_t share = w->free_b / RESERVE_SHARE;

	return share < RESERVE_MAX_B ? share : RESERVE_MAX_B;
}

static bool disk_is_full(const struct watch *w, uint64_t need_b, struct buf *why)
{
	uint64_t now_b = space_free(w->dir);
	char there[HUMAN_SIZE], left[HUMAN_SIZE], need[HUMAN_SIZE];

	if (now_b >= reserve(w))
		return false;
	buf_addf(why, "the disk is full: %s were free, %s are left", human_bytes(w->free_b, there),
		 human_bytes(now_b, left));
	if (need_b)
		buf_addf(why, ", and by estimate %s are needed", human_bytes(need_b, need));
	buf_adds(why, "; free some, or name a larger file system with --work-dir");
	return true;
}

static bool disk_over(const struct watch *w, uint64_t need_b, struct buf *why)
{
	uint64_t used_b = w->max_disk_b ? space_used(w->dir) : 0;
	char used[HUMAN_SIZE], allowed[HUMAN_SIZE], need[HUMAN_SIZE];

	if (used_b <= w->max_disk_b)
		return false;
	buf_addf(why, "it took more disk than --max-disk allows: %s of %s",
		 human_bytes(used_b, used), human_bytes(w->max_disk_b, allowed));
	if (need_b)
		buf_addf(why, ", and by estimate it needs %s", human_bytes(need_b, need));
	return true;
}

/* Resident and not shared: proc(5), statm. */
static uint64_t memory_of(pid_t pid)
{
	BUF_AUTO b = BUF_INIT(256);
	uintmax_t resident, shared;
	char path[64];
	struct err e;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if (io_slurp(path, &b, &e) < 0 || sscanf(b.s, "%*u %ju %ju", &resident, &shared) != 2 ||
	    shared > resident)
		return 0;
	return (uint64_t)(resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool memory_over(const struct watch *w, struct buf *why)
{
	char used[HUMAN_SIZE], allowed[HUMAN_SIZE];
	struct proc_list l = { 0 };
	uint64_t sum = 0;

	if (w->max_memory_b == 0)
		return false;
	proctree_inside(w->dir, &l);
	for (size_t i = 0; i < l.n; i++)
		sum += memory_of(l.v[i].pid);
	proc_list_free(&l);
	if (sum <= w->max_memory_b)
		return false;
	buf_addf(why, "it took more memory than --max-memory allows: %s of %s",
		 human_bytes(sum, used), human_bytes(w->max_memory_b, allowed));
	return true;
}

bool watch_over(struct watch *w, uint64_t need_b, struct buf *why)
{
	int64_t now_ms = mono_ms();

	if (disk_is_full(w, need_b, why))
		return true;
	if (now_ms < w->next_ms)
		return false;
	w->next_ms = now_ms + CLOSELY_MS;
	return disk_over(w, need_b, why) || memory_over(w, why);
}
