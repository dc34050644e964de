/* Any bytes as a baseline: reading it ends, and laying it beside a good one, either way round, too.
 */
#include "lib/base/record.h"
#include "lib/base/stage.h"
#include "lib/pg/baseline.h"
#include "lib/pg/content_json.h"
#include "lib/pg/dumped.h"
#include "lib/pg/state_diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct opt no_options[] = { OPT_TABLE_END };

static const char good[] =
	"{\"format\":\"backup-probes baseline\",\"v\":1,\"exact\":true,\"checksum\":\"copy\","
	"\"tables\":{\"public.t\":{\"rows\":5,\"hash\":\"xxh3-128:"
	"00000000000000000000000000000001\","
	"\"key_number\":true,\"ranges\":[[null,5,\"xxh3-128:00000000000000000000000000000001\","
	"\"00000000000000000000000000000005\"]]}},\"sequences\":{\"public.s\":{\"last\":1,"
	"\"called\":true}},\"large_objects\":{\"rows\":1,\"hash\":\"x\"},"
	"\"schema\":{\"index\":{\"public.i\":\"x\"}},\"ddl\":[]}";

static json_t *read_bytes(const void *p, size_t n)
{
	int fd = memfd_create("baseline", MFD_CLOEXEC);
	struct err e = { 0 };
	json_t *o;
	char path[64];

	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o = pg_baseline_read(path, NULL, &e);
	if (!o && (e.kind == ERR_NONE || !*e.msg))
		abort();
	(void)close(fd);
	return o;
}

static void compare(struct stage *st, const json_t *was, const json_t *is)
{
	static const struct dumped nothing;
	struct pg nowhere = { .link = NULL };
	struct state_diff d = { .stage = st, .here = &nowhere, .was = was, .is = is };

	state_diff(&d);
	json_decref(dumped_state(&nothing, was));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tool tool = { .name = "fuzz", .source = true, .options = no_options };
	static struct stage stage;
	static json_t *known;
	JSON_AUTO *o = NULL;

	if (!known) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
			abort();
		common.output = OUTPUT_RECORDS;
		stage_begin(&stage, &tool);
		known = read_bytes(good, sizeof(good) - 1);
		if (!known)
			abort();
	}
	o = read_bytes(data, size);
	if (o) {
		compare(&stage, o, known);
		compare(&stage, known, o);
	}
	return 0;
}
