/* Any bytes as an archive of pg_dump, as a tar, as the head of a file: reading them ends. */
#include "lib/dump/archive.h"
#include "lib/dump/complete.h"
#include "lib/dump/sniff_content.h"
#include "lib/dump/tar.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a file: sniffed, and walked to its end when it looks like an archive. */
static void as_file(const uint8_t *data, size_t size)
{
	static const struct stream_opts limits = { .max_out_b = 8 << 20 };
	static int fd = -1;
	static char path[64];
	struct sniffed what;
	struct complete found;
	struct err e = { 0 };
	char text[SNIFF_TEXT];

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (sniff_path(path, &limits, &what, &e) < 0) {
		if (e.kind == ERR_NONE || e.msg[0] == '\0')
			abort();
		return;
	}
	(void)sniff_describe(&what, text);
	if (complete_check(path, &what, &limits, &found, &e) < 0 &&
	    (e.kind == ERR_NONE || e.msg[0] == '\0'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sniffed s = { .local_ms = -1 };
	struct tar_member m;

	sniff_content(data, size, &s);
	if (tar_header(data, size, &m))
		sniff_tar(data, size, &s);
	as_file(data, size);
	return 0;
}
