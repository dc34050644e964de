/* The small modules of lib/restore: phases, source, space. */
#include "lib/restore/phases.h"
#include "lib/restore/source.h"
#include "lib/restore/space.h"

#include "lib/base/io.h"
#include "lib/base/tree.h"
#include "lib/base/xmem.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];

static void set_up(void)
{
	(void)umask(022);
	(void)snprintf(base, sizeof(base), "/tmp/test_restore.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chmod(base, 0711), 0);
	ck_assert_int_eq(chdir(base), 0);
}

static void tear_down(void)
{
	struct err e;

	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(tree_remove(base, &e), 0);
}

static void put(const char *path, const char *text, mode_t mode)
{
	FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
}

/* ---- phases ------------------------------------------------------------------------- */

static const struct {
	struct phases p;
	const char *text;
	double total_s;
} TIMES[] = {
	{ { .fetch_s = -1, .ran = { [PHASE_DATA] = true }, .ms = { [PHASE_DATA] = 60000 } },
	  "1 min to a temporary server (restore 1 min, rows 1 min)",
	  60 },
	{ { .fetch_s = 140,
	    .ran = { [PHASE_START] = true, [PHASE_DATA] = true, [PHASE_POST_DATA] = true },
	    .ms = { [PHASE_START] = 1000, [PHASE_DATA] = 960000, [PHASE_POST_DATA] = 180000 } },
	  "21 min to a temporary server (fetch 2 min 20 s, restore 19 min, rows 16 min, indexes "
	  "and "
	  "constraints 3 min)",
	  1281 },
	{ { .fetch_s = -1,
	    .ran = { [PHASE_DATA] = true },
	    .ms = { [PHASE_DATA] = 60000 },
	    .bytes = { [PHASE_DATA] = 3000000000 } },
	  "1 min to a temporary server (restore 1 min, rows 1 min at 50.0 MB/s)",
	  60 },
	{ { .fetch_s = 0 }, "0 s to a temporary server (fetch 0 s, restore 0 s)", 0 },
};

START_TEST(times)
{
	BUF_AUTO b = BUF_INIT(500);
	struct check c;

	phases_text(&TIMES[_i].p, &b);
	ck_assert_str_eq(b.s, TIMES[_i].text);
	ck_assert_double_eq_tol(phases_total_s(&TIMES[_i].p), TIMES[_i].total_s, 0.001);
	check_init(&c, "restore-time", "");
	phases_metrics(&TIMES[_i].p, &c);
	ck_assert_str_eq(record_text(json_array_get(c.metrics, 0), "name"), "restore_seconds");
	check_drop(&c);
}
END_TEST

START_TEST(times_add_up)
{
	struct phases p = { .fetch_s = -1 };

	phases_begin(&p, PHASE_DATA);
	(void)usleep(20000);
	phases_end(&p, PHASE_DATA);
	phases_begin(&p, PHASE_DATA);
	(void)usleep(20000);
	phases_end(&p, PHASE_DATA);
	ck_assert_int_ge(p.ms[PHASE_DATA], 40);
	ck_assert(p.ran[PHASE_DATA] && !p.ran[PHASE_UNPACK]);
}
END_TEST

/* ---- source ------------------------------------------------------------------------- */

static void see(struct source *s, const char *line)
{
	struct err e = { 0 };
	JSON_AUTO *o = record_parse(line, strlen(line), &e);
	struct record r = { .object = o };

	ck_assert_msg(o != NULL, "%s", e.msg);
	r.kind = record_text(o, "record");
	source_see(s, &r);
}

START_TEST(newest_of_the_records)
{
	struct source s = SOURCE_INIT;
	struct err e = { 0 };
	char real[4096];

	put("new.dump", "12345", 0600);
	put("old.dump", "1", 0600);
	ck_assert_int_eq(source_settle(&s, NULL, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "--backup"));
	see(&s, "{\"record\":\"backup\",\"path\":\"old.dump\"}");
	see(&s, "{\"record\":\"backup\",\"newest\":true}");
	ck_assert_ptr_null(s.path);
	see(&s, "{\"record\":\"backup\",\"newest\":true,\"path\":\"new.dump\",\"taken_at\":"
		"\"2026-02-17T01:58:42Z\",\"modified_at\":\"2026-02-17T02:00:00Z\"}");
	see(&s,
	    "{\"record\":\"check\",\"check\":\"backup-download\",\"status\":\"ok\",\"metrics\":["
	    "{\"name\":\"bytes\",\"value\":5},{\"name\":\"fetch_seconds\",\"value\":2.5}]}");
	see(&s, "{\"record\":\"backup\",\"path\":\"old.dump\"}");
	ck_assert_msg(source_settle(&s, NULL, &e) == 0, "%s", e.msg);
	ck_assert_ptr_nonnull(realpath("new.dump", real));
	ck_assert_str_eq(s.path, real);
	ck_assert(s.taken && s.modified);
	ck_assert_int_eq(s.modified_ms - s.taken_ms, 78000);
	ck_assert_uint_eq(s.bytes, 5);
	ck_assert_double_eq_tol(s.fetch_s, 2.5, 0.0001);
	source_free(&s);
}
END_TEST

START_TEST(given_by_the_user)
{
	struct source s = SOURCE_INIT;
	struct err e = { 0 };

	ck_assert_int_eq(mkdir("dir", 0700), 0);
	put("dir/toc.dat", "123", 0600);
	put("dir/1.dat", "4567", 0600);
	see(&s, "{\"record\":\"backup\",\"newest\":true,\"path\":\"/nonexistent\",\"taken_at\":"
		"\"2026-02-17T01:58:42Z\"}");
	ck_assert_int_eq(source_settle(&s, "dir", &e), 0);
	ck_assert_uint_eq(s.bytes, 7);
	ck_assert(!s.taken && s.modified); /* the records speak of another */
	ck_assert_int_eq(source_settle(&s, "none", &e), -1);
	ck_assert_str_eq(e.msg, "open none: No such file or directory");
	ck_assert_int_eq(source_settle(&s, "/dev/null", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "neither a file nor a directory"));
	source_free(&s);
}
END_TEST

/* Root's own backup, for another user: an open file, or a copy of a directory. */
START_TEST(handed_over)
{
	struct identity nobody = { .uid = 65534, .gid = 65534, .name = "nobody", .drops = true };
	struct source s = SOURCE_INIT;
	struct err e = { 0 };
	struct stat st;
	char *path;
	int status;

	put("b.dump", "12345", 0600);
	put("open.dump", "12345", 0644);
	ck_assert_int_eq(mkdir("private", 0700), 0);
	ck_assert_int_eq(source_settle(&s, "open.dump", &e), 0);
	path = source_hand_over(&s, &nobody, "private", &e);
	ck_assert_str_eq(path, s.path);
	free(path);
	ck_assert_int_eq(source_settle(&s, "b.dump", &e), 0);
	path = source_hand_over(&s, &nobody, "private", &e);
	ck_assert_int_eq(strncmp(path, "/dev/fd/", 8), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 5);
	free(path);
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	put("dir/toc.dat", "123", 0600);
	ck_assert_int_eq(symlink("/etc/shadow", "dir/1.dat"), 0);
	ck_assert_int_eq(mkdir("dir/sub", 0700), 0);
	ck_assert_int_eq(source_settle(&s, "dir", &e), 0);
	path = source_hand_over(&s, &nobody, "private", &e);
	ck_assert_str_eq(path, "private/backup");
	ck_assert_int_eq(stat("private/backup/toc.dat", &st), 0);
	ck_assert_uint_eq(st.st_uid, 65534);
	ck_assert_int_eq(lstat("private/backup/1.dat", &st), -1); /* nor what it leads to */
	ck_assert_int_eq(lstat("private/backup/sub", &st), -1);
	free(path);
	status = source_hand_over(&s, &nobody, "private", &e) == NULL ? 0 : 1;
	ck_assert_int_eq(status, 0); /* there is one already */
	ck_assert_ptr_nonnull(strstr(e.msg, "to user nobody: File exists"));
	source_free(&s);
}
END_TEST

/* ---- space -------------------------------------------------------------------------- */

static const struct {
	const char *compression, *packing;
	uint64_t backup_b, at_least, at_most;
} NEEDS[] = {
	{ "none", NULL, 0, 100000000, 200000000 },
	{ "none", NULL, 1000000000, 2000000000, 2300000000 },
	{ "gzip", NULL, 1000000000, 7000000000, 9000000000 },
	{ "none", "gzip", 1000000000, 7000000000, 9000000000 },
	{ "none", "none", 1000000000, 2000000000, 2300000000 },
	{ "xz", "gzip", 1000000000, 8000000000, 10000000000 },
	{ "none", NULL, UINT64_MAX / 2, UINT64_MAX, UINT64_MAX },
};

START_TEST(needs)
{
	struct sniffed what = { .packing = NEEDS[_i].packing };
	uint64_t need;

	(void)snprintf(what.compression, sizeof(what.compression), "%s", NEEDS[_i].compression);
	need = space_needed(&what, NEEDS[_i].backup_b).need_b;
	ck_assert_uint_ge(need, NEEDS[_i].at_least);
	ck_assert_uint_le(need, NEEDS[_i].at_most);
}
END_TEST

/* What is in the archive counts, not how large it is. */
static const struct {
	struct complete in;
	bool rows_only;
	uint64_t at_least, at_most; /* beside an empty server */
	const char *from;
} ARCHIVES[] = {
	{ { 0 }, false, 0, 0, "0 B of data; tables: 0, large objects: 0, indexes: 0" },
	{ { .tables = 1, .data_b = 1000000000, .rows_b = 1000000000 },
	  false,
	  1400000000,
	  1600000000,
	  "1.0 GB of data; tables: 1, large objects: 0, indexes: 0" },
	{ { .tables = 2,
	    .data_b = 1000000000,
	    .rows_b = 1000000000,
	    .indexed_b = 2000000000,
	    .indexes = 3 },
	  false,
	  2200000000,
	  2500000000,
	  "1.0 GB of data; tables: 2, large objects: 0, indexes: 3" },
	{ { .tables = 2,
	    .data_b = 1000000000,
	    .rows_b = 1000000000,
	    .indexed_b = 2000000000,
	    .indexes = 3 },
	  true,
	  1400000000,
	  1600000000,
	  "1.0 GB of data; tables: 2, large objects: 0, indexes: 0" },
	{ { .objects = 7, .data_b = 1000000000 },
	  false,
	  1200000000,
	  1400000000,
	  "1.0 GB of data; tables: 0, large objects: 7, indexes: 0" },
	{ { .tables = 1, .data_b = 100000000, .rows_b = 100000000, .packed = true },
	  false,
	  800000000,
	  1000000000,
	  "100 MB of data, packed with gzip; tables: 1, large objects: 0, indexes: 0" },
	{ { .data_b = UINT64_MAX, .rows_b = UINT64_MAX },
	  false,
	  UINT64_MAX - 300000000,
	  UINT64_MAX,
	  "18.4 EB of data; tables: 0, large objects: 0, indexes: 0" },
};

START_TEST(needs_of_archives)
{
	const struct sniffed what = { .packing = "gzip" };
	const uint64_t server_b = space_of_archive(&what, &ARCHIVES[0].in, false).need_b;
	const struct space s = space_of_archive(&what, &ARCHIVES[_i].in, ARCHIVES[_i].rows_only);

	ck_assert_uint_ge(s.need_b - server_b, ARCHIVES[_i].at_least);
	ck_assert_uint_le(s.need_b - server_b, ARCHIVES[_i].at_most);
	ck_assert_str_eq(s.from, ARCHIVES[_i].from);
}
END_TEST

START_TEST(enough)
{
	struct space s = { .need_b = 1, .from = "7 tables" };
	struct err e = { 0 };

	ck_assert_int_eq(space_check(base, &s, 0, &e), 0);
	s.need_b = 1000;
	ck_assert_int_eq(space_check(base, &s, 1000, &e), 0);
	s.need_b = 1001;
	ck_assert_int_eq(space_check(base, &s, 1000, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "(for 7 tables), and --max-disk allows 1.0 kB"));
	s = (struct space){ .need_b = UINT64_MAX };
	ck_assert_int_eq(space_check(base, &s, 0, &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "(for"));
	ck_assert_ptr_nonnull(strstr(e.msg, "are free"));
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_int_eq(space_check("/nonexistent", &s, 0, &e), -1);
}
END_TEST

START_TEST(taken)
{
	static char big[300000];
	uint64_t before;

	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(symlink("/usr", "d/link"), 0);
	before = space_used("d");
	memset(big, 'x', sizeof(big) - 1);
	put("d/f", big, 0600);
	ck_assert_int_eq(mkdir("d/sub", 0700), 0);
	put("d/sub/f", big, 0600);
	sync();
	ck_assert_uint_ge(space_used("d") - before, 2 * (sizeof(big) - 1));
	ck_assert_uint_le(space_used("d") - before, 3 * sizeof(big));
	ck_assert_uint_eq(space_used("/nonexistent"), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("restore");
	TCase *t = tcase_create("restore");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, times, 0, CASES(TIMES));
	tcase_add_test(t, times_add_up);
	tcase_add_test(t, newest_of_the_records);
	tcase_add_test(t, given_by_the_user);
	if (geteuid() == 0)
		tcase_add_test(t, handed_over);
	tcase_add_loop_test(t, needs, 0, CASES(NEEDS));
	tcase_add_loop_test(t, needs_of_archives, 0, CASES(ARCHIVES));
	tcase_add_test(t, enough);
	tcase_add_test(t, taken);
	suite_add_tcase(s, t);
	return suite_run(s);
}
