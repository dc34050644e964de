#!/bin/sh
# alert-pagerduty against what PagerDuty documents: incidents, limits, every error, bad networks.
# sanitizers: no, it waits for services on purpose; their answers are parsed in unit tests
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 openssl curl jq

key=0123456789abcdef0123456789abcdef
ALERT_STATE_DIR=$SCRATCH/state
export ALERT_STATE_DIR

pager() {
	PAGERDUTY_ROUTING_KEY=$key alert-pagerduty --endpoint "$ALERT_TLS_URL" --ca-file "$ALERT_CA" \
		--deliver-within 8s --try-timeout 2s "$@"
}

fresh() {
	alerts_forget
	rm -rf "$ALERT_STATE_DIR"
	a_run "${1-shop}" R1 restore=ok row-count/public.orders=ok >good
	a_run "${1-shop}" R2 restore=ok row-count/public.orders=critical >bad
}

# The same, and the first run is over: with an empty memory everything is resolved once.
fresh_memory() {
	fresh "$1"
	expect_status 0 pager <good
	alerts_forget
}

# expect_delivery STATUS OBSERVED [WORDS]
expect_delivery() {
	expect_check alert-delivery "$1" alert-pagerduty
	expect_records "any(.check == \"alert-delivery\" and .observed == \"$2\")"
	expect_records "any(.check == \"alert-delivery\" and (.summary | test(\"${3-}\")))"
}

a_failure_pages_and_recovery_resolves() {
	fresh_memory life
	expect_status 0 pager <bad
	grep -v alert-pagerduty "$OUT" | cmp - bad
	expect_delivery ok delivered
	expect_status 0 pager <bad
	expect_status 0 pager <good
	expect_status 0 pager <good
	expect_delivery ok 'not needed'
	expect_alerts '[.[].effect] == ["opened", "joined", "resolved"]'
	expect_alerts 'all(.json.dedup_key == "backup-probes/life/row-count" and .status == 202)'
	expect_alerts '.[0].json.payload | .severity == "critical" and .class == "row-count"
		and .group == "life" and .custom_details.failing[0].subject == "public.orders"'
	expect_alerts '.[0].json.payload.summary == "life: CRITICAL: row-count public.orders: it is critical"'
}

severities() {
	fresh severe
	for status in critical unknown warning; do
		a_run severe R "$status-check=$status" >run
		expect_status 0 pager <run
	done
	expect_alerts '[.[] | select(.json.event_action == "trigger") | .json.payload.severity] ==
		["critical", "error", "warning"]'
	alerts_forget
	a_run severe R unknown-check=unknown >run
	expect_status 0 pager --from critical <run
	expect_alerts 'all(.json.event_action == "resolve")'
}

# One incident for each failing check, ended one by one; what did not run ends nothing.
incidents_are_by_check() {
	fresh each
	a_run each R restore=critical row-count/a=critical row-count/b=warning >run
	expect_status 0 pager <run
	expect_alerts '[.[] | [.json.dedup_key, .effect]] == [["backup-probes/each/restore", "opened"],
		["backup-probes/each/row-count", "opened"]]'
	expect_alerts '.[1].json.payload.custom_details.failing_checks == 2'
	alerts_forget
	a_run each R restore=ok row-count/b=warning >run
	expect_status 0 pager --when change <run
	expect_alerts '[.[] | [.json.dedup_key, .effect]] == [["backup-probes/each/row-count", "joined"],
		["backup-probes/each/restore", "resolved"]]'
	alerts_forget
	head -n 2 run | expect_status 0 pager
	expect_alerts '[.[] | [.json.dedup_key, .effect]] == [["backup-probes/each/stage", "opened"]]'
}

silence_is_a_failure() {
	fresh silent
	expect_status 0 pager --label silent </dev/null
	expect_alerts 'length == 1 and .[0].json.dedup_key == "backup-probes/silent/stream"'
	alerts_forget
	sed '$d' bad >half
	expect_status 0 pager <half
	expect_alerts 'any(.json.dedup_key == "backup-probes/silent/stage")'
	alerts_forget
	expect_status 0 pager --expect fetch-latest --label other <good
	expect_alerts 'any(.json.event_action == "trigger" and
		(.json.payload.summary | test("fetch-latest: was expected and never began")))'
	alerts_forget
	echo rubbish | cat - good >mixed
	expect_status 3 pager --label rubbish <mixed
	expect_alerts 'any(.json.dedup_key == "backup-probes/rubbish/input-record" and .effect == "opened")'
}

# What the one before hangs in must not keep anybody from being told.
a_stream_that_does_not_end() {
	fresh hung
	(
		head -n 1 good
		sleep 4
	) | expect_status 3 pager --timeout 1s
	expect_alerts 'any(.json.dedup_key == "backup-probes/hung/stage")'
	expect_alerts 'any(.json.dedup_key == "backup-probes/hung/input-record")'
}

memory_that_was_lost() {
	fresh lost
	expect_status 0 pager <bad
	rm -rf "$ALERT_STATE_DIR"
	expect_status 0 pager <good
	expect_alerts '[.[] | select(.effect != "dropped") | [.json.dedup_key, .effect]] ==
		[["backup-probes/lost/row-count", "opened"], ["backup-probes/lost/row-count", "resolved"]]'
	alerts_forget
	expect_status 0 pager <bad
	echo '{"v":1,' >"$ALERT_STATE_DIR/alert-pagerduty/lost/state.json"
	expect_status 1 pager <good
	expect_delivery warning delivered 'what is told cannot be remembered.*state.json.bad'
	expect_alerts 'last(.[] | select(.json.dedup_key == "backup-probes/lost/row-count")).effect == "resolved"'
}

links_and_change_events() {
	fresh links
	expect_status 0 pager --change-events --report-url https://ci.example.com/1 \
		--runbook-url https://wiki.example.com/rb <bad
	expect_alerts '.[0].json | .links == [{"href": "https://ci.example.com/1", "text": "Report"},
		{"href": "https://wiki.example.com/rb", "text": "Runbook"}] and .client_url == "https://ci.example.com/1"'
	alerts_forget
	expect_status 0 pager --change-events <good
	expect_alerts '[.[].service] == ["pagerduty", "pagerduty-change"]'
	expect_alerts 'last.json.payload | .summary == "links: OK: the backup passed all checks (2)"
		and (has("severity") | not)'
}

two_labels_at_once() {
	fresh
	a_run north R restore=critical >north.run
	a_run south R restore=critical >south.run
	pager <north.run >north.out &
	north=$!
	pager <south.run >south.out
	wait $north
	expect_alerts '[.[] | [.json.dedup_key, .effect]] | sort == [["backup-probes/north/restore", "opened"],
		["backup-probes/south/restore", "opened"]]'
	alerts_forget
	a_run north R restore=ok >north.run
	expect_status 0 pager <north.run
	expect_status 0 pager <south.run
	expect_alerts '[.[].effect] == ["resolved", "joined"]'
}

five_hundred_tables() {
	fresh
	# shellcheck disable=SC2046  # words
	a_run many R $(seq -f 'row-count/public.table_%04.0f=critical' 500) |
		jq -c 'if .check then .summary = "12,345 of 9,876,543 rows are missing \("ä€😀" * 200)" else . end' >run
	expect_status 0 pager <run
	expect_alerts 'length == 1 and .[0].accepted and .[0].bytes < 512000'
	expect_alerts '.[0].json.payload.custom_details | .failing_checks == 500
		and .not_shown + (.failing | length) == 500 and (.failing | length) > 100'
	expect_alerts '.[0].json.payload.summary | length <= 1024 and endswith("(and 499 more)")'
}

strange_names() {
	fresh
	a_run 'Zürich "x" \ <!channel> 数据' R 'restore=critical' |
		jq -c 'if .check then .subject = "a\nb\u0001\u001b[31m\"; DROP" else . end' >run
	expect_status 0 pager <run
	expect_alerts '.[0].accepted and .[0].json.payload.group == "Zürich \"x\" \\ <!channel> 数据"'
	expect_alerts '.[0].json.payload.summary | test("[\u0000-\u001f]") | not'
	a_run "$(printf 'ä%.0s' $(seq 200))" R restore=critical >run
	expect_status 0 pager <run
	expect_alerts 'last.accepted and (last.json.dedup_key | utf8bytelength <= 255)'
}

# fault, what becomes of the message
errors() {
	while read -r fault observed times words; do
		fresh_memory faulty
		alerts_fault "$(printf '%s' "$fault" | tr '~' ' ')"
		status=1 verdict=warning
		if [ "$observed" = delivered ]; then status=0 verdict=ok; fi
		expect_status $status pager <bad
		expect_delivery $verdict "$observed" "$(echo "$words" | tr '_' ' ')"
		expect_alerts "length == $times"
		expect_not_out "$key"
		# Nothing is lost: what waits comes with the next call, once, and is then resolved.
		alerts_forget
		expect_status 0 pager <good
		case $observed in
		spooled) expect_alerts '[.[].json.event_action] == ["trigger", "resolve"]' ;;
		delivered) expect_alerts '[.[].json.event_action] == ["resolve"]' ;;
		failed) expect_alerts 'length == 0' ;;
		esac
	done <<-FAULTS
		{"error":"Length~of~'routing_key'~is~incorrect"} failed 1 Event_object_is_invalid
		{"status":403} spooled 1 key_or_the_address
		{"status":404} spooled 1 nothing_at_this_address
		{"status":413} failed 1 refused_for_good
		{"retry_after":1} delivered 2
		{"retry_after_date":2} delivered 2
		{"retry_after":3600} spooled 1 answered_429
		{"status":429,"body":"429~-~Request~Limit~Exceeded"} spooled 1 answered_429
		{"status":500} delivered 2
		{"status":503,"times":2} delivered 3
		{"status":503,"times":0} spooled 4 answered_503
		{"how":"slow","seconds":1} delivered 1
		{"how":"stall"} delivered 2
		{"how":"trickle"} delivered 2
		{"how":"refuse"} delivered 2
		{"how":"reset"} delivered 2
		{"how":"reset-reply"} delivered 2
		{"how":"close"} delivered 2
		{"how":"connect-close"} delivered 2
		{"how":"connect-reset"} delivered 2
		{"how":"connect-stall","seconds":3} delivered 2
		{"how":"redirect","location":"$ALERT_TLS_URL/v2/enqueue"} spooled 1 a_redirect_is_not_followed
		{"how":"huge","bytes":3000000} delivered 2
	FAULTS
}

# The answer was lost, so it is sent again: PagerDuty sees one incident all the same.
accepted_and_then_cut_off() {
	fresh_memory once
	alerts_fault '{"how": "close"}'
	expect_status 0 pager <bad
	expect_alerts '[.[].effect] == ["opened", "joined"]'
}

wrong_certificate() {
	fresh_memory tls
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=other \
		-keyout other.key -out other.pem 2>/dev/null
	expect_status 1 pager --ca-file other.pem <bad
	expect_delivery warning spooled 'certificate'
	expect_alerts 'length == 0'
	expect_status 1 pager --ca-file /nowhere/ca.pem <bad
	expect_delivery warning spooled 'read the CA file /nowhere/ca.pem'
	expect_status 0 pager --flush --label tls
	expect_alerts '[.[].json.event_action] == ["trigger", "trigger"]'
}

# Nobody listens: in the time allowed, then the spool, in order and once.
nobody_listens() {
	fresh_memory away
	port=$(free_port)
	expect_status 1 pager --endpoint "http://127.0.0.1:$port" --deliver-within 2s <bad
	expect_delivery warning spooled "http://127.0.0.1:$port"
	expect_status 1 pager --endpoint "http://127.0.0.1:$port" --deliver-within 1s <good
	expect_delivery warning spooled '2 messages wait'
	expect_alerts 'length == 0'
	expect_status 1 pager --flush --label away --endpoint "http://127.0.0.1:$port" --deliver-within 1s
	expect_status 0 pager --flush --label away
	expect_delivery ok delivered '2 messages delivered'
	expect_alerts '[.[].effect] == ["opened", "resolved"]'
	expect_status 0 pager --flush --label away
	expect_delivery ok 'not needed'
	expect_alerts 'length == 2'
}

configuration() {
	fresh_memory conf
	expect_status 1 alert-pagerduty <bad
	expect_delivery warning spooled 'find PAGERDUTY_ROUTING_KEY'
	grep -v alert-pagerduty "$OUT" | cmp - bad
	PAGERDUTY_ROUTING_KEY=short expect_status 1 alert-pagerduty <bad
	expect_delivery warning spooled 'not 32 letters'
	PAGERDUTY_ROUTING_KEY_FILE=$SCRATCH/nowhere expect_status 1 alert-pagerduty <bad
	expect_delivery warning spooled 'nowhere'
	# What could not go out for want of a key goes out when it is there.
	expect_status 0 pager --flush --label conf
	expect_alerts '[.[].effect] == ["opened", "joined", "joined"]'
	printf '%s\n' "$key" >PAGERDUTY_ROUTING_KEY
	alerts_forget
	CREDENTIALS_DIRECTORY=$SCRATCH expect_status 0 alert-pagerduty --endpoint "$ALERT_TLS_URL/" \
		--ca-file "$ALERT_CA" <good
	expect_alerts '[.[].effect] == ["resolved"]'
	expect_status 3 pager --when sometimes <bad
	expect_err "'sometimes' is none of failure, always, change"
	expect_status 3 pager --from ok <bad
	expect_status 3 pager operand <bad
	expect_status 3 pager --nagios <bad
	expect_status 3 pager --remind-every soon <bad
}

test_and_dry_run() {
	fresh test
	expect_status 0 pager --test --text --label test
	[ "$(wc -l <"$OUT")" -eq 1 ]
	expect_out 'the test alert was accepted: PagerDuty answered 202'
	expect_alerts 'length == 1 and .[0].json.dedup_key == "backup-probes/test/test"
		and .[0].json.payload.severity == "info" and (.[0].json.payload.summary | test("TEST"))'
	alerts_forget
	alerts_fault '{"error": "bad key"}'
	expect_status 3 pager --test --text --label test
	expect_out 'the test alert was not accepted: .*Event object is invalid: bad key'
	alerts_forget
	expect_status 0 pager --dry-run <bad
	expect_err '^POST https://localhost:[0-9]+/\*\*\*\*$'
	expect_err '"routing_key":"\*\*\*\*","payload"'
	expect_not_err "$key"
	expect_alerts 'length == 0'
	expect_no_file "$ALERT_STATE_DIR"
}

alerts_start || exit
t "a failure pages, and recovery resolves it" a_failure_pages_and_recovery_resolves
t "severities" severities
t "one incident for each failing check" incidents_are_by_check
t "silence is a failure" silence_is_a_failure
t "a stream that does not end is told at --timeout" a_stream_that_does_not_end
t "a lost memory still resolves" memory_that_was_lost
t "links, and change events for runs that passed" links_and_change_events
t "two labels that fail at once" two_labels_at_once
t "500 failing tables" five_hundred_tables
t "strange names" strange_names
t "each error and each bad network" errors
t "accepted, and the answer lost" accepted_and_then_cut_off
t "a wrong certificate" wrong_certificate
t "nobody listens" nobody_listens
t "configuration" configuration
t "--test and --dry-run" test_and_dry_run
