#!/bin/sh
# history.sh: what a question to a history costs that is long: RUNS (26000: three years of hourly ones)
# against 26, in a file and in a table of PostgreSQL, in one run, best of five. The only drill is its
# first run. Goal for the plugins: milliseconds, however long. Then the page over DATABASES (1000) of DAYS
# (365) runs each, out of a table; goal: less than 10 s and 256 MiB.
. "${0%/*}/../e2e/lib.sh"
need python3 jq
runs=${RUNS:-26000}
now=2026-02-17T06:33:06Z
pg_start history
load() { "$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "host=$PG_SOCKET user=postgres dbname=$1" -f - ; }

# years LABEL RUNS SECONDS: so many lines, one each SECONDS, the newest last.
years() {
	emit-report --now $now --format json <"$ROOT/tests/golden/report-ok.jsonl" |
		jq -c --arg name "$1" --argjson n "$2" --argjson every "$3" '. as $run | range($n) | . as $i | $run
			| .label = $name | .chain = {seq: ($i + 1), previous: ""}
			| .at = ($run.at | sub("\\..*"; "Z") | fromdate - $every * ($n - 1 - $i) | todate)
			| .backup.bytes -= 1000 * ($n - $i) | if $i == 0 then .drill = {performed_by: "Ada"} else . end'
}

# The table as the first writer makes it, then the lines of standard input.
fill() {
	[ -n "$(sql "$PG_DSN" "SELECT to_regclass('backup_probes.history')")" ] ||
		a_run first R restore=ok | emit-report --quiet --history "$PG_DSN"
	{
		echo 'CREATE TEMPORARY TABLE moved (line text);'
		echo "COPY moved FROM STDIN (FORMAT csv);"
		sed 's/"/""/g; s/.*/"&"/'
		printf '%s\n' '\.' "INSERT INTO backup_probes.history SELECT line::json ->> 'label',
			(line::json #>> '{chain,seq}')::bigint, (line::json ->> 'at')::timestamptz, line FROM moved;
			ANALYZE backup_probes.history;"
	} | load postgres
}

years long "$runs" 3600 >long.jsonl
years short 26 3600 >short.jsonl
[ "$(wc -l <long.jsonl)" -eq "$runs" ] || exit 1
cat long.jsonl short.jsonl | fill
cat >best <<'PYTHON'
import os, subprocess, sys, time
best = None
for _ in range(int(os.environ.get("TIMES", "5"))):
    start = time.monotonic()
    pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)])
    used = os.wait4(pid, 0)[2]
    took = (time.monotonic() - start, used.ru_maxrss / 1024)
    best = took if best is None or took[0] < best[0] else best
print(f"{best[0] * 1000:.1f} {best[1]:.0f}")
PYTHON

# row WHAT TOOL OPTION...: milliseconds and MiB, of both places.
row() {
	what=$1
	shift
	line=$(printf '%-44s' "$what")
	for place in file table; do
		for label in short long; do
			at=$PG_DSN
			[ $place = table ] || at=$label.jsonl
			line="$line $(python3 best "$@" --now $now --label $label --history "$at" | awk '{ printf "%9s ms %3s MiB", $1, $2 }')"
		done
	done
	echo "$line"
}
printf '%d runs of %d bytes\n%-44s %20s %20s %20s %20s\n' "$runs" "$(tail -1 long.jsonl | wc -c)" '' 'file, 26 runs' "file, $runs" \
	'table, 26 runs' "table, $runs"
row 'check-last-run' check-last-run --nagios
row 'check-freshness, verified a moment ago' check-freshness --nagios
row 'check-freshness, the drill is the first run' check-freshness --nagios --max-drill-age 92d
row 'size-trend' size-trend --nagios
row 'emit-runbook' emit-runbook
row 'emit-report, page with a year' emit-report --format html=page.html
row 'verify-history' verify-history

[ "${DATABASES:-1000}" -gt 0 ] || exit 0
sql "$PG_DSN" 'TRUNCATE backup_probes.history'
years db "${DAYS:-365}" 86400 >one
i=0
while [ $i -lt "${DATABASES:-1000}" ]; do
	i=$((i + 1))
	sed "s/\"label\":\"db\"/\"label\":\"db$i\"/" one
done | fill
printf '%d databases, %d runs each, of a table: ' "${DATABASES:-1000}" "${DAYS:-365}"
TIMES=1 python3 best emit-report --now $now --fleet "$PG_DSN" --format html=fleet.html | awk '{ printf "%.1f s, %s MiB\n", $1 / 1000, $2 }'
