#include "lib/report/csv.h"

#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/report/rows.h"

#include <inttypes.h>
#include <string.h>

enum { PIECE_MAX = 256 * 1024 };

static void add_text(const char *s, struct buf *out)
{
	BUF_AUTO safe = BUF_INIT(PIECE_MAX);

	text_safe(&safe, s);
	buf_addc(out, '"');
	if (*safe.s && strchr("=+-@", *safe.s))
		buf_addc(out, '\'');
	for (const char *p = safe.s; *p; p++) {
		if (*p == '"')
			buf_addc(out, '"');
		buf_addc(out, *p);
	}
	buf_addc(out, '"');
}

/* A number as it is, text as text, anything else as nothing. */
static void add_value(const json_t *v, struct buf *out)
{
	if (json_is_integer(v))
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		buf_addf(out, "%.15g", json_real_value(v));
	else if (json_is_string(v))
		add_text(json_string_value(v), out);
}

/* metric: NULL for a check without any. */
static void add_line(const struct summary *s, const json_t *check, const json_t *metric,
		     struct buf *out)
{
	static const char *const of_check[] = { "tool", "check", "subject", "status" };
	static const char *const of_metric[] = { "unit", "warn", "crit" };
	BUF_AUTO sentence = BUF_INIT(PIECE_MAX);
	char at[UTC_SIZE];

	rows_sentence(s, check, &sentence);
	add_text(s->label, out);
	buf_addc(out, ',');
	add_text(s->run, out);
	buf_addf(out, ",%s", utc_format(s->ended_ms, at));
	for (size_t i = 0; i < sizeof(of_check) / sizeof(of_check[0]); i++) {
		buf_addc(out, ',');
		add_text(record_word(check, of_check[i]), out);
	}
	buf_addc(out, ',');
	add_text(sentence.s, out);
	buf_addc(out, ',');
	add_value(json_object_get(check, "expected"), out);
	buf_addc(out, ',');
	add_value(json_object_get(check, "observed"), out);
	buf_addc(out, ',');
	add_text(record_word(metric, "name"), out);
	buf_addc(out, ',');
	add_value(json_object_get(metric, "value"), out);
	for (size_t i = 0; i < sizeof(of_metric) / sizeof(of_metric[0]); i++) {
		buf_addc(out, ',');
		add_text(record_word(metric, of_metric[i]), out);
	}
	buf_adds(out, "\r\n");
}

void csv_report(const struct summary *s, struct buf *out)
{
	const json_t *check, *metric;
	size_t i, m;

	buf_adds(out, "label,run,at,tool,check,subject,status,summary,expected,observed,"
		      "metric,value,unit,warn,crit\r\n");
	json_array_foreach(s->checks, i, check) {
		const json_t *metrics = json_object_get(check, "metrics");

		if (json_array_size(metrics) == 0)
			add_line(s, check, NULL, out);
		json_array_foreach(metrics, m, metric)
			add_line(s, check, metric, out);
	}
}
