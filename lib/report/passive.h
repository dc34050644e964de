#ifndef LIB_REPORT_PASSIVE_H
#define LIB_REPORT_PASSIVE_H
/*
 * passive: the verdict for a monitoring server that does not ask but is told: the plugin's line
 * (nagios.h) in the wrappings that such servers take.
 *
 *	nsca       "HOST<TAB>SERVICE<TAB>STATE<TAB>OUTPUT", the standard input of send_nsca
 *	nrdp       the XMLDATA of NRDP's "submitcheck", nrdp-json its JSONDATA
 *	icinga2    the body of /v1/actions/process-check-result (Icinga 2 API); names are filter
 *	           variables there, so that none of them can be an expression
 *
 * A result that is not renewed is stale: the server's freshness check (for icinga2 ttl_s) says so.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

struct passive {
	const char *host, *service; /* as the server calls them; service NULL: "backup LABEL" */
	uint64_t ttl_s;             /* 0: none */
};

/* title may be NULL. */
void passive_nsca(const struct summary *s, const struct passive *to, const char *title,
		  struct buf *out);
void passive_nrdp(const struct summary *s, const struct passive *to, const char *title,
		  struct buf *out);
void passive_nrdp_json(const struct summary *s, const struct passive *to, const char *title,
		       struct buf *out);
void passive_icinga2(const struct summary *s, const struct passive *to, const char *title,
		     struct buf *out);
#endif
