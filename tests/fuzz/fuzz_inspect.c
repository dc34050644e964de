/* Any bytes as a dump, of PostgreSQL, MySQL or MongoDB: counting its rows ends, and says why not.
 */
#include "lib/dump/inspect.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const char *path, unsigned threads)
{
	static char column[] = "t.a", *columns[] = { column, NULL };
	static const struct strv time_columns = { columns, 1 };
	const struct inspect_opts opts = { .reading = { .max_out_b = 8 << 20 },
					   .threads = threads,
					   .hashes = true,
					   .time_columns = &time_columns };
	INSPECTED_AUTO in = { 0 };
	struct err e = { 0 };

	if (inspect_path(path, &opts, &in, &e) < 0 && (e.kind == ERR_NONE || e.msg[0] == '\0'))
		abort();
	for (size_t i = 0; i < in.rows.n; i++)
		if (in.rows.v[i]->tally.rows > 0 && in.rows.v[i]->tally.bytes == 0 &&
		    in.rows.v[i]->whole)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	look(path, 1);
	look(path, 2);
	return 0;
}
