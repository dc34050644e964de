#include "lib/base/range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A plain decimal up to `stop`: strtod(3) alone would take blanks, exponents, hexadecimal and the
 * words for infinity, none of which belongs into a threshold or into performance data. */
static bool decimal(const char *s, const char *stop, double *out)
{
	const char *p = s + (*s == '-');
	const size_t whole = strspn(p, "0123456789");
	size_t part;

	if (whole == 0)
		return false;
	p += whole;
	if (*p == '.') {
		part = strspn(++p, "0123456789");
		if (part == 0)
			return false;
		p += part;
	}
	*out = strtod(s, NULL);
	return p == stop && isfinite(*out);
}

static bool bounds(const char *s, struct range *r)
{
	const char *colon = strchr(s, ':');
	const char *const stop = s + strlen(s);

	r->start = 0;
	r->end = INFINITY;
	if (colon == NULL)
		return decimal(s, stop, &r->end) && r->start <= r->end;
	if (colon == s + 1 && *s == '~')
		r->start = -INFINITY;
	else if (!decimal(s, colon, &r->start))
		return false;
	if (colon + 1 != stop && !decimal(colon + 1, stop, &r->end))
		return false;
	return r->start <= r->end;
}

int range_parse(const char *s, struct range *out, struct err *e)
{
	const size_t len = strlen(s);
	struct range r = { .inside = *s == '@', .set = true };

	if (len >= sizeof(r.text) || !bounds(s + r.inside, &r))
		return err_set(
			e, ERR_USAGE,
			"'%.64s' is not a range; write [@][START:]END, such as 10, 10:, ~:10, "
			"10:20 or @10:20",
			s);
	memcpy(r.text, s, len + 1);
	*out = r;
	return 0;
}

bool range_alerts(const struct range *r, double value)
{
	if (!r->set)
		return false;
	if (isnan(value))
		return true;
	return (value >= r->start && value <= r->end) == r->inside;
}

enum verdict range_judge(const struct range *warn, const struct range *crit, double value)
{
	if (isnan(value) && (warn->set || crit->set))
		return V_UNKNOWN;
	if (range_alerts(crit, value))
		return V_CRITICAL;
	return range_alerts(warn, value) ? V_WARNING : V_OK;
}
