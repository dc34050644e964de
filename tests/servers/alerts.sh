# shellcheck shell=sh
# Sourced after tests/e2e/lib.sh: the services that alerts go to, how they are made to fail, and what they
# were sent.

# alerts_start: the services that alerts go to (tests/servers/alert-receiver says how it is told to
# fail). Sets ALERT_URL, ALERT_TLS_URL, ALERT_CA (the certificate to trust) and ALERT_DIR.
alerts_start() {
	ALERT_DIR=$SCRATCH/alerts
	"$ROOT/tests/servers/alert-receiver" start "$ALERT_DIR" || return
	started "$(cat "$ALERT_DIR/pid")"
	# shellcheck source=/dev/null
	. "$ALERT_DIR/env"
}

# alerts_fault JSON: what the next requests meet.
alerts_fault() {
	curl -sS --fail-with-body -o "$SCRATCH/log/control" -d "$1" "$ALERT_URL/control" || {
		cat "$SCRATCH/log/control"
		return 1
	}
}

# Forgets the requests and the faults so far.
alerts_forget() {
	: >"$ALERT_DIR/requests.jsonl"
	curl -sS --fail -X DELETE "$ALERT_URL/control"
}

# expect_alerts FILTER: jq says true of the list of all requests since then.
expect_alerts() {
	jq -es "$1" "$ALERT_DIR/requests.jsonl" >/dev/null 2>>"$ERR" || {
		jq -c '{service, path, status, effect, accepted, notes, fault}' "$ALERT_DIR/requests.jsonl"
		say_failed "not true of the requests: $1"
	}
}

# mail_start: a mail server. Sets MAIL_DIR, SMTP_TEST_STARTTLS, SMTP_TEST_TLS, SMTP_TEST_PLAIN and
# SMTP_TEST_CA (tests/servers/mail-receiver). mail_fault JSON, mail_forget, expect_mail FILTER: as
# above, of the messages that it took.
mail_start() {
	MAIL_DIR=$SCRATCH/mail
	"$ROOT/tests/servers/mail-receiver" start "$MAIL_DIR" || return
	started "$(cat "$MAIL_DIR/pid")"
	# shellcheck source=/dev/null
	. "$MAIL_DIR/env"
	mail_forget
}

mail_fault() {
	printf '%s\n' "$1" >"$SCRATCH/log/fault"
	mv "$SCRATCH/log/fault" "$MAIL_DIR/faults/$(printf %04d "$(find "$MAIL_DIR/faults" -type f | wc -l)")"
}

mail_forget() {
	rm -f "$MAIL_DIR"/faults/*
	: >"$MAIL_DIR/messages.jsonl"
}

expect_mail() {
	jq -es "$1" "$MAIL_DIR/messages.jsonl" >/dev/null 2>>"$ERR" || {
		jq -c 'del(.data)' "$MAIL_DIR/messages.jsonl"
		say_failed "not true of the mail: $1"
	}
}
