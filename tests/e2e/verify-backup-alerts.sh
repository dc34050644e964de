#!/bin/sh
# verify-backup tells everybody whom the configuration names, with the real tools and services that
# behave as the real ones do.
# time limit: 180 s
# sanitizers: no, its tools run under them in the other files
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need jq

unset LABEL BACKUP_SOURCE HISTORY REPORT_DIR WORK_DIR TIMEOUT PRODUCTION
alerts_start || exit 1
key=0123456789abcdef0123456789abcdef
token=abcdefghijklmnopqrstuvwx
mkdir backups
echo '<html><body>503 Service Unavailable</body></html>' >backups/shop-20261120T020000Z.dump
cat >shop.conf <<CONF
LABEL=shop
BACKUP_SOURCE=$SCRATCH/backups
WORK_DIR=$SCRATCH/work
HISTORY=$SCRATCH/history/shop.jsonl
SLACK_WEBHOOK_URL=$ALERT_TLS_URL/services/T0001/B0001/$token
PAGERDUTY_ROUTING_KEY=$key
PAGERDUTY_ENDPOINT=$ALERT_TLS_URL
WEBHOOK_URL=$ALERT_URL/hook
ALERTMANAGER_URL=$ALERT_URL
DEADMAN_URL=$ALERT_URL/ping/11111111-2222-4333-8444-555555555555
CA_FILE=$ALERT_CA
CONF
chmod 600 shop.conf

a_bad_backup() {
	expect_status 2 verify-backup shop.conf
	expect_alerts '[.[] | select(.service == "pagerduty" and .effect == "opened")] | length > 0'
	expect_alerts '[.[] | select(.service == "slack-webhook" and .accepted)] | length == 1'
	expect_alerts '[.[] | select(.service == "webhook" and .accepted)] | length == 1'
	expect_alerts '[.[] | select(.service == "alertmanager" and .accepted)] | length > 0'
	expect_alerts '[.[] | select(.path | test("/ping/[^/]*/start"))] | length == 1'
	expect_alerts '[.[] | select(.path | test("/ping/[^/]*/fail"))] | length == 1'
}

nothing_secret() {
	expect_status 2 verify-backup shop.conf
	for secret in $key $token; do
		! grep -rlF "$secret" "$OUT" "$ERR" history work 2>/dev/null | grep . || return 1
	done
	expect_status 0 verify-backup --check-config shop.conf
	for secret in $key $token; do
		! grep -F "$secret" "$OUT" "$ERR" || return 1
	done
}

a_dead_service() {
	expect_status 2 env PAGERDUTY_ENDPOINT=http://127.0.0.1:1 DELIVER_WITHIN=2s verify-backup shop.conf
	grep -q 'delivery' "$OUT"
}

t "a bad backup reaches every service that is configured" a_bad_backup
t "no secret stands in what it prints, keeps or shows" nothing_secret
t "a service that is down does not change the verdict, and the report says so" a_dead_service
