#include "lib/report/junit.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/report/markup.h"
#include "lib/report/rows.h"

#include <string.h>

enum { PIECE_MAX = 256 * 1024, MOMENT_LENGTH = 19 };

static const char suite[] = "backup-probes";

static void add_attribute(const char *name, const char *value, struct buf *out)
{
	buf_addf(out, " %s=\"", name);
	markup_text(out, value);
	buf_addc(out, '"');
}

static void add_property(const char *name, const char *value, struct buf *out)
{
	if (*value == '\0')
		return;
	buf_adds(out, "      <property");
	add_attribute("name", name, out);
	add_attribute("value", value, out);
	buf_adds(out, "/>\n");
}

static void add_properties(const struct summary *s, struct buf *out)
{
	buf_adds(out, "    <properties>\n");
	add_property("run", s->run, out);
	add_property("verdict", verdict_name(s->status), out);
	add_property("backup", record_word(s->backup, "name"), out);
	add_property("source", record_word(s->backup, "source"), out);
	add_property("sha256", record_word(s->backup, "sha256"), out);
	add_property("postgresql", record_word(s->instance, "server_version"), out);
	buf_adds(out, "    </properties>\n");
}

/* "public.users row count", the second of that name " (2)" and so on. used: name -> how often. */
static void add_case_name(const struct row *row, json_t *used, struct buf *out)
{
	BUF_AUTO name = BUF_INIT(PIECE_MAX);
	json_int_t n;

	rows_name(row, &name);
	n = json_integer_value(json_object_get(used, name.s)) + 1;
	json_object_set_new(used, name.s, json_integer(n));
	if (n > 1)
		buf_addf(&name, " (%lld)", (long long)n);
	add_attribute("name", name.s, out);
}

static void add_value(const json_t *check, const char *field, struct buf *out)
{
	BUF_AUTO value = BUF_INIT(PIECE_MAX);

	if (!rows_value(check, field, &value))
		return;
	buf_addf(out, "\n%s: ", field);
	markup_text(out, value.s);
}

/* The text is in the body too, for GitLab shows no message. */
static void add_finding(const char *element, const struct row *row, const char *sentence,
			struct buf *out)
{
	buf_addf(out, "\n      <%s", element);
	add_attribute("type", row->name, out);
	add_attribute("message", sentence, out);
	buf_addc(out, '>');
	markup_text(out, sentence);
	add_value(row->check, "expected", out);
	add_value(row->check, "observed", out);
	buf_addf(out, "</%s>\n    ", element);
}

static void add_case(const struct summary *s, const json_t *check, json_t *used, struct buf *out)
{
	struct row row = { .check = check, .name = record_word(check, "check") };
	BUF_AUTO sentence = BUF_INIT(PIECE_MAX);

	(void)verdict_parse(record_text(check, "status"), &row.status);
	rows_sentence(s, check, &sentence);
	buf_addf(out, "    <testcase classname=\"%s%s", suite, s->label[0] ? "." : "");
	markup_text(out, s->label);
	buf_addc(out, '"');
	add_case_name(&row, used, out);
	buf_addc(out, '>');
	if (row.status == V_CRITICAL)
		add_finding("failure", &row, sentence.s, out);
	if (row.status == V_UNKNOWN)
		add_finding("error", &row, sentence.s, out);
	buf_addf(out, "<system-out>%s", row.status == V_WARNING ? "WARNING: " : "");
	markup_text(out, sentence.s);
	buf_adds(out, "</system-out></testcase>\n");
}

/* Those that were only counted. When one of them is not ok, that must not pass. */
static size_t bad_left_out(const struct summary *s)
{
	return s->left_out[V_CRITICAL] + s->left_out[V_UNKNOWN];
}

static void add_left_out(const struct summary *s, struct buf *out)
{
	const char *element = bad_left_out(s) ? "error" : "system-out";
	const size_t n = summary_checks(s) - json_array_size(s->checks);
	char count[HUMAN_SIZE];

	buf_addf(out,
		 "    <testcase classname=\"%s\" name=\"checks left out\"><%s>%s more checks were "
		 "counted only</%s></testcase>\n",
		 suite, element, human_count((int64_t)n, count), element);
}

static void add_counts(const struct summary *s, struct buf *out)
{
	const size_t kept = json_array_size(s->checks);
	const size_t failures = s->counts[V_CRITICAL] - s->left_out[V_CRITICAL];
	const size_t errors = s->counts[V_UNKNOWN] - s->left_out[V_UNKNOWN] + (bad_left_out(s) > 0);

	buf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"",
		 kept + (summary_checks(s) > kept), failures, errors,
		 (double)(s->ended_ms - s->started_ms) / 1000);
}

void junit_report(const struct summary *s, struct buf *out)
{
	JSON_AUTO *used = json_object();
	char moment[UTC_SIZE];
	const json_t *check;
	size_t i;

	buf_addf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"%s\"", suite);
	add_counts(s, out);
	buf_adds(out, ">\n  <testsuite");
	add_attribute("name", s->label[0] ? s->label : suite, out);
	add_counts(s, out);
	/* The schema knows no zone and no fraction. */
	buf_addf(out, " skipped=\"0\" timestamp=\"%.*s\"", MOMENT_LENGTH,
		 utc_format(s->started_ms, moment));
	if (s->host[0])
		add_attribute("hostname", s->host, out);
	buf_adds(out, ">\n");
	add_properties(s, out);
	json_array_foreach(s->checks, i, check)
		add_case(s, check, used, out);
	if (summary_checks(s) > json_array_size(s->checks))
		add_left_out(s, out);
	buf_adds(out, "  </testsuite>\n</testsuites>\n");
}
