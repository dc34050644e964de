#!/bin/sh
# emit-report: the sink. Its reports, its verdict about what is missing, the history.
# shellcheck disable=SC2016  # backticks are Markdown here
. "${0%/*}/lib.sh"
need jq script

GOLDEN=$ROOT/tests/golden
NOW=2026-02-17T06:33:06Z
host=$(uname -n)
cp "$GOLDEN/report-ok.jsonl" ok
sed -f "$GOLDEN/damage.sed" ok >bad

# files DIR: their names, sorted, each with a blank.
files() { (cd "$1" && find . ! -name . | sort | sed 's,^\./,,' | tr '\n' ' '); }

# report INPUT STATUS [OPTION...]
report() {
	input=$1 status=$2
	shift 2
	expect_status "$status" emit-report --now $NOW "$@" <"$input"
}

# as_golden FILE: what was printed is the kept file, but for who ran it and where. UPDATE=1
# keeps what was printed instead.
as_golden() {
	sed "s/, on $host,/, on HOST,/; s/^- Host: .*/- Host: HOST/; s/\"host\": \".*\"/\"host\": \"HOST\"/
		s/\"\(user\|tool_version\|program_sha256\)\": \".*\"/\"\1\": \"...\"/; /\"\(config_sha256\|ci_run\|commit\)\": /d" "$OUT" >got
	[ -z "${UPDATE-}" ] || cp got "$GOLDEN/$1"
	diff -u "$GOLDEN/$1" got
}

all_is_well() {
	report ok 0
	as_golden report-ok.txt
	report ok 0 --format markdown
	as_golden report-ok.md
	report ok 0 -f json
	jq -e . "$OUT" >/dev/null
	as_golden report-ok.json
	report ok 0 -f nagios
	as_golden report-ok.nagios
}
t "a good run: the four reports" all_is_well

all_is_bad() {
	report bad 2 --expect alert-slack
	as_golden report-bad.txt
	report bad 2 --expect alert-slack --format markdown
	as_golden report-bad.md
	report bad 2 --expect alert-slack -f nagios
	as_golden report-bad.nagios
}
t "a bad run: every kind of finding" all_is_bad

the_table_of_the_manual() {
	report ok 0 -f markdown
	expect_out '^# OK: '
	expect_out '^\| Check \| Result \|$'
	expect_out '^\| Backup download \| 18.2 GB compressed \(180 GB restored\), SHA-256 9f86d081… \|$'
	expect_out '^\| `public.users` row count \| 2,847,291 \(production: 2,847,291\) - match \|$'
	expect_out '^\| \*\*Verified RPO\*\* \| 4 h 12 min \(target 24 h\) \|$'
	[ "$(sed -n '/^| Check/,/^$/p' "$OUT" | tail -n 2 | head -n 1 | cut -c1-20)" = '| **Verified RTO** |' ]
}
t "the table opens and ends with what people look for" the_table_of_the_manual

# stage TOOL EVENT [STATUS]
stage() {
	printf '{"record":"stage","tool":"%s","run":"R","at":"%s","event":"%s","status":"%s"}\n' \
		"$1" $NOW "$2" "${3-ok}"
}

# check TOOL NAME STATUS [SUBJECT]
check() {
	printf '{"record":"check","tool":"%s","run":"R","check":"%s","status":"%s","subject":"%s","summary":"so"}\n' \
		"$1" "$2" "$3" "${4-}"
}

verdicts() {
	for case in "0 ok" "1 warning" "2 critical" "3 unknown" "3 odd"; do
		{ stage a begin; check a x "${case#* }"; stage a end "${case#* }"; } >in
		report in "${case%% *}"
	done
	{ stage a begin; check a x ok; stage a end critical; } >in
	report in 2
	expect_out 'ended with status critical, which none of its checks shows'
}
t "the exit status is the worst of the stream" verdicts

silence() {
	: >empty
	report empty 2
	expect_out '^CRITICAL: backup - Stream: no record arrived'
	{ stage a begin; check a x ok; } >in
	report in 2
	expect_out 'a stage$'
	expect_out 'began and did not end'
	{ stage a begin; check a x ok; stage a end; } >in
	report in 0 --expect a
	report in 2 --expect a --expect b
	expect_out 'was expected and never began'
	{ stage a begin; stage a end; } >in
	report in 3
	expect_out 'nothing was checked'
}
t "what is missing is bad news" silence

garbage() {
	{ check a x ok; echo 'not json'; check b x ok; echo '[1]'; } >in
	report in 3
	expect_out 'line 2 of standard input is no record'
	expect_out 'line 4 of standard input is no record'
	{ check a x ok; printf '{"record":"check","check":"y","status":"ok"'; } >in
	report in 3
	yes garbage | head -n 200000 >in
	report in 3
	expect_out '199,980 more|199980 more'
	expect_out '21 checks: 21 unknown'
	head -c 300000 /dev/zero >in
	report in 3
}
t "a line that is no record is unknown, and many are counted" garbage

several_at_once() {
	mkdir -p out
	report ok 0 -f text=out/r.txt -f markdown=out/r.md -f json=out/r.json -f nagios=out/r.nagios
	expect_silent
	report ok 0 -f markdown=out/r2.md -f text -f nagios=-
	expect_out '^BACKUP OK - '
	expect_out '^OK: backup of shop'
	expect_same out/r.md out/r2.md
	[ "$(files out)" = 'r.json r.md r.nagios r.txt r2.md ' ]
	[ "$(stat -c %a out/r.md)" = 644 ]
}
t "several reports at once, each to its place, nothing else left" several_at_once

modes() {
	report ok 0 --nagios -f text=t.txt
	[ "$(wc -l <"$OUT")" -eq 1 ]
	expect_out "^BACKUP OK - .* \| .*'rto_seconds'=1320s;;1800"
	expect_file t.txt
	report ok 0 --records
	[ "$(wc -l <"$OUT")" -eq 1 ]
	expect_records '.[0].record == "run" and .[0].rto_seconds == 1320'
	report ok 0 --quiet
	expect_silent
	report bad 2 --quiet
	expect_out '^CRITICAL: '
	expect_not_out 'Verified RTO'
	report ok 0 --label crm --title 'The nightly drill'
	expect_out '^OK: The nightly drill verified'
	LABEL=crm report ok 0
	expect_out '^OK: backup of crm verified'
	report ok 0 --verbose -f text=t.txt
	expect_err 'wrote [0-9]* bytes to t.txt'
}
t "the shared options mean what they say" modes

no_colour_in_files() {
	report bad 2
	expect_not_out "$(printf '\033')"
	script -qec "emit-report --now $NOW -f text -f text=t.txt <bad" /dev/null </dev/null >terminal || true
	grep -q "$(printf '\033')" terminal
	not grep -q "$(printf '\033')" t.txt
	NO_COLOR=1 script -qec "emit-report --now $NOW <bad" /dev/null </dev/null >terminal || true
	not grep -q "$(printf '\033')" terminal
}
TERM=xterm
export TERM
t "colours on a terminal only" no_colour_in_files

history_line() {
	report ok 0 --history h/
	report bad 2 --history h/
	HISTORY=h/shop.jsonl report ok 0
	[ "$(wc -l <h/shop.jsonl)" -eq 3 ]
	jq -es 'map(.status) == ["ok", "critical", "ok"]' h/shop.jsonl
	jq -es '.[0] | .record == "run" and .v == 1 and .label == "shop"
		and .run == "01JD0000000000000000000000" and .at == "2026-02-17T06:33:06.000Z"
		and .backup.bytes == 18200000000 and .backup.path == null
		and .rto_seconds == 1320 and .rpo_seconds == 15120
		and (.checks | length) == 13 and .counts.ok == 13
		and (.stages | map(.tool) | index("restore-to-temp")) != null
		and .instance.conninfo == null' h/shop.jsonl
	size-trend --nagios --history h/ --label shop >trend
	grep -q '^SIZE-TREND OK - Backup size: 18.2 GB; no earlier' trend
}
t "the run is remembered, and later runs can read it" history_line

history_that_cannot_be_written() {
	: >file
	report ok 3 --history file/x
	expect_out 'UNKNOWN   History'
	expect_out 'the run was not remembered: open history file/x: Not a directory'
}
t "a history that cannot be written is a finding" history_that_cannot_be_written

reports_that_cannot_be_written() {
	report ok 3 -f json=no/such/dir.json -f text
	expect_err 'no/such/dir.json'
	expect_out 'a report was not written: .*no/such/dir.json'
	report bad 2 -f json=no/such/dir.json
	expect_status 3 sh -c "emit-report --now $NOW <ok >/dev/full"
	expect_err 'write to standard output: No space left'
	expect_status 3 sh -c "emit-report --now $NOW <ok >&-"
	expect_err 'write to standard output'
	expect_status 2 sh -c "emit-report --now $NOW <bad >&-"
}
t "a report that cannot be written is a finding, and never better than unknown" reports_that_cannot_be_written

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o size=64k none small 2>/dev/null || skip "no mount here"
	trap 'umount small' EXIT
	printf '{"record":"run","label":"shop","pad":"%4000s"}\n' x >small/h.jsonl
	head -c 61000 /dev/zero >small/ballast || true
	cat /dev/zero >small/ballast2 2>/dev/null || true
	cp small/h.jsonl before
	report ok 3 --history small/h.jsonl -f text -f json=small/r.json
	expect_out 'the run was not remembered: write history small/h.jsonl: No space left on device'
	expect_out 'a report was not written: .*small/r.json: No space left on device'
	expect_same before small/h.jsonl
	[ "$(files small)" = 'ballast ballast2 h.jsonl ' ]
}
t "a full disk is reported and leaves nothing half-written" full_disk

not_replaced() {
	mkfifo fifo
	cat fifo >got &
	reader=$!
	report ok 0 -f nagios=fifo
	wait $reader
	[ -p fifo ]
	grep -q '^BACKUP OK' got
	mkdir dir
	report ok 3 -f nagios=dir
	[ -d dir ]
}
t "a pipe is written to and not replaced" not_replaced

hostile_names() {
	jq -nc --arg s "$(printf 'a|b`c\n# d\033[31m\342\200\256e</td>\r*x*')" \
		'{record: "check", tool: $s, check: "row-count", subject: $s, status: "critical",
		  summary: $s, observed: $s, expected: $s, label: $s, run: $s,
		  metrics: [{name: $s, value: 1, unit: $s, warn: $s}]},
		 {record: "check", tool: $s, check: $s, status: "ok"},
		 {record: "stage", tool: $s, event: "begin", at: $s},
		 {record: "backup", newest: true, name: $s, source: $s, sha256: $s},
		 {record: "instance", server_version: $s}' >in
	for format in text markdown nagios; do
		report in 2 -f $format
		not grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$OUT"
		not grep -q "$(printf '\342\200\256')" "$OUT"
	done
	expect_out '^BACKUP CRITICAL - '
	[ "$(wc -l <"$OUT")" -eq 1 ]
	[ "$(tr -cd '|' <"$OUT" | wc -c)" -eq 1 ]
	report in 2 -f markdown
	# no cell, heading or tag of its own
	[ "$(grep -c '^#' "$OUT")" -eq 3 ]
	not grep -qE '^[^`]*[^\\]<' "$OUT"
	[ "$(sed 's/\\|//g' "$OUT" | grep '^|' | grep -cvE '^\|[^|]*\|[^|]*\|([^|]*\|)?$')" -eq 0 ]
	report in 2 -f json --history hostile/
	jq -e '.checks[0].subject | contains("\u001b")' "$OUT"
	[ "$(find hostile -type f | wc -l)" -eq 1 ]
}
t "hostile names stay text in every report" hostile_names

many_tables() {
	awk 'BEGIN {
		for (i = 0; i < 1000; i++)
			printf "{\"record\":\"check\",\"tool\":\"compare-counts\",\"check\":\"row-count\",\"subject\":\"public.t%d\",\"status\":\"%s\",\"summary\":\"%d rows\",\"metrics\":[{\"name\":\"rows\",\"value\":%d}]}\n", i, i % 2 ? "critical" : "ok", i, i
	}' >in
	report in 2 -f markdown
	[ "$(sed '/^## Findings/,$d' "$OUT" | grep -c '\*\*CRITICAL\*\*')" -eq 500 ]
	expect_out '^\| Row count \| and 480 more, all ok \|$'
	expect_out '^\| `public.t998` row count \|'
	expect_not_out '^\| `public.t900` row count \|'
	expect_out '1,000 checks: 500 critical, 500 ok'
	report in 2
	expect_out 'and 480 more, all ok'
	report in 2 -f nagios
	[ "$(wc -c <"$OUT")" -lt 4096 ]
}
t "500 failing tables stay readable" many_tables

a_long_stream() {
	awk 'BEGIN {
		for (i = 0; i < 50000; i++) {
			printf "{\"record\":\"backup\",\"tool\":\"list-backups\",\"source\":\"/s\",\"name\":\"b%d\",\"bytes\":%d,\"modified_at\":\"2026-01-01T00:00:00Z\"}\n", i, i
			printf "{\"record\":\"check\",\"tool\":\"compare-counts\",\"check\":\"row-count\",\"subject\":\"public.t%d\",\"status\":\"ok\",\"summary\":\"%d rows\",\"metrics\":[{\"name\":\"rows\",\"value\":%d}]}\n", i, i, i
		}
	}' >in
	expect_status 0 timeout 20 prlimit --as=400000000 emit-report --now $NOW --history big.jsonl -f text=r.txt -f json=r.json -f markdown=r.md -f nagios <in
	jq -e '.counts.ok == 50000 and .checks_left_out == 30000' r.json
	grep -q '50,000 checks: 50,000 ok; the last 30,000 are counted only' r.txt
	[ "$(wc -l <big.jsonl)" -eq 1 ]
	[ "$(wc -c <big.jsonl)" -lt 4194304 ]
	jq -e '.checks_left_out >= 30000' big.jsonl
}
# The sanitizers take memory of their own.
[ "${SANITIZED:-0}" = 1 ] || t "100,000 records fit into little time and memory" a_long_stream

time_limit() {
	mkfifo hangs
	{ stage a begin; check a x ok; sleep 3; } >hangs &
	writer=$!
	start=$(date +%s)
	report hangs 2 --timeout 1s
	[ $(($(date +%s) - start)) -lt 3 ]
	expect_out 'standard input did not end within the time limit'
	expect_out 'began and did not end'
	wait $writer
	mkfifo floods
	{ trap '' PIPE; while check a x ok; do :; done; } >floods 2>/dev/null &
	writer=$!
	report floods 3 --timeout 1s
	wait $writer || true
}
t "after its time limit it reports what came" time_limit

usage() {
	for wrong in '-f htm' '-f' '-f text=' '-f textual' '--expect' 'operand' '--no-such' '--timeout x'; do
		# shellcheck disable=SC2086  # words
		expect_status 3 emit-report $wrong <ok
		expect_err .
		expect_not_out .
	done
	expect_status 3 emit-report -f htm <ok
	expect_err "'htm' is no report; write text, markdown, html, json, record, nagios, junit, .*, nrdp-json or icinga2"
	expect_status 0 emit-report --help
	expect_out 'FORMAT\[=TARGET\]'
}
t "wrong usage is refused before anything is read" usage
