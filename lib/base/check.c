#include "lib/base/check.h"

#include "lib/base/buf.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* So that a record stays under RECORD_MAX whatever was found. */
enum { SUBJECT_MAX = 1024, SUMMARY_MAX = 4096, VALUE_MAX = 4096, METRICS_MAX = 64 };

static json_t *bounded(const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	return record_string(s, n);
}

void check_init(struct check *c, const char *name, const char *subject)
{
	*c = (struct check){ .object = json_object(), .status = V_UNKNOWN };
	json_object_set_new(c->object, "check", bounded(name, SUBJECT_MAX));
	json_object_set_new(c->object, "subject", bounded(subject, SUBJECT_MAX));
	json_object_set_new(c->object, "status", json_string(verdict_name(V_UNKNOWN)));
	json_object_set_new(c->object, "summary", json_string("nothing was found out"));
}

void check_say(struct check *c, enum verdict status, const char *fmt, ...)
{
	BUF_AUTO b = BUF_INIT(2 * SUMMARY_MAX + 8);
	char text[SUMMARY_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->said && status != c->status && verdict_worst(status, c->status) == c->status)
		return;
	if (c->said && status == c->status)
		buf_addf(&b, "%s; ", record_text(c->object, "summary"));
	buf_adds(&b, text);
	c->said = true;
	c->status = status;
	json_object_set_new(c->object, "status", json_string(verdict_name(status)));
	json_object_set_new(c->object, "summary", bounded(b.s, SUMMARY_MAX));
}

void check_observed_int(struct check *c, int64_t v)
{
	json_object_set_new(c->object, "observed", json_integer(v));
}

void check_observed_text(struct check *c, const char *s)
{
	json_object_set_new(c->object, "observed", bounded(s, VALUE_MAX));
}

void check_expected_int(struct check *c, int64_t v)
{
	json_object_set_new(c->object, "expected", json_integer(v));
}

void check_expected_text(struct check *c, const char *s)
{
	json_object_set_new(c->object, "expected", bounded(s, VALUE_MAX));
}

void check_field(struct check *c, const char *name, json_t *value)
{
	json_object_set_new(c->object, name, value);
}

static void add_metric(struct check *c, const char *name, json_t *value, const char *unit)
{
	json_t *m;

	if (c->metrics == NULL) {
		c->metrics = json_array();
		json_object_set_new(c->object, "metrics", c->metrics);
	}
	if (json_array_size(c->metrics) >= METRICS_MAX) {
		json_decref(value);
		return;
	}
	m = json_object();
	json_object_set_new(m, "name", bounded(name, SUBJECT_MAX));
	json_object_set_new(m, "value", value);
	json_object_set_new(m, "unit", json_string(unit));
	json_array_append_new(c->metrics, m);
}

void check_metric_int(struct check *c, const char *name, int64_t v, const char *unit)
{
	add_metric(c, name, json_integer(v), unit);
}

void check_metric_real(struct check *c, const char *name, double v, const char *unit)
{
	/* JSON has no NaN and no infinity: a figure that could not be computed is left out. */
	if (isfinite(v))
		add_metric(c, name, json_real(v), unit);
}

static json_t *last_metric(const struct check *c)
{
	size_t n = json_array_size(c->metrics);

	return n ? json_array_get(c->metrics, n - 1) : NULL;
}

static void set_text(json_t *object, const char *name, const char *value)
{
	if (object && value && value[0])
		json_object_set_new(object, name, json_string(value));
}

void check_metric_limits(struct check *c, const char *warn, const char *crit)
{
	set_text(last_metric(c), "warn", warn);
	set_text(last_metric(c), "crit", crit);
}

void check_metric_bounds(struct check *c, const char *min, const char *max)
{
	set_text(last_metric(c), "min", min);
	set_text(last_metric(c), "max", max);
}

void check_ranges(struct check *c, const struct range *warn, const struct range *crit, double value)
{
	enum verdict v = range_judge(warn, crit, value);

	check_metric_limits(c, warn->set ? warn->text : NULL, crit->set ? crit->text : NULL);
	if (v != V_OK)
		check_say(c, v, "%s is outside the threshold %s",
			  record_text(last_metric(c), "name"),
			  v == V_CRITICAL ? crit->text : warn->text);
}

void check_drop(struct check *c)
{
	json_decref(c->object);
	*c = (struct check){ 0 };
}
