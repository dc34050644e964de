#include "lib/report/format.h"
#include "lib/report/github.h"
#include "lib/report/prometheus.h"
#include "lib/report/submit.h"

#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *in, *message, *property;
} escapes[] = {
	{ "+45 %", "+45 %25", "+45 %25" },
	{ "a:b,c", "a:b,c", "a%3Ab%2Cc" },
	{ "a\n::error::b\r", "a?::error::b?", "a?%3A%3Aerror%3A%3Ab?" },
	{ "%0A::warning::x", "%250A::warning::x", "%250A%3A%3Awarning%3A%3Ax" },
	{ "", "", "" },
};

START_TEST(escape_table)
{
	BUF_AUTO message = BUF_INIT(4096), property = BUF_INIT(4096);

	github_escape(escapes[_i].in, false, &message);
	ck_assert_str_eq(message.s, escapes[_i].message);
	github_escape(escapes[_i].in, true, &property);
	ck_assert_str_eq(property.s, escapes[_i].property);
}
END_TEST

static const struct {
	const char *metric, *unit, *want;
} names[] = {
	{ "rto_seconds", "s", "backup_probe_rto_seconds" },
	{ "rows", "rows", "backup_probe_rows" },
	{ "bytes", "B", "backup_probe_bytes" },
	{ "total_bytes", "B", "backup_probe_total_bytes" },
	{ "size", "B", "backup_probe_size_bytes" },
	{ "change_ratio", "ratio", "backup_probe_change_ratio" },
	{ "Lag", "s", "backup_probe_lag_seconds" },
	{ "rows_count", "", "backup_probe_rows_count_value" },
	{ "errors_total", "", "backup_probe_errors_total_value" },
	{ "lag_ms", "", "backup_probe_lag_ms_value" },
	{ "a-b.c\"}\n", "", "backup_probe_a_b_c___" },
	{ "\xc3\xa9", "", "backup_probe___" },
	{ "", "", "backup_probe_" },
};

START_TEST(name_table)
{
	BUF_AUTO name = BUF_INIT(4096);

	prometheus_name(names[_i].metric, names[_i].unit, &name);
	ck_assert_str_eq(name.s, names[_i].want);
}
END_TEST

static const char *const known[] = { "text",        "markdown", "html",      "json",
				     "record",      "nagios",   "junit",     "prometheus",
				     "pushgateway", "github",   "gitlab",    "csv",
				     "nsca",        "nrdp",     "nrdp-json", "icinga2" };

START_TEST(every_name_in_the_manual_is_a_format)
{
	const struct format *f = format_find(known[_i], strlen(known[_i]));

	ck_assert_ptr_nonnull(f);
	ck_assert_str_eq(f->name, known[_i]);
	ck_assert_ptr_nonnull(strstr(FORMAT_NAMES, known[_i]));
	ck_assert_ptr_null(format_find(known[_i], strlen(known[_i]) - 1));
	ck_assert_ptr_null(format_find("", 0));
	ck_assert_ptr_null(format_find("pdf", 3));
}
END_TEST

static const struct {
	const char *base, *label, *want;
} groups[] = {
	{ "http://h:9091", "shop", "http://h:9091/metrics/job/backup_probes/database/shop" },
	{ "https://h/p/", "a b", "https://h/p/metrics/job/backup_probes/database/a%20b" },
	{ "http://h", "a/b", "http://h/metrics/job/backup_probes/database@base64/YS9i" },
	{ "http://h", "\xc3\xbf/?>", "http://h/metrics/job/backup_probes/database@base64/w78vPz4" },
	{ "http://h", "", "http://h/metrics/job/backup_probes" },
	{ "http://h/metrics/job/mine/", "shop", "http://h/metrics/job/mine" },
};

START_TEST(group_table)
{
	BUF_AUTO url = BUF_INIT(4096);

	submit_pushgateway_url(groups[_i].base, groups[_i].label, &url);
	ck_assert_str_eq(url.s, groups[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("formats");
	TCase *c = tcase_create("formats");

	tcase_add_loop_test(c, escape_table, 0, CASES(escapes));
	tcase_add_loop_test(c, group_table, 0, CASES(groups));
	tcase_add_loop_test(c, name_table, 0, CASES(names));
	tcase_add_loop_test(c, every_name_in_the_manual_is_a_format, 0, CASES(known));
	suite_add_tcase(s, c);
	return suite_run(s);
}
