/* walg: what WAL-G 3.0.7 prints. */
#include "lib/base/record.h"
#include "lib/keeper/walg.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <inttypes.h>
#include <string.h>

/* --- backup-list ------------------------------------------------------------------------------ */

#define TIMES \
	"'start_time':'2026-11-21T16:21:03.946992Z','finish_time':'2026-11-21T16:21:04.374685Z'"
#define FULL \
	"{'backup_name':'base_000000010000000000000002','time':'2026-11-21T16:21:04.371526102Z'," \
	"'wal_file_name':'000000010000000000000002','storage_name':'default'," TIMES \
	",'hostname':'vm','pg_version':150020,'start_lsn':33554472,'finish_lsn':33554688," \
	"'is_permanent':true,'system_identifier':7710660566170316797,'uncompressed_size':" \
	"23453194,'compressed_size':4357336}"
#define DELTA(wal, base, lsn) \
	"{'backup_name':'base_" wal "_D_" base "','time':'2026-11-21T16:21:05.907526096Z'," \
	"'wal_file_name':'" wal "'," TIMES ",'hostname':'vm','pg_version':150020,'start_lsn':" lsn \
	",'finish_lsn':67109120,'is_permanent':false,'system_identifier':null," \
	"'uncompressed_size':215031,'compressed_size':37612}"
#define SECOND DELTA("000000010000000000000004", "000000010000000000000002", "67108904")
#define THIRD DELTA("000000010000000000000005", "000000010000000000000004", "83886120")
#define ITSELF DELTA("000000010000000000000005", "000000010000000000000005", "83886120")
#define UNSAFE "{'backup_name':'base_/../x'," TIMES "}"
#define OPTION "{'backup_name':'--config=/x'," TIMES "}"
#define NO_TIME "{'backup_name':'base_000000010000000000000002','time':'soon'}"
#define BARE \
	"{'backup_name':'base_000000010000000000000002','time':'2026-11-21T16:21:04Z'," \
	"'wal_file_name':'000000010000000000000002'}"

static const struct {
	const char *json;
	bool bad;
	size_t n, troubles;
	int64_t set_bytes; /* of the last */
} lists[] = {
	{ "[]", false, 0, 0, 0 },
	{ "[" FULL "]", false, 1, 0, 4357336 },
	{ "[" FULL "," SECOND "," THIRD "]", false, 3, 0, 4357336 + 2 * 37612 },
	/* Sorted by when they were last touched in the storage: in any order. */
	{ "[" THIRD "," SECOND "," FULL "]", false, 3, 0, 4357336 },
	{ "[" FULL "," THIRD "]", false, 1, 1, 4357336 },
	{ "[" SECOND "," THIRD "]", false, 0, 2, 0 },
	{ "[" ITSELF "]", false, 1, 0, -1 },
	{ "[" BARE "]", false, 1, 0, -1 },
	{ "{}", true, 0, 0, 0 },
	{ "[" NO_TIME "]", true, 0, 0, 0 },
	{ "[" UNSAFE "]", true, 0, 0, 0 },
	{ "[" OPTION "]", true, 0, 0, 0 },
	{ "[1]", true, 0, 0, 0 },
};

START_TEST(a_list_is_read)
{
	JSON_AUTO *j = json_of(lists[_i].json);
	KEEPER_LIST_AUTO l = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(walg_list(j, &l, &e), lists[_i].bad ? -1 : 0);
	if (lists[_i].bad) {
		ck_assert_int_eq(e.kind, ERR_REMOTE);
		return;
	}
	ck_assert_uint_eq(l.n, lists[_i].n);
	ck_assert_uint_eq(l.n_trouble, lists[_i].troubles);
	for (size_t i = 0; i < l.n_trouble; i++)
		ck_assert_int_eq(l.trouble[i].verdict, V_CRITICAL);
	if (l.n)
		ck_assert_int_eq(l.v[l.n - 1].set_bytes, lists[_i].set_bytes);
}
END_TEST

START_TEST(a_backup_is_read)
{
	JSON_AUTO *j = json_of("[" FULL "," SECOND "]");
	KEEPER_LIST_AUTO l = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(walg_list(j, &l, &e), 0);
	ck_assert_str_eq(l.v[0].name, "base_000000010000000000000002");
	ck_assert_str_eq(l.v[0].type, "full");
	ck_assert_ptr_null(l.v[0].prior);
	ck_assert_str_eq(l.v[0].start_lsn, "0/2000028");
	ck_assert_str_eq(l.v[0].stop_lsn, "0/2000100");
	ck_assert_str_eq(l.v[0].start_wal, "000000010000000000000002");
	ck_assert_str_eq(l.v[0].stop_wal, "000000010000000000000002");
	ck_assert_str_eq(l.v[0].system_identifier, "7710660566170316797");
	ck_assert_str_eq(l.v[0].server_version, "15.20");
	ck_assert_str_eq(l.v[0].host, "vm");
	ck_assert(l.v[0].permanent);
	ck_assert_int_eq(l.v[0].started_ms, INT64_C(1795278063946));
	ck_assert_int_eq(l.v[0].stopped_ms, INT64_C(1795278064374));
	ck_assert_int_eq(l.v[0].bytes, 4357336);
	ck_assert_int_eq(l.v[0].database_bytes, 23453194);
	ck_assert_str_eq(l.v[1].type, "incr");
	ck_assert_str_eq(l.v[1].prior, l.v[0].name);
	ck_assert_ptr_null(l.v[1].system_identifier);
	ck_assert_int_eq(l.v[1].database_bytes, -1);
	ck_assert(!l.v[1].permanent);
}
END_TEST

/* --- sentinels and parts ---------------------------------------------------------------------- */

static const struct {
	const char *json, *from;
	int64_t bytes, data_bytes;
	bool bad, spec;
} sentinels[] = {
	{ "{'LSN':33554472,'UncompressedSize':1,'CompressedSize':4357336,'DataCatalogSize':9,'Spec'"
	  ":null}",
	  NULL, 4357336, 9, false, false },
	{ "{'LSN':67108904,'DeltaFrom':'base_0','CompressedSize':5,'Spec':{'base_prefix':'/d',"
	  "'tablespaces':[]}}",
	  "base_0", 5, -1, false, true },
	{ "{'LSN':1}", NULL, -1, -1, false, false },
	{ "{'LSN':1,'DeltaFrom':'../x'}", NULL, 0, 0, true, false },
	{ "{'LSN':1,'DeltaFrom':'base_/x'}", NULL, 0, 0, true, false },
	{ "{}", NULL, 0, 0, true, false },
	{ "[]", NULL, 0, 0, true, false },
};

START_TEST(a_sentinel_is_read)
{
	JSON_AUTO *j = json_of(sentinels[_i].json);
	WALG_SENTINEL_AUTO s = { 0 };
	struct err e = { 0 };
	const int status = walg_sentinel(j, "base_1", &s, &e);

	ck_assert_int_eq(status, sentinels[_i].bad ? -1 : 0);
	if (sentinels[_i].bad) {
		ck_assert_int_eq(e.kind, ERR_BACKUP);
		return;
	}
	ck_assert_pstr_eq(s.from, sentinels[_i].from);
	ck_assert_int_eq(s.bytes, sentinels[_i].bytes);
	ck_assert_int_eq(s.data_bytes, sentinels[_i].data_bytes);
	ck_assert(sentinels[_i].spec == (s.spec != NULL));
}
END_TEST

static const struct {
	const char *spec, *made;
} specs[] = {
	{ "null", "{'base_prefix':'/t/data','tablespaces':[]}" },
	{ "{'base_prefix':'/var/data','tablespaces':['16384'],'16384':{'loc':'/srv/far','link':"
	  "'pg_tblspc/16384'}}",
	  "{'base_prefix':'/t/data','tablespaces':['16384'],'16384':{'loc':'/t/places/16384',"
	  "'link':'pg_tblspc/16384'}}" },
	{ "{'tablespaces':['../x']}", NULL },
	{ "{'tablespaces':['']}", NULL },
	{ "{'tablespaces':['16384/..']}", NULL },
	{ "{'tablespaces':[16384]}", NULL },
	{ "{'tablespaces':['12345678901']}", NULL },
};

START_TEST(tablespaces_go_to_places_of_their_own)
{
	JSON_AUTO *spec = json_of(specs[_i].spec);
	struct err e = { 0 };
	char *text = walg_spec(spec, "/t/data", "/t/places", &e);

	ck_assert(specs[_i].made ? text != NULL : text == NULL && e.kind == ERR_BACKUP);
	if (text) {
		JSON_AUTO *made = json_loads(text, 0, NULL);
		JSON_AUTO *wanted = json_of(specs[_i].made);

		ck_assert_msg(json_equal(made, wanted), "%s", text);
	}
	free(text);
}
END_TEST

static const struct {
	const char *spec;
	bool harmless;
} places[] = {
	{ "null", true },
	{ "{'base_prefix':'/','tablespaces':[]}", true },
	{ "{'base_prefix':'/no','tablespaces':['1'],'1':{'loc':'/no','link':'x'}}", false },
	{ "{'base_prefix':'/no','tablespaces':['1'],'1':{'loc':'/','link':'x'}}", false },
	{ "{'tablespaces':['1'],'1':{'loc':'/'}}", false },
	{ "{'base_prefix':'/','tablespaces':['1']}", false },
	{ "{'base_prefix':'/','tablespaces':[1]}", false },
};

START_TEST(nothing_is_made_elsewhere)
{
	JSON_AUTO *spec = json_of(places[_i].spec);
	struct err e = { 0 };

	ck_assert(walg_spec_harmless(spec, "base_1", &e) == places[_i].harmless);
	ck_assert_int_eq(e.kind, places[_i].harmless ? ERR_NONE : ERR_USAGE);
}
END_TEST

#define HEAD "type size    last modified                           name\n"
#define LABEL "obj  374     2026-11-21 16:21:04.337031295 +0000 UTC backup_label.tar.lz4 \n"
#define PART "obj  4356568 2026-11-21 16:21:04.319526102 +0000 UTC part_001.tar.lz4     \n"
#define CONTROL "obj  402     2026-11-21 16:21:04.319526102 +0000 UTC pg_control.tar.lz4   \n"

static const struct {
	const char *listing;
	int64_t promised;
	size_t n;
	const char *why; /* NULL: whole */
} listings[] = {
	{ HEAD LABEL PART CONTROL, 4357336, 3, NULL },
	{ HEAD LABEL PART CONTROL, 4357344, 3, NULL },
	{ HEAD LABEL PART CONTROL, -1, 3, NULL },
	{ HEAD LABEL PART CONTROL, 4357345, 3, "cut off" },
	{ HEAD PART CONTROL, 4357336, 2, "cut off" },
	{ HEAD LABEL CONTROL, 4357336, 2, "cut off" },
	{ HEAD LABEL PART, 4357336, 2, "pg_control" },
	{ HEAD, 4357336, 0, "none" },
	{ "", -1, 0, "none" },
	{ HEAD
	  "dir 0 0001-01-01 00:00:00 +0000 UTC pg_control.tar/\nobj -1 a b c d pg_control.tar\n",
	  -1, 0, "none" },
};

START_TEST(parts_are_counted)
{
	BUF_AUTO why = BUF_INIT(200);
	WALG_PARTS_AUTO p;

	walg_parts(listings[_i].listing, &p);
	ck_assert_uint_eq(p.names.n, listings[_i].n);
	ck_assert(walg_parts_whole(&p, listings[_i].promised, &why) == (listings[_i].why == NULL));
	if (listings[_i].why)
		ck_assert_msg(strstr(why.s, listings[_i].why) != NULL, "%s", why.s);
}
END_TEST

/* --- wal-show --------------------------------------------------------------------------------- */

#define LINE(id, parent, first, last, count, missing) \
	"{'id':" id ",'parent_id':" parent ",'switch_point_lsn':0,'start_segment':'" first \
	"','end_segment':'" last "','segments_count':" count ",'missing_segments':[" missing \
	"],'segment_range_size':5,'status':'OK'}"

static const struct {
	const char *json;
	uint32_t segment_b;
	const char *names; /* "" : bad */
} shows[] = {
	{ "[]", 16 << 20, " " },
	{ "[" LINE("1", "0", "0000000100000000000000FE", "000000010000000100000000", "2",
		   "'0000000100000000000000FF'") "]",
	  16 << 20, " 0000000100000000000000FE 000000010000000100000000" },
	{ "[" LINE("1", "0", "000000010000000000000FFF", "000000010000000100000000", "2", "") "]",
	  1 << 20, " 000000010000000000000FFF 000000010000000100000000" },
	{ "[" LINE("1", "0", "000000010000000000000001", "000000010000000000000001", "1",
		   "") ","  //
	  LINE("2", "1", "000000020000000000000002", "000000020000000000000002", "1", "") "]",
	  16 << 20, " 000000010000000000000001 000000020000000000000002 00000002.history" },
	/* More than is there and missing together. */
	{ "[" LINE("1", "0", "000000010000000000000001", "00000001FFFFFFFF000000FF", "2", "") "]",
	  16 << 20, "" },
	{ "[" LINE("1", "0", "000000010000000000000002", "000000010000000000000001", "2", "") "]",
	  16 << 20, "" },
	{ "[" LINE("1", "0", "000000010000000000000001", "000000020000000000000002", "2", "") "]",
	  16 << 20, "" },
	{ "[" LINE("1", "0", "x", "000000010000000000000001", "1", "") "]", 16 << 20, "" },
	{ "[{}]", 16 << 20, "" },
	{ "{}", 16 << 20, "" },
};

START_TEST(an_archive_is_read)
{
	JSON_AUTO *j = json_of(shows[_i].json);
	BUF_AUTO all = BUF_INIT(1000);
	STRV_AUTO names = { 0 };
	struct err e = { 0 };
	const int status = walg_wal(j, shows[_i].segment_b, &names, &e);

	ck_assert_int_eq(status, shows[_i].names[0] ? 0 : -1);
	if (status < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		buf_addf(&all, " %s", names.v[i]);
	ck_assert_str_eq(names.n ? all.s : " ", shows[_i].names);
}
END_TEST

/* --- failures and wal-verify ------------------------------------------------------------------ */

static const struct {
	const char *said;
	enum err_kind kind;
} failures[] = {
	{ "download the file: lz4: invalid frame checksum: got 9303b996", ERR_BACKUP },
	{ "object '/r/basebackups_005/x' not found in storage", ERR_BACKUP },
	{ "unable to list FS folder \"/r/basebackups_005\": open: no such file or directory",
	  ERR_BACKUP },
	{ "ExtractAll: did not provide files to extract", ERR_BACKUP },
	{ "Failed to find any configured storage", ERR_REMOTE },
	{ "extractOne: tar extract failed: lz4: bad magic number", ERR_REMOTE },
	{ "openpgp: incorrect key", ERR_REMOTE },
	{ "failed to init decrypt reader: open /k: no such file or directory", ERR_REMOTE },
	{ "dial tcp 127.0.0.1:9000: connect: connection refused", ERR_REMOTE },
	{ "open /r/basebackups_005: permission denied", ERR_REMOTE },
	{ "AccessDenied: Access Denied\n status code: 403", ERR_REMOTE },
	{ "", ERR_REMOTE },
};

START_TEST(damage_is_told_from_what_could_not_be_read)
{
	ck_assert_int_eq(walg_kind(failures[_i].said), failures[_i].kind);
}
END_TEST

#define SEGMENTS(first, last, n, status) \
	"{'timeline_id':1,'start_segment':'00000001000000000000000" first \
	"','end_segment':'00000001000000000000000" last "','segments_count':" n \
	",'status':'" status "'}"
#define VERIFIED(status, details, timeline) \
	"{'integrity':{'status':'" status "','details':[" details \
	"]},'timeline':{'status':'" timeline \
	"','details':{'current_timeline_id':1,'highest_storage_timeline_id':2}}}"

static const struct {
	const char *json;
	enum verdict verdict;
	const char *words;
} verifications[] = {
	{ VERIFIED("OK", SEGMENTS("2", "4", "3", "FOUND"), "OK"), V_OK, "3 segments" },
	{ VERIFIED("FAILURE",
		   SEGMENTS("2", "2", "1", "FOUND") "," SEGMENTS("3", "4", "2", "MISSING_LOST"),
		   "OK"),
	  V_CRITICAL, "(2) are lost" },
	{ VERIFIED("FAILURE", SEGMENTS("2", "2", "1", "MISSING_LOST"), "OK"), V_CRITICAL,
	  "is lost" },
	{ VERIFIED("WARNING", SEGMENTS("2", "2", "1", "MISSING_UPLOADING"), "OK"), V_WARNING,
	  "on its way" },
	{ VERIFIED("WARNING", SEGMENTS("2", "2", "1", "MISSING_DELAYED"), "OK"), V_WARNING,
	  "not archived yet" },
	{ VERIFIED("OK", SEGMENTS("2", "2", "1", "FOUND"), "FAILURE"), V_CRITICAL,
	  "production is on timeline 1, the newest in the archive is 2" },
	{ VERIFIED("OK", SEGMENTS("2", "2", "1", "FOUND"), "WARNING"), V_WARNING, "timeline 1" },
	{ VERIFIED("FAILURE", SEGMENTS("2", "2", "1", "FOUND"), "OK"), V_CRITICAL,
	  "does not call the archive whole" },
	{ VERIFIED("WARNING", SEGMENTS("2", "2", "1", "MISSING_SOMEHOW"), "OK"), V_UNKNOWN,
	  "MISSING_SOMEHOW" },
	{ VERIFIED("OK", "{}", "OK"), V_UNKNOWN, "not understood" },
	{ "{'timeline':{'status':'OK'}}", V_UNKNOWN, "does not call" },
	{ "{'integrity':{'status':'OK'}}", V_UNKNOWN, "timeline" },
	{ "[]", V_UNKNOWN, "" },
};

START_TEST(its_comparison_is_believed_word_by_word)
{
	JSON_AUTO *j = json_of(verifications[_i].json);
	struct check c;

	check_init(&c, "repository-check", "");
	walg_verified(j, &c);
	ck_assert_int_eq(c.status, verifications[_i].verdict);
	ck_assert_msg(strstr(record_text(c.object, "summary"), verifications[_i].words) != NULL,
		      "%s", record_text(c.object, "summary"));
	check_drop(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("walg");
	TCase *t = tcase_create("walg");

	tcase_add_loop_test(t, a_list_is_read, 0, CASES(lists));
	tcase_add_test(t, a_backup_is_read);
	tcase_add_loop_test(t, a_sentinel_is_read, 0, CASES(sentinels));
	tcase_add_loop_test(t, tablespaces_go_to_places_of_their_own, 0, CASES(specs));
	tcase_add_loop_test(t, nothing_is_made_elsewhere, 0, CASES(places));
	tcase_add_loop_test(t, parts_are_counted, 0, CASES(listings));
	tcase_add_loop_test(t, an_archive_is_read, 0, CASES(shows));
	tcase_add_loop_test(t, damage_is_told_from_what_could_not_be_read, 0, CASES(failures));
	tcase_add_loop_test(t, its_comparison_is_believed_word_by_word, 0, CASES(verifications));
	suite_add_tcase(s, t);
	return suite_run(s);
}
