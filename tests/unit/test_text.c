#include "lib/base/text.h"

#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *in, *want;
} safe[] = {
	{ "", "" },
	{ "public.users", "public.users" },
	{ "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x98",
	  "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x98" },
	{ "a\nb\tc\rd", "a?b?c?d" },
	{ "\033[31mred", "?[31mred" },
	{ "del\x7f", "del?" },
	{ "c1 \xc2\x9b"
	  "31m",
	  "c1 ?31m" },
	{ "nbsp \xc2\xa0.", "nbsp \xc2\xa0." },
	{ "rtl \xe2\x80\xae"
	  "gpj.exe",
	  "rtl ?gpj.exe" },
	{ "isolate \xe2\x81\xa6.", "isolate ?." },
	{ "line \xe2\x80\xa8.", "line ?." },
	{ "hidden \xe2\x80\x8b.", "hidden ?." },
	{ "joined \xe2\x80\x8d.", "joined \xe2\x80\x8d." },
	{ "bom \xef\xbb\xbf.", "bom ?." },
	{ "tag \xf3\xa0\x81\x81.", "tag ?." },
	{ "bad \xff\xfe.", "bad ??." },
	{ "lone \x80.", "lone ?." },
	{ "cut \xe2\x82", "cut ??" },
	{ "cut \xe2\x82.", "cut ??." },
	{ "overlong \xc0\xaf.", "overlong ??." },
	{ "overlong \xe0\x80\xaf.", "overlong ???." },
	{ "surrogate \xed\xa0\x80.", "surrogate ???." },
	{ "beyond \xf4\x90\x80\x80.", "beyond ????." },
};

START_TEST(safe_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	text_safe(&b, safe[_i].in);
	ck_assert_str_eq(b.s, safe[_i].want);
}
END_TEST

static const struct {
	const char *check, *title, *words;
} titles[] = {
	{ "row-count", "Row count", "row count" },
	{ "verified-rto", "Verified RTO", "verified RTO" },
	{ "rpo", "RPO", "RPO" },
	{ "wal-lag", "WAL lag", "WAL lag" },
	{ "backup-download", "Backup download", "backup download" },
	{ "", "", "" },
	{ "-", " ", " " },
	{ "a--b", "A  b", "a  b" },
	{ "Row\nCount", "Row?Count", "Row?Count" },
	{ "\xc3\xa9tat", "\xc3\xa9tat", "\xc3\xa9tat" },
	{ "rtos", "Rtos", "rtos" },
};

START_TEST(title_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	buf_adds(&b, "x");
	text_title(&b, titles[_i].check);
	ck_assert_str_eq(b.s + 1, titles[_i].title);
	buf_reset(&b);
	text_words(&b, titles[_i].check);
	ck_assert_str_eq(b.s, titles[_i].words);
}
END_TEST

static const struct {
	const char *json;
	bool colour;
	const char *want;
} records[] = {
	{ "{'record':'check','check':'row-count','subject':'public.users','status':'ok',"
	  "'summary':'2,847,291 rows'}",
	  false, "ok        public.users row count: 2,847,291 rows\n" },
	{ "{'record':'check','check':'backup-age','status':'critical','summary':'38 h'}", false,
	  "CRITICAL  Backup age: 38 h\n" },
	{ "{'record':'check','check':'backup-age','status':'warning','summary':'38 h'}", true,
	  "\033[33mWARNING \033[0m  Backup age: 38 h\n" },
	{ "{'record':'check','check':'backup-age','status':'odd','summary':'38 h'}", false,
	  "UNKNOWN   Backup age: 38 h\n" },
	{ "{'record':'check','subject':7,'status':null}", false, "UNKNOWN   : \n" },
	{ "{'record':'check','check':'x','subject':'a\\nb','status':'ok','summary':'c\\u001b[2Jd'}",
	  false, "ok        a?b x: c?[2Jd\n" },
	{ "{'record':'backup','name':'shop.dump','bytes':18200000000,"
	  "'taken_at':'2026-02-17T01:58:42.000Z','modified_at':'2026-02-18T00:00:00Z'}",
	  false, "2026-02-17 01:58:42 UTC    18.2 GB  shop.dump\n" },
	{ "{'record':'backup','name':'shop.dump','modified_at':'2026-02-18T00:00:00Z',"
	  "'newest':true,'path':'/w/shop.dump'}",
	  false, "2026-02-18 00:00:00 UTC          ?  shop.dump  (newest)  /w/shop.dump\n" },
	{ "{'record':'backup','bytes':-5}", false, "?                                ?  \n" },
	{ "{'record':'instance','server_version':'15.20','conninfo':'host=/tmp/x'}", false,
	  "server    PostgreSQL 15.20: host=/tmp/x\n" },
	{ "{'record':'stage','event':'begin'}", false, "" },
	{ "{'record':'weather','sky':'blue'}", false, "" },
	{ "{}", false, "" },
};

START_TEST(record_table)
{
	BUF_AUTO b = BUF_INIT(4096);
	json_t *record = json_of(records[_i].json);

	text_record(&b, record, records[_i].colour);
	ck_assert_str_eq(b.s, records[_i].want);
	json_decref(record);
}
END_TEST

START_TEST(colours_only_on_a_willing_terminal)
{
	int master, slave;
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(null, 0);
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(unsetenv("NO_COLOR"), 0);
	ck_assert_int_eq(setenv("TERM", "xterm", 1), 0);
	ck_assert(text_colour(slave));
	ck_assert(!text_colour(null));
	ck_assert(!text_colour(-1));
	ck_assert_int_eq(setenv("NO_COLOR", "", 1), 0);
	ck_assert(text_colour(slave));
	ck_assert_int_eq(setenv("NO_COLOR", "1", 1), 0);
	ck_assert(!text_colour(slave));
	ck_assert_int_eq(unsetenv("NO_COLOR"), 0);
	ck_assert_int_eq(setenv("TERM", "dumb", 1), 0);
	ck_assert(!text_colour(slave));
	ck_assert_int_eq(unsetenv("TERM"), 0);
	ck_assert(!text_colour(slave));
	ck_assert_int_eq(close(slave) | close(master) | close(null), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *c = tcase_create("text");

	tcase_add_loop_test(c, safe_table, 0, CASES(safe));
	tcase_add_loop_test(c, title_table, 0, CASES(titles));
	tcase_add_loop_test(c, record_table, 0, CASES(records));
	tcase_add_test(c, colours_only_on_a_willing_terminal);
	suite_add_tcase(s, c);
	return suite_run(s);
}
