#ifndef LIB_ALERT_ALERTMANAGER_H
#define LIB_ALERT_ALERTMANAGER_H
/*
 * alertmanager: an alert as Prometheus Alertmanager's API v2 takes it (prometheus/alertmanager,
 * api/v2/openapi.yaml: POST /api/v2/alerts, an array).
 *
 * An alert's identity there is its set of labels, so nothing that changes from run to run may be a
 * label. Routing wants the severity as one, though. So each message carries all three severities:
 * the present one firing, the others over (an end for what never fired is not notified); a resolve
 * ends all three. A firing alert ends by itself after ttl_s, which must be longer than the time
 * to the next run: silence must not look like recovery.
 *
 * labels: alertname BackupVerificationFailed, database (the label), check, severity
 * annotations: summary, description, runbook_url
 */
#include "lib/alert/alert.h"

#include <jansson.h>
#include <stdint.h>

/* {"alerts":[...]}: the caller's. */
json_t *alertmanager_compose(const struct alert *a, uint64_t ttl_s);
#endif
