/* keeper: sources, what pgBackRest and Barman print, and gaps between WAL segments. */
#include "lib/base/record.h"
#include "lib/keeper/barman.h"
#include "lib/keeper/driver.h"
#include "lib/keeper/pgbackrest.h"
#include "lib/keeper/segments.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <inttypes.h>
#include <string.h>

/* --- sources ---------------------------------------------------------------------------------- */

static const struct {
	const char *source, *name, *config;
	unsigned repo;
} good_sources[] = {
	{ "pgbackrest:shop", "shop", NULL, 0 },
	{ "pgbackrest:shop?repo=2", "shop", NULL, 2 },
	{ "pgbackrest:my%20shop?config=%2Fetc%2Fa%26b.conf&repo=256", NULL, NULL, 0 },
	{ "pgbackrest:shop?config=/etc/a.conf&repo=1", "shop", "/etc/a.conf", 1 },
	{ "pgbackrest:s%26p?config=%2Fetc%2Fa%26b.conf", "s&p", "/etc/a&b.conf", 0 },
	{ "barman:main-server_1", "main-server_1", NULL, 0 },
	{ "barman:a?config=/b", "a", "/b", 0 },
	{ "walg:", "its repository", NULL, 0 },
	{ "walg:/etc/a%26b.json", "its repository", "/etc/a&b.json", 0 },
	{ "walg:?config=/b.yaml", "its repository", "/b.yaml", 0 },
};

START_TEST(a_source_is_taken)
{
	KEEPER_AUTO k;
	struct err e = { 0 };
	const int status = keeper_open(&k, good_sources[_i].source, &e);

	ck_assert(keeper_claims(good_sources[_i].source));
	if (good_sources[_i].name == NULL) {
		ck_assert_int_eq(status, -1);
		return;
	}
	ck_assert_msg(status == 0, "%s", e.msg);
	ck_assert_str_eq(k.name, good_sources[_i].name);
	ck_assert_pstr_eq(k.config, good_sources[_i].config);
	ck_assert_uint_eq(k.repo, good_sources[_i].repo);
	ck_assert_str_eq(k.shown, good_sources[_i].source);
	ck_assert_uint_ne(k.who.uid, 0);
}
END_TEST

static const char *const bad_sources[] = {
	"pgbackrest:",           "pgbackrest:?repo=1",      "pgbackrest:a/b",
	"pgbackrest:-x",         "pgbackrest:a?repo",       "pgbackrest:a?repo=0",
	"pgbackrest:a?repo=-1",  "pgbackrest:a?repo=1x",    "pgbackrest:a?repo=1&repo=2",
	"pgbackrest:a?config=",  "pgbackrest:a?config=%zz", "pgbackrest:a?key=1",
	"pgbackrest:a?repo=1&&", "pgbackrest:%00",          "barman:a?repo=1",
	"barman:a?user=root",    "barman:a?user=no-such",   "walg:a",
	"walg:?repo=1",          "walg:/a?config=/b",       "walg:%00",
};

START_TEST(a_bad_source_is_refused)
{
	KEEPER_AUTO k;
	struct err e = { 0 };

	ck_assert(keeper_claims(bad_sources[_i]));
	ck_assert_int_eq(keeper_open(&k, bad_sources[_i], &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
}
END_TEST

START_TEST(other_sources_are_not_ours)
{
	static const char *const others[] = { "/backups", "s3://b/x",  "pgbackrest", "barman.dump",
					      "",         "xbarman:a", "barman/a",   "file:///a" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!keeper_claims(others[i]), "%s", others[i]);
}
END_TEST

static const struct {
	const char *text, *reason;
} reasons[] = {
	{ "", "" },
	{ "\n \n", "" },
	{ "ERROR: [055]: unable to open\n", "unable to open" },
	{ "ERROR: Unknown\n", "Unknown" },
	{ "WARN: old option\nERROR: [037]: a\n       HINT: b\nc\nd", "a; HINT: b; c" },
	{ "ERROR: [55]: x", "[55]: x" },
	{ "plain", "plain" },
	{ "INFO: 2026/11/21 16:26:23.3 a\nERROR: 2026/11/21 16:26:25.711501 b\n", "b" },
	{ "ERROR: 2026/11/21 no clock", "2026/11/21 no clock" },
};

START_TEST(a_reason_is_one_line)
{
	BUF_AUTO out = BUF_INIT(1000);

	keeper_reason(reasons[_i].text, &out);
	ck_assert_str_eq(out.s, reasons[_i].reason);
}
END_TEST

/* --- pgBackRest ------------------------------------------------------------------------------- */

#define DB "'db':[{'id':1,'repo-key':1,'system-id':7710565759999243664,'version':'15'}]"
#define REPO(code, message) \
	"'repo':[{'cipher':'aes-256-cbc','key':1,'status':{'code':" code ",'message':'" message \
	"'}}]"
#define BACKUP(more) \
	"{'archive':{'start':'000000010000000000000002','stop':'000000010000000000000003'}," \
	"'database':{'id':1,'repo-key':1},'error':true,'info':{'delta':7,'repository':{'delta':5," \
	"'size':6},'size':9},'label':'20261121-101347F','lsn':{'start':'0/2000028','stop':" \
	"'0/3000138'},'prior':null," more "'type':'full'}"
#define TIMES "'timestamp':{'start':1795256027,'stop':1795256049},"

static const struct {
	const char *json;
	enum err_kind kind; /* ERR_NONE: it is read */
	size_t n, troubles;
} infos[] = {
	{ "[{'name':'s'," REPO("0", "ok") "," DB ",'backup':[" BACKUP(TIMES) "]}]", ERR_NONE, 1,
	  0 },
	{ "[{'name':'s'," REPO("2", "no valid backups") ",'db':[],'backup':[]}]", ERR_NONE, 0, 0 },
	{ "[{'name':'s'," REPO("1", "missing stanza path") "}]", ERR_BACKUP, 0, 1 },
	{ "[{'name':'s'," REPO("3", "missing stanza data") "}]", ERR_BACKUP, 0, 1 },
	{ "[{'name':'s'," REPO("99", "[ChecksumError] unable to load") "}]", ERR_BACKUP, 0, 1 },
	{ "[{'name':'s'," REPO("99", "[ArchiveMismatchError] no archive id") "}]", ERR_BACKUP, 0,
	  1 },
	{ "[{'name':'s'," REPO("99", "[CryptoError] wrong passphrase?") "}]", ERR_REMOTE, 0, 1 },
	{ "[{'name':'s'}]", ERR_REMOTE, 0, 0 },
	{ "[{'name':'s','repo':[{}]}]", ERR_REMOTE, 0, 1 },
	{ "[{'name':'t'," REPO("0", "ok") "}]", ERR_REMOTE, 0, 0 },
	{ "[]", ERR_REMOTE, 0, 0 },
	{ "{}", ERR_REMOTE, 0, 0 },
	{ "[{'name':'s'," REPO("0", "ok") "," DB ",'backup':[" BACKUP("") "]}]", ERR_REMOTE, 0, 0 },
	{ "[{'name':'s','repo':[{'key':1,'status':{'code':0}},{'key':2,'status':{'code':1}}]}]",
	  ERR_NONE, 0, 1 },
};

START_TEST(info_is_read)
{
	JSON_AUTO *j = json_of(infos[_i].json);
	KEEPER_LIST_AUTO l = { 0 };
	struct err e = { 0 };
	const int status = pgbackrest_info(j, "s", &l, &e);

	ck_assert_int_eq(status, infos[_i].kind == ERR_NONE ? 0 : -1);
	ck_assert_int_eq(e.kind, infos[_i].kind);
	ck_assert_uint_eq(l.n, infos[_i].n);
	ck_assert_uint_eq(l.n_trouble, infos[_i].troubles);
	if (l.n == 0)
		return;
	ck_assert_str_eq(l.v[0].name, "20261121-101347F");
	ck_assert_str_eq(l.v[0].type, "full");
	ck_assert_ptr_null(l.v[0].prior);
	ck_assert_str_eq(l.v[0].system_identifier, "7710565759999243664");
	ck_assert_str_eq(l.v[0].archive, "15-1");
	ck_assert_str_eq(l.v[0].encryption, "aes-256-cbc");
	ck_assert_ptr_nonnull(l.v[0].fault);
	ck_assert_int_eq(l.v[0].started_ms, INT64_C(1795256027000));
	ck_assert_int_eq(l.v[0].stopped_ms, INT64_C(1795256049000));
	ck_assert_int_eq(l.v[0].bytes, 5);
	ck_assert_int_eq(l.v[0].set_bytes, 6);
	ck_assert_int_eq(l.v[0].database_bytes, 9);
}
END_TEST

#define GOOD_COUNTS "    missing: 0, checksum invalid: 0, size invalid: 0, other: 0\n"
#define ARCHIVE "  archiveId: 15-1, total WAL checked: 9, total valid WAL: 9\n" GOOD_COUNTS
#define VALID \
	"  backup: F, status: valid, total files checked: 965, total valid files: " \
	"965\n" GOOD_COUNTS

static const struct {
	const char *text;
	bool understood, ok;
	size_t archives, backups;
	const char *words;
} verified[] = {
	{ "stanza: s\nstatus: ok\n" ARCHIVE VALID, true, true, 1, 1, "" },
	{ "stanza: s\nstatus: error\n" ARCHIVE
	  "  backup: F, status: invalid, total files checked: 2, total valid files: 1\n"
	  "    missing: 1, checksum invalid: 0, size invalid: 0, other: 0\n",
	  true, false, 1, 1, "" },
	{ "stanza: s\nstatus: ok\n  backup: F, status: manifest missing, total files checked: 0, "
	  "total valid files: 0\n",
	  true, true, 0, 1, "" },
	{ "stanza: s\nstatus: ok\n  backup: F, status: in-progress\n", true, true, 0, 1, "" },
	{ "stanza: s\nstatus: ok\n  archiveId: none found\n  backup: none found\n", true, true, 0,
	  0, "" },
	{ "stanza: s\nstatus: error\n  No usable backup.info file\n  No usable archive.info file\n",
	  true, false, 0, 0, "No usable backup.info file; No usable archive.info file" },
	{ "", false, false, 0, 0, "" },
	{ "stanza: s\n", false, false, 0, 0, "" },
	{ "stanza: s\nstatus: well\n", false, false, 0, 0, "" },
	{ "stanza: s\nstatus: ok\n  something new: 3\n", false, true, 0, 0, "" },
	{ "stanza: s\nstatus: ok\n  archiveId: 15-1, total WAL checked: x\n", false, true, 0, 0,
	  "" },
	{ "stanza: s\nstatus: ok\n  archiveId: 15-1, total WAL checked: 1, total valid WAL: 1 of "
	  "2\n",
	  false, true, 0, 0, "" },
	{ "stanza: s\nstatus: ok\n  backup: F, state: valid\n", false, true, 0, 0, "" },
	{ "stanza: s\nstatus: ok\n" GOOD_COUNTS, false, true, 0, 0, "" },
	{ "stanza: s\nstatus: ok\n  archiveId: 1, total WAL checked: 1, total valid WAL: 1\n"
	  "    missing: 0, checksum invalid: 0\n",
	  false, true, 1, 0, "" },
};

START_TEST(verify_is_read)
{
	PGBACKREST_VERIFIED_AUTO v;
	const bool understood = pgbackrest_verified(verified[_i].text, &v);

	ck_assert_int_eq(understood, verified[_i].understood);
	ck_assert_int_eq(v.ok, verified[_i].ok);
	ck_assert_uint_eq(v.n_archives, verified[_i].archives);
	ck_assert_uint_eq(v.n_backups, verified[_i].backups);
	ck_assert_str_eq(v.words.s, verified[_i].words);
}
END_TEST

START_TEST(verify_counts)
{
	PGBACKREST_VERIFIED_AUTO v;

	ck_assert(pgbackrest_verified(
		"status: error\n"
		"  archiveId: 15-1, total WAL checked: 9, total valid WAL: 4\n"
		"    missing: 1, checksum invalid: 2, size invalid: 3, other: 4\n"
		"  backup: F_I, status: invalid, total files checked: 965, total valid files: "
		"964\n",
		&v));
	ck_assert_int_eq(v.archives[0].checked, 9);
	ck_assert_int_eq(v.archives[0].valid, 4);
	ck_assert_int_eq(v.archives[0].missing, 1);
	ck_assert_int_eq(v.archives[0].checksum, 2);
	ck_assert_int_eq(v.archives[0].size, 3);
	ck_assert_int_eq(v.archives[0].other, 4);
	ck_assert_str_eq(v.backups[0].name, "F_I");
	ck_assert_str_eq(v.backups[0].status, "invalid");
	ck_assert_int_eq(v.backups[0].valid, 964);
}
END_TEST

/* --- Barman ----------------------------------------------------------------------------------- */

static const struct {
	const char *json;
	enum err_kind kind;
	size_t names, troubles;
	enum verdict worst;
} lists[] = {
	{ "{'s':[]}", ERR_NONE, 0, 0, V_OK },
	{ "{'s':[{'backup_id':'b','status':'DONE'},{'backup_id':'a','status':'DONE'}]}", ERR_NONE,
	  2, 0, V_OK },
	{ "{'s':[{'backup_id':'b','status':'FAILED'},{'backup_id':'a','status':'DONE'}]}", ERR_NONE,
	  1, 1, V_WARNING },
	{ "{'s':[{'backup_id':'b','status':'DONE'},{'backup_id':'a','status':'FAILED'}]}", ERR_NONE,
	  1, 1, V_OK },
	{ "{'s':[{'backup_id':'b','status':'WAITING_FOR_WALS'}]}", ERR_NONE, 0, 1, V_WARNING },
	{ "{'s':[{'backup_id':'b','status':'STARTED'}]}", ERR_NONE, 0, 1, V_OK },
	{ "{'s':[{'backup_id':'b'}]}", ERR_NONE, 0, 1, V_OK },
	{ "{'s':[{'status':'DONE'}]}", ERR_REMOTE, 0, 0, V_OK },
	{ "{'t':[]}", ERR_REMOTE, 0, 0, V_OK },
	{ "[]", ERR_REMOTE, 0, 0, V_OK },
	{ "{'_ERROR':['Unknown server s']}", ERR_BACKUP, 0, 0, V_OK },
	{ "{'s':[],'_ERROR':['disk on fire']}", ERR_REMOTE, 0, 0, V_OK },
};

START_TEST(barmans_list_is_read)
{
	JSON_AUTO *j = json_of(lists[_i].json);
	KEEPER_LIST_AUTO l = { 0 };
	STRV_AUTO names = { 0 };
	struct err e = { 0 };
	const int status = barman_names(j, "s", &names, &l, &e);

	ck_assert_int_eq(status, lists[_i].kind == ERR_NONE ? 0 : -1);
	ck_assert_int_eq(e.kind, lists[_i].kind);
	ck_assert_uint_eq(names.n, lists[_i].names);
	ck_assert_uint_eq(l.n_trouble, lists[_i].troubles);
	if (l.n_trouble)
		ck_assert_int_eq(l.trouble[0].verdict, lists[_i].worst);
}
END_TEST

#define SHOWN(version, end) \
	"{'s':{'backup_id':'a','postgresql_version':" version ",'base_backup_information':{" \
	"'begin_lsn':'0/" \
	"8000028','begin_wal':'000000010000000000000008','end_time_timestamp':'" end \
	"','disk_usage_bytes':9,'incremental_size_bytes':3}}}"

START_TEST(barmans_backup_is_read)
{
	JSON_AUTO *good = json_of(SHOWN("150020", "1795256085"));
	JSON_AUTO *old = json_of(SHOWN("90624", "1795256085"));
	JSON_AUTO *timeless = json_of(SHOWN("150020", "soon"));
	/* As 3.13 says it. */
	JSON_AUTO *part = json_of(
		"{'s':{'backup_id':'b','backup_type':'incremental','cluster_size_bytes':9,"
		"'base_backup_information':{'end_time_timestamp':'1','backup_size_bytes':3}}}");
	KEEPER_LIST_AUTO l = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(barman_backup(good, "s", &l, &e), 0);
	ck_assert_str_eq(l.v[0].server_version, "15.20");
	ck_assert_int_eq(l.v[0].stopped_ms, INT64_C(1795256085000));
	ck_assert_int_eq(l.v[0].started_ms, -1);
	ck_assert_int_eq(l.v[0].bytes, 3);
	ck_assert_int_eq(l.v[0].database_bytes, 9);
	ck_assert_ptr_null(l.v[0].stop_wal);
	ck_assert_int_eq(barman_backup(old, "s", &l, &e), 0);
	ck_assert_str_eq(l.v[1].server_version, "9.6.24");
	ck_assert_int_eq(barman_backup(part, "s", &l, &e), 0);
	ck_assert(l.v[2].bytes == 3 && l.v[2].database_bytes == 9 && l.v[2].type[0] == 'i');
	ck_assert_int_eq(barman_backup(timeless, "s", &l, &e), -1);
	ck_assert_int_eq(barman_backup(good, "t", &l, &e), -1);
}
END_TEST

static const struct {
	const char *json;
	enum verdict verdict;
} verifications[] = {
	{ "{'_INFO':['Calling pg_verifybackup','backup successfully verified']}", V_OK },
	{ "{'_INFO':['Calling pg_verifybackup']}", V_UNKNOWN },
	{ "{}", V_UNKNOWN },
	{ "{'_ERROR':['pg_verifybackup not found'],'_INFO':['backup successfully verified']}",
	  V_UNKNOWN },
	{ "{'_ERROR':['verify backup failure on directory','pg_verifybackup: error: checksum']}",
	  V_CRITICAL },
	{ "{'_ERROR':['verify backup failure on directory','could not open backup_manifest']}",
	  V_WARNING },
};

START_TEST(barmans_verification_is_read)
{
	JSON_AUTO *j = json_of(verifications[_i].json);
	BUF_AUTO text = BUF_INIT(1000);

	ck_assert_int_eq(barman_verified(j, &text), verifications[_i].verdict);
	ck_assert_int_eq(text.len == 0, verifications[_i].verdict == V_OK);
}
END_TEST

static const struct {
	const char *json;
	enum verdict verdict;
} checks[] = {
	{ "{'s':{'a':{'hint':'','status':'OK'},'b':{'hint':'x','status':'OK'}}}", V_OK },
	{ "{'s':{'a':{'hint':'gone','status':'FAILED'},'b':{'status':'OK'}}}", V_CRITICAL },
	{ "{'s':{'a':{}}}", V_CRITICAL },
	{ "{'s':{}}", V_UNKNOWN },
	{ "{'t':{'a':{'status':'OK'}}}", V_UNKNOWN },
	{ "{'_ERROR':['no']}", V_UNKNOWN },
};

START_TEST(barmans_checks_are_read)
{
	JSON_AUTO *j = json_of(checks[_i].json);
	struct check c;

	check_init(&c, "repository-check", "");
	barman_checked(j, "s", &c);
	ck_assert_int_eq(c.status, checks[_i].verdict);
	check_drop(&c);
}
END_TEST

/* --- segments --------------------------------------------------------------------------------- */

#define SEG "0000000100000000000000"
#define SEG2 "0000000200000000000000"

static const struct {
	const char *names;
	const char *needs; /* "FIRST-LAST ..." by their last two digits, of timeline 1 */
	const char *gaps;  /* "FIRST+N", with ! for a backup's, * for recent ones; "=" and what is
			    * there twice */
} archives[] = {
	{ SEG "02 " SEG "03 " SEG "04", "02-03", "" },
	/* in any order, with suffixes, and with what is no segment */
	{ SEG "04-ab12.zst " SEG "03 " SEG "02 x " SEG "02.00000028.backup 00000002.history",
	  "02-03", "" },
	{ SEG "01 " SEG "03-ab " SEG "03-cd " SEG "01", "03-03", "=03" },
	{ SEG "02 " SEG "04", "02-03", "03+1!" },
	{ SEG "03 " SEG "04", "02-03", "02+1!" },
	{ SEG "02 " SEG "03", "02-04", "04+1!" },
	{ "", "02-03", "02+2!" },
	{ SEG "02 " SEG "05 " SEG "06 " SEG "08", "02-02", "03+2* 07+1*" },
	{ SEG "02 " SEG "05 " SEG "06 " SEG "07", "02-02 06-06", "03+2" },
	/* a timeline that begins where the one before it ended, or earlier, or too late */
	{ SEG "02 " SEG "03 " SEG2 "03 " SEG2 "04", "02-02", "" },
	{ SEG "02 " SEG "03 " SEG2 "04", "02-02", "" },
	{ SEG "02 " SEG "03 " SEG2 "06", "02-02", "04+2*" },
	/* what nobody needs any more may have holes */
	{ SEG "01 " SEG "05", "05-05", "" },
};

static void split(const char *text, struct strv *out)
{
	while (*text) {
		const size_t n = strcspn(text, " ");

		strv_addf(out, "%.*s", (int)n, text);
		text += n + (text[n] == ' ');
	}
}

/* "02-03": a backup's need. */
static struct segments_need need_of(const char *text, struct strv *keep)
{
	const size_t at = keep->n;

	strv_addf(keep, SEG "%.2s", text);
	strv_addf(keep, SEG "%.2s", text + 3);
	strv_addf(keep, "0/%.2s000028", text);
	return (struct segments_need){ text, keep->v[at], keep->v[at + 1], keep->v[at + 2] };
}

START_TEST(gaps_are_found)
{
	SEGMENTS_FOUND_AUTO found;
	struct segments_need needs[4];
	STRV_AUTO names = { 0 };
	STRV_AUTO wanted = { 0 };
	STRV_AUTO keep = { 0 };
	BUF_AUTO gaps = BUF_INIT(1000);

	split(archives[_i].names, &names);
	split(archives[_i].needs, &wanted);
	for (size_t i = 0; i < wanted.n; i++)
		needs[i] = need_of(wanted.v[i], &keep);
	ck_assert(segments_judge(&names, needs, wanted.n, &found));
	for (size_t i = 0; i < found.n; i++)
		buf_addf(&gaps, "%s%s+%" PRIu64 "%s", i ? " " : "", found.v[i].first + strlen(SEG),
			 found.v[i].n,
			 found.v[i].backup   ? "!"
			 : found.v[i].recent ? "*"
					     : "");
	if (found.doubled > 0)
		buf_addf(&gaps, "=%s", found.double_name + strlen(SEG));
	ck_assert_str_eq(gaps.s, archives[_i].gaps);
}
END_TEST

static const struct {
	struct segments_need need;
	bool understood;
	uint64_t size_b;
} sizes[] = {
	{ { "a", SEG "02", SEG "02", "0/2000028" }, true, 16 << 20 },
	{ { "a", SEG "02", SEG "02", "0/200028" }, true, 1 << 20 },
	{ { "a", SEG "02", SEG "02", "0/80000028" }, true, 1 << 30 },
	{ { "a", "0000000100000001000000FE", "0000000100000001000000FF", "1/FE000028" },
	  true,
	  16 << 20 },
	{ { "a", SEG "02", SEG "02", "0/300028" }, false, 0 },
	{ { "a", SEG "02", SEG "01", "0/2000028" }, false, 0 },
	{ { "a", SEG "02", NULL, "0/2000028" }, false, 0 },
	{ { "a", NULL, NULL, NULL }, false, 0 },
	{ { "a", "x", "x", "x" }, false, 0 },
	{ { "a", SEG "02", SEG2 "02", "0/2000028" }, false, 0 },
};

START_TEST(a_segments_size_is_found)
{
	SEGMENTS_FOUND_AUTO found;
	const struct strv none = { 0 };

	ck_assert_int_eq(segments_judge(&none, &sizes[_i].need, 1, &found), sizes[_i].understood);
	if (sizes[_i].understood)
		ck_assert_uint_eq(found.size_b, sizes[_i].size_b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper");
	TCase *t = tcase_create("keeper");

	tcase_add_loop_test(t, a_source_is_taken, 0, CASES(good_sources));
	tcase_add_loop_test(t, a_bad_source_is_refused, 0, CASES(bad_sources));
	tcase_add_test(t, other_sources_are_not_ours);
	tcase_add_loop_test(t, a_reason_is_one_line, 0, CASES(reasons));
	tcase_add_loop_test(t, info_is_read, 0, CASES(infos));
	tcase_add_loop_test(t, verify_is_read, 0, CASES(verified));
	tcase_add_test(t, verify_counts);
	tcase_add_loop_test(t, barmans_list_is_read, 0, CASES(lists));
	tcase_add_test(t, barmans_backup_is_read);
	tcase_add_loop_test(t, barmans_verification_is_read, 0, CASES(verifications));
	tcase_add_loop_test(t, barmans_checks_are_read, 0, CASES(checks));
	tcase_add_loop_test(t, gaps_are_found, 0, CASES(archives));
	tcase_add_loop_test(t, a_segments_size_is_found, 0, CASES(sizes));
	suite_add_tcase(s, t);
	return suite_run(s);
}
