#!/bin/sh
# fleet: the page over many databases with a year of history each. DATABASES (1000) and DAYS (365)
# say how many; goal: less than 10 s and 256 MiB.
set -eu
BIN=${BIN:-$(cd "$(dirname "$0")/../../build/bin" && pwd)}
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d /tmp/bench-fleet.XXXXXX)
trap 'rm -rf "$dir"' EXIT
trap 'exit 3' INT TERM HUP
now=2026-02-17T06:33:06Z

mkdir "$dir/h"
"$BIN/emit-report" --now $now --format json <"$root/tests/golden/report-ok.jsonl" |
	jq -c --argjson days "${DAYS:-365}" '. as $run | range($days) | . as $i | $run
		| .at = ($run.at | sub("\\..*"; "Z") | fromdate - 86400 * ($days - 1 - $i) | todate)
		| .backup.bytes -= 10000000 * ($days - $i) | .rto_seconds = 1200 + $i % 7 * 30
		| if $i % 40 == 4 then .status = "critical" | .verified = false else . end' >"$dir/one"
i=0
while [ $i -lt "${DATABASES:-1000}" ]; do
	i=$((i + 1))
	sed "s/\"label\":\"shop\"/\"label\":\"db$i\"/" "$dir/one" >"$dir/h/db$i.jsonl"
done

/usr/bin/env python3 - "$BIN/emit-report" "$dir" $now <<'PY'
import os, resource, subprocess, sys, time
tool, directory, now = sys.argv[1:]
page = directory + "/page.html"
size = sum(e.stat().st_size for e in os.scandir(directory + "/h"))
start = time.monotonic()
status = subprocess.call([tool, "--now", now, "--fleet", directory + "/h", "--format", "html=" + page])
seconds = time.monotonic() - start
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{len(os.listdir(directory + '/h'))} databases, {size / 1e6:.0f} MB of history: {seconds:.1f} s "
      f"({usage.ru_utime + usage.ru_stime:.1f} s of processor), {usage.ru_maxrss / 1024:.0f} MiB; "
      f"page of {os.path.getsize(page) / 1e6:.1f} MB, status {status}")
sys.exit(seconds > 10 or usage.ru_maxrss > 256 * 1024)
PY
