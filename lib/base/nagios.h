#ifndef LIB_BASE_NAGIOS_H
#define LIB_BASE_NAGIOS_H
/*
 * nagios: check records as the one line of a monitoring plugin (Monitoring Plugins guidelines,
 * "Plugin Output" and "Performance data"):
 *
 *	NAME STATUS - summary; summary | 'label'=value[unit];warn;crit;min;max ...
 *
 * Labels lose '=' and quotes, numbers have no exponent, units that plugins do not know ("rows",
 * "ratio") are dropped, '|' in text becomes '/'. The first line stays below 4 KiB: worst checks
 * come first, the rest is counted. A label that would stand there twice gets the check's subject or
 * its name in front.
 */
#include "lib/base/buf.h"
#include "lib/base/verdict.h"

#include <jansson.h>

/* checks: an array of check records. */
void nagios_line(struct buf *out, const char *name, enum verdict status, const json_t *checks);

/* The same with a sentence of the caller's. */
void nagios_say(struct buf *out, const char *name, enum verdict status, const char *sentence,
		const json_t *checks);

/* One check's metrics as performance data, without the leading blank; nothing when it has none.
 * prefix (may be NULL) is put before each label. */
void nagios_perfdata(struct buf *out, const json_t *check, const char *prefix);
#endif
