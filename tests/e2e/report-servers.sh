#!/bin/sh
# emit-report for servers that are told: Pushgateway, NRDP, Icinga 2; and the evidence.
# sanitizers: no, what is sent is made by the formats, which have tests of their own
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need jq python3 curl

GOLDEN=$ROOT/tests/golden
NOW=2026-02-17T06:33:06Z
cp "$GOLDEN/report-ok.jsonl" ok
sed -f "$GOLDEN/damage.sed" ok >bad
alerts_start

# tell INPUT STATUS [OPTION...]: the text report goes to the file told.
tell() {
	input=$1 status=$2
	shift 2
	expect_status "$status" emit-report --now $NOW --deliver-within 2s -f text=told "$@" <"$input"
}

# gauge NAME: its value of the database shop at the Pushgateway.
gauge() { curl -fsS "$GATEWAY/metrics" | sed -n "s/^$1{.*database=\"shop\".*} //p"; }

pushgateway() {
	command -v prometheus-pushgateway || skip "needs prometheus-pushgateway"
	port=$(free_port)
	GATEWAY=http://127.0.0.1:$port
	prometheus-pushgateway --web.listen-address="127.0.0.1:$port" --persistence.file="$SCRATCH/pushed" >log/gateway 2>&1 &
	started $!
	wait_for 20 curl -fsS "$GATEWAY/-/ready"
	tell ok 0 -f pushgateway="$GATEWAY"
	[ "$(gauge backup_verified)" = 1 ]
	[ "$(gauge backup_size_bytes)" = 1.82e+10 ]
	# what a run without a backup does not know stays; what it knows is new
	echo '{"record":"check","tool":"t","check":"listing","status":"critical","label":"shop"}' >less
	tell less 2 -f pushgateway="$GATEWAY"
	[ "$(gauge backup_verified)" = 0 ]
	[ "$(gauge backup_size_bytes)" = 1.82e+10 ]
	sed 's/"shop"/"a\/\\"b"/' ok >slash
	PUSHGATEWAY_URL=$GATEWAY/ tell slash 0 -f pushgateway
	curl -fsS "$GATEWAY/metrics" >all
	grep -q '^backup_verified{database="a/\\"b",.*} 1$' all
	not grep '^push_failure_time_seconds' all | grep -qv ' 0$'
	if command -v promtool; then promtool check metrics <all; fi
	kill "$(tail -n 1 "$SCRATCH/log/pids" | cut -d ' ' -f 2)"
	tell ok 3 -f pushgateway="$GATEWAY"
	expect_err "send to $GATEWAY"
}
t "a Pushgateway takes it, and keeps what a failed run did not measure" pushgateway

nrdp() {
	alerts_forget
	export NRDP_TOKEN=sesame
	tell bad 2 -f "nrdp=$ALERT_URL/nrdp/" -f "nrdp-json=$ALERT_URL/nrdp/"
	expect_alerts 'length == 2 and all(.accepted)'
	NRDP_TOKEN=wrong tell ok 3 -f "nrdp=$ALERT_URL/nrdp/"
	expect_err 'the token is not accepted'
	expect_not_err 'wrong'
	not grep -q wrong told
	unset NRDP_TOKEN
	tell ok 3 -f "nrdp=$ALERT_URL/nrdp/"
	expect_err 'NRDP_TOKEN'
	expect_status 0 emit-report --now $NOW -f nrdp=payload <ok
	not grep -q sesame payload
}
t "NRDP, XML and JSON; a no with status 200 is a no" nrdp

icinga2() {
	alerts_forget
	export ICINGA2_USER=probe
	printf 'sesame\n' >password
	export ICINGA2_PASSWORD_FILE="$SCRATCH/password" ICINGA2_URL="$ALERT_TLS_URL"
	tell ok 0 -f icinga2 --ca-file "$ALERT_CA" --monitored-host db1 --stale-after 26h
	expect_alerts 'length == 1 and all(.accepted)'
	tell ok 3 -f icinga2 --ca-file "$ALERT_CA" --monitored-host 'db1" || true'
	expect_err 'knows no such host and service'
	tell ok 3 -f icinga2
	expect_err 'certificate'
	tell ok 3 -f icinga2=http://192.0.2.1:5665 --monitored-host db1
	expect_err 'by https only'
	tell ok 3 -f "icinga2=https://probe:sesame@127.0.0.1"
	expect_err 'leave user and password out'
	tell ok 3 -f icinga2=ftp://x
	not grep -rq sesame told log
}
t "Icinga 2: names are no filter, passwords are in no argument and no message" icinga2

again() {
	alerts_forget
	alerts_fault '[{"path": "process-check", "status": 503, "times": 1}]'
	export ICINGA2_USER=probe ICINGA2_PASSWORD=sesame
	expect_status 0 emit-report --now $NOW --also "icinga2=$ALERT_URL" --monitored-host db1 <ok
	expect_out '^OK: '
	expect_alerts 'map(.status) == [503, 200]'
	REPORTS="csv=a.csv nsca=b" expect_status 0 emit-report --now $NOW <ok
	expect_out '^OK: '
	expect_file a.csv
	expect_file b
	REPORTS=pdf expect_status 3 emit-report --now $NOW <ok
	expect_err 'no report'
}
t "what fails for a moment is sent again" again

nsca() {
	jq -nc --arg s "$(printf 'a\tb\nc;d|e')" '{record: "check", tool: "t", check: "x", subject: $s, status: "warning",
		summary: $s, label: $s}' >hostile
	expect_status 1 emit-report --now $NOW -f nsca --monitored-host db1 --monitored-service "$(printf 'b\t;')" <hostile
	[ "$(wc -l <"$OUT")" -eq 1 ]
	[ "$(awk -F '\t' '{ print NF, $1, $2, $3 }' "$OUT")" = '4 db1 b?, 1' ]
}
t "a line for send_nsca is one line of four fields" nsca

evidence() {
	expect_status 0 env CI_JOB_URL=https://ci.example.org/7 emit-report --now $NOW --history h/ --evidence ev \
		--reference 'policy BK-7' -f text=told <ok
	jq -e '.record == "evidence" and .scope == {system: "shop", reference: "policy BK-7"}
		and .rto == {achieved_seconds: 1320, target_seconds: 1800, met: true} and .rpo.met
		and .backup.sha256 and .performed.ci_run == "https://ci.example.org/7" and .performed.tool_version
		and .exceptions == [] and (.results | length) == 13 and .integrity.history == "h/" and .integrity.chain_sequence == 1' ev.json
	[ "$(jq -r .integrity.chain_head_sha256 ev.json)" = "$(tail -n 1 h/shop.jsonl | tr -d '\n' | sha256sum | cut -d ' ' -f 1)" ]
	[ "$(jq -r .performed.program_sha256 ev.json)" = "$(sha256sum "$BIN/emit-report" | cut -d ' ' -f 1)" ]
	# a control is not supported by what was not looked at
	jq -e '[.controls[] | select(.supported | not) | .id] == ["NIST SP 800-53 CP-9(1)"]' ev.json
	grep -q '^| DORA Art. 12(7) .* supports it |$' ev.md
	expect_status 2 emit-report --now $NOW --evidence ev -f text=told <bad
	jq -e 'all(.controls[]; .supported | not) and (.exceptions | length) == 5' ev.json
	grep -q "does NOT support it: the run's verdict is critical" ev.md
	grep -q 'public.orders row count | critical | 8,324,112' ev.md
	: >empty
	expect_status 2 emit-report --now $NOW --evidence ev -f text=told <empty
	jq -e '(.not_checked | length) == 6 and all(.controls[]; .supported | not)' ev.json
	expect_status 3 emit-report --now $NOW --evidence /nowhere/ev -f text=told <ok
	grep -q 'the evidence was not written' told
}
t "evidence: every run, good or bad, and no control that was not shown" evidence
