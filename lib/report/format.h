#ifndef LIB_REPORT_FORMAT_H
#define LIB_REPORT_FORMAT_H
/*
 * format: the reports that there are, by name.
 */
#include "lib/base/buf.h"
#include "lib/report/passive.h"
#include "lib/report/past.h"
#include "lib/report/submit.h"
#include "lib/report/summary.h"

#include <stdbool.h>
#include <stddef.h>

/* What every report is made from. */
struct view {
	const struct summary *s;
	const struct past *past;  /* earlier runs, for a format that asks for them */
	const char *title;        /* NULL: "backup of LABEL" */
	bool colour, quiet;       /* of the text report */
	struct passive monitored; /* whom a monitoring server is told about */
};

struct format {
	const char *name;
	bool past;               /* it shows earlier runs */
	bool to_stderr;          /* where it goes without a file */
	enum submit_kind submit; /* the server that takes it */
	void (*render)(const struct view *view, struct buf *out);
};

/* The names that format_find() knows, in words. */
#define FORMAT_NAMES \
	"text, markdown, html, json, record, nagios, junit, prometheus, pushgateway, github, " \
	"gitlab, csv, " \
	"nsca, nrdp, nrdp-json or icinga2"

/* NULL: there is none of that name, which is len bytes long. */
const struct format *format_find(const char *name, size_t len);

#endif
