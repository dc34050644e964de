#ifndef LIB_REPORT_SUBMIT_H
#define LIB_REPORT_SUBMIT_H
/*
 * submit: a report handed to a server over HTTP, with retries (courier.h).
 *
 * Each kind of server has its own variables for what is secret, each also as NAME_FILE and as a
 * credential (secret.h): PUSHGATEWAY_URL, NRDP_URL, ICINGA2_URL where the address was not given;
 * NRDP_TOKEN; PUSHGATEWAY_USER and _PASSWORD, ICINGA2_USER and _PASSWORD. An address that holds a
 * password is refused, and so is a secret over http:// to another machine. No message repeats more
 * of an address than its host.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum submit_kind {
	SUBMIT_NONE,
	SUBMIT_PUSHGATEWAY,
	SUBMIT_NRDP,
	SUBMIT_NRDP_JSON,
	SUBMIT_ICINGA2,
	SUBMIT_KINDS
};

/* What one kind of server wants to be shown. */
struct submit_keys {
	struct secret url, user, password, token;
};

/* Who submits: start from its first three fields and 0. A secret is taken out of the environment
 * when it is first needed, and kept until submitter_wipe(). */
struct submitter {
	const char *ca_file; /* NULL: the system's certificates */
	uint64_t within_s;   /* for all tries of one report */
	const char *label;   /* the run's; part of the group of metrics at a Pushgateway */
	struct submit_keys keys[SUBMIT_KINDS];
};

/* url: NULL: from the environment. Accepted by the server: 0; else -1 with *e. */
int submit(struct submitter *from, enum submit_kind kind, const char *url, const struct buf *report,
	   struct err *e);
void submitter_wipe(struct submitter *from);

/* ".../metrics/job/backup_probes/database/LABEL", unless the address names a job itself. */
void submit_pushgateway_url(const char *base, const char *label, struct buf *out);
#endif
