#!/bin/sh
# alert-webhook: the body, its signature, own headers; and Alertmanager.
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 openssl curl jq

ALERT_STATE_DIR=$SCRATCH/state
export ALERT_STATE_DIR

hook() {
	WEBHOOK_URL=$ALERT_TLS_URL/hook/t0kent0ken alert-webhook --ca-file "$ALERT_CA" \
		--deliver-within 6s --try-timeout 2s "$@"
}

manager() {
	ALERTMANAGER_URL=$ALERT_TLS_URL alert-webhook --alertmanager --ca-file "$ALERT_CA" \
		--deliver-within 6s --try-timeout 2s "$@"
}

fresh() {
	alerts_forget
	rm -rf "$ALERT_STATE_DIR" "$ALERT_DIR/webhook-secret"
	a_run "$1" R1 restore=ok row-count/public.orders=ok >good
	a_run "$1" R2 restore=ok row-count/public.orders=critical >bad
}

expect_delivery() {
	expect_check alert-delivery "$1" "$2"
	expect_records "any(.check == \"alert-delivery\" and .observed == \"$3\" and (.summary | test(\"${4-}\")))"
}

the_body() {
	fresh shop
	expect_status 0 hook --report-url https://ci/1 <bad
	expect_delivery ok alert-webhook delivered
	expect_alerts 'length == 1 and .[0].service == "webhook" and (.[0].json |
		.version == 1 and .kind == "trigger" and .key == "backup-probes/shop" and .label == "shop"
		and .run == "R2" and .verdict == "critical" and .report_url == "https://ci/1"
		and .runbook_url == null and .failing_count == 1 and .checks_count == 2
		and .failing[0].subject == "public.orders" and (.checks | length) == 2
		and (.headline | test("^shop: CRITICAL: row-count")))'
	expect_alerts '.[0] | .json.id == .headers["idempotency-key"] and (.json.id | length) == 26'
	expect_status 0 hook <good
	expect_status 0 hook <good
	expect_alerts '[.[].json.kind] == ["trigger", "resolve"] and .[1].json.since == .[0].json.since'
	expect_status 0 hook --when always <good
	expect_alerts 'last.json | .kind == "report" and .verdict == "ok" and .since == null'
}

the_signature() {
	fresh shop
	echo 'whsec_0123456789' >"$ALERT_DIR/webhook-secret"
	expect_status 1 hook <bad
	expect_delivery warning alert-webhook spooled 'answered 401'
	WEBHOOK_SECRET=wrong expect_status 1 hook <bad
	WEBHOOK_SECRET=whsec_0123456789 expect_status 0 hook <bad
	expect_delivery ok alert-webhook delivered '3 messages'
	WEBHOOK_SECRET_FILE=$ALERT_DIR/webhook-secret expect_status 0 hook <good
	expect_alerts '[.[] | select(.status == 200) | .notes] == [["signed"], ["signed"], ["signed"], ["signed"]]'
}

own_headers() {
	fresh shop
	printf '# who we are\nX-Team: db\r\n\nAuthorization: Bearer t0pt0pt0p' >headers
	expect_status 0 hook --headers-file headers <bad
	expect_alerts '.[0].headers | .["x-team"] == "db" and .authorization == "Bearer t0pt0pt0p"'
	expect_status 0 hook --headers-file headers --dry-run <bad
	expect_err '^Authorization: \*\*\*\*$'
	expect_not_err 't0pt0pt0p'
	echo 'no colon here t0pt0pt0p' >headers
	expect_status 1 hook --headers-file headers <bad
	expect_delivery warning alert-webhook spooled 'not a list of at most'
	expect_not_out 't0pt0pt0p'
}

# The first body cannot be taken and is set aside; those behind it go on.
a_poisoned_message() {
	fresh shop
	alerts_fault '{"status": 422, "body": "no"}'
	expect_status 1 hook <bad
	expect_delivery warning alert-webhook failed 'refused for good'
	expect_file "$ALERT_STATE_DIR/alert-webhook/shop/spool/000000000001.refused"
	expect_status 0 hook --when change <bad
	expect_alerts '[.[].json.kind] == ["trigger", "trigger"]'
}

five_hundred_tables() {
	fresh shop
	# shellcheck disable=SC2046  # words
	a_run shop R $(seq -f 'row-count/public.table_%04.0f=critical' 500) >run
	expect_status 0 hook <run
	expect_alerts '.[0].json | .failing_count == 500 and (.failing | length) == 500'
	expect_status 0 manager <run
	expect_alerts 'last.json | length == 3 and (.[0].annotations.description | test("and 480 more"))'
}

alertmanager_fires_and_resolves() {
	fresh am
	expect_status 0 manager <good
	alerts_forget
	for run in bad bad good good; do expect_status 0 manager <$run; done
	expect_delivery ok alertmanager 'not needed'
	expect_alerts '[.[].effect] == ["fired dropped dropped", "joined dropped dropped", "resolved dropped dropped"]'
	expect_alerts '[.[].json[0].labels] | unique == [{alertname: "BackupVerificationFailed",
		check: "row-count", database: "am", severity: "critical"}]'
	expect_alerts '.[0].json[0] | (.endsAt | sub("\\.[0-9]*"; "") | fromdate) - (.startsAt |
		sub("\\.[0-9]*"; "") | fromdate) == 604800'
	# Another severity is another alert there: the first has to end.
	alerts_forget
	a_run am R row-count=warning >run
	expect_status 0 manager <bad
	expect_status 0 manager --ends-after 2h <run
	expect_alerts '[.[].effect] == ["fired dropped dropped", "resolved dropped fired"]'
	alerts_forget
	alerts_fault '{"status": 400, "body": "\"bad\""}'
	expect_status 1 manager <bad
	expect_delivery warning alertmanager failed
	expect_status 0 manager --test --text
	expect_out 'the test alert was accepted: answered 200'
	expect_alerts 'last.json[0].labels.alertname == "BackupProbesTest"'
}

two_of_a_kind() {
	fresh shop
	hook <bad | hook --try-timeout 3s >"$OUT"
	expect_check alert-delivery ok alert-webhook
	expect_check alert-delivery ok alert-webhook-2
	hook <good | hook --name ops >"$OUT"
	expect_alerts '[.[].json.kind] == ["trigger", "trigger", "resolve"]'
	hook <good | hook >"$OUT"
	expect_alerts '[.[].json.kind] == ["trigger", "trigger", "resolve", "resolve"]'
}

configuration() {
	fresh shop
	expect_status 1 alert-webhook <bad
	expect_delivery warning alert-webhook spooled 'find WEBHOOK_URL'
	WEBHOOK_URL='not an address t0pt0pt0p' expect_status 1 alert-webhook <bad
	expect_not_out t0pt0pt0p
	WEBHOOK_URL=ftp://localhost/t0pt0pt0p expect_status 1 alert-webhook <bad
	expect_not_out t0pt0pt0p
	expect_delivery warning alert-webhook spooled 'send to ftp://localhost'
	echo "$ALERT_TLS_URL/hook" >url
	alerts_forget
	expect_status 0 alert-webhook --url-file url --ca-file "$ALERT_CA" <good
	expect_alerts '[.[].json.kind] == ["trigger", "reminder", "reminder", "resolve"]'
	WEBHOOK_URL_FILE=url expect_status 0 alert-webhook --ca-file "$ALERT_CA" <good
}

alerts_start || exit
t "the body" the_body
t "the signature" the_signature
t "own headers" own_headers
t "a message that is refused for good" a_poisoned_message
t "500 failing tables" five_hundred_tables
t "Alertmanager: fires and resolves" alertmanager_fires_and_resolves
t "two of a kind in one pipeline" two_of_a_kind
t "configuration" configuration
