#ifndef LIB_REPORT_ORDER_H
#define LIB_REPORT_ORDER_H
/*
 * order: one report that was asked for, as FORMAT[=TARGET]: what is written, and where it goes.
 *
 * TARGET is a file, "-" for standard output, or, for a format that a server takes, its address.
 * Such a format without a target goes to the address in the environment (submit.h); to a file goes
 * what the server would get, without the secrets.
 */
#include "lib/base/err.h"
#include "lib/report/format.h"
#include "lib/report/submit.h"

#include <stdbool.h>
#include <stddef.h>

struct order {
	const struct format *format;
	const char *path; /* NULL: standard output (or error) */
	const char *url;  /* NULL: from the environment */
	bool sent;        /* to a server, and not to path */
};

struct orders {
	struct order *v;
	size_t n;
};

/* Does it end on standard output, and not in a file or at a server? */
bool order_is_shown(const struct order *o);

/* Adds what value says; its parts are borrowed. ERR_USAGE when it says nothing that there is. */
int orders_add(struct orders *list, const char *value, struct err *e);
void orders_free(struct orders *list);

/* Does one of them show earlier runs? */
bool orders_show_past(const struct orders *list);

/* Makes the report, of *size bytes, and brings it to where it goes. */
int order_carry_out(const struct order *o, const struct view *view, struct submitter *with,
		    size_t *size, struct err *e);
#endif
