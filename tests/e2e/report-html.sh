#!/bin/sh
# emit-report --format html: one page, looked at in a browser where there is one.
# shellcheck disable=SC2016  # backticks are text here
# sanitizers: no, the page has unit tests; this is about browsers
. "${0%/*}/lib.sh"
need jq awk

GOLDEN=$ROOT/tests/golden
NOW=2026-02-17T06:33:06Z
cp "$GOLDEN/report-ok.jsonl" ok
sed -f "$GOLDEN/damage.sed" ok >bad

# past COUNT: a history of so many days up to yesterday, each a little larger; the fifth one bad.
past() {
	emit-report --now $NOW -f json <ok | jq -c --argjson n "$1" '
		. as $run | range($n) | . as $i | $run
		| .at = ($run.at | sub("\\..*"; "Z") | fromdate - 86400 * ($n - $i) | todate)
		| .run = "PAST\($i)" | .backup.bytes -= 10000000 * ($n - $i)
		| .rto_seconds = 1200 + $i % 7 * 30
		| if $i == 4 then .status = "critical" | .verified = false else . end'
}

# page INPUT STATUS [OPTION...]: makes page.html, with 60 days of history.
page() {
	input=$1 status=$2
	shift 2
	past 60 >h.jsonl
	expect_status "$status" emit-report --now $NOW --history h.jsonl -f html=page.html "$@" <"$input"
}

# What the page says beside its markup, in one line.
words() { sed '/<style>/,/<\/style>/d; s/<title>[^<]*<\/title>//g; s/<[^>]*>/ /g' "$1" | tr -s ' \n' ' '; }

says() { words page.html | grep -qF -e "$1" || say_failed "the page does not say: $1"; }

all_is_well() {
	page ok 0
	expect_silent
	[ "$(stat -c %a page.html)" = 644 ]
	grep -q '<title>OK: Backup of shop verified - shop-20260217.dump restores, all 13 checks passed</title>' page.html
	says 'public.orders row count 8,412,056 (production: 8,412,103) - 47 newer than the recovery point'
	says 'Verified RTO 22 min target 30 min +2.3 % since the last run'
	says 'Since the run of 2026-02-16 06:33:06 UTC, which was ok:'
	says 'It is the same backup, byte for byte, as last time'
	says 'Backup size 18.2 GB last, 17.6 GB to 18.2 GB in 61 runs'
	says '60 of 61 runs of the last year verified a backup'
	[ "$(grep -c '<details class="check" open>' page.html)" -eq 0 ]
	# the bars of four charts, each with its value on hover
	[ "$(grep -c '<g class="bar"><title>2026-02-17 06:33:06 UTC: ' page.html)" -eq 4 ]
	grep -q '<title>2026-02-17: verified</title>' page.html
}
t "a good run: the verdict, the figures, their past" all_is_well

all_is_bad() {
	page bad 2
	says 'CRITICAL shop Backup of shop - public.orders row count: 8,324,112'
	says 'public.orders row count , was ok'
	says 'public.users row count : not there any more, was ok'
	says 'compare-counts stage : not there before'
	says 'Expected 8,412,103 Observed 8,324,112'
	says '18.2 GB, +45 % | against the `median` of 14 &lt;b&gt;'
	# the failing ones first, and unfolded where there is more to see
	[ "$(grep -o '<details class="check".*badge [a-z]*' page.html | sed 's/.* //' | uniq | tr '\n' ' ')" = \
		'critical unknown warning ok ' ]
	grep -q '<details class="check" open><summary><span class="badge critical">' page.html
}
t "a bad run: what changed, and the failing checks first" all_is_bad

no_history() {
	expect_status 0 emit-report --now $NOW -f html <ok
	cp "$OUT" page.html
	says 'No history is kept, so nothing can be compared.'
	not grep -q '<svg' page.html
	expect_status 0 emit-report --now $NOW --history new.jsonl -f html <ok
	cp "$OUT" page.html
	says 'This is the first run of its kind that the history knows.'
	[ "$(wc -l <new.jsonl)" -eq 1 ]
	: >file
	expect_status 3 emit-report --now $NOW --history file/x -f html=page.html <ok
	says 'earlier runs were not read'
	: >empty
	expect_status 2 emit-report --now $NOW -f html=page.html <empty
	says 'no record arrived'
}
t "without a past there are no charts, and the page says why" no_history

self_contained() {
	for run in "ok 0" "bad 2"; do
		page "${run% *}" "${run#* }"
		not grep -qiE '<script|<link rel="stylesheet|@import|url\(|javascript:' page.html
		not grep -qE '(src|href|action|data)="?(https?:)?//' page.html
		[ "$(grep -c 'http' page.html)" -eq "$(grep -cE 'http-equiv|http://www.w3.org/2000/svg' page.html)" ]
		grep -q "default-src 'none'" page.html
	done
}
t "the page needs nothing but itself" self_contained

hostile() {
	jq -nc --arg s "$(printf 'a"b\047<script>document.title="owned"</script></title></style><img src=x onerror=1>\n\033[31m\342\200\256&amp;\357\277\277')" \
		'{record: "check", tool: $s, check: "row-count", subject: $s, status: "critical",
		  summary: $s, observed: $s, expected: $s, label: $s, run: $s,
		  metrics: [{name: $s, value: 1, unit: $s, warn: $s, crit: $s}]},
		 {record: "check", tool: $s, check: $s, status: "ok"},
		 {record: "stage", tool: $s, event: "begin", at: $s},
		 {record: "backup", newest: true, name: $s, source: $s, sha256: $s, bytes: -5},
		 {record: "instance", server_version: $s, recovery_point: $s}' >in
	expect_status 2 emit-report --now $NOW --history h/ --title "$(printf '<b>\033')" -f html=page.html <in
	sed 's/"critical"/"ok"/' in >in2
	expect_status 2 emit-report --now 2026-02-18T06:33:06Z --history h/ -f html=page.html <in2
	not grep -qP '[\x00-\x09\x0b-\x1f\x7f]' page.html
	not grep -q "$(printf '\342\200\256')" page.html
	not grep -qiE '<script|<img|<b>0' page.html
	# every tag is one of ours, and is closed
	[ "$(grep -o '<[a-zA-Z/!][a-zA-Z0-9]*' page.html | tr -d '</' | sort -u | tr '\n' ' ')" = \
		"$(echo '!DOCTYPE b bdi body dd details div dl dt figcaption figure footer g h1 h2 h3 head header html li line link main meta p path rect section span style summary svg table tbody td text th thead title tr ul' | tr ' ' '\n' | sort | tr '\n' ' ')" ]
}
t "hostile names stay text" hostile

many() {
	awk 'BEGIN {
		for (i = 0; i < 20000; i++)
			printf "{\"record\":\"check\",\"tool\":\"compare-counts\",\"check\":\"row-count\",\"subject\":\"public.t%d\",\"status\":\"%s\",\"summary\":\"%d rows\",\"metrics\":[{\"name\":\"rows\",\"value\":%d}]}\n", i, i % 2 ? "critical" : "ok", i, i
	}' >in
	expect_status 2 timeout 20 emit-report --now $NOW --history many.jsonl -f html=page.html <in
	expect_status 2 timeout 20 emit-report --now $NOW --history many.jsonl -f html=page.html <in
	[ "$(wc -c <page.html)" -lt 2000000 ]
	[ "$(grep -c '<details class="check" open>' page.html)" -eq 10 ]
	says 'Findings : 9,000 more'
	says 'Row count, all ok : 9,980 more'
}
t "10,000 failing tables stay readable" many

fleet() {
	mkdir -p all
	past 60 | sed 's/"shop"/"orders"/' >all/orders.jsonl
	past 400 >all/shop.jsonl
	emit-report --now $NOW --history all/broken.jsonl -f text=/dev/null --label broken <bad || [ $? -eq 2 ]
	past 3 | jq -c '.label = "x<b>" | .at |= sub("2026-02-1"; "2026-01-1")' >all/x.jsonl
	echo '{"record":"readings"}' >all/shop.readings.jsonl
	echo rubbish >>all/orders.jsonl
	expect_status 2 emit-report --now $NOW --fleet all -f html=fleet.html --link 'https://reports.example.org/LABEL/latest/'
	cp fleet.html page.html
	says 'Databases 4'
	says 'orders &#10003; OK' || says 'orders ? UNKNOWN 1 unreadable line'
	says 'x&lt;b&gt; ? UNKNOWN no newer run'
	grep -q '<a href="https://reports.example.org/x%3Cb%3E/latest/">' page.html
	# the worst first
	[ "$(grep -o '/latest/">[a-z]*' page.html | sed 's/.*>//' | tr '\n' ' ')" = 'shop orders x shop ' ] ||
		[ "$(grep -o 'badge [a-z]*"' page.html | sed 1d | uniq | tr '\n' ' ')" = 'badge critical" badge unknown" badge ok" ' ]
	expect_status 3 emit-report --fleet /nowhere
	mkdir none
	expect_status 3 emit-report --fleet none -f html=fleet0.html
	expect_status 3 emit-report --fleet all -f text
}
t "many databases on one page: what needs a look first" fleet

# The screenshots stay, as build output.
SHOTS=$ROOT/build/screenshots

in_a_browser() {
	command -v chromium || skip "needs chromium"
	page bad 2
	mv page.html bad.html
	past 60 >h.jsonl
	emit-runbook --now $NOW --label shop --history h.jsonl --source /srv/backups --standby db2 \
		--production 'host=db1 dbname=shop' -f html=runbook.html
	jq -nc --arg s "$(printf '%0300d' 7)" '{record: "check", tool: $s, check: "row-count", subject: $s,
		status: "critical", summary: $s, observed: $s, metrics: [{name: $s, value: 1, unit: $s}]},
		{record: "backup", newest: true, name: $s, source: $s, sha256: $s}' >long
	page long 2
	mv page.html long.html
	page ok 0
	mv page.html good.html
	# what must be seen: an error, a request, poor contrast, a page that is too wide
	sed '/Content-Security-Policy/d; s,</body>,<img src="http://127.0.0.1:9/x"><p style="width:2000px;color:#999;background:#fff">x</p><script>console.error("seen")</script></body>,' good.html >broken.html
	"$ROOT/tests/servers/browser" "$SHOTS" good.html bad.html long.html fleet.html runbook.html broken.html >looks.jsonl
		jq -e 'select(.page != "broken") | select(.overflow > 0 or .console != [] or .requests != [] or .contrast != []
		or .unnamed != [] or (.focus_visible | not))' looks.jsonl >odd || [ $? -eq 4 ]
	head -c 3000 odd
	[ ! -s odd ]
	[ "$(jq -s 'map(select(.page != "broken")) | length' looks.jsonl)" -eq 35 ]
	jq -es 'all(.[] | select(.page == "bad"); .bars == 244 and (.title | startswith("CRITICAL: ")) and .checks > 10)' looks.jsonl
	jq -es '[.[] | select(.page == "broken")] | all(.overflow > 0 and .requests != [] and .console != []
		and (.contrast | length) > 0)' looks.jsonl
	[ "$(find "$SHOTS" -name '*.png' -newer good.html | wc -l)" -eq 42 ]
}
t "in a browser: five pages at three widths, light, dark and printed; no error, no request, enough contrast" in_a_browser
