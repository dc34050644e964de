/* The recovery of physical backups, as far as it is text: targets, the server's log, the end of the
 * WAL, names in backups and archives. */
#include "lib/restore/replay.h"
#include "lib/restore/target.h"
#include "lib/restore/unpack_rules.h"
#include "lib/restore/walend.h"
#include "lib/restore/walstore.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *text;
	enum target_kind kind;
	const char *setting; /* the first; NULL: refused */
} TARGETS[] = {
	{ "latest", TARGET_LATEST, "recovery_target_timeline=latest" },
	{ "immediate", TARGET_IMMEDIATE, "recovery_target=immediate" },
	{ "2026-02-17T01:58:42Z", TARGET_TIME, "recovery_target_time=2026-02-17 01:58:42+00" },
	{ "2026-02-17 01:58:42.123456+02", TARGET_TIME,
	  "recovery_target_time=2026-02-17 01:58:42.123456+02" },
	{ "time:2026-02-17T01:58:42Z", TARGET_TIME, "recovery_target_time=2026-02-17 01:58:42+00" },
	{ "0/5000060", TARGET_LSN, "recovery_target_lsn=0/5000060" },
	{ "742", TARGET_XID, "recovery_target_xid=742" },
	{ "name:742", TARGET_NAME, "recovery_target_name=742" },
	{ "name:latest", TARGET_NAME, "recovery_target_name=latest" },
	{ "before migration", TARGET_NAME, "recovery_target_name=before migration" },
	{ "2026-02-17 01:58:42", TARGET_TIME, NULL },
	{ "2026-02-17", TARGET_TIME, NULL },
	{ "2026-02-30T01:58:42Z", TARGET_TIME, NULL },
	{ "lsn:5000060", TARGET_LSN, NULL },
	{ "xid:0", TARGET_XID, NULL },
	{ "xid:-1", TARGET_XID, NULL },
	{ "name:", TARGET_NAME, NULL },
	{ "", TARGET_NAME, NULL },
	{ "a\nb", TARGET_NAME, NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123", TARGET_NAME, NULL },
};

START_TEST(targets)
{
	struct target t = { .kind = TARGET_LATEST };
	struct strv settings = { 0 };
	struct err e = { 0 };
	int ret = target_parse(TARGETS[_i].text, &t, &e);

	if (TARGETS[_i].setting == NULL) {
		ck_assert_int_eq(ret, -1);
		ck_assert_int_eq(e.kind, ERR_USAGE);
		return;
	}
	ck_assert_msg(ret == 0, "%s", e.msg);
	ck_assert_int_eq(t.kind, TARGETS[_i].kind);
	target_settings(&t, &settings);
	ck_assert_str_eq(settings.v[0], TARGETS[_i].setting);
	strv_free(&settings);
}
END_TEST

START_TEST(log_lines)
{
	static const char *const lines[] = {
		"LOG:  starting archive recovery",
		"LOG:  redo starts at 0/2000028",
		"LOG:  consistent recovery state reached at 0/2000138",
		"LOG:  unexpected pageaddr 0/1000000 in log segment 000000010000000000000003",
		"LOG:  redo done at 0/5000110 system usage: CPU: user: 0.00 s",
		"LOG:  last completed transaction was at log time 2026-02-17 01:58:42.1+00",
		"FATAL:  recovery ended before configured recovery target was reached",
		"DETAIL:  of the first",
		"FATAL:  another one",
		"DETAIL:  of another",
	};
	struct replay r = { .path = "" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		replay_line(&r, lines[i], (int64_t)i + 1);
	ck_assert_int_eq(r.redo_ms, 2);
	ck_assert_int_eq(r.consistent_ms, 3);
	ck_assert_int_eq(r.ready_ms, 0);
	ck_assert_str_eq(r.redo_lsn, "0/2000028");
	ck_assert_str_eq(r.done_lsn, "0/5000110");
	ck_assert_str_eq(r.commit, "2026-02-17 01:58:42.1+00");
	ck_assert_str_eq(r.fatal, "recovery ended before configured recovery target was reached "
				  "(of the first)");
	ck_assert_ptr_nonnull(strstr(r.trouble, "unexpected pageaddr"));
	ck_assert_str_eq(r.damage, "");
	replay_line(&r, "WARNING:  page verification failed, calculated checksum 1 but expected 2",
		    20);
	replay_line(&r, "LOG:  database system is ready to accept connections", 21);
	ck_assert_ptr_nonnull(strstr(r.damage, "page verification failed"));
	ck_assert_int_eq(r.ready_ms, 21);
}
END_TEST

/* Segments of 1 MiB: 0/500000 begins the one that ends in 05. */
#define S(n) "0000000100000000000000" n
#define T(n) "0000000200000000000000" n

static const struct {
	const char *names[6];
	uint64_t lsn;
	enum verdict verdict;
	const char *says;
} ENDS[] = {
	{ { S("03"), S("04") }, 0x500000, V_OK, "" },
	{ { "" }, 0x500000, V_OK, "" },
	{ { S("03"), S("04") }, 0x4000a0, V_WARNING, S("04") ", ends before its end" },
	{ { S("03"), S("04"), S("06") }, 0x500000, V_CRITICAL, S("05") " is missing" },
	{ { S("03"), S("04"), S("06") }, 0x4fff00, V_CRITICAL, S("05") " is missing" },
	{ { S("03"), S("04"), S("05") }, 0x500000, V_CRITICAL, S("05") " is there" },
	{ { S("03"), S("04"), S("05") }, 0x4000a0, V_CRITICAL, S("04") " is there" },
	{ { S("03"), S("04"), T("04") }, 0x500000, V_CRITICAL, "timeline 2, which could not" },
	{ { S("03"), S("04"), T("04") }, 0x400100, V_CRITICAL, "timeline 2, which could not" },
};

START_TEST(ends)
{
	const struct walend w = {
		.lsn = ENDS[_i].lsn, .timeline = 1, .segment_b = 1 << 20, .follows = true
	};
	struct strv names = { 0 };
	char text[WALEND_TEXT];

	for (size_t i = 0; i < 6 && ENDS[_i].names[i]; i++)
		strv_add(&names, ENDS[_i].names[i]);
	ck_assert_int_eq(walend_judge(&w, &names, text), ENDS[_i].verdict);
	ck_assert_msg(strstr(text, ENDS[_i].says) != NULL, "%s", text);
	strv_free(&names);
}
END_TEST

static const struct {
	const char *object, *key; /* NULL: none */
} KEYS[] = {
	{ S("A1"), S("A1") },
	{ "15-1/0000000100000000/" S("A1") ".zst", S("A1") },
	{ S("A1") "-0123456789abcdef0123456789abcdef01234567.gz", S("A1") },
	{ "00000002.history", "00000002.history" },
	{ "x/00000002.history.lz4", "00000002.history" },
	{ S("A1") ".partial", NULL },
	{ S("A1") ".00000028.backup", NULL },
	{ S("A1") "0", NULL },
	{ S("A1") "-01.gz", NULL },
	{ "0000000a00000000000000a1", NULL },
	{ "00000002.historyx", NULL },
	{ "base.tar", NULL },
	{ "", NULL },
};

START_TEST(keys)
{
	char key[32] = "";

	ck_assert_int_eq(walstore_key(KEYS[_i].object, key), KEYS[_i].key != NULL);
	if (KEYS[_i].key)
		ck_assert_str_eq(key, KEYS[_i].key);
}
END_TEST

static const struct {
	const char *path;
	bool safe, leaves;
} PATHS[] = {
	{ "base/1/1259", true, false },
	{ "postgresql.conf", true, true },
	{ "base/postgresql.conf", true, false },
	{ "standby.signal", true, true },
	{ "pg_replslot/old/state", true, true },
	{ "pg_wal/000000010000000000000001", true, false },
	{ "backup_label", true, false },
	{ "", false, false },
	{ "/etc/passwd", false, false },
	{ "..", false, false },
	{ "a/../b", false, false },
	{ "a/..", false, false },
	{ "a//b", false, false },
	{ "./a", false, false },
	{ "a/", false, false },
	{ "..a/b..", true, false },
};

START_TEST(paths)
{
	ck_assert_int_eq(unpack_safe(PATHS[_i].path), PATHS[_i].safe);
	ck_assert_int_eq(unpack_leaves(PATHS[_i].path), PATHS[_i].leaves);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery");
	TCase *c = tcase_create("text");

	tcase_add_loop_test(c, targets, 0, CASES(TARGETS));
	tcase_add_test(c, log_lines);
	tcase_add_loop_test(c, ends, 0, CASES(ENDS));
	tcase_add_loop_test(c, keys, 0, CASES(KEYS));
	tcase_add_loop_test(c, paths, 0, CASES(PATHS));
	suite_add_tcase(s, c);
	return suite_run(s);
}
