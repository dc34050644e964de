#!/bin/sh
# The services that the alert tests send to: they must refuse what the real ones refuse.
# sanitizers: no, what it sends and reads is covered by unit tests under them
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 openssl curl

key=0123456789abcdef0123456789abcdef
hook=/services/T0001/B0001/abcdefghijkl

# send PATH DATA [CURL-ARGUMENT...]: the status, the body, or how curl fails.
send() {
	path=$1 data=$2
	shift 2
	curl -sS -m 2 --cacert "$ALERT_CA" -o body -w '%{http_code}\n' -d "$data" "$@" "$ALERT_TLS_URL$path" &&
		cat body
}

expect_answer() {
	http=$1
	shift
	expect_status 0 send "$@"
	[ "$(head -n 1 "$OUT")" = "$http" ] || say_failed "expected HTTP status $http"
}

event() {
	jq -nc --arg key "$key" '{routing_key: $key, event_action: "trigger", dedup_key: "shop/x",
		payload: {summary: "s", source: "h", severity: "critical"}}' | jq -c "${1:-.}"
}

pagerduty_keeps_incidents() {
	alerts_forget
	for change in . . '.event_action = "resolve"' '.event_action = "resolve"' .; do
		expect_answer 202 /v2/enqueue "$(event "$change")"
	done
	expect_alerts '[.[].effect] == ["opened", "joined", "resolved", "dropped", "opened"]'
	expect_answer 202 /v2/change/enqueue "$(event 'del(.event_action, .dedup_key, .payload.severity)')"
	for change in '.routing_key = "short"' '.payload.summary = ("ä" * 1025)' '.payload.severity = "bad"' \
		'.event_action = "resolve" | del(.dedup_key)' '.payload.custom_details = {a: ("x" * 530000)}' \
		'.dedup_key = ("k" * 256)' '.payload.timestamp = "today"' '.links = [{text: "x"}]'; do
		event "$change" >event.json
		expect_answer 400 /v2/enqueue @event.json
		expect_out 'invalid event'
	done
	expect_answer 202 /v2/enqueue "$(event '.payload.summary = ("ä" * 1024)')"
}

block() { jq -nc '{text: "t", blocks: [{type: "section", text: {type: "mrkdwn", text: "x"}}]}' | jq -c "$1"; }

slack_checks_blocks() {
	alerts_forget
	expect_answer 200 $hook "$(block .)"
	[ "$(tail -n +2 "$OUT")" = ok ]
	for change in '.blocks[0].text.text = ""' '.blocks[0].text.text = ("x" * 3001)' '.blocks = null' \
		'.blocks = [limit(51; .blocks[0] | recurse(.))]' '.blocks[0] = {type: "section"}' \
		'.blocks[0] = {type: "header", text: {type: "plain_text", text: ("x" * 151)}}' \
		'.blocks[0] = {type: "section", fields: [range(11) | {type: "mrkdwn", text: "x"}]}'; do
		block "$change" >message.json
		expect_answer 400 $hook @message.json
		expect_out '^invalid_blocks$'
	done
	block '.blocks = [limit(10; .blocks[0] | .text.text = ("x" * 1400) | recurse(.))]' >message.json
	expect_answer 400 $hook @message.json
	expect_out '^msg_blocks_too_long$'
	expect_answer 400 $hook '{}'
	expect_out '^no_text$'
	expect_answer 404 /services/wrong "$(block .)"
	expect_answer 200 $hook "$(block '.blocks[0].text.text = "a & b <!channel> <x"')"
	expect_alerts 'last.notes == ["pings people", "unescaped &", "unescaped < or >"]'
	expect_answer 200 $hook "$(block '.blocks[0].text.text = "a &amp; b &lt;!channel&gt; <https://x/y|z>"')"
	expect_alerts 'last.notes == []'
}

slack_threads_a_file() {
	alerts_forget
	api() {
		method=$1
		shift
		expect_answer 200 "/api/$method" "$@" -H 'Authorization: Bearer xoxb-1234567890-abc'
	}
	json='Content-Type: application/json'
	expect_answer 200 /api/chat.postMessage '{}'
	expect_out '"not_authed"'
	api chat.postMessage '{"text": "x"}' -H "$json"
	expect_out '"channel_not_found"'
	api chat.postMessage '{"text": "x", "channel": "#backups"}' -H "$json"
	channel=$(jq -r .channel body) ts=$(jq -r .ts body)
	api files.getUploadURLExternal '{"filename": "r", "length": 5}' -H "$json"
	expect_out '"invalid_arguments"'
	api files.getUploadURLExternal 'filename=r.md&length=5'
	file=$(jq -r .file_id body)
	files="{\"files\": [{\"id\": \"$file\"}], \"channel_id\": \"$channel\", \"thread_ts\": \"$ts\"}"
	api files.completeUploadExternal "$files" -H "$json"
	expect_out '"file_not_found"'
	expect_answer 400 "/upload/v1/$file" 123456
	expect_answer 200 "/upload/v1/$file" 12345
	api files.completeUploadExternal "$files" -H "$json"
	expect_alerts 'last.effect == "file-in-thread"'
}

a_signature_is_verified() {
	alerts_forget
	echo hush >"$ALERT_DIR/webhook-secret"
	body='{"a": 1}' now=$(date +%s)
	sign() { printf '%s.%s' "$1" "$body" | openssl dgst -sha256 -hmac hush -r | cut -d ' ' -f 1; }
	expect_answer 401 /hook "$body"
	for t in $((now - 600)) 5; do
		expect_answer 401 /hook "$body" -H "X-Backup-Probes-Signature: t=$t,v1=$(sign "$t")"
	done
	expect_answer 401 /hook "$body " -H "X-Backup-Probes-Signature: t=$now,v1=$(sign "$now")"
	expect_answer 200 /hook "$body" -H "X-Backup-Probes-Signature: t=$now,v1=$(sign "$now")"
	rm "$ALERT_DIR/webhook-secret"
	expect_answer 400 /hook nothing
}

alertmanager_knows_label_sets() {
	alerts_forget
	for ends in '' ', "endsAt": "2099-01-01T00:00:00Z"' ', "endsAt": "2020-01-01T00:00:00.5Z"' \
		', "endsAt": "2020-01-01T00:00:00Z"'; do
		expect_answer 200 /api/v2/alerts "[{\"labels\": {\"alertname\": \"x\"}$ends}]"
	done
	expect_alerts '[.[].effect] == ["fired", "joined", "resolved", "dropped"]'
	for bad in '{}' '[{"labels": {}}]' '[{"labels": {"a-b": "x"}}]' '[{"labels": {"a": 1}}]' \
		'[{"labels": {"a": "b"}, "startsAt": "2021-01-01T00:00:00Z", "endsAt": "2020-01-01T00:00:00Z"}]'; do
		expect_answer 400 /api/v2/alerts "$bad"
	done
}

pings_are_understood() {
	alerts_forget
	id=11111111-2222-3333-4444-555555555555
	for path in /$id/start /$id /$id/fail /$id/3 "/$id?rid=$id" \
		'/p/key/shop?state=complete&metric=duration:3' '/api/push/t0ken?status=down' \
		/api/v1/heartbeat/t0ken/fail; do
		expect_answer 200 "$path" -
	done
	expect_alerts '[.[].effect] == ["start", "success", "fail", "fail", "success", "complete", "down", "fail"]'
	expect_answer 400 "/$id?rid=1" -
	expect_out 'invalid uuid format'
	expect_answer 400 /$id/256 -
	expect_answer 404 /00000000-2222-3333-4444-555555555555 -
	expect_answer 400 '/p/key/shop?state=done' -
	expect_answer 400 '/api/push/t0ken?status=up&ping=86400001' -
	expect_answer 500 /api/push/unknown -
}

faults_come_as_told() {
	alerts_forget
	alerts_fault '[{"path": "enqueue", "skip": 1, "status": 503}, {"path": "services", "retry_after": 7}]'
	expect_answer 202 /v2/enqueue "$(event)"
	expect_answer 429 $hook "$(block .)" -D headers
	grep -qi '^retry-after: 7' headers
	alerts_fault '{"error": "no_team", "path": "services"}'
	expect_answer 503 /v2/enqueue "$(event)"
	expect_answer 404 $hook "$(block .)"
	expect_answer 202 /v2/enqueue "$(event)"
	expect_alerts '[.[].accepted] == [true, false, false, false, true]'
}

# curl's statuses: 28 timed out, 35 TLS broke, 52 no answer, 56 reset.
connections_break_as_told() {
	alerts_forget
	alerts_fault '[{"how": "reset"}, {"how": "reset-reply"}, {"how": "refuse"}, {"how": "close"}]'
	for how in 56 56; do expect_status $how send /v2/enqueue "$(event)"; done
	for _ in refuse close; do
		how=0 # an end without a goodbye is 52, to newer ones 56
		send /v2/enqueue "$(event)" >/dev/null 2>&1 || how=$?
		[ $how -eq 52 ] || [ $how -eq 56 ]
	done
	alerts_fault '[{"how": "connect-close"}, {"how": "connect-reset"}, {"how": "stall"}, {"how": "trickle"}]'
	expect_status 35 send /v2/enqueue "$(event)"
	# The reset may come before curl has seen that it is connected: status 7.
	how=0
	send /v2/enqueue "$(event)" >/dev/null 2>&1 || how=$?
	[ $how -eq 35 ] || [ $how -eq 7 ]
	for how in 28 28; do expect_status $how send /v2/enqueue "$(event)"; done
	expect_alerts '[.[] | select(.accepted) | .fault] == ["reset-reply", "close", "trickle"]'
	alerts_fault '[{"how": "slow", "seconds": 1}, {"how": "redirect", "location": "https://localhost:1/"}]'
	expect_answer 202 /v2/enqueue "$(event)"
	expect_answer 307 /v2/enqueue "$(event)"
	[ "$(curl -sS "$ALERT_URL/control")" = '[]' ]
}

alerts_start || exit 3
t "PagerDuty: incidents open, join and resolve; bad events are refused" pagerduty_keeps_incidents
t "Slack: the limits of Block Kit are kept" slack_checks_blocks
t "Slack: a file goes into a message's thread" slack_threads_a_file
t "webhook: the signature and its age are verified" a_signature_is_verified
t "Alertmanager: an alert is its label set" alertmanager_knows_label_sets
t "dead-man's switches: paths, states and run ids" pings_are_understood
t "answers fail as told, in order, and only then" faults_come_as_told
t "connections break as told" connections_break_as_told
