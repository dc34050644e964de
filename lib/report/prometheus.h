#ifndef LIB_REPORT_PROMETHEUS_H
#define LIB_REPORT_PROMETHEUS_H
/*
 * prometheus: the run as metrics in the text format 0.0.4, for the textfile collector of
 * node_exporter or a push. Times are values ("..._timestamp_seconds"), for a sample with a time of
 * its own makes the collector skip the file. A family's samples stand together, and none is there
 * twice.
 *
 *	backup_run_*, backup_verified, backup_last_verified_timestamp_seconds, ...: this run
 *	backup_check_status{check,subject}: 0 ok, 1 warning, 2 critical, 3 unknown; the worst of a
 * name backup_probe_METRIC{check,subject}: what the checks measured, in base units
 *
 * The checks are those of rows_table(): a thousand tables that are ok do not make a thousand
 * series.
 */
#include "lib/base/buf.h"
#include "lib/report/past.h"
#include "lib/report/summary.h"

/* past: tells when a backup was last verified, if this run verified none. */
void prometheus_report(const struct summary *s, const struct past *past, struct buf *out);

/* The family for a metric: a name that the data model takes, with the unit at its end; one whose
 * end means something else to Prometheus gets "_value". */
void prometheus_name(const char *metric, const char *unit, struct buf *out);
#endif
