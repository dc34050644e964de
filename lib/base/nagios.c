#include "lib/base/nagios.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Nagios Core takes 8 KiB and older transports much less; the text comes first, so that a cut costs
 * figures and never the verdict. */
enum {
	TEXT_MAX = 1024,
	FINDING_MAX = 400,
	PERF_MAX = 2560,
	WHOLE_MAX = 256 * 1024,
	NUMBER_SIZE = 32,
	BOUND_SIZE = 64
};

/* What fits 64 bits with six places after the point, and without them. */
static const double millionths_max = 9e12, whole_max = 9e18;

static const enum verdict order[] = { V_CRITICAL, V_UNKNOWN, V_WARNING, V_OK };

enum { ORDERS = sizeof(order) / sizeof(order[0]) };

static const char *field(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

static enum verdict status_of(const json_t *check)
{
	enum verdict v;

	(void)verdict_parse(field(check, "status"), &v);
	return v;
}

/* Text before the '|': one line, and no '|' of its own. */
static void add_plain(struct buf *out, const char *s)
{
	const size_t at = out->len;

	text_safe(out, s);
	for (size_t i = at; i < out->len; i++)
		if (out->s[i] == '|')
			out->s[i] = '/';
}

static void add_upper(struct buf *out, const char *s)
{
	const size_t at = out->len;

	add_plain(out, s);
	for (size_t i = at; i < out->len; i++)
		if (out->s[i] >= 'a' && out->s[i] <= 'z')
			out->s[i] = (char)(out->s[i] - 'a' + 'A');
}

/* Up to six places after the point, no trailing zeros. */
static void real(double v, char out[NUMBER_SIZE])
{
	const int64_t millionths = llround(fabs(v) * 1e6);
	int64_t part = millionths % 1000000;
	char *at = out + snprintf(out, NUMBER_SIZE - 8, "%s%" PRId64,
				  v < 0 && millionths ? "-" : "", millionths / 1000000);

	if (part)
		*at++ = '.';
	for (int64_t place = 100000; part; part %= place, place /= 10)
		*at++ = (char)('0' + part / place);
	*at = '\0';
}

/* A JSON number without an exponent, or "U": could not be determined. */
static const char *number(const json_t *v, char out[NUMBER_SIZE])
{
	const double size = fabs(json_number_value(v));

	if (json_is_integer(v))
		(void)snprintf(out, NUMBER_SIZE, "%" PRId64, (int64_t)json_integer_value(v));
	else if (json_is_real(v) && size < millionths_max)
		real(json_real_value(v), out);
	else if (json_is_real(v) && size < whole_max)
		(void)snprintf(out, NUMBER_SIZE, "%lld", llround(json_real_value(v)));
	else
		return "U";
	return out;
}

/* A threshold or bound: text in the grammar of ranges, or a number; anything else is left out. */
static void add_bound(struct buf *out, const json_t *v)
{
	const char *s = json_string_value(v);
	char text[NUMBER_SIZE];

	if (s && strlen(s) < BOUND_SIZE && s[strspn(s, "0123456789.-:~@")] == '\0')
		buf_adds(out, s);
	else if (json_is_number(v) && strcmp(number(v, text), "U") != 0)
		buf_adds(out, number(v, text));
}

static void add_label(struct buf *out, const char *prefix, const char *name)
{
	const size_t at = out->len;

	if (prefix) {
		add_plain(out, prefix);
		buf_addc(out, '_');
	}
	add_plain(out, name);
	for (size_t i = at; i < out->len; i++)
		if (strchr("='\"", out->s[i]))
			out->s[i] = '_';
}

static void add_metric(struct buf *out, const json_t *metric, const char *prefix)
{
	static const char *const bounds[] = { "warn", "crit", "min", "max" };
	const char *unit = field(metric, "unit");
	char text[NUMBER_SIZE];
	const char *value = number(json_object_get(metric, "value"), text);

	buf_addc(out, '\'');
	add_label(out, prefix, field(metric, "name"));
	buf_addf(out, "'=%s", value);
	if (*value != 'U' && (strcmp(unit, "s") == 0 || strcmp(unit, "B") == 0))
		buf_adds(out, unit);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		buf_addc(out, ';');
		add_bound(out, json_object_get(metric, bounds[i]));
	}
	while (out->s[out->len - 1] == ';')
		out->s[--out->len] = '\0';
}

void nagios_perfdata(struct buf *out, const json_t *check, const char *prefix)
{
	const json_t *metrics = json_object_get(check, "metrics"), *m;
	bool first = true;
	size_t i;

	json_array_foreach(metrics, i, m) {
		if (*field(m, "name") == '\0')
			continue;
		if (!first)
			buf_addc(out, ' ');
		first = false;
		add_metric(out, m, prefix);
	}
}

static void add_finding(struct buf *out, const json_t *check, bool titled)
{
	const char *subject = field(check, "subject");

	if (titled && *subject) {
		add_plain(out, subject);
		buf_addc(out, ' ');
		text_words(out, field(check, "check"));
		buf_adds(out, ": ");
	} else if (titled) {
		text_title(out, field(check, "check"));
		buf_adds(out, ": ");
	}
	add_plain(out, field(check, "summary"));
}

static bool has_metric(const json_t *check, const char *name)
{
	const json_t *metrics = json_object_get(check, "metrics"), *m;
	size_t i;

	json_array_foreach(metrics, i, m)
		if (strcmp(field(m, "name"), name) == 0)
			return true;
	return false;
}

static bool shares_a_metric(const json_t *a, const json_t *b)
{
	const json_t *metrics = json_object_get(a, "metrics"), *m;
	size_t i;

	json_array_foreach(metrics, i, m)
		if (has_metric(b, field(m, "name")))
			return true;
	return false;
}

/* What tells this check's labels from those of the others; NULL where nothing has to. */
static const char *prefix_of(const json_t *checks, const json_t *check)
{
	const char *name = field(check, "check"), *prefix = NULL;
	const json_t *other;
	size_t i;

	json_array_foreach(checks, i, other) {
		if (other == check)
			continue;
		if (*field(check, "subject") && strcmp(field(other, "check"), name) == 0)
			return field(check, "subject");
		if (prefix == NULL && shares_a_metric(check, other))
			prefix = name;
	}
	return prefix;
}

/* The figures of as many checks as fit, the worst first. */
static void add_perf(struct buf *out, const json_t *checks)
{
	BUF_AUTO perf = BUF_INIT(WHOLE_MAX);
	BUF_AUTO one = BUF_INIT(WHOLE_MAX);
	const json_t *check;
	size_t i;

	for (size_t o = 0; o < ORDERS; o++) {
		json_array_foreach(checks, i, check) {
			if (status_of(check) != order[o] ||
			    json_array_size(json_object_get(check, "metrics")) == 0)
				continue;
			buf_reset(&one);
			nagios_perfdata(&one, check, prefix_of(checks, check));
			if (perf.len + one.len + 1 > PERF_MAX)
				goto full;
			buf_adds(&perf, perf.len ? " " : "");
			buf_add(&perf, one.s, one.len);
		}
	}
full:
	if (perf.len)
		buf_addf(out, " | %s", perf.s);
}

/* One overlong finding must not push out the others: cut between characters. */
static void cut(struct buf *one)
{
	if (one->len <= FINDING_MAX)
		return;
	one->len = FINDING_MAX;
	while (((unsigned char)one->s[one->len] & 0xc0) == 0x80)
		one->len--;
	one->s[one->len] = '\0';
	buf_adds(one, "...");
}

/* The findings of as many checks as fit, the worst first. */
static void add_findings(struct buf *out, const json_t *checks)
{
	const bool titled = json_array_size(checks) > 1;
	size_t shown = 0, left_out = 0, i;
	const json_t *check;

	for (size_t o = 0; o < ORDERS; o++) {
		json_array_foreach(checks, i, check) {
			BUF_AUTO one = BUF_INIT(WHOLE_MAX);

			if (status_of(check) != order[o])
				continue;
			if (left_out == 0)
				add_finding(&one, check, titled);
			cut(&one);
			if (left_out || out->len + one.len + 2 > TEXT_MAX) {
				left_out++;
				continue;
			}
			buf_adds(out, shown++ ? "; " : "");
			buf_add(out, one.s, one.len);
		}
	}
	if (left_out)
		buf_addf(out, " and %zu more checks", left_out);
	if (shown == 0)
		buf_adds(out, "nothing was checked");
}

void nagios_say(struct buf *out, const char *name, enum verdict status, const char *sentence,
		const json_t *checks)
{
	BUF_AUTO one = BUF_INIT(WHOLE_MAX);

	add_upper(out, name);
	buf_addc(out, ' ');
	add_upper(out, verdict_name(status));
	buf_adds(out, " - ");
	add_plain(&one, sentence);
	buf_add(out, one.s, one.len);
	add_perf(out, checks);
}

void nagios_line(struct buf *out, const char *name, enum verdict status, const json_t *checks)
{
	BUF_AUTO sentence = BUF_INIT(WHOLE_MAX);

	add_findings(&sentence, checks);
	nagios_say(out, name, status, sentence.s, checks);
}
