#!/bin/sh
# size-trend: this backup's size beside earlier ones, from the stream and from the history.
. "${0%/*}/lib.sh"
need jq

# backup DAY BYTES [FIELD...]: a listed backup of that day in February 2026.
backup() {
	day=$1 bytes=$2
	shift 2
	printf '{"record":"backup","tool":"list-backups","run":"R","label":"shop","source":"/srv",'
	printf '"name":"shop-202602%02d.dump","bytes":%s,"taken_at":"2026-02-%02dT01:58:42Z"' \
		"$day" "$bytes" "$day"
	printf ',%s' "$@" | sed 's/,$//'
	echo '}'
}

# run_line DAY BYTES: what emit-report left of the run of that day.
run_line() {
	printf '{"record":"run","label":"shop","backup":%s}\n' "$(backup "$1" "$2")"
}

# two_weeks LAST: fourteen days of 1000000 bytes, then a fetched one.
two_weeks() {
	for d in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do backup $d 1000000; done
	backup 15 "$1" '"newest":true' '"path":"/w/x"'
}

# judged STATUS-NUMBER STATUS BYTES [OPTION...]: two weeks of the same size, then BYTES.
judged() {
	number=$1 status=$2
	two_weeks "$3" >in
	shift 3
	expect_status "$number" size-trend --records "$@" <in
	expect_check backup-size "$status" ""
}

stays_the_same() {
	judged 0 ok 1004000
	expect_records 'map(select(.record == "check")) | .[0].summary
		== "1.0 MB, +0.4 % against the median of 14"'
	expect_records 'map(select(.check == "backup-size").metrics[]) | map({(.name): .value}) | add
		== {bytes: 1004000, previous_bytes: 1000000, median_bytes: 1000000, mad_bytes: 0, bytes_per_day: 0, change_ratio: 0.004}'
	expect_records 'map(select(.check == "backup-size").metrics[] | select(.name == "change_ratio"))
		| .[0].crit == "-0.2:"'
}
t "the same size is ok, and says against what" stays_the_same

passes_all_through() {
	judged 0 ok 1000000
	grep -v '"tool":"size-trend"' "$OUT" >passed
	expect_same in passed
}
t "every record passes through unchanged" passes_all_through

drops() {
	judged 0 ok 985000
	judged 1 warning 800000
	expect_out '800 kB, -20 %, and the 14 before were all alike'
	judged 2 critical 799999
	expect_out '800 kB, -20 % against the previous \(1.0 MB\) and -20 % against the median of 14 \(1.0 MB\); a drop of 20 % is allowed'
	judged 1 warning 799999 --max-drop 30%
	MAX_SIZE_DROP=30% judged 1 warning 799999
	MAX_SIZE_DROP=30% judged 2 critical 799999 --max-drop 20%
	judged 2 critical 999999 --max-drop 0% --min-delta 0
	judged 0 ok 999999 --max-drop 0%
	judged 1 warning 128 --max-drop 100%
	judged 2 critical 127 --max-drop 100%
	expect_out 'too small for any backup'
}
t "a drop beyond the limit is critical" drops

empty() {
	judged 2 critical 0
	expect_out '0 bytes: the backup is empty'
	backup 1 0 '"newest":true' >one
	expect_status 2 size-trend --records <one
	judged 2 critical 0 --max-drop 100%
}
t "0 bytes are critical, with and without history" empty

grows() {
	judged 1 warning 99000000
	judged 0 ok 4900000
	judged 0 ok 3000000 --max-growth 200%
	judged 1 warning 3000001 --max-growth 200%
	expect_out 'a growth of 200 % is allowed'
}
t "growth is judged when asked for" grows

ranges() {
	judged 0 ok 700000 -c -0.3:
	judged 2 critical 699999 -c -0.3:
	expect_out 'outside the range -0.3:'
	judged 1 warning 1200000 -w -0.1:0.1
	judged 2 critical 700000 -w -0.1:0.1
	judged 2 critical 700000 -c -0.5: --max-drop 20%
}
t "Nagios ranges replace the default and join what is given" ranges

no_history() {
	backup 15 1000000 '"newest":true' >one
	expect_status 0 size-trend --records <one
	expect_out 'no earlier backup to compare with yet'
	expect_status 0 size-trend --records --history missing.jsonl <one
	expect_out 'no earlier backup to compare with yet'
	expect_no_file missing.jsonl
}
t "no history yet is ok and says so" no_history

nothing_to_judge() {
	expect_status 3 size-trend --records
	expect_check backup-size unknown
	echo '{"record":"stage","tool":"x","run":"R","at":"2026-02-17T00:00:00Z","event":"begin"}' >stage
	run_line 14 1000000 >h.jsonl
	expect_status 3 size-trend --records --history h.jsonl --label shop <stage
	expect_out 'no backup to judge'
	{ backup 14 1000; backup 15 null '"newest":true'; } >sizeless
	expect_status 3 size-trend --records <sizeless
	expect_out 'size of the backup is not known'
}
t "without a backup to judge it is unknown, whatever the history says" nothing_to_judge

history_joins_in() {
	for d in 1 2 3; do run_line $d 1000000; run_line $d 1000000; done >h.jsonl
	printf 'torn {\n{"record":"run","label":"crm","backup":{"name":"c","bytes":7}}\n' >>h.jsonl
	{ backup 3 1000000; backup 4 1000000; backup 5 1000 '"newest":true'; } >in
	expect_status 2 size-trend --records --history h.jsonl <in
	expect_out 'median of 4 '
	expect_err '1 line'
	HISTORY=h.jsonl expect_status 2 size-trend --records --window 2 <in
	expect_out 'median of 2 '
}
t "the history adds backups that are gone, each once" history_joins_in

bad_history() {
	mkdir -p dir
	: >dir/file
	backup 5 1000 '"newest":true' >in
	expect_status 3 size-trend --records --history dir/file/x <in
	expect_check history unknown
	expect_check backup-size ok
}
t "a history that cannot be read is unknown" bad_history

verified_twice() {
	{ backup 14 1000000; backup 15 1000000 '"newest":true'; } >in
	{ run_line 14 1000000; run_line 15 1000000; run_line 15 1000000; } >h.jsonl
	expect_status 0 size-trend --records --history h.jsonl <in
	expect_out 'against the previous one'
}
t "an earlier verification of the same backup is no peer" verified_twice

listing_alone() {
	{ backup 16 1000; backup 14 1000000; backup 15 1000000; } >in
	expect_status 2 size-trend --records <in
	expect_out '1.0 kB, -100 % against the previous'
}
t "from a listing alone the latest is judged" listing_alone

plugin() {
	for d in 1 2 3; do run_line $d 1000000; done >h.jsonl
	expect_status 0 size-trend --nagios --history h.jsonl --label shop
	expect_out "^SIZE-TREND OK - 1.0 MB, 0 % against the median of 2, too few for a trend \| 'bytes'=1000000B 'previous_bytes'=1000000B 'median_bytes'=1000000B 'change_ratio'=0;~:4;-0.2:$"
	run_line 4 10 >>h.jsonl
	expect_status 2 size-trend --nagios --history h.jsonl --label shop
	expect_out '^SIZE-TREND CRITICAL - 10 B: too small'
	expect_status 3 size-trend --nagios --history h.jsonl --label other
	expect_out '^SIZE-TREND UNKNOWN - no backup to judge'
}
t "as a plugin it judges the last run of the history" plugin

usage() {
	expect_status 3 size-trend --max-drop 20
	expect_err "'20' is not a share"
	expect_status 3 size-trend --max-drop 101%
	expect_status 3 size-trend --window 0
	expect_status 3 size-trend --window 1001
	expect_status 3 size-trend -c 10:5
	expect_err "not a range"
	expect_status 3 size-trend operand
	expect_status 3 size-trend --no-such-option
}
t "wrong usage is refused with what is right" usage

patterns() {
	{ for d in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27; do
		backup $d $((1000000 - d * 8000))
	done; backup 28 776000 '"newest":true'; } >in
	expect_status 2 size-trend --records <in
	expect_out '776 kB, a slow decline: -21 % over 28 backups'
	{ for d in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27; do
		backup $d $((d % 7 == 0 ? 400000 : 1000000))
	done; backup 28 400000 '"newest":true'; } >in
	expect_status 0 size-trend --records <in
	expect_out '400 kB, as on 3 such weekdays before'
	sed 's/"bytes":400000,\(.*"newest"\)/"bytes":200000,\1/' in >less
	expect_status 2 size-trend --records <less
	{ backup 1 1000000 '"sha256":"aa"'; backup 2 1000000 '"sha256":"aa"' '"newest":true'; } >in
	expect_status 1 size-trend --records <in
	expect_out 'the same bytes as shop-20260201.dump'
}
t "weekdays, slow declines and the same file again are seen" patterns

# rows_of TABLE BYTES: what inspect-dump says of a table.
rows_of() {
	printf '{"record":"check","tool":"inspect-dump","run":"R","label":"shop","check":"dump-rows",'
	printf '"subject":"public.%s","status":"ok","summary":"x","metrics":[{"name":"bytes","value":%s}]}\n' "$1" "$2"
}

tables() {
	for d in 1 2 3 4 5 6 7 8; do
		jq -nc --argjson b "$(backup $d 1000000)" --argjson c "[$(rows_of orders 690000),$(rows_of audit_log 310000),$(rows_of users 500000)]" \
			'{record: "run", label: "shop", at: $b.taken_at, backup: $b, checks: $c}'
	done >h.jsonl
	{ backup 9 990000 '"newest":true'; rows_of orders 700000; rows_of audit_log 310000; rows_of users 500000; } >in
	expect_status 0 size-trend --records --history h.jsonl <in
	expect_check table-size ok ""
	expect_out '3 tables as ever'
	{ backup 9 600000 '"newest":true'; rows_of orders 0; rows_of users 500000; } >in
	expect_status 2 size-trend --records --history h.jsonl <in
	expect_check table-size warning public.audit_log
	expect_check table-size warning public.orders
	expect_out 'a drop of 20 % is allowed; public.orders has 0 B after 690 kB: 69 % of what all tables lost'
	expect_out 'public.audit_log is gone .310 kB.: 31 % of what all tables lost'
	# As a plugin: the last run beside those before it.
	jq -c 'select(.backup.name | test("08"))' h.jsonl >last
	sed 's/0208/0209/g; s/-02-08/-02-09/; s/public.audit_log/public.other/' last >>h.jsonl
	expect_status 1 size-trend --nagios --history h.jsonl --label shop
	expect_out 'audit_log is gone'
}
t "what is gone from which table is said, and its share of the drop" tables

not_a_record() {
	{ backup 14 1000000; echo garbage; backup 15 1000000 '"newest":true'; } >in
	expect_status 3 size-trend --records <in
	expect_check input-record unknown
	expect_check backup-size ok
}
t "a line that is no record is unknown, and the rest is judged" not_a_record

fifty_thousand() {
	awk 'BEGIN { for (i = 0; i < 50000; i++) printf "{\"record\":\"backup\",\"source\":\"/s\",\"name\":\"b%d\",\"bytes\":%d,\"modified_at\":\"2026-01-%02dT%02d:%02d:%02dZ\"}\n", i, 1000000 + i % 7, 1 + i / 3600 / 24, i / 3600 % 24, i / 60 % 60, i % 60 }' >in
	expect_status 0 prlimit --as=300000000 size-trend --records <in
}
# The sanitizers take memory of their own.
[ "${SANITIZED:-0}" = 1 ] || t "a listing of 50,000 backups fits into little memory" fifty_thousand
