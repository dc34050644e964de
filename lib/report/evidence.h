#ifndef LIB_REPORT_EVIDENCE_H
#define LIB_REPORT_EVIDENCE_H
/*
 * evidence: what an auditor asks for, of one run: scope, method, times, results, exceptions, who,
 * with which tool and configuration, where it is remembered; mapped to the controls that ask for
 * tested backups. A failed run is evidence, too. No row of the database is in it, and no secret.
 *
 * A control is "supported" by a run that ended well and has the checks that show it, else not, with
 * the reason; whether it is met is the auditor's word. The controls: SOC 2 A1.2 and A1.3
 * (Trust Services Criteria), ISO/IEC 27001:2022 A.8.13, DORA (EU 2022/2554) article 12, NIST SP
 * 800-53 r5 CP-4 and CP-9, HIPAA 45 CFR 164.308(a)(7)(ii)(D).
 */
#include "lib/base/buf.h"
#include "lib/base/chain.h"
#include "lib/base/err.h"
#include "lib/report/summary.h"

struct evidence {
	const struct summary *s;
	const char *reference;         /* a ticket, a policy; NULL: none */
	const char *history;           /* where the run is remembered; NULL: nowhere */
	const struct chain_head *head; /* of that history, with this run */
};

/* To PATH.md and PATH.json. */
int evidence_put(const struct evidence *ev, const char *path, struct err *e);

/* The whole of it as one object (docs/evidence.schema.json); the caller's. run: as run_object()
 * makes it: what it says of itself is repeated. */
json_t *evidence_object(const struct evidence *ev, json_t *run);

/* The same to be read; object is what evidence_object() made. */
void evidence_markdown(json_t *object, struct buf *out);
#endif
