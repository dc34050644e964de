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

# browse FILE [OPTION...]: its document as the browser sees it goes to dom, what it logs to
# browser.log.
browse() {
	file=$1
	shift
	rm -rf profile
	timeout 60 env HOME="$SCRATCH" chromium --headless --no-sandbox --disable-gpu \
		--disable-background-networking --disable-component-update --disable-sync \
		--disable-dev-shm-usage --no-first-run \
		--host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' --user-data-dir="$SCRATCH/profile" \
		--enable-logging=stderr "$@" "file://$SCRATCH/$file" >dom 2>browser.log
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
	# the bars of three charts, each with its value on hover
	[ "$(grep -c '<g class="bar"><title>2026-02-17 06:33:06 UTC: ' page.html)" -eq 3 ]
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

# asked LOG: a page made a request. (What the browser asks for itself comes from no origin.)
asked() { grep -o '"initiator":"[^"]*"' "$1" | grep -qv '"not an origin"'; }

in_a_browser() {
	command -v chromium || skip "needs chromium"
	for run in "ok 0" "bad 2"; do
		page "${run% *}" "${run#* }"
		browse page.html --dump-dom --log-net-log="$SCRATCH/net" --virtual-time-budget=1000
		grep -q '<h1>Backup of shop' dom
		[ "$(grep -c '<details class="check"' dom)" -eq "$(grep -c '<details class="check"' page.html)" ]
		[ "$(grep -c '<g class="bar' dom)" -eq 183 ]
		not grep -q 'CONSOLE' browser.log
		not asked net
	done
	# these would have been seen
	sed '/Content-Security-Policy/d; s,</body>,<img src="http://127.0.0.1:9/x"><script>console.error("seen")</script></body>,' page.html >broken.html
	browse broken.html --dump-dom --log-net-log="$SCRATCH/net" --virtual-time-budget=1000
	grep -q 'CONSOLE.*seen' browser.log
	asked net
}
t "a browser shows it without an error or a request" in_a_browser

# measure WIDTH: "WIDTH NEEDED" of the page with every detail unfolded, in a frame so wide (a window
# has a least width), goes to measured.
measure() {
	{
		grep -v Content-Security-Policy page.html
		echo '<script>document.querySelectorAll("details").forEach(d => d.open = true);'
		echo 'const e = document.documentElement;'
		echo 'parent.postMessage(e.clientWidth + " " + e.scrollWidth, "*")</script>'
	} >inner.html
	echo '<script>onmessage = e => document.title = e.data</script>' \
		"<iframe src=inner.html style='width:$1px;height:900px;border:0'></iframe>" >frame.html
	browse frame.html --dump-dom --hide-scrollbars --virtual-time-budget=2000
	sed -n 's,.*<title>\([0-9]* [0-9]*\)</title>.*,\1,p' dom | head -n 1 >measured
	cat measured
}

on_a_phone() {
	command -v chromium || skip "needs chromium"
	jq -nc --arg s "$(printf '%0300d' 7)" '{record: "check", tool: $s, check: "row-count", subject: $s,
		status: "critical", summary: $s, observed: $s, metrics: [{name: $s, value: 1, unit: $s}]},
		{record: "backup", newest: true, name: $s, source: $s, sha256: $s}' >long
	for input in bad long; do
		page $input 2
		for width in 360 800 1280; do
			measure $width
			grep -qx "$width $width" measured
		done
	done
	# this would have been seen
	sed -i 's,</main>,<p style="width:500px">x</p>&,' page.html
	measure 360
	not grep -qx '360 360' measured
	grep -q '^360 ' measured
}
t "nothing overflows a narrow screen" on_a_phone
