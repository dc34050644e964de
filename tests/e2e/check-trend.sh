#!/bin/sh
# check-trend: where the times of the runs in a history are going.
. "${0%/*}/lib.sh"
need jq

# checks GB SECONDS RPO STORED [EXTRA-FETCH]: what a run measured.
# shellcheck disable=SC2016  # jq has variables of its own
figures='def checks($gb; $s; $rpo; $stored; $fetch): [
	{check: "listing", metrics: [{name: "total_bytes", value: $stored, unit: "B"}]},
	{check: "backup-download", metrics: [{name: "fetch_seconds", value: ($s / 10 + $fetch)}]},
	{check: "restore", metrics: []},
	{check: "restore-time", metrics: [{name: "data_seconds", value: ($s * 0.9)}]},
	{check: "verified-rto", metrics: [{name: "rto_seconds", value: ($s + $fetch)}]},
	{check: "verified-rpo", metrics: [{name: "rpo_seconds", value: $rpo}]}];
	def backup($gb): {name: "x", format: "custom", bytes: ($gb * 1e9)};
	def day: 1771300000 + . * 86400 | floor | todate;'

# history DAYS: a GB more a day, each restored in 10 s, and a minute for all: 1300 s on day 28.
history() {
	jq -nc "$figures"'range($n) | {record: "run", v: 1, run: "r\(.)", label: "shop", at: day,
		status: "ok", verified: true, backup: backup(96 + .), instance: {durability: "fast"},
		rto_seconds: (60 + 10 * (96 + .)), rpo_seconds: (7200 + . % 5 * 60),
		checks: checks(96 + .; 60 + 10 * (96 + .); 7200; 1e12 + . * 1e10; 0)}' --argjson n "$1"
}

# now_run DAY GB SECONDS RPO STORED [FETCH]: the records of the present run.
now_run() {
	jq -nc "$figures"'{tool: "t", run: "R", label: "shop"} as $all |
		({record: "backup", newest: true} + backup($gb), {record: "instance", durability: "fast"},
		({record: "check", status: "ok", summary: "x"} + checks($gb; $s; $rpo; $stored; $fetch)[])) |
		$all + .' --argjson gb "$2" --argjson s "$3" --argjson rpo "$4" --argjson stored "$5" \
		--argjson fetch "${6-0}" >in
	now=$(jq -nr "$figures"'$d | day' --argjson d "$1")
}

trend() {
	want=$1
	shift
	expect_status "$want" check-trend --records --now "$now" --history shop.jsonl "$@" <in
}

grows() {
	history 28 >shop.jsonl
	now_run 28 124 1300 7320 1.28e12
	trend 1 --rto-target 30m --rpo-target 24h --max-storage 5TB
	expect_check rto-forecast warning
	expect_out 'the 30 min target is missed in about 50 days \(50 to 50\)'
	expect_check rto-trend ok
	expect_check rpo-forecast ok
	expect_check storage-forecast ok
	expect_out 'limit is missed in about 372 days|the 5.0 TB limit is far'
	expect_records 'map(select(.check == "rto-forecast").metrics[] | {(.name): .value}) | add
		| (.target_missed_in_seconds / 86400 | round) == 50 and .runs == 29
		and (.growth_seconds_per_day | round) == 10'
	# Far enough away it is told, and no finding; so without a target.
	trend 0 --rto-target 30m --horizon 30d
	expect_out 'missed in about 50 days'
	trend 0
	expect_out '10 s more a day over 29 runs'
	RTO_TARGET=30m FORECAST_HORIZON=60d HISTORY=shop.jsonl expect_status 1 check-trend --records --now "$now" <in
	# Already beyond it.
	trend 1 --rto-target 20m
	expect_out 'beyond the target of 20 min already'
}
t "a growth is drawn on to the day on which the target is missed" grows

steps() {
	now_run 28 124 3900 7320 1.28e12
	trend 1 --rto-target 2h
	expect_check rto-trend warning
	expect_check rto-trend warning rows
	expect_out '1 h 5 min, 3 times its own trend \(22 min\)'
	trend 0 --max-slowdown 250%
	# Of the whole it is little, of the phase all.
	now_run 28 124 1300 7320 1.28e12 800
	trend 1
	expect_check rto-trend ok
	expect_check rto-trend warning fetch
	expect_records 'map(select(.check == "rto-trend").subject) == ["", "fetch"]'
	# The recovery point: within its target nobody is told.
	now_run 28 124 1300 72000 1.28e12
	trend 1
	expect_check rpo-trend warning
	trend 0 --rpo-target 24h
	expect_check rpo-trend ok
}
t "what takes far longer than its own trend is found, by phase" steps

few() {
	history 5 >shop.jsonl
	now_run 5 101 4000 7320 1.28e12
	trend 0 --rto-target 30m
	expect_out 'too few runs for a forecast: 6 in 5 days, 7 in a week are needed'
	expect_out 'too few runs before it'
	: >shop.jsonl
	trend 0 --rto-target 30m
	# Another format is another matter.
	history 28 | jq -c '.backup.format = "plain"' >shop.jsonl
	trend 0 --rto-target 30m
	expect_records 'map(select(.check == "rto-forecast").metrics[0].value) == [1]'
}
t "too few runs are said, and nothing is guessed" few

plugin() {
	mkdir -p dir
	history 28 >dir/shop.jsonl
	expect_status 1 check-trend --nagios --history dir/ --label shop --rto-target 30m
	expect_out "^CHECK-TREND WARNING - .*missed in about 51 days"
	expect_status 3 check-trend --nagios --history dir/ --label none
	expect_out 'measured neither'
	expect_status 3 check-trend --nagios --history dir/shop.jsonl/x --label shop
	expect_status 3 check-trend
	expect_err 'history is missing'
	echo 'cut off' >>dir/shop.jsonl
	expect_status 1 check-trend --nagios --history dir/ --label shop --rto-target 30m
	expect_err '1 lines could not be read'
}
t "as a plugin it judges the last run of the history" plugin
