#include "lib/report/outlook.h"

#include "lib/base/buf.h"
#include "lib/base/human.h"

#include <math.h>

/* Nobody can see from a week how a year will go: so many times the time that was looked at. */
static const double in_sight = 10;
static const double day_s = 24 * 3600;

static const char *human(const struct outlook_target *target, double value, char out[HUMAN_SIZE])
{
	return target->bytes ? human_bytes((uint64_t)fmax(0, value), out)
			     : human_duration(value, out);
}

static void say_growth(struct check *c, const struct forecast *f, const char *now,
		       const struct outlook_target *target, double horizon_s)
{
	BUF_AUTO late = BUF_INIT(64);
	char growth[HUMAN_SIZE], limit[HUMAN_SIZE];

	(void)human(target, f->per_day, growth);
	(void)human(target, target->value, limit);
	if (isfinite(f->days_late))
		buf_addf(&late, "to %.0f", f->days_late);
	else
		buf_adds(&late, "at the earliest");
	if (!isfinite(target->value))
		check_say(c, V_OK, "%s, %s more a day over %zu runs", now, growth, f->n);
	else if (f->days <= in_sight * f->span)
		check_say(c, f->days * day_s <= horizon_s ? V_WARNING : V_OK,
			  "%s; at this growth (%s a day over %zu runs) the %s %s is missed in "
			  "about %.0f days (%.0f %s)",
			  now, growth, f->n, limit, target->is, f->days, f->days_early, late.s);
	else
		check_say(c, V_OK, "%s, %s more a day over %zu runs: the %s %s is far", now, growth,
			  f->n, limit, target->is);
}

void outlook_say_forecast(struct check *c, const struct forecast *f, double value,
			  const struct outlook_target *target, double horizon_s)
{
	const bool few = f->kind == FORECAST_TOO_FEW;
	char now[HUMAN_SIZE], other[HUMAN_SIZE];

	(void)human(target, few ? value : f->now, now);
	if (few)
		check_say(c, V_OK,
			  "%s; too few runs%s for a forecast: %zu in %.0f days, %d in a week are "
			  "needed",
			  now, f->since ? " on this level" : "", f->n, f->span, FORECAST_FEW);
	else if (f->days <= 0)
		check_say(c, V_WARNING, "%s: the trend of %zu runs is beyond the %s of %s already",
			  now, f->n, target->is, human(target, target->value, other));
	else if (f->kind == FORECAST_GROWS)
		say_growth(c, f, now, target, horizon_s);
	else if (f->kind == FORECAST_FALLS)
		check_say(c, V_OK, "%s, %s less a day over %zu runs", now,
			  human(target, -f->per_day, other), f->n);
	else
		check_say(c, V_OK, "%s, no growth beyond noise over %zu runs", now, f->n);
}

void outlook_say_step(struct check *c, const struct forecast_step *step, double seconds,
		      double allowed)
{
	char is[HUMAN_SIZE], usual[HUMAN_SIZE];

	(void)human_duration(seconds, is);
	(void)human_duration(step->expected, usual);
	if (!step->known)
		check_say(c, V_OK, "%s; too few runs before it on this level to tell a step", is);
	else if (step->runs == 0)
		check_say(c, V_OK, "%s, by its own trend %s", is, usual);
	else if (step->runs == 1)
		check_say(c, seconds <= allowed ? V_OK : V_WARNING,
			  "%s, %.3g times its own trend (%s)", is, step->factor, usual);
	else
		check_say(c, seconds <= allowed ? V_OK : V_WARNING,
			  "%s, %.3g times its own trend (%s), and that since %zu runs", is,
			  step->factor, usual, step->runs);
}
