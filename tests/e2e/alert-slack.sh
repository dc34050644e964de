#!/bin/sh
# alert-slack against what Slack documents: webhooks, chat.postMessage, files, and every error.
# sanitizers: no, it waits for services on purpose; their answers are parsed in unit tests
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 openssl curl jq

secret_part=hUsHhUsHsEcReT
token=xoxb-1234567890-$secret_part
ALERT_STATE_DIR=$SCRATCH/state
export ALERT_STATE_DIR

# records STATUS [SUMMARY [SUBJECT]]: a run with one check that ended so, and three figures.
records() {
	now=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)
	jq -nc --arg status "$1" --arg summary "${2-12 rows are missing}" --arg subject "${3-public.orders}" --arg at "$now" '
		def base: {tool: "compare-counts", run: "01JDRUN", label: "shop", at: $at};
		base + {record: "stage", event: "begin", v: 1},
		base + {record: "check", check: "row-count", subject: $subject, status: $status, summary: $summary},
		base + {record: "check", check: "verified-rpo", subject: "", status: "ok", summary: "4 h 12 min (target 24 h)"},
		base + {record: "check", check: "verified-rto", subject: "", status: "ok", summary: "22 min (target 30 min)"},
		base + {record: "check", check: "backup-size", subject: "", status: "ok", summary: "18.2 GB, +0.4 %"},
		base + {record: "stage", event: "end", status: $status, seconds: 1}'
}

fresh() {
	alerts_forget
	rm -rf "$ALERT_STATE_DIR"
	records critical >bad
	records ok "8,412,056 rows" >good
}

hook() {
	SLACK_WEBHOOK_URL=$ALERT_TLS_URL/services/T0001/B0001/$secret_part \
		alert-slack --ca-file "$ALERT_CA" --deliver-within 8s --try-timeout 2s "$@"
}

bot() {
	SLACK_BOT_TOKEN=$token SLACK_API_URL=$ALERT_TLS_URL/api SLACK_CHANNEL='#backups' \
		alert-slack --ca-file "$ALERT_CA" --deliver-within 8s --try-timeout 2s "$@"
}

# expect_delivery STATUS OBSERVED [WORDS]: the check that alert-slack adds.
expect_delivery() {
	expect_check alert-delivery "$1" alert-slack
	expect_records "any(.check == \"alert-delivery\" and .observed == \"$2\")"
	expect_out "\"summary\":\"[^\"]*${3-}"
}

a_failure_is_posted() {
	fresh
	expect_status 0 hook <bad
	expect_delivery ok delivered
	grep -v alert-slack "$OUT" | cmp - bad
	expect_alerts 'length == 1 and .[0].accepted and .[0].notes == []'
	expect_alerts '.[0].json.blocks[0].text.text | test("CRITICAL: shop$")'
	expect_alerts '[.[0].json | .. | .text? | strings] | any(test("public.orders.: 12 rows are missing"))'
	expect_alerts '[.[0].json.blocks[].fields // [] | .[].text] | map(sub("^[^*]*"; "")) == [
		"*Verified RPO*\n4 h 12 min (target 24 h)", "*Verified RTO*\n22 min (target 30 min)",
		"*Backup size*\n18.2 GB, +0.4 %"]'
	expect_alerts '.[0].json.text | test("^shop: CRITICAL: ")'
}

every_run_is_posted_by_default() {
	fresh
	for run in good good bad bad good; do expect_status 0 hook <$run; done
	expect_alerts '[.[].json.blocks[0].text.text | sub("^[^A-Z]*"; "")] ==
		["OK: shop", "OK: shop", "CRITICAL: shop", "Still CRITICAL: shop", "Recovered: shop"]'
	fresh
	for run in good good bad bad good; do expect_status 0 hook --when change <$run; done
	expect_alerts '[.[].json.blocks[0].text.text | sub("^[^A-Z]*"; "")] ==
		["CRITICAL: shop", "Recovered: shop"]'
}

silence_is_a_failure() {
	fresh
	expect_status 0 hook --label shop </dev/null
	head -n 3 bad | expect_status 0 hook
	expect_alerts 'length == 2 and all(.json.blocks[0].text.text | test("CRITICAL: shop$"))'
	expect_alerts 'last.json.text | test("compare-counts")'
}

# error, what becomes of the message, what the check says about the way out
hook_errors='invalid_payload failed take
no_text failed take
too_many_attachments failed take
invalid_blocks failed take
invalid_blocks_format failed take
missing_text_or_fallback_or_attachments failed take
user_not_found spooled SLACK_WEBHOOK_URL
posting_to_general_channel_denied spooled administrator
action_prohibited spooled administrator
invalid_token spooled SLACK_WEBHOOK_URL
team_disabled spooled SLACK_WEBHOOK_URL
channel_not_found spooled SLACK_CHANNEL
no_service spooled SLACK_WEBHOOK_URL
no_active_hooks spooled SLACK_WEBHOOK_URL
no_team spooled SLACK_WEBHOOK_URL
no_service_id spooled SLACK_WEBHOOK_URL
channel_is_archived spooled channel'

api_errors='channel_not_found spooled SLACK_CHANNEL
not_in_channel spooled invite
is_archived spooled channel
no_text failed take
msg_too_long failed take
invalid_blocks failed take
msg_blocks_too_long failed take
too_many_attachments failed take
invalid_attachments failed take
restricted_action spooled administrator
not_authed spooled SLACK_BOT_TOKEN
invalid_auth spooled SLACK_BOT_TOKEN
account_inactive spooled SLACK_BOT_TOKEN
token_revoked spooled SLACK_BOT_TOKEN
token_expired spooled SLACK_BOT_TOKEN
missing_scope spooled chat:write
no_permission spooled administrator
ekm_access_denied spooled administrator
invalid_arguments failed take
invalid_charset failed take'

# each_error SENDER LIST: a refused message is tried once more as text alone, all else just once.
each_error() {
	printf '%s\n' "$2" >errors
	while read -r error observed words; do
		fresh
		alerts_fault "{\"error\": \"$error\", \"times\": 0}"
		expect_status 1 "$1" <bad
		expect_delivery warning "$observed" "Slack says $error; .*$words"
		tries=1
		[ "$observed" = spooled ] || tries=2
		expect_alerts "length == $tries and all(.accepted | not)"
	done <errors
}

a_new_word_is_held() {
	fresh
	alerts_fault '{"error": "something_new"}'
	expect_status 1 bot <bad
	expect_delivery warning spooled 'Slack says something_new'
	expect_alerts 'length == 1'
}

each_hook_error() { each_error hook "$hook_errors"; }
each_api_error() { each_error bot "$api_errors"; }

refused_blocks_become_text() {
	for sender in hook bot; do
		for error in invalid_blocks invalid_blocks_format msg_blocks_too_long; do
			fresh
			alerts_fault "{\"error\": \"$error\"}"
			expect_status 0 $sender <bad
			expect_delivery ok delivered
			expect_alerts 'length == 2 and (.[0].json | has("blocks")) and (.[1].json | has("blocks") | not)'
			expect_alerts '.[1].accepted and .[0].json.text == .[1].json.text'
		done
	done
}

a_busy_slack_is_asked_again() {
	for fault in '{"retry_after": 1}' '{"retry_after_date": 2}' '{"status": 500}' '{"status": 503}' \
		'{"error": "rollup_error"}' '{"how": "refuse"}' '{"how": "reset"}' '{"how": "reset-reply"}' \
		'{"how": "close"}' '{"how": "stall"}' '{"how": "connect-reset"}' '{"how": "connect-close"}'; do
		fresh
		alerts_fault "$fault"
		expect_status 0 hook <bad
		expect_delivery ok delivered
		expect_alerts 'length == 2 and last.accepted'
	done
	for error in ratelimited internal_error fatal_error request_timeout service_unavailable; do
		fresh
		alerts_fault "{\"error\": \"$error\"}"
		expect_status 0 bot <bad
		expect_alerts 'length == 2 and last.accepted'
	done
}

retry_after_is_kept() {
	fresh
	alerts_fault '{"retry_after": 3}'
	expect_status 0 hook <bad
	expect_alerts '.[1].at - .[0].at | . >= 3 and . < 5'
}

what_waits_goes_out_first() {
	fresh
	alerts_fault '{"status": 503, "times": 0}'
	expect_status 1 hook --deliver-within 1s <bad
	expect_delivery warning spooled
	alerts_forget
	expect_status 0 hook <good
	expect_alerts '[.[].json.blocks[0].text.text | sub("^[^A-Z]*"; "")] == ["CRITICAL: shop", "Recovered: shop"]'
	alerts_forget
	alerts_fault '{"error": "no_service"}'
	expect_status 1 hook <bad
	expect_status 0 hook --flush --label shop
	expect_delivery ok delivered
	expect_alerts 'length == 2 and last.accepted'
	expect_status 0 hook --flush --label shop
	expect_alerts 'length == 2'
}

the_report_goes_into_the_thread() {
	fresh
	printf '# Backup of shop\nCRITICAL \303\244\n' >report.md
	expect_status 0 bot --report-file report.md <bad
	expect_delivery ok delivered
	expect_alerts '[.[].effect] == ["posted", "upload-url", "uploaded", "file-in-thread"]'
	expect_alerts '.[2].body == "# Backup of shop\nCRITICAL ä\n" and (.[2].headers | has("authorization") | not)'
	expect_alerts '.[0].json | has("report") | not'
}

a_report_that_fails_is_no_second_message() {
	for path in getUploadURL upload/v1 completeUpload; do
		fresh
		echo report >report.md
		alerts_fault "{\"path\": \"$path\", \"times\": 0, \"status\": 404}"
		expect_status 1 bot --report-file report.md <bad
		expect_delivery warning delivered 'not all of it: the report: send to'
		expect_alerts '[.[] | select(.effect == "posted")] | length == 1'
	done
}

an_old_report_is_not_sent() {
	fresh
	echo yesterday >report.md
	touch -d '1 day ago' report.md
	expect_status 0 bot --report-file report.md <bad
	expect_err 'report.md: it is older than this run'
	expect_status 0 bot --report-file missing.md <bad
	expect_err 'missing.md: No such file'
	expect_alerts '[.[].effect] == ["posted", "posted"]'
}

# Figures and all, whatever 500 tables are called.
limits_hold() {
	# shellcheck disable=SC2016  # backticks as data
	for subject in 'public.t' '<!channel> & <@U123> *b* `c` _d_' "$(printf 'rtl \342\200\256 \001 \033[31m \342\202\254 \360\237\220\230')" \
		"$(printf '&%.0s' $(seq 500))"; do
		fresh
		jq -nc --arg subject "$subject" --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '
			def base: {tool: "compare-counts", run: "01JDRUN", label: "shop", at: $at};
			base + {record: "stage", event: "begin"},
			(range(500) | base + {record: "check", check: "row-count", subject: "\($subject)\(.)",
				status: "critical", summary: "12 rows of \($subject) are missing"}),
			base + {record: "stage", event: "end", status: "critical"}' >many
		expect_status 0 hook <many
		expect_alerts 'length == 1 and .[0].accepted and .[0].notes == []'
		expect_alerts '[.[0].json.blocks[].text.text? // ""] | any(test("500 of 500")) and any(test("more that did not pass"))'
	done
}

tls_is_verified() {
	fresh
	SLACK_WEBHOOK_URL=$ALERT_TLS_URL/services/T0001/B0001/$secret_part
	export SLACK_WEBHOOK_URL
	expect_status 1 alert-slack <bad
	expect_delivery warning spooled 'certificate'
	SLACK_WEBHOOK_URL=$(echo "$SLACK_WEBHOOK_URL" | sed s/localhost/127.0.0.2/)
	expect_status 1 alert-slack --ca-file "$ALERT_CA" --deliver-within 3s <bad
	expect_delivery warning spooled
	expect_status 1 alert-slack --ca-file nowhere.pem <bad
	expect_delivery warning spooled 'nowhere.pem'
	expect_alerts 'length == 0'
}

a_redirect_is_refused() {
	fresh
	alerts_fault "{\"how\": \"redirect\", \"location\": \"$ALERT_TLS_URL/hook\", \"times\": 0}"
	expect_status 1 hook <bad
	expect_delivery warning spooled 'redirect'
	expect_alerts 'length == 1'
}

wrong_words_are_named() {
	fresh
	expect_status 1 alert-slack <bad
	expect_delivery warning spooled 'SLACK_WEBHOOK_URL, or SLACK_BOT_TOKEN and SLACK_CHANNEL'
	expect_status 1 env SLACK_BOT_TOKEN=$token alert-slack <bad
	expect_delivery warning spooled 'SLACK_BOT_TOKEN needs SLACK_CHANNEL'
	expect_status 1 env SLACK_WEBHOOK_URL=http://hooks.example.com/x/$secret_part alert-slack <bad
	expect_delivery warning spooled 'does not begin with https'
	expect_status 1 hook --report-file report.md <bad
	expect_delivery warning spooled 'a webhook takes no file'
	expect_status 1 alert-slack --webhook-url-file nowhere <bad
	expect_delivery warning spooled 'nowhere'
	expect_status 3 alert-slack --when never <bad
	expect_err 'when'
	expect_alerts 'length == 0'
}

a_test_says_so() {
	fresh
	expect_status 0 hook --test --label shop
	expect_out 'the test alert was accepted: Slack'
	expect_alerts '.[0].json.blocks[0].text.text | test("Test alert: shop")'
	alerts_fault '{"error": "invalid_auth"}'
	expect_status 3 bot --test --label shop
	expect_out 'invalid_auth; install the app'
}

a_dry_run_sends_nothing() {
	fresh
	expect_status 0 hook --dry-run <bad
	expect_err '^POST https://localhost:[0-9]+/\*\*\*\*$'
	expect_status 0 bot --dry-run <bad
	expect_err '^Authorization: \*\*\*\*$'
	expect_not_err "$secret_part"
	expect_alerts 'length == 0'
}

# Slack knows no key to deduplicate by: what was accepted and not yet noted comes once more, the same.
a_kill_loses_nothing() {
	for fault in '{"how": "slow", "seconds": 2}' '{"how": "stall"}'; do
		fresh
		alerts_fault "$fault"
		hook <bad >out 2>err &
		wait_for 5 grep -q '"fault"' "$ALERT_DIR/requests.jsonl"
		pid=$(pgrep -f "alert-slack --ca-file $ALERT_CA")
		kill -KILL "$pid"
		wait || true
		expect_status 0 hook --flush --label shop
		expect_status 0 hook --flush --label shop
		expect_alerts 'length == 2 and last.accepted and .[0].json == .[1].json'
	done
}

# In flight and afterwards: arguments, environment, output, state, spool.
secrets_stay_secret() {
	for sender in hook bot; do
		fresh
		alerts_fault '[{"how": "slow", "seconds": 2, "status": 503, "times": 0}]'
		$sender --verbose --deliver-within 3s <bad >out 2>err &
		wait_for 5 grep -q '"fault"' "$ALERT_DIR/requests.jsonl"
		pid=$(pgrep -f "alert-slack --ca-file $ALERT_CA")
		[ -n "$pid" ]
		for p in $pid; do
			not grep -qa "$secret_part" "/proc/$p/cmdline"
			not grep -qa "$secret_part" "/proc/$p/environ"
		done
		wait
		find "$ALERT_STATE_DIR" -name '*.json' | grep spool
		not grep -r "$secret_part" out err "$ALERT_STATE_DIR"
		[ -z "$(find "$ALERT_STATE_DIR" -name "*$secret_part*")" ]
		[ -z "$(find "$ALERT_STATE_DIR" -perm /077)" ]
	done
	fresh
	printf '%s\n' "$ALERT_TLS_URL/services/T0001/B0001/$secret_part" >address
	expect_status 0 alert-slack --ca-file "$ALERT_CA" --webhook-url-file address <bad
	mkdir credentials
	mv address credentials/SLACK_WEBHOOK_URL
	expect_status 0 env CREDENTIALS_DIRECTORY="$SCRATCH/credentials" alert-slack --ca-file "$ALERT_CA" <good
	expect_alerts 'length == 2 and all(.accepted)'
}

alerts_start || exit 3
t "a failing run is posted: header, figures, what failed; records pass" a_failure_is_posted
t "every run by default, only what changed with --when change" every_run_is_posted_by_default
t "an empty stream and a stage without its end are failures" silence_is_a_failure
t "webhook: each documented error, with the way out" each_hook_error
t "Web API: each ok:false in a 200, with the way out" each_api_error
t "Web API: a word that is new is held, not lost" a_new_word_is_held
t "refused blocks are sent again as text alone" refused_blocks_become_text
t "429, 5xx and broken connections: asked again" a_busy_slack_is_asked_again
t "Retry-After is kept" retry_after_is_kept
t "what waits in the spool goes out first; --flush sends it once" what_waits_goes_out_first
t "the report goes into the message's thread" the_report_goes_into_the_thread
t "a report that cannot be uploaded costs no second message" a_report_that_fails_is_no_second_message
t "a report of another day is not sent" an_old_report_is_not_sent
t "500 failing tables, hostile names: all limits hold, nobody is pinged" limits_hold
t "TLS is verified" tls_is_verified
t "a redirect is not followed" a_redirect_is_refused
t "wrong configuration is named and the message kept" wrong_words_are_named
t "--test says whether it was accepted" a_test_says_so
t "--dry-run prints the request, masked" a_dry_run_sends_nothing
t "kill -9 with a message in flight loses nothing" a_kill_loses_nothing
t "secrets are nowhere to be found" secrets_stay_secret
