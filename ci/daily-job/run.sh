# One run of the pipeline: its signals, its time limit, its end.

# TIMEOUT in seconds plus what the tools may need to clean up; 0: no limit.
hard_limit() {
	echo "${TIMEOUT-}" | awk '
		BEGIN { split("s 1 m 60 h 3600 d 86400 w 604800", t, " ") }
		/./ {
			unit = 1
			for (i = 1; i < 10; i += 2) if (substr($0, length($0)) == t[i]) unit = t[i + 1]
			n = int($0 * unit) + 120
		}
		END { print n + 0 }'
}

# A signal that comes before the pipeline runs is seen by run().
forward() {
	interrupted=$1
	[ -z "$running" ] || kill -s TERM -- "-$running" 2>/dev/null || kill -s TERM "$running" 2>/dev/null
}

# A stage may die before its children: waits for them, in the end with KILL.
outlive_group() {
	left=600
	while kill -s 0 -- "-$running" 2>/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] || kill -s KILL -- "-$running"
		sleep 0.1
	done
}

# Waits for process $1, through signals that are trapped; sets $status.
await() {
	while :; do
		wait "$1"
		status=$?
		kill -0 "$1" 2>/dev/null || return 0
	done
}

pipe() {
	tools=$tools for_alerts=$for_alerts for_report=$for_report for_restore=$for_restore \
		timeout "$(hard_limit)" sh "$parts/pipeline" "$reports" </dev/null &
	running=$!
	[ -z "$interrupted" ] || forward "$interrupted"
	await $running
	trap '' INT TERM HUP
	outlive_group
	outlive_watchdog
}

run() {
	[ -n "$interrupted" ] || pipe
	clear_work || echo "$me: $work cannot be removed" >&2
	if [ -n "$interrupted" ]; then
		[ -z "$reports" ] || rm -rf "$reports"
		die "interrupted by SIG$interrupted; nothing was left running"
	fi
	case $status in
	[0-3]) finish_reports ;;
	124) die "the run did not end within TIMEOUT=$TIMEOUT" ;;
	*) die "the report could not be made (status $status)" ;;
	esac
	exit "$status"
}
