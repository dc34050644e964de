#include "lib/base/memory.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/num.h"

#include <string.h>
#include <unistd.h>

/* A limit in a file of one number; UINT64_MAX where there is none ("max"). */
static uint64_t limit_in(const char *path)
{
	BUF_AUTO b = BUF_INIT(64);
	uint64_t n;
	struct err e;

	if (io_slurp(path, &b, &e) < 0)
		return UINT64_MAX;
	b.s[strcspn(b.s, "\n")] = '\0';
	return num_u64(b.s, 1, UINT64_MAX, &n, &e) < 0 ? UINT64_MAX : n;
}

uint64_t memory_b(void)
{
	uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t v2 = limit_in("/sys/fs/cgroup/memory.max");
	uint64_t v1 = limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");

	all = v2 < all ? v2 : all;
	return v1 < all ? v1 : all;
}
