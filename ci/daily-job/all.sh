# All configurations of a directory, a few at a time, each a run of its own.

status_word() {
	case $1 in
	0) echo OK ;;
	1) echo WARNING ;;
	2) echo CRITICAL ;;
	*) echo UNKNOWN ;;
	esac
}

# Runs what no other worker has taken yet. Each run is a process of its own, with a temporary directory
# of its own: whatever becomes of it, the next one begins. INT and HUP are for the one that started us.
worker() {
	run_pid='' stopped=''
	trap 'stopped=1; [ -z "$run_pid" ] || kill -s TERM "$run_pid" 2>/dev/null' TERM
	trap '' INT HUP
	for config; do
		[ -z "$stopped" ] || return 0
		slot=$room/${config##*/}
		mkdir "$slot" 2>/dev/null || continue
		mkdir -m 1777 "$slot/tmp"
		TMPDIR=$slot/tmp "$self" ${only:+"$only"} -- "$config" >"$slot/output" 2>&1 </dev/null &
		run_pid=$!
		[ -z "$stopped" ] || kill -s TERM $run_pid 2>/dev/null
		await $run_pid
		run_pid=
		rm -rf "$slot/tmp"
		echo "$status" >"$slot/status"
		[ "$status" -eq 0 ] && continue
		# In one piece.
		{
			flock 8
			echo "=== $config: $(status_word "$status")"
			cat "$slot/output"
			echo
		} 8>"$room/.lock"
	done
}

# What a run said of itself: its report's headline, else its last words.
headline() {
	if [ "$1" -gt 128 ]; then
		echo "the run was killed by signal $(($1 - 128))"
	elif [ "$1$only" = 0--check-config ]; then
		sed -n 's/^LABEL=//p' "$2"
	else
		# It may go on in the next lines.
		awk '
			!head && sub(/^(OK|WARNING|CRITICAL|UNKNOWN): /, "") { head = $0; next }
			head && sub(/^ +/, " ") { head = head $0; next }
			head { exit }
			/./ { last = $0 }
			END { print head ? head : last ? last : "the run said nothing" }' "$2"
	fi
}

# A line for each configuration, and the worst status: bad, not looked at, a warning, good.
summarize() {
	good=0 warning=0 bad=0 blind=0
	for config; do
		slot=$room/${config##*/}
		if [ -s "$slot/status" ]; then
			status=$(cat "$slot/status")
			text=$(headline "$status" "$slot/output")
		else
			status=3 text='it was not run to its end'
		fi
		printf '%-8s  %-20s  %s\n' "$(status_word "$status")" "${config##*/}" "$text"
		case $status in
		0) good=$((good + 1)) ;;
		1) warning=$((warning + 1)) ;;
		2) bad=$((bad + 1)) ;;
		*) blind=$((blind + 1)) ;;
		esac
	done
	# The last line decides whether all this could be written.
	echo "$# configurations: $good ok, $warning warning, $bad critical, $blind unknown" || blind=1
	[ $bad -eq 0 ] || return 2
	[ $blind -eq 0 ] || return 3
	[ $warning -eq 0 ]
}

# Two configurations of one label would share its history and its work: only the first is run.
set_twins_aside() {
	for config; do
		label=$( (load_config && echo "$LABEL") 2>/dev/null) || continue
		first=$room/.label-$label
		if [ ! -e "$first" ]; then
			echo "${config##*/}" >"$first"
			continue
		fi
		mkdir "$room/${config##*/}"
		echo "$me: $config: $(cat "$first") has LABEL=$label, too: give each its own" >"$room/${config##*/}/output"
		echo 3 >"$room/${config##*/}/status"
	done
}

stop_workers() {
	interrupted=$1
	# shellcheck disable=SC2086  # a list
	[ -z "$workers" ] || kill -s TERM $workers 2>/dev/null
}

run_all() {
	dir=$1
	[ -d "$dir" ] || die "--all takes a directory, and $dir is none"
	set -- "$dir"/*.conf
	[ -e "$1" ] || [ -L "$1" ] || die "$dir: there is no *.conf in it"
	for key in LABEL BACKUP_SOURCE PRODUCTION READINGS WAL_LEDGER; do
		eval "[ -z \"\${$key-}\" ]" || die "$key is in the environment and would hold for all of $dir: unset it"
	done
	self=$(readlink -f "$0") workers=
	room=$(mktemp -d "${TMPDIR:-/tmp}/verify-backup.XXXXXX") || die "TMPDIR: no temporary directory can be made"
	trap 'rm -rf "$room"' EXIT
	trap 'stop_workers INT' INT
	trap 'stop_workers TERM' TERM
	trap 'stop_workers HUP' HUP
	# The temporary server's user must get through.
	chmod 711 "$room"
	set_twins_aside "$@"
	while [ "$jobs" -gt 0 ] && [ -z "$interrupted" ]; do
		worker "$@" &
		workers="$workers $!"
		jobs=$((jobs - 1))
	done
	# One that was started while the signal came.
	[ -z "$interrupted" ] || stop_workers "$interrupted"
	for worker in $workers; do await "$worker"; done
	worst=0
	summarize "$@" || worst=$?
	[ -z "$interrupted" ] || die "interrupted by SIG$interrupted; nothing was left running"
	exit "$worst"
}
