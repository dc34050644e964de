#!/bin/sh
# What all senders promise: who is told on which day, nothing lost by kill -9, no secret anywhere.
# sanitizers: no, what it sends and reads is covered by unit tests under them
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 openssl curl jq
# time limit: 600 s

key=0123456789abcdef0123456789abcdef
ALERT_STATE_DIR=$SCRATCH/state
export ALERT_STATE_DIR

pager() {
	PAGERDUTY_ROUTING_KEY=$key alert-pagerduty --endpoint "$ALERT_URL" --deliver-within 5s \
		--try-timeout 2s "$@"
}

hook() { WEBHOOK_URL=$ALERT_URL/hook alert-webhook --deliver-within 5s --try-timeout 2s "$@"; }

fresh() {
	alerts_forget
	rm -rf "$ALERT_STATE_DIR"
	a_run shop R0 restore=ok >o
	a_run shop R0 restore=warning >w
	a_run shop R0 restore=critical >c
	a_run shop R0 restore=ok row-count/orders=critical >d
}

# --- fourteen days ---------------------------------------------------------------------------

# fortnight FOUND TOLD COMMAND...: a run a day, each a process of its own; o ok, w warning, c
# critical, d critical elsewhere; told: what arrived on that day, "-" nothing, T R M P by kind.
fortnight() {
	found=$1 want=$2 told='' day=1
	shift 2
	fresh
	while [ -n "$found" ]; do
		run=${found%"${found#?}"}
		found=${found#?}
		: >"$ALERT_DIR/requests.jsonl"
		now=$(printf '2026-02-%02dT06:%02d:00Z' $day $((day * 7 % 60)))
		"$@" --now "$now" <"$run" >"$OUT" || return
		told="$told$(jq -rs '[.[].json | .kind // .event_action | {trigger: "T", resolve: "R",
			reminder: "M", report: "P"}[.]] | if . == [] then "-" else join("") end' \
			"$ALERT_DIR/requests.jsonl")"
		day=$((day + 1))
	done
	[ "$told" = "$want" ] || say_failed "told $told, not $want"
}

policies() {
	fortnight oocccowddooccc --TMMRTTMR-TMM hook
	fortnight oocccowddooccc --T--RTT-R-T-- hook --when change
	fortnight oocccowddooccc PPTMMRTTMRPTMM hook --when always
	fortnight oocccccccccccc --T---M---M--- hook --remind-every 4d
	fortnight oocccccccccccc --T------M---- hook --when change --remind-every 7d
	fortnight wowwccwowcoooo ----TMR--TR--- hook --from critical
}

# --- kill -9 ---------------------------------------------------------------------------------

marked() { [ -n "$(marks)" ]; }
marks() { find "$ALERT_STATE_DIR" -name 'running-*' 2>/dev/null | sort; }

# (timeout(1) would not do: it does not wait for what it kills.)
kill_after() {
	sleep "$1"
	kill -s KILL "$2" 2>/dev/null || true
	wait "$2" 2>/dev/null || true
}

# One run that is killed after $2 seconds. It began when it said so, or left its mark.
killed_run() {
	a_run shop "K$1" restore=critical >run
	marks >before
	: >killed.out
	alert-webhook --label shop --when always --deliver-within 5s <run >killed.out 2>killed.err &
	kill_after "$2" $!
	marks >after
	if [ -n "$(comm -13 before after)" ] || grep -q '"event":"begin".*alert-webhook\|alert-webhook.*"event":"begin"' killed.out; then
		echo "K$1" >>begun
	fi
}

# Each run that began is told: by its own message, or, when it died before it could decide, as one
# that was cut off. Each kill repeats one message at most, under the same id.
kill_at_random_moments() {
	fresh
	: >begun
	export WEBHOOK_URL="$ALERT_URL/hook"
	rounds=100 round=0
	while [ $round -lt $rounds ]; do
		round=$((round + 1))
		killed_run $round "$(shuf -n 1 -i 1-$((round % 2 ? 40 : 10)) | awk '{ printf "0.%03d", $1 }')"
	done
	expect_status 0 alert-webhook --flush --label shop
	expect_status 0 alert-webhook --flush --label shop
	expect_check alert-delivery ok alert-webhook
	expect_records 'any(.observed == "not needed")'
	[ -z "$(marks)" ]
	begun=$(wc -l <begun)
	jq -rs '[.[].json | select(.failing[0].check == "restore").run] | unique[]' \
		"$ALERT_DIR/requests.jsonl" | sort >told
	cut_off=$(jq -s '[.[].json | select(.failing[0].check == "run-cut-off")] | unique_by(.id)
		| map(.headline | capture("(?<n>[0-9]+) runs were cut off").n // "1" | tonumber) | add // 0' \
		"$ALERT_DIR/requests.jsonl")
	arrived=$(wc -l <"$ALERT_DIR/requests.jsonl")
	repeated=$(jq -s '(map(.json.id) | length) - (map(.json.id) | unique | length)' "$ALERT_DIR/requests.jsonl")
	echo "of $rounds runs $begun began; $(wc -l <told) told themselves, $cut_off were cut off," \
		"$arrived messages arrived, $repeated of them again"
	[ $(($(wc -l <told) + cut_off)) -eq "$begun" ]
	# A message of a run that was killed arrives although nobody saw the run begin: none.
	sort begun | comm -23 told - >unseen
	[ ! -s unseen ]
	[ "$repeated" -le $rounds ]
	# The kills did hit: before the decision, and after it.
	[ "$cut_off" -gt 0 ] && [ "$(wc -l <told)" -gt 0 ]
}

# PagerDuty sees one incident through all of it, and its end.
kill_and_resolve() {
	fresh
	expect_status 0 pager <o
	alerts_forget
	round=0
	while [ $round -lt 20 ]; do
		round=$((round + 1))
		PAGERDUTY_ROUTING_KEY=$key alert-pagerduty --endpoint "$ALERT_URL" --label shop <c >killed.out 2>&1 &
		kill_after "0.0$(shuf -n 1 -i 10-40)" $!
	done
	expect_status 0 pager <c
	expect_status 0 pager <o
	expect_alerts '[.[] | select(.json.dedup_key == "backup-probes/shop/restore") | .effect]
		| .[0] == "opened" and .[-1] == "resolved" and all(.[1:-1][]; . == "joined")'
	expect_alerts '[.[] | select(.json.dedup_key == "backup-probes/shop/run-cut-off") | .effect]
		| . == [] or .[-1] == "resolved"'
}

cut_off_run_is_told() {
	fresh
	mkfifo pipe
	WEBHOOK_URL=$ALERT_URL/hook alert-webhook --label shop <pipe >killed.out &
	pid=$!
	exec 3>pipe
	head -n 2 o >&3
	wait_for 5 marked
	kill -s KILL "$pid"
	wait "$pid" || true
	exec 3>&-
	expect_status 0 hook <o
	expect_alerts '[.[].json | [.kind, .verdict]] == [["trigger", "unknown"], ["resolve", "ok"]]'
	expect_alerts '.[0].json.headline | test("the run that began at 20.* was cut off")'
}

# --- secrets ---------------------------------------------------------------------------------

canary=C4n4ryC4n4ryC4n4ryC4n4ryC4n4ry00

no_secret_anywhere() {
	fresh
	mkdir report
	unset PAGERDUTY_ROUTING_KEY WEBHOOK_URL WEBHOOK_SECRET DEADMAN_URL
	export PAGERDUTY_ENDPOINT="$ALERT_URL"
	PAGER=$canary HOOK="http://u:$canary@127.0.0.1:1/$canary?k=$canary" PING="http://127.0.0.1:1/$canary"
	printf 'X-Token: %s\n' $canary >headers
	alerts_fault '[{"status": 403, "times": 0}]'
	mkfifo feed
	export DELIVER_WITHIN=1s
	PAGERDUTY_ROUTING_KEY=$PAGER alert-pagerduty --verbose <feed 2>pager.err |
		WEBHOOK_URL=$HOOK WEBHOOK_SECRET=$canary alert-webhook \
			--headers-file headers --verbose 2>hook.err |
		DEADMAN_URL=$PING ping-deadman --verbose 2>ping.err >records &
	exec 3>feed
	cat c >&3
	wait_for 5 grep -q ping-deadman records
	seen=0
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/cwd")" = "$SCRATCH" ] || continue
		case $(readlink "$p/exe") in */alert-pagerduty | */alert-webhook | */ping-deadman) ;; *) continue ;; esac
		seen=$((seen + 1))
		tr '\0' '\n' <"$p/cmdline" >>proc
		tr '\0' '\n' <"$p/environ" >>proc
		cat "$p/limits" >>limits
	done
	exec 3>&-
	wait
	# Only root may look into a process that cannot be dumped.
	if [ "$(id -u)" -eq 0 ]; then
		[ $seen -eq 3 ]
		[ "$(grep -cE 'Max core file size +0 +0' limits)" -eq 3 ]
	fi
	for option in --dry-run --test --flush; do
		PAGERDUTY_ROUTING_KEY=$PAGER alert-pagerduty $option --label shop --text <c >>words 2>&1 || true
		WEBHOOK_URL=$HOOK alert-webhook $option --label shop --headers-file headers --text <c >>words 2>&1 || true
	done
	DEADMAN_URL=$PING ping-deadman --dry-run <c >>words 2>&1
	DEADMAN_URL=$PING ping-deadman --test --text >>words 2>&1 || true
	emit-report --format text --format markdown=report/a.md --format json=report/a.json <records >>words 2>&1 || true
	expect_file "$ALERT_STATE_DIR/alert-pagerduty/shop/spool/000000000001.json"
	expect_file "$ALERT_STATE_DIR/alert-webhook/shop/spool/000000000001.json"
	jq -es '[.[] | select(.check == "alert-delivery").observed] == ["spooled", "spooled", "failed"]' records
	# The canary did go where it belongs, or the rest proves nothing.
	expect_alerts 'any(.json.routing_key == "'$canary'")'
	touch proc
	if grep -rF $canary "$ALERT_STATE_DIR" records report proc words pager.err hook.err ping.err; then
		return 1
	fi
	[ -z "$(find "$ALERT_STATE_DIR" -name "*$canary*")" ]
	[ -z "$(find "$ALERT_STATE_DIR" -perm /077)" ]
}

# --- the rest --------------------------------------------------------------------------------

# An outage of the services leaves the verdict as it is, but for a warning of its own.
verdict_is_kept() {
	fresh
	for run in o c; do
		case $run in o) status=0 ;; *) status=2 ;; esac
		hook <$run | pager | emit-report --records >"$OUT" || [ $? -eq $status ]
		jq -es '.[0].checks | map(select(.check == "alert-delivery")) | length == 2 and all(.status == "ok")' "$OUT"
		hook <$run | pager | expect_status $status emit-report --format text
	done
	alerts_fault '{"status": 503, "times": 0}'
	for run in o c; do
		case $run in o) status=1 ;; *) status=2 ;; esac
		hook --deliver-within 1s <$run | pager --deliver-within 1s | expect_status $status emit-report
	done
}

full_disk() {
	fresh
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	mkdir -p full
	mount -t tmpfs -o size=64k,mode=700 tmpfs full 2>/dev/null || skip "cannot mount here"
	hook --state-dir full <o >"$OUT"
	dd if=/dev/zero of=full/ballast bs=1k count=100 2>/dev/null || true
	failed_here=0
	expect_status 1 hook --state-dir full <c || failed_here=1
	umount full
	[ $failed_here -eq 0 ]
	expect_check alert-delivery warning alert-webhook
	expect_records 'any(.observed == "delivered" and (.summary | test("No space left on device")))'
	expect_alerts '[.[].json.kind] == ["trigger"]'
}

no_directory() {
	fresh
	: >file
	expect_status 1 hook --state-dir file/below <c
	expect_records 'any(.observed == "delivered" and (.summary | test("cannot be remembered.*file/below")))'
	expect_alerts '[.[].json.kind] == ["trigger"]'
	unset ALERT_STATE_DIR
	HISTORY=$SCRATCH/hist/shop.jsonl expect_status 0 hook <c
	expect_file hist/alerts/alert-webhook/shop/state.json
	alerts_forget
	alerts_fault '{"status": 503, "times": 0}'
	expect_status 1 hook --state-dir file/below --deliver-within 1s <c
	expect_records 'any(.observed == "failed" and (.summary | test("lost.*answered 503")))'
}

closed_output() {
	fresh
	hook <c | head -n 1 >first || true
	hook <c >/dev/full 2>"$ERR" || [ $? -eq 3 ]
	expect_alerts 'length == 2'
}

alerts_start || exit
t "fourteen days, day by day" policies
t "kill -9 in 100 runs at random moments loses nothing" kill_at_random_moments
t "one incident through 20 kills, and its end" kill_and_resolve
t "a run that was cut off is told by the next" cut_off_run_is_told
t "no secret in arguments, environment, records, state, spool, reports and messages" no_secret_anywhere
t "the verdict is kept when alerts cannot be delivered" verdict_is_kept
t "a full disk holds no alert back" full_disk
t "no directory for the state" no_directory
t "a reader that went away" closed_output
