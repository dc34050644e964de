#!/bin/sh
# ping-deadman against four kinds of dead-man's switches.
# sanitizers: no, what it sends and reads is covered by unit tests under them
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 openssl curl jq

uuid=7d0bee08-0cf4-4bcf-8bbf-0a4e5f3d3a2b

ping() {
	address=$1
	shift
	DEADMAN_URL=$ALERT_TLS_URL$address ping-deadman --ca-file "$ALERT_CA" --deliver-within 6s \
		--try-timeout 2s "$@"
}

fresh() {
	alerts_forget
	a_run shop R1 restore=ok row-count/public.orders=ok >good
	a_run shop R2 restore=ok row-count/public.orders=critical >bad
	a_run shop R3 restore=ok row-count/public.orders=warning >so_so
	a_run shop R4 listing=ok >listed
}

expect_delivery() {
	expect_check alert-delivery "$1" ping-deadman
	expect_records "any(.check == \"alert-delivery\" and .observed == \"$2\" and (.summary | test(\"${3-}\")))"
}

healthchecks() {
	fresh
	expect_status 0 ping /$uuid <good
	grep -v ping-deadman "$OUT" | cmp - good
	expect_delivery ok delivered 'success was sent'
	expect_status 0 ping /ping/$uuid <bad
	expect_delivery ok delivered 'failure was sent'
	expect_status 0 ping /abcdefghijklmnopqrstuv/slug?create=1 --exit-status <bad
	expect_status 0 ping /$uuid --exit-status <good
	expect_alerts '[.[].effect] == ["start", "success", "start", "fail", "start", "fail", "start", "success"]'
	expect_alerts '[.[].query.rid] | [.[range(0; 8; 2)]] == [.[range(1; 8; 2)]] and (unique | length) == 4'
	expect_alerts 'all(.notes == [] and .method == "POST")'
	expect_alerts '.[3].body == "shop: CRITICAL\ncritical: row-count public.orders: it is critical\n"'
	expect_alerts '.[5].path == "/abcdefghijklmnopqrstuv/slug/2" and .[5].query.create == "1" and .[7].path == "/'$uuid'/0"'
}

cronitor() {
	fresh
	for run in good so_so bad; do expect_status 0 ping /p/key/monitor --style cronitor <$run; done
	expect_alerts '[.[].effect] == ["run", "complete", "run", "complete", "run", "fail"]'
	expect_alerts 'all(.notes == [] and .status == 200 and .method == "GET")'
	expect_alerts 'last | .query.message == "shop: CRITICAL critical: row-count public.orders: it is critical "
		and .lists.metric[1] == "error_count:1" and (.lists.metric[0] | test("^duration:[0-9]+\\.[0-9]{3}$"))'
}

kuma() {
	fresh
	for run in good bad; do expect_status 0 ping '/api/push/t0k?status=up&msg=OK&ping=' <$run; done
	expect_alerts '[.[].effect] == ["up", "down"] and all(.notes == [] and .status == 200)'
	expect_alerts '.[0].query.ping | test("^[0-9]+$")'
	expect_status 1 ping /api/push/unknown <good
	expect_delivery warning failed 'answered 500'
}

better_stack() {
	fresh
	for run in good bad; do expect_status 0 ping /api/v1/heartbeat/abc <$run; done
	expect_status 0 ping /api/v1/heartbeat/abc --exit-status <bad
	expect_alerts '[.[].path] == ["/api/v1/heartbeat/abc", "/api/v1/heartbeat/abc/fail", "/api/v1/heartbeat/abc/2"]
		and all(.status == 200)'
}

# The one thing that must never happen: a success for what was not verified.
success_needs_proof() {
	fresh
	expect_status 0 ping /$uuid --no-start <so_so
	expect_alerts '[.[].effect] == ["success"]'
	alerts_forget
	expect_status 0 ping /$uuid --no-start <listed
	expect_status 0 ping /$uuid --no-start </dev/null
	sed '$d' good | expect_status 0 ping /$uuid --no-start
	expect_status 0 ping /$uuid --no-start --from warning <so_so
	expect_status 0 ping /$uuid --no-start --expect fetch-latest <good
	a_run shop R restore=ok restore=unknown >run
	expect_status 0 ping /$uuid --no-start --from critical <run
	expect_alerts 'length == 6 and all(.effect == "fail")'
	expect_alerts '.[0].body | test("no check \"restore\" passed, so no backup was verified")'
	alerts_forget
	expect_status 0 ping /$uuid --no-start --proof listing <listed
	expect_alerts '[.[].effect] == ["success"]'
}

# The switch learns at once that a run began, and records do not wait for it.
start_comes_first() {
	fresh
	alerts_fault '{"path": "/start$", "how": "slow", "seconds": 1.5}'
	(
		head -n 2 good
		sleep 1
		cat "$ALERT_DIR/requests.jsonl" >seen
		wc -l <"$OUT" >lines
		tail -n +3 good
	) | expect_status 0 ping /$uuid
	[ "$(cat lines)" -ge 3 ]
	jq -es 'length == 1 and .[0].path == "/'$uuid'/start"' seen
	expect_alerts '[.[].effect] == ["start", "success"]'
}

bad_networks() {
	while read -r fault verdict times; do
		fresh
		alerts_fault "$fault"
		status=1
		if [ "$verdict" = ok ]; then status=0; fi
		expect_status $status ping /$uuid --no-start <good
		expect_check alert-delivery "$verdict" ping-deadman
		expect_alerts "length == $times"
		expect_not_out $uuid
		expect_not_err $uuid
	done <<-FAULTS
		{"status":404} warning 1
		{"status":409} warning 1
		{"error":"invalid_uuid_format"} warning 1
		{"status":503} ok 2
		{"retry_after":1} ok 2
		{"retry_after":3600} warning 1
		{"how":"stall"} ok 2
		{"how":"close"} ok 2
		{"how":"connect-reset"} ok 2
		{"how":"redirect","location":"$ALERT_TLS_URL/$uuid"} warning 1
	FAULTS
	# A start that fails is said on standard error, and no more.
	fresh
	alerts_fault '{"path": "/start$", "status": 404}'
	expect_status 0 ping /$uuid <good
	expect_err '^ping-deadman: start: send to https://localhost:[0-9]*: answered 404'
	expect_not_err $uuid
}

configuration() {
	fresh
	expect_status 1 ping-deadman <good
	expect_delivery warning failed 'find DEADMAN_URL'
	grep -v ping-deadman "$OUT" | cmp - good
	DEADMAN_URL='not a t0pt0pt0p address' expect_status 1 ping-deadman <good
	expect_delivery warning failed 'no http or https URL'
	expect_not_out t0pt0pt0p
	expect_status 3 ping /$uuid --style carrier-pigeon <good
	expect_status 3 ping /$uuid --nagios <good
	expect_status 3 ping /$uuid operand <good
	expect_status 0 ping /$uuid --test --text
	[ "$(wc -l <"$OUT")" -eq 1 ]
	expect_alerts '[.[].effect] == ["fail"] and (.[0].body | test("^TEST"))'
	alerts_fault '{"status": 404}'
	expect_status 3 ping /$uuid --test --text
	alerts_forget
	expect_status 0 ping /$uuid --dry-run <good
	expect_err '^POST https://localhost:[0-9]*/\*\*\*\*$'
	expect_not_err $uuid
	expect_alerts 'length == 0'
}

alerts_start || exit
t "healthchecks" healthchecks
t "Cronitor" cronitor
t "Uptime Kuma" kuma
t "Better Stack" better_stack
t "success needs proof" success_needs_proof
t "the start comes first and holds nothing up" start_comes_first
t "bad networks" bad_networks
t "configuration" configuration
