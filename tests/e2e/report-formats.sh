#!/bin/sh
# emit-report for other programs: JUnit, Prometheus, GitHub annotations, CSV.
. "${0%/*}/lib.sh"
need jq awk python3 xmllint

GOLDEN=$ROOT/tests/golden
NOW=2026-02-17T06:33:06Z
host=$(uname -n)
cp "$GOLDEN/report-ok.jsonl" ok
sed -f "$GOLDEN/damage.sed" ok >bad
jq -nc --arg s "$(printf 'a"b\047,;\\ <x a="1">]]>&amp;\n::error::%%0A\r\033[31m\342\200\256 =1\357\277\277')" \
	'{record: "check", tool: $s, check: "row-count", subject: $s, status: "critical",
	  summary: $s, observed: $s, expected: $s, label: $s, run: $s,
	  metrics: [{name: $s, value: 1, unit: $s, warn: $s}, {name: $s, value: 2, unit: $s}]},
	 {record: "check", tool: $s, check: "row-count", subject: $s, status: "unknown",
	  metrics: [{name: $s, value: 3, unit: $s}, 5, {name: "no_value"}]},
	 {record: "check", tool: $s, check: $s, status: "ok", summary: "=cmd()"},
	 {record: "stage", tool: $s, event: "begin", at: $s},
	 {record: "backup", newest: true, name: $s, source: $s, sha256: $s, bytes: "x"},
	 {record: "instance", server_version: $s}' >hostile
awk 'BEGIN {
	for (i = 0; i < 50000; i++)
		printf "{\"record\":\"check\",\"tool\":\"compare-counts\",\"check\":\"row-count\",\"subject\":\"public.t%d\",\"status\":\"%s\",\"summary\":\"%d rows\",\"metrics\":[{\"name\":\"rows\",\"value\":%d}]}\n", i, i % 1000 ? "ok" : "critical", i, i
}' >many
: >empty

# report FORMAT INPUT STATUS [OPTION...]: goes to the file got.
report() {
	format=$1 input=$2 status=$3
	shift 3
	expect_status "$status" emit-report --now $NOW --monitored-host db1 -f "$format=got" "$@" <"$input"
	expect_silent
}

# as_golden FILE: got is the kept file, but for the name of this machine. UPDATE=1 keeps it instead.
as_golden() {
	sed "s/hostname=\"$host\"/hostname=\"HOST\"/; s/_source\":\"$host\"/_source\":\"HOST\"/" got >plain
	[ -z "${UPDATE-}" ] || cp plain "$GOLDEN/$1"
	diff -u "$GOLDEN/$1" plain
}

# for_all CHECK FORMAT: CHECK likes the report of every input.
for_all() {
	for run in "ok 0" "bad 2" "hostile 2" "many 2" "empty 2"; do
		report "$2" "${run% *}" "${run#* }"
		"$1" || { echo "in the report of: ${run% *}"; return 1; }
	done
}

kept() {
	for kept in junit prometheus github csv gitlab nsca nrdp icinga2; do
		report $kept ok 0
		as_golden report-ok.$kept
		report $kept bad 2 --expect alert-slack
		as_golden report-bad.$kept
	done
}
t "good and bad runs in every format" kept

# For Jenkins, and for everybody.
valid_junit() {
	xmllint --noout --schema "$GOLDEN/junit.xsd" got && xmllint --noout --schema "$GOLDEN/junit-common.xsd" got
}

# counts XPATH N
counts() { [ "$(xmllint --xpath "count($1)" got)" = "$2" ] || { echo "$1: not $2"; return 1; }; }

junit() {
	for_all valid_junit junit
	report junit bad 2
	counts '//failure' "$(xmllint --xpath 'string(/testsuites/@failures)' got)"
	counts '//error' "$(xmllint --xpath 'string(//testsuite/@errors)' got)"
	counts '//testcase' "$(xmllint --xpath 'string(/testsuites/@tests)' got)"
	[ "$(xmllint --xpath 'string(//testcase[@name="Backup size"]/system-out)' got | cut -c1-16)" = 'WARNING: 18.2 GB' ]
	report junit hostile 2
	counts '//testcase[failure and contains(@name, " row count")]' 1
	counts '//testcase[error and contains(@name, " (2)")]' 1
	report junit many 2
	counts '//testcase' 20051
	counts '//failure' 50
	counts '//testcase[@name="checks left out"]/system-out' 1
	# a schema that takes everything would be no test
	sed -i 's/<testcase /<testcase line="1" /' got
	not valid_junit
}
t "JUnit: valid, the counts are right, no name twice" junit

# The text format 0.0.4, and what the documentation of Prometheus asks of names.
valid_metrics() {
	python3 - got <<-'PY'
		import re, sys
		text = open(sys.argv[1], encoding="utf-8", newline="").read()
		assert text.endswith("\n") and "\r" not in text
		sample = re.compile(r'([a-z_][a-z0-9_]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')
		seen, closed, helped, typed, family = set(), set(), set(), set(), None
		for line in text[:-1].split("\n"):
		    if line.startswith("# "):
		        word, name, rest = line[2:].split(" ", 2)
		        if word == "HELP":
		            assert name not in helped and rest, line
		            closed.add(family)
		            family = name
		            helped.add(name)
		        else:
		            assert word == "TYPE" and rest == "gauge" and name == family, line
		            typed.add(name)
		        continue
		    m = sample.fullmatch(line)
		    assert m, line
		    assert m[1] == family and family in typed and family not in closed, line
		    assert not re.search(r"_(total|count|sum|bucket|info|ms|s|b)$", family), line
		    assert line.rsplit(" ", 1)[0] not in seen, "twice: " + line
		    seen.add(line.rsplit(" ", 1)[0])
		    float(m[3])
		assert len(seen) < 1000, len(seen)
	PY
}

prometheus() {
	for_all valid_metrics prometheus
	[ "$(stat -c %a got)" = 644 ]
	report prometheus hostile 2
	grep -q '^backup_check_status{.*check="row-count".*} 2$' got
	cp got good
	for damage in '$ a\backup_verified{database="x"} 1' '1 d' 's/ gauge/ counter/' 's/} 2$/} two/' '$ p'; do
		sed "$damage" good >got
		not valid_metrics
	done
	if command -v promtool; then
		report prometheus bad 2
		promtool check metrics <got
	fi
}
t "Prometheus: every line is well-formed, no family is torn, no sample twice" prometheus

last_verified() {
	# seconds since 1970 of NOW, and a day later
	report prometheus ok 0 --history h.jsonl
	grep -qx 'backup_last_verified_timestamp_seconds{database="shop"} 1771309986' got
	grep -qx 'backup_verified{database="shop"} 1' got
	expect_status 2 emit-report --now 2026-02-18T06:33:06Z --history h.jsonl -f prometheus=got <bad
	grep -qx 'backup_last_verified_timestamp_seconds{database="shop"} 1771309986' got
	grep -qx 'backup_run_timestamp_seconds{database="shop"} 1771396386' got
	grep -qx 'backup_verified{database="shop"} 0' got
	report prometheus bad 2 --history new.jsonl
	grep -qx 'backup_last_verified_timestamp_seconds{database="shop"} 0' got
}
t "Prometheus: a failed run does not forget the last verified one" last_verified

valid_annotations() {
	not grep -qvE '^::(error|warning|notice) title=[^:,]*::([^%]|%(25|0A))+$' got
	[ "$(grep -c '^::error' got)" -le 10 ] && [ "$(tail -n 1 got | grep -c '^::notice')" -eq 1 ]
}

github() {
	for_all valid_annotations github
	report github many 2
	[ "$(wc -l <got)" -eq 11 ]
	grep -q '^::notice .*50,000 checks: 50 critical, 49,950 ok' got
	# without a file: to standard error, beside a report on standard output
	expect_status 2 emit-report --now $NOW -f github -f text <bad
	expect_err '^::error title=public.orders row count::8,324,112'
	expect_not_out '^::'
	expect_out '^CRITICAL: '
	expect_status 2 sh -c "emit-report --now $NOW -f github <bad 2>&-"
}
t "GitHub: ten annotations of a kind, nothing can add one of its own" github

valid_csv() {
	python3 - got <<-'PY'
		import csv, sys
		text = open(sys.argv[1], encoding="utf-8", newline="").read()
		assert text.count("\n") == text.count("\r\n")
		rows = list(csv.reader(open(sys.argv[1], encoding="utf-8", newline=""), strict=True))
		assert all(len(r) == len(rows[0]) for r in rows), "columns"
		assert not any(c[:1] in ("=", "+", "@") for r in rows for c in r), "formula"
	PY
}

csv() {
	for_all valid_csv csv
	report csv hostile 2
	grep -qF "\"'=cmd()\"" got
	report csv bad 2
	grep -q '"public.orders","critical",.*,8412103,8324112,"rows",8412056,"rows","",""' got
	printf '"too","short"\r\n' >>got
	not valid_csv
}
t "CSV: as many columns in every line, no formula" csv

# valid SCHEMA FILE: every line (or the whole, where it is one object) is as docs/SCHEMA.schema.json says.
valid() {
	python3 - "$ROOT/docs/$1.schema.json" "$2" <<-'PY'
		import json, sys
		from jsonschema import Draft202012Validator
		schema = json.load(open(sys.argv[1]))
		Draft202012Validator.check_schema(schema)
		text = open(sys.argv[2], encoding="utf-8").read()
		try:
		    objects = [json.loads(text)]
		except ValueError:
		    objects = [json.loads(line) for line in text.splitlines()]
		bad = [e.message[:300] for o in objects for e in Draft202012Validator(schema).iter_errors(o)]
		print("\n".join(bad[:10]))
		sys.exit(bool(bad) or not objects)
	PY
}

schemas() {
	python3 -c 'import jsonschema' || skip "needs python3-jsonschema"
	valid records ok
	mkdir dumps
	echo "-- PostgreSQL database dump" >dumps/shop-20260217.sql
	{ list-backups --records --label shop dumps; fetch-latest --records --label shop dumps; } | size-trend --records |
		inspect-dump --records | check-freshness --records >real || true
	[ "$(wc -l <real)" -gt 10 ]
	valid records real
	# (what a hostile probe wrote is repeated as it is)
	for run in "ok 0" "bad 2" "empty 2"; do
		rm -f h.jsonl
		report json "${run% *}" "${run#* }" --history h.jsonl --evidence ev
		valid report got || { echo "in the report of: ${run% *}"; return 1; }
		valid evidence ev.json || { echo "in the evidence of: ${run% *}"; return 1; }
		valid report h.jsonl
	done
	# a schema that takes everything would be no test
	report json ok 0
	jq '.status = "fine"' got >wrong
	not valid report wrong
	jq -c 'select(.record == "check") | .metrics = [{name: "x"}]' ok | head -n 1 >wrong
	not valid records wrong
}
t "JSON: records, reports and evidence are as the published schemas say" schemas

invented() {
	jq -nc --arg s "$(printf '<script>|\n\033[31m\342\200\256')" '{tool: "check-moon", run: "R", label: "shop"} as $t
		| $t + {record: "moon_phase", waning: true, angle: 41.5, craters: 1234567, seas: ["a", "b"], note: $s},
		$t + {record: "check", check: "tide", status: "warning", summary: "high", metrics: [{name: "level", value: 3, unit: "m"}]}' >moon
	report text moon 1
	grep -q 'Moon phase: waning yes, angle 41.5, craters 1,234,567, seas 2 entries, note <script>|??\[31m?' got
	report markdown moon 1
	grep -qF -e '- Moon phase: waning yes, angle 41.5, craters 1,234,567, seas 2 entries, note \<script\>\|??\[31m?' got
	grep -q 'Tide .*| \*\*WARNING\*\* high |' got
	report html moon 1
	grep -q '<dt><bdi>Moon phase</bdi></dt><dd><bdi>waning yes, angle 41.5' got
	not grep -q '<script' got
	report prometheus moon 1
	grep -q '^backup_probe_level{database="shop",check="tide",subject=""} 3$' got
	awk 'BEGIN { for (i = 0; i < 300; i++) print "{\"record\":\"x\",\"n\":" i "}" }' >moons
	report text moons 3
	grep -q 'and 200 more such records' got
}
t "a record that nobody has seen before is shown" invented

summary_limit() {
	awk 'BEGIN {
		for (i = 0; i < 20000; i++)
			printf "{\"record\":\"check\",\"tool\":\"t\",\"check\":\"row-count\",\"subject\":\"public.t%d\",\"status\":\"critical\",\"summary\":\"%060d rows\"}\n", i, i
	}' >long
	report markdown long 2
	[ "$(wc -c <got)" -lt 1000000 ]
	grep -q 'more are left out here, for GitHub takes no more' got
	grep -q '20,000 checks: 20,000 critical' got
}
t "Markdown fits into the summary of a GitHub step" summary_limit

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o size=16k none small 2>/dev/null || skip "no mount here"
	trap 'umount small' EXIT
	for format in junit prometheus csv html; do
		echo before >small/r
		head -c 16000 /dev/zero >small/ballast 2>/dev/null || true
		expect_status 3 emit-report --now $NOW -f $format=small/r <ok
		expect_err 'small/r: No space left'
		[ "$(cat small/r)" = before ]
		[ "$(find small -type f | wc -l)" -eq 2 ]
	done
}
t "a full disk leaves the file of the last run" full_disk
