/* ancestry: what an incremental backup's label says, and which of its neighbours it builds on. */
#include "lib/base/tree.h"
#include "lib/physical/ancestry.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL \
	"START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n" \
	"CHECKPOINT LOCATION: 0/2000080\nSTART TIMELINE: 1\n"
#define FROM(lsn, tli) "INCREMENTAL FROM LSN: " lsn "\nINCREMENTAL FROM TLI: " tli "\n"

/* --- the label -------------------------------------------------------------------------------- */

START_TEST(an_incremental_label_names_the_backup_before)
{
	static const char text[] = FULL FROM("1/1A000028", "3");
	struct label l;
	struct err e = { 0 };

	ck_assert_msg(label_parse(text, sizeof(text) - 1, "l", &l, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(l.prior_start, 0x11a000028);
	ck_assert_uint_eq(l.prior_timeline, 3);
	ck_assert_int_eq(label_parse(FULL, strlen(FULL), "l", &l, &e), 0);
	ck_assert_uint_eq(l.prior_start, 0);
}
END_TEST

static const char *const bad_labels[] = {
	FULL FROM("somewhere", "1"),    FULL FROM("0/0", "1"),
	FULL FROM("0/1", "0"),          FULL FROM("0/1", "x"),
	FULL FROM("0/1", "4294967296"), FULL "INCREMENTAL FROM LSN: 0/1\n",
};

START_TEST(half_a_position_of_the_backup_before_is_refused)
{
	struct label l;
	struct err e = { 0 };

	ck_assert_int_lt(label_parse(bad_labels[_i], strlen(bad_labels[_i]), "l", &l, &e), 0);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
}
END_TEST

/* --- who builds on whom ----------------------------------------------------------------------- */

static const struct {
	struct walneed child, need;
	bool fits;
} pairs[] = {
	{ { .label = { .prior_start = 5, .prior_timeline = 1 } },
	  { .label = { .start = 5, .timeline = 1 } },
	  true },
	{ { .label = { .prior_start = 5, .prior_timeline = 1 }, .system_identifier = 7 },
	  { .label = { .start = 5, .timeline = 1 }, .system_identifier = 7 },
	  true },
	{ { .label = { .prior_start = 5, .prior_timeline = 1 }, .system_identifier = 7 },
	  { .label = { .start = 5, .timeline = 1 } },
	  true },
	{ { .label = { .prior_start = 5, .prior_timeline = 1 }, .system_identifier = 7 },
	  { .label = { .start = 5, .timeline = 1 }, .system_identifier = 8 },
	  false },
	{ { .label = { .prior_start = 5, .prior_timeline = 1 } },
	  { .label = { .start = 6, .timeline = 1 } },
	  false },
	{ { .label = { .prior_start = 5, .prior_timeline = 1 } },
	  { .label = { .start = 5, .timeline = 2 } },
	  false },
	{ { .label = { .prior_start = 0 } }, { .label = { .start = 0 } }, false },
};

START_TEST(position_timeline_and_cluster_must_fit)
{
	ck_assert(ancestry_fits(&pairs[_i].child, &pairs[_i].need) == pairs[_i].fits);
}
END_TEST

static char base[64];

static void put(const char *folder, const char *label)
{
	char path[128];
	FILE *f;

	ck_assert_int_eq(mkdir(folder, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/backup_label", folder);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(label, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

#define AT(lsn, tli) \
	"START WAL LOCATION: " lsn " (file x)\nCHECKPOINT LOCATION: " lsn "\nSTART TIMELINE: " tli \
	"\n"

static void make_family(void)
{
	(void)snprintf(base, sizeof(base), "/tmp/test_ancestry.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chdir(base), 0);
	put("z-full", AT("0/10", "1"));
	put("other-full", AT("0/11", "1"));
	put(".z-full.partial", AT("0/10", "1"));
	put("c-one", AT("0/20", "1") FROM("0/10", "1"));
	put("b-two", AT("0/30", "2") FROM("0/20", "1"));
	put("orphan", AT("0/50", "2") FROM("0/40", "2"));
	put("of-orphan", AT("0/60", "2") FROM("0/50", "2"));
	put("circle", AT("0/70", "1") FROM("0/70", "1"));
	put("broken", "LABEL: what?\n");
	ck_assert_int_eq(mkdir("empty", 0700), 0);
	ck_assert_int_eq(mkdir("monday", 0700), 0);
	ck_assert_int_eq(mkdir("tuesday", 0700), 0);
	put("monday/base", AT("0/80", "1"));
	put("tuesday/base", AT("0/90", "1") FROM("0/80", "1"));
}

static void remove_family(void)
{
	struct err e;

	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(tree_remove(base, &e), 0);
}

static const struct {
	const char *path;
	const char *up[3];
	const char *wrong; /* in the message; NULL: found */
} searches[] = {
	{ "z-full", { NULL }, NULL },
	{ "c-one", { "z-full", NULL }, NULL },
	{ "b-two", { "z-full", "c-one", NULL }, NULL },
	{ "./b-two/", { "z-full", "c-one", NULL }, NULL },
	{ "tuesday/base", { "monday/base", NULL }, NULL },
	{ "broken", { NULL }, NULL },
	{ "empty", { NULL }, NULL },
	{ "orphan", { NULL }, "orphan builds on: no backup beside it began at 0/40 on timeline 2" },
	{ "of-orphan", { NULL }, "/orphan builds on: no backup" },
	{ "circle", { NULL }, "a circle" },
	{ "nowhere", { NULL }, "open nowhere" },
};

START_TEST(ancestors_are_found_by_where_they_began)
{
	STRV_AUTO up = { 0 };
	struct err e = { 0 };
	char whole[128];
	int ret = ancestry_find(searches[_i].path, NULL, &up, &e);
	size_t n = 0;

	if (searches[_i].wrong) {
		ck_assert_int_lt(ret, 0);
		ck_assert_msg(strstr(e.msg, searches[_i].wrong) != NULL, "%s", e.msg);
		ck_assert_uint_eq(up.n, 0);
		return;
	}
	ck_assert_msg(ret == 0, "%s", e.msg);
	for (; searches[_i].up[n]; n++) {
		ck_assert_uint_lt(n, up.n);
		(void)snprintf(whole, sizeof(whole), "%s/%s", base, searches[_i].up[n]);
		ck_assert_str_eq(up.v[n], whole);
	}
	ck_assert_uint_eq(up.n, n);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ancestry");
	TCase *label = tcase_create("label"), *family = tcase_create("family");

	tcase_add_test(label, an_incremental_label_names_the_backup_before);
	tcase_add_loop_test(label, half_a_position_of_the_backup_before_is_refused, 0,
			    CASES(bad_labels));
	tcase_add_loop_test(label, position_timeline_and_cluster_must_fit, 0, CASES(pairs));
	suite_add_tcase(s, label);
	tcase_add_checked_fixture(family, make_family, remove_family);
	tcase_add_loop_test(family, ancestors_are_found_by_where_they_began, 0, CASES(searches));
	suite_add_tcase(s, family);
	return suite_run(s);
}
