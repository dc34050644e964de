#!/bin/sh
# verify-history, and what emit-report writes for it: chain, signatures, anchors, drills.
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"

openssl genpkey -algorithm ed25519 -out sign.pem 2>/dev/null
openssl pkey -in sign.pem -pubout -out verify.pem
openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null
openssl pkey -in other.pem -pubout -out stranger.pem

# remember N [OPTION...]: a run into h.jsonl.
remember() {
	run=R$1
	shift
	a_run shop "$run" restore=ok | emit-report --quiet --history h.jsonl "$@" >report
}

five_signed() {
	rm -f h.jsonl heads.jsonl
	for n in 1 2 3 4 5; do remember $n --sign-key sign.pem --anchor heads.jsonl; done
	cp h.jsonl whole
}

judged() {
	expected=$1
	shift
	expect_status "$expected" verify-history --records --history h.jsonl --label shop "$@"
}

whole() {
	five_signed
	judged 0 --verify-key verify.pem --anchor heads.jsonl
	expect_check history-chain ok
	expect_check history-signature ok
	expect_check history-anchor ok
	expect_out '5 lines, none removed, changed or reordered'
	[ "$(sed -n 2p h.jsonl | tr -d '\n' | sha256sum | cut -d ' ' -f 1)" = \
		"$(sed -n 3p h.jsonl | jq -r .chain.previous)" ]
	[ "$(tail -1 h.jsonl | tr -d '\n' | sha256sum | cut -d ' ' -f 1)" = \
		"$(tail -1 heads.jsonl | jq -r .sha256)" ]
}
t "a whole history passes: chain, signatures and anchors" whole

changed() {
	judged 0
	sed -i '3s/"status":"ok"/"status":"oK"/' h.jsonl
	judged 2
	expect_out 'line 3: '
	cp whole h.jsonl
	sed -i 2d h.jsonl
	judged 2
	expect_out 'line 2: number 3 where 2 must follow'
	cp whole h.jsonl
}
t "a changed and a removed line are named" changed

# The last line is protected by no other.
cut_off() {
	sed -i '$d' h.jsonl
	judged 0 --verify-key verify.pem
	judged 2 --anchor heads.jsonl
	expect_check history-anchor critical
	expect_out 'number 5 was anchored, and the history ends with 4'
	cp whole h.jsonl
	sed -i '$s/"seconds":/"seconds" :/' h.jsonl
	judged 0 --verify-key verify.pem
	judged 2 --anchor heads.jsonl
	cp whole h.jsonl
	sed -i '$s/"verified":true/"verified":false/; $s/"host":"[^"]*"/"host":"x"/' h.jsonl
	judged 0
	judged 2 --verify-key verify.pem
	expect_out "line 5: its signature is not that of the key"
	cp whole h.jsonl
}
t "only an anchor shows that the end is missing, a signature that the last line was changed" cut_off

forged() {
	judged 2 --verify-key stranger.pem
	expect_out 'line 1: its signature'
	judged 3 --verify-key sign.pem
	rm h.jsonl
	for n in 1 2 3 4 5; do remember $n; done
	judged 0
	judged 2 --verify-key verify.pem
	expect_out 'no line is signed'
	judged 2 --anchor heads.jsonl
	expect_out 'line 1 is not what its anchor says'
	head -3 whole >h.jsonl
	remember 4
	judged 2 --verify-key verify.pem
	expect_out 'line 4: it is not signed'
	cp whole h.jsonl
}
t "a history written anew, with a chain that fits, is known by keys and by anchors" forged

older() {
	jq -c 'del(.chain, .signature)' whole >h.jsonl
	judged 1
	expect_out 'no line is chained yet'
	remember 6 --sign-key sign.pem
	judged 0 --verify-key verify.pem
	expect_out '5 older lines before the chain are covered by it'
	sed -i 2d h.jsonl
	judged 2
	cp whole h.jsonl
}
t "an older history is continued, and covered from then on" older

torn() {
	printf '{"record":"run","label":"shop","cut' >>h.jsonl
	judged 1
	expect_out '1 unreadable line'
	remember 6
	judged 0
	expect_out '1 unfinished line'
	cp whole h.jsonl
}
t "a line that a crash cut off is told, and does not stop the next run" torn

told() {
	alerts_start
	remember 6 --sign-key sign.pem --anchor "$ALERT_URL/hook"
	remember 7 --sign-key sign.pem --anchor "$ALERT_TLS_URL/hook" --ca-file "$ALERT_CA"
	expect_alerts 'length == 2 and all(.method == "POST" and .headers["content-type"] == "application/json")'
	jq -c .json "$ALERT_DIR/requests.jsonl" >told.jsonl
	jq -es '[.[] | [.record, .label, .run, .seq]] == [["anchor", "shop", "R6", 6], ["anchor", "shop", "R7", 7]]' told.jsonl
	judged 0 --verify-key verify.pem --anchor told.jsonl
	expect_check history-anchor ok
	sed -i '$d' h.jsonl
	judged 2 --anchor told.jsonl
	expect_out 'number 7 was anchored, and the history ends with 6'
	a_run shop R8 restore=ok >in
	alerts_fault '[{"path": "/hook", "status": 503, "times": 1}, {"path": "/hook", "status": 403}]'
	: >"$ALERT_DIR/requests.jsonl"
	expect_status 3 emit-report --records --history h.jsonl --anchor "$ALERT_URL/hook?key=hidden" <in
	expect_records '[.[].checks[]] | any(.check == "history" and .status == "unknown"
		and (.summary | test("head was not anchored: .*403") and (contains("hidden") | not)))'
	expect_not_err hidden
	expect_alerts 'length == 2 and .[0].json == .[1].json'
	expect_status 3 emit-report --records --history h.jsonl --deliver-within 1s --anchor "$ALERT_TLS_URL/hook" <in
	expect_status 3 emit-report --records --history h.jsonl --deliver-within 1s \
		--anchor "http://127.0.0.1:$(free_port)/hook" <in
	HISTORY_ANCHOR=$ALERT_URL/hook expect_status 0 emit-report --records --history h.jsonl <in
	judged 0
	cp whole h.jsonl
}
t "a web service is told each head, with and without TLS; one that refuses is said, and the run is kept" told

annotated() {
	remember 6 --drill --performed-by 'Ada | <b>' --note 'quarterly; the VPN was down'
	tail -1 h.jsonl | jq -e '.drill == {performed_by: "Ada | <b>", note: "quarterly; the VPN was down"}
		and .performed.tool_version and .performed.user' >/dev/null
	BACKUP_PROBES_CONFIG_SHA256=abc remember 7
	tail -1 h.jsonl | jq -e '.drill == null and .performed.config_sha256 == "abc"' >/dev/null
	expect_status 3 emit-report --note x </dev/null
	expect_err 'speak of a --drill'
	expect_status 3 emit-report --sign-key sign.pem </dev/null
	cp whole h.jsonl
}
t "a drill is annotated, and each run says who ran what" annotated

due() {
	jq -nc '{record: "run", label: "shop", at: "2026-01-01T00:00:00.000Z", verified: true, drill: {}}' >d.jsonl
	drill() { expect_status "$1" check-freshness --nagios --history d.jsonl --label shop --max-drill-age 92d \
		--max-verified-age 1000d --now "$2"; }
	drill 0 2026-02-01T00:00:00Z
	expect_out 'the last drill was 31 d ago, the next is due in 61 d'
	drill 1 2026-03-28T00:00:00Z
	drill 2 2026-04-05T00:00:00Z
	expect_out 'overdue by 48 h|overdue by 2 d'
	yes '{"record":"run","label":"shop","at":"2026-02-01T00:00:00.000Z","verified":true}' | head -5000 >>d.jsonl
	drill 0 2026-02-01T00:00:00Z
	expect_out 'the last drill was 31 d ago'
	sed -i '1s/,"drill":{}//' d.jsonl
	drill 2 2026-02-01T00:00:00Z
	expect_out 'no run in d.jsonl for shop was a drill that verified a backup'
}
t "a drill is due, and overdue, and found behind 5,000 other runs" due

unable() {
	a_run shop R9 restore=ok >in
	expect_status 3 emit-report --quiet --history h.jsonl --sign-key missing.pem <in
	expect_out 'the run was not remembered: .*missing.pem'
	cmp h.jsonl whole
	expect_status 3 emit-report --quiet --history h.jsonl --anchor missing/dir/heads <in
	expect_out 'head was not anchored'
	cp whole h.jsonl
	expect_status 3 verify-history --history none.jsonl --label shop
	judged 3 --anchor none.jsonl
	expect_status 3 verify-history --label shop
	mkdir -p small && mount -t tmpfs -o size=64k,mode=700 none small || return 0
	cp whole small/h.jsonl
	head -c 100000 /dev/zero >small/fill 2>/dev/null || true
	bytes=$(wc -c <small/h.jsonl)
	status=0
	while [ "$status" -eq 0 ]; do
		bytes=$(wc -c <small/h.jsonl)
		status=0
		emit-report --quiet --history small/h.jsonl <in >report || status=$?
	done
	after=$(wc -c <small/h.jsonl)
	verified=0
	verify-history --records --history small/h.jsonl --label shop >proof || verified=$?
	umount small
	[ "$status" -eq 3 ] && [ "$after" -eq "$bytes" ] && [ "$verified" -eq 0 ]
}
t "what cannot be signed, anchored or written is said, and leaves the history whole" unable
