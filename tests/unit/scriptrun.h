#ifndef TESTS_UNIT_SCRIPTRUN_H
#define TESTS_UNIT_SCRIPTRUN_H
/*
 * scriptrun: runs scripts into a target server of a test's own. start_target() and stop_target()
 * are the fixture; what came of the last run is in result and error.
 */
#include "lib/base/io.h"
#include "lib/restore/script.h"
#include "tests/unit/pgserver.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BIG = 64 << 20, AHEAD = 1 << 20 };

static struct pgserver target;

/* Every promise is kept statement by statement (0), and by several sessions at a time. */
static unsigned sessions;

static struct script_result result;
static struct err error;

/* Restores a file (or a text) into the target: script_run()'s value. */
static inline int restore_stream(struct stream *s, const char *dbname, bool cluster)
{
	struct script_opts opts = { .conninfo = target.conninfo,
				    .dbname = dbname,
				    .cluster = cluster,
				    .sessions = sessions,
				    .ahead_b = AHEAD };
	int r;

	ck_assert_ptr_nonnull(s);
	error = (struct err){ 0 };
	r = script_run(s, &opts, &result, &error);
	stream_close(s);
	return r;
}

static inline int restore_text(const char *text, const char *dbname)
{
	int fd = memfd_create("script", MFD_CLOEXEC), r;
	struct err e = { 0 };

	ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	r = restore_stream(stream_open_fd(fd, &(struct stream_opts){ .name = "script" }, &e),
			   dbname, false);
	ck_assert_int_eq(close(fd), 0);
	return r;
}

static inline void all_good(void)
{
	for (size_t i = 0; i < result.mishaps.n; i++)
		if (result.mishaps.v[i].kind != MISHAP_HARMLESS)
			ck_abort_msg("line %d: %s: %s", (int)result.mishaps.v[i].line,
				     result.mishaps.v[i].message, result.mishaps.v[i].statement);
}

static inline void start_target(void)
{
	pgserver_start(&target);
}

static inline void stop_target(void)
{
	pgserver_stop(&target);
}
#endif
