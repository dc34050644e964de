#include "lib/alert/attachment.h"

#include "lib/base/record.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of that many bytes, last written at that second. */
static void make(char path[32], size_t size, time_t written)
{
	const struct timespec times[2] = { { .tv_sec = written }, { .tv_sec = written } };
	char *data = calloc(size + 1, 1);
	int fd;

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', size);
	memcpy(path, "/tmp/bp-report-XXXXXX", sizeof("/tmp/bp-report-XXXXXX"));
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	ck_assert_int_eq(futimens(fd, times), 0);
	close(fd);
	free(data);
}

/* 1771308700 is 2026-02-17T06:11:40Z. */
static const struct {
	const char *checks;
	size_t size;
	time_t written;
	const char *why; /* NULL: taken */
} files[] = {
	{ "[{'at':'2026-02-17T06:11:40.900Z'}]", 3, 1771308700, NULL },
	{ "[{'at':'2026-02-17T06:11:40.900Z'}]", 3, 1771308699, "older than this run" },
	{ "[{'at':'2026-02-17T07:00:00Z'},{'at':'2026-02-17T06:11:40Z'}]", 3, 1771308701, NULL },
	{ "[{'at':'2026-02-17T06:11:40Z'}]", ATTACHMENT_MAX, 1771308800, NULL },
	{ "[{'at':'2026-02-17T06:11:40Z'}]", ATTACHMENT_MAX + 1, 1771308800, "" },
	/* nobody says when the run was */
	{ "[]", 3, 1771308800, "older than this run" },
	{ "[{'at':'today'},{}]", 3, 1771308800, "older than this run" },
};

START_TEST(file_table)
{
	json_t *checks = json_of(files[_i].checks), *file;
	struct err e = { 0 };
	char path[32];

	make(path, files[_i].size, files[_i].written);
	file = attachment_load(path, checks, &e);
	(void)unlink(path);
	if (files[_i].why) {
		ck_assert_ptr_null(file);
		ck_assert_msg(strstr(e.msg, files[_i].why) != NULL, "%s", e.msg);
	} else {
		ck_assert_msg(file != NULL, "%s", e.msg);
		ck_assert_str_eq(record_text(file, "name"), path + strlen("/tmp/"));
		ck_assert_uint_eq(strlen(record_text(file, "text")), files[_i].size);
		json_decref(file);
	}
	json_decref(checks);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
	json_t *checks = json_array();
	struct err e = { 0 };

	ck_assert_ptr_null(attachment_load("/nowhere/report.md", checks, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "/nowhere/report.md"));
	json_decref(checks);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attachment");
	TCase *c = tcase_create("attachment");

	tcase_add_loop_test(c, file_table, 0, CASES(files));
	tcase_add_test(c, a_missing_file_is_named);
	suite_add_tcase(s, c);
	return suite_run(s);
}
