#!/bin/sh
# alert-email against a mail server: TLS in both ways, passwords, replies, several recipients.
# sanitizers: no, what it sends and reads is covered by unit tests under them
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need /usr/bin/python3 openssl jq
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || { echo "skip - ${0##*/} # needs python3-aiosmtpd"; exit 0; }

password=s3cret-mail-pw
ALERT_STATE_DIR=$SCRATCH/state
# shellcheck disable=SC2089  # the quotes belong to the address
EMAIL_FROM='Backups <backup@example.com>' EMAIL_TO='a@example.com, "Ops, night" <b@example.com>'
# shellcheck disable=SC2090
export ALERT_STATE_DIR EMAIL_FROM EMAIL_TO

# records STATUS [SUMMARY [LABEL]]
records() {
	jq -nc --arg status "$1" --arg summary "${2-12 rows are missing}" --arg who "${3-shop}" \
		--arg at "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" '
		def base: {tool: "compare-counts", run: "01JDRUN", label: $who, at: $at};
		base + {record: "stage", event: "begin", v: 1},
		base + {record: "check", check: "row-count", subject: "public.orders", status: $status, summary: $summary},
		base + {record: "check", check: "verified-rto", subject: "", status: "ok", summary: "22 min (target 30 min)"},
		base + {record: "stage", event: "end", status: $status, seconds: 1}'
}

fresh() {
	mail_forget
	rm -rf "$ALERT_STATE_DIR"
	records critical >bad
	records ok "8,412,056 rows" >good
}

# mail URL ARGUMENT...: with STARTTLS where the address is smtp://
mail() {
	url=$1
	shift
	SMTP_USER=backup SMTP_PASSWORD=$password alert-email --smtp-url "$url" --ca-file "$SMTP_TEST_CA" \
		--starttls required --deliver-within 5s --try-timeout 2s "$@"
}

# plain ARGUMENT...: to this machine, without TLS and password
plain() {
	alert-email --smtp-url "$SMTP_TEST_PLAIN" --deliver-within 5s --try-timeout 2s "$@"
}

expect_delivery() {
	expect_check alert-delivery "$1" alert-email
	expect_records "any(.check == \"alert-delivery\" and .observed == \"$2\")"
	expect_out "\"summary\":\"[^\"]*${3-}"
}

a_failure_is_mailed() {
	fresh
	expect_status 0 mail "$SMTP_TEST_STARTTLS" <bad
	expect_delivery ok delivered
	grep -v alert-email "$OUT" | cmp - bad
	expect_mail '[.[].to] == [["a@example.com"], ["b@example.com"]] and all(.from == "backup@example.com")'
	expect_mail 'all(.tls and .user == "backup" and .defects == [] and .bare_newlines == 0 and .longest_line <= 78)'
	expect_mail '[.[0].headers[] | {(.[0]): .[1]}] | add | .Subject == "CRITICAL: shop: 1 of 2 checks did not pass"
		and .From == "Backups <backup@example.com>" and .To == "a@example.com, \"Ops, night\" <b@example.com>"
		and ."Auto-Submitted" == "auto-generated"'
	expect_mail '[.[0].parts[].type] == ["text/plain", "text/html"]'
	expect_mail '.[0].parts | all(.text | test("public.orders") and test("12 rows are missing") and test("22 min"))'
}

# --from is the verdict from which on it is a failure, in all alert tools.
options_name_the_addresses() {
	fresh
	records warning >poor
	unset EMAIL_FROM EMAIL_TO
	expect_status 0 plain --sender 'Ops <ops@example.com>' --to a@example.com --to b@example.com \
		--from critical <poor
	expect_delivery ok 'not needed'
	expect_status 0 plain --sender 'Ops <ops@example.com>' --to a@example.com --to b@example.com <poor
	expect_mail '[.[] | .from, .to[0]] == ["ops@example.com", "a@example.com", "ops@example.com", "b@example.com"]'
}

tls_from_the_first_byte() {
	fresh
	expect_status 0 mail "$SMTP_TEST_TLS" <bad
	expect_mail 'length == 2 and all(.tls and .user == "backup")'
}

this_machine_needs_no_tls() {
	fresh
	expect_status 0 plain <bad
	expect_mail 'length == 2 and all((.tls | not) and .user == null)'
}

# Every mail of one failure until its end is one conversation; a failure later is another.
one_failure_is_one_conversation() {
	fresh
	EMAIL_TO=a@example.com
	for run in good bad bad good good bad; do expect_status 0 plain <$run; done
	expect_mail '[.[].headers | map({(.[0]): .[1]}) | add]
		| [.[].Subject | sub(":.*"; "")] == ["CRITICAL", "Still CRITICAL", "Recovered", "CRITICAL"]
		and (map(."In-Reply-To") | .[0] == .[1] and .[1] == .[2] and .[2] != .[3])
		and (map(."Message-ID") | unique | length) == 4'
}

tls_is_required() {
	fresh
	expect_status 1 alert-email --smtp-url "$SMTP_TEST_PLAIN" --starttls required <bad
	expect_delivery warning spooled 'offers no STARTTLS; use smtps:// or --starttls never'
	expect_status 1 alert-email --smtp-url "$SMTP_TEST_STARTTLS" <bad
	expect_delivery warning spooled '530.*; it wants --starttls required'
	expect_status 1 alert-email --smtp-url "$SMTP_TEST_STARTTLS" --starttls required <bad
	expect_delivery warning spooled 'certificate'
	expect_status 1 alert-email --smtp-url "$SMTP_TEST_TLS" <bad
	expect_delivery warning spooled 'certificate'
	expect_mail 'length == 0'
}

a_password_is_not_sent_in_clear() {
	fresh
	expect_status 1 env SMTP_USER=u SMTP_PASSWORD=$password alert-email --starttls never \
		--smtp-url smtp://mail.example.com <bad
	expect_delivery warning spooled 'a password is not sent without TLS'
}

passwords_are_checked() {
	fresh
	touch "$MAIL_DIR/auth-required"
	expect_status 0 mail "$SMTP_TEST_TLS" <bad
	fresh
	expect_status 1 env SMTP_USER=backup SMTP_PASSWORD=wrong alert-email --smtp-url "$SMTP_TEST_TLS" \
		--ca-file "$SMTP_TEST_CA" <bad
	expect_delivery warning spooled '535 .*; check SMTP_USER and SMTP_PASSWORD'
	expect_status 1 plain <bad
	expect_delivery warning spooled '530 5.7.0 Authentication required; it wants'
	rm "$MAIL_DIR/auth-required"
	expect_mail 'length == 0'
	mail_fault '{"at": "AUTH", "reply": "454 4.7.0 try again"}'
	EMAIL_TO=a@example.com
	expect_status 0 mail "$SMTP_TEST_TLS" --when always <bad
	expect_delivery ok delivered
}

# What is tried again, and arrives once.
later_is_later() {
	for fault in '{"at": "connect", "reply": "421 4.3.2 too busy"}' '{"at": "connect", "how": "close"}' \
		'{"at": "connect", "how": "stall"}' '{"at": "MAIL", "reply": "451 4.3.0 greylisted"}' \
		'{"at": "RCPT", "reply": "450 4.2.0 mailbox busy"}' '{"at": "DATA", "reply": "452 4.3.1 no space"}' \
		'{"at": "DATA", "how": "close"}' '{"at": "DATA", "how": "stall"}'; do
		fresh
		mail_fault "$fault"
		EMAIL_TO=a@example.com
		expect_status 0 plain <bad
		expect_delivery ok delivered
		expect_mail 'length == 1'
	done
}

# Taken, but the answer got lost: it comes twice, under one Message-ID.
a_lost_answer_repeats() {
	fresh
	mail_fault '{"at": "DATA", "how": "close-after"}'
	EMAIL_TO=a@example.com
	expect_status 0 plain <bad
	expect_mail 'length == 2 and .[0].data == .[1].data'
}

never_is_never() {
	while read -r at observed reply; do
		fresh
		mail_fault "{\"at\": \"$at\", \"reply\": \"$reply\"}"
		EMAIL_TO=a@example.com
		expect_status 1 plain <bad
		expect_delivery warning "$observed" "it says $reply"
		expect_mail 'length == 0'
	done <<-LIST
		MAIL spooled 550 5.7.1 sender refused
		RCPT spooled 550 5.1.1 no such user
		RCPT spooled 554 5.7.1 relaying denied
		DATA failed 552 5.3.4 too big
		DATA failed 554 5.6.0 it looks like spam
	LIST
}

one_bad_address_keeps_no_mail_back() {
	fresh
	EMAIL_TO='unknown@example.com,a@example.com'
	expect_status 1 plain <bad
	expect_delivery warning delivered 'not all of it: 1 of 2 recipients: mail to unknown@example.com .*550 5.1.1'
	expect_mail 'length == 1 and .[0].to == ["a@example.com"]'
	fresh
	EMAIL_TO=a@example.com,b@example.com
	mail_fault '{"at": "RCPT", "reply": "450 4.2.0 greylisted"}'
	expect_status 0 plain <bad
	expect_delivery ok delivered
	expect_mail '[.[].to[0]] == ["b@example.com", "a@example.com"]'
	fresh
	for _ in 1 2 3 4 5 6 7 8; do mail_fault '{"at": "RCPT", "reply": "450 4.2.0 full"}'; done
	expect_status 1 plain --deliver-within 2s <bad
	expect_delivery warning spooled '450 4.2.0 full'
}

what_waits_is_mailed_once() {
	fresh
	expect_status 1 alert-email --smtp-url smtp://localhost:1 --deliver-within 1s <bad
	expect_delivery warning spooled
	expect_status 0 plain --flush --label shop
	expect_delivery ok delivered
	expect_status 0 plain --flush --label shop
	expect_mail 'length == 2'
}

the_report_is_attached() {
	fresh
	printf '# Bericht\n\303\244 = 1\n' >report.md
	expect_status 0 plain --report-file report.md <bad
	expect_mail 'all([.parts[].type] == ["text/plain", "text/html", "text/markdown"])'
	expect_mail '.[0].parts[2].text == "# Bericht\r\nä = 1\r\n" and .[0].defects == []'
	touch -d '1 day ago' report.md
	expect_status 0 plain --report-file report.md <bad
	expect_err 'older than this run'
	expect_mail 'last.parts | length == 2'
}

hostile_names_stay_text() {
	fresh
	records critical "$(printf '<script>\r\nBcc: evil@example.com\r\n.\r\nQUIT \342\200\256 \303\244')" \
		"$(printf 'sh\303\266p\r\nBcc: evil@example.com')" >hostile
	expect_status 0 plain <hostile
	expect_mail 'length == 2 and all(.defects == [] and ([.headers[][0]] | index("Bcc") | not))'
	expect_mail '[.[].to[]] == ["a@example.com", "b@example.com"]'
	expect_mail '[.[0].headers[] | select(.[0] == "Subject")][0][1] | test("^CRITICAL: shöp\\?\\?Bcc: evil@example.com: ")'
	expect_mail '.[0].parts[1].text | (test("<script") | not) and test("&lt;script&gt;")'
}

limits_hold() {
	fresh
	jq -nc --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '
		def base: {tool: "compare-counts", run: "01JDRUN", label: "shop", at: $at};
		base + {record: "stage", event: "begin"},
		(range(500) | base + {record: "check", check: "row-count", subject: "public.t\(.)",
			status: "critical", summary: ("ä€" * 2000)}),
		base + {record: "stage", event: "end", status: "critical"}' >many
	EMAIL_TO=a@example.com
	expect_status 0 plain <many
	expect_mail 'length == 1 and .[0].defects == [] and .[0].longest_line <= 78'
	expect_mail '.[0].parts | all(.text | test("and 300 more"))'
}

wrong_words_are_named() {
	fresh
	while IFS='|' read -r setting words; do
		expect_status 1 env "$setting" alert-email <bad
		expect_delivery warning spooled "$words"
	done <<-LIST
		EMAIL_TO=|set EMAIL_TO
		EMAIL_FROM=|set EMAIL_FROM
		EMAIL_TO=nobody|EMAIL_TO: mail address 'nobody'
		EMAIL_TO=a@example.com b@example.com|EMAIL_TO: mail address
		EMAIL_FROM=a@b@c|EMAIL_FROM: mail address
		SMTP_URL=mail.example.com|use SMTP_URL
		SMTP_URL=https://mail.example.com|use SMTP_URL
		SMTP_URL=smtp://u:hush@mail.example.com|SMTP_USER and SMTP_PASSWORD
		SMTP_USER=backup|go together
		SMTP_PASSWORD=$password|go together
		SMTP_PASSWORD_FILE=nowhere|nowhere
	LIST
	not grep -q hush "$OUT" "$ERR"
	expect_status 3 alert-email --starttls maybe <bad
	expect_err 'required nor never'
}

a_test_says_so() {
	fresh
	expect_status 0 mail "$SMTP_TEST_TLS" --test --label shop
	expect_out 'took it for 2 of 2 recipients'
	expect_mail 'length == 2 and all([.headers[] | select(.[0] == "Subject")][0][1] == "Test alert: shop")'
	expect_status 3 mail smtp://localhost:1 --deliver-within 1s --test --label shop
	expect_out 'the test alert was not accepted'
}

a_dry_run_sends_nothing() {
	fresh
	expect_status 0 mail "$SMTP_TEST_TLS" --dry-run <bad
	expect_err '^MAIL by smtps://localhost:[0-9]+ as backup, password \*\*\*\*, TLS$'
	expect_err '^Subject: CRITICAL: shop'
	expect_mail 'length == 0'
}

a_kill_loses_nothing() {
	fresh
	EMAIL_TO=a@example.com
	mail_fault '{"at": "DATA", "how": "stall"}'
	plain <bad >out 2>err &
	wait_for 5 sh -c "[ -z \"\$(ls '$MAIL_DIR/faults')\" ]"
	pid=$(pgrep -f "alert-email --smtp-url $SMTP_TEST_PLAIN")
	kill -KILL "$pid"
	wait || true
	expect_mail 'length == 0'
	expect_status 0 plain --flush --label shop
	expect_status 0 plain --flush --label shop
	expect_mail 'length == 1'
}

secrets_stay_secret() {
	fresh
	mail_fault '{"at": "DATA", "how": "stall"}'
	mail "$SMTP_TEST_TLS" --verbose --try-timeout 3s --deliver-within 3s <bad >out 2>err &
	wait_for 5 sh -c "[ -z \"\$(ls '$MAIL_DIR/faults')\" ]"
	pid=$(pgrep -f "alert-email --smtp-url $SMTP_TEST_TLS")
	[ -n "$pid" ]
	for p in $pid; do
		not grep -qaF "$password" "/proc/$p/cmdline"
		not grep -qaF "$password" "/proc/$p/environ"
	done
	wait
	find "$ALERT_STATE_DIR" -name '*.json' | grep spool
	not grep -rF "$password" out err "$ALERT_STATE_DIR"
	[ -z "$(find "$ALERT_STATE_DIR" -perm /077)" ]
	printf '%s\n' "$password" >pw
	expect_status 0 env SMTP_USER=backup alert-email --smtp-url "$SMTP_TEST_TLS" --ca-file "$SMTP_TEST_CA" \
		--smtp-password-file pw --test --label shop
}

mail_start || exit 3
t "a failing run is mailed: text, HTML, headers; records pass" a_failure_is_mailed
t "addresses by options; --from is a verdict" options_name_the_addresses
t "implicit TLS" tls_from_the_first_byte
t "a server on this machine needs neither TLS nor password" this_machine_needs_no_tls
t "all mails of one failure are one conversation" one_failure_is_one_conversation
t "STARTTLS is required, certificates are verified" tls_is_required
t "a password is never sent in clear text" a_password_is_not_sent_in_clear
t "AUTH: refused, missing, refused for now" passwords_are_checked
t "4yz replies and broken connections: tried again, mailed once" later_is_later
t "a lost answer repeats the mail under its Message-ID" a_lost_answer_repeats
t "5yz replies: not tried again, the server's words shown" never_is_never
t "one bad address keeps no mail from the others" one_bad_address_keeps_no_mail_back
t "what waits in the spool is mailed once" what_waits_is_mailed_once
t "the report is attached, if it is of this run" the_report_is_attached
t "hostile names add no header and no HTML" hostile_names_stay_text
t "500 failing tables: all limits hold" limits_hold
t "wrong configuration is named" wrong_words_are_named
t "--test says whether it was accepted" a_test_says_so
t "--dry-run prints the mail" a_dry_run_sends_nothing
t "kill -9 with a mail in flight loses nothing" a_kill_loses_nothing
t "the password is nowhere to be found" secrets_stay_secret
