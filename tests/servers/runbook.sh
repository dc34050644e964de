# shellcheck shell=sh
# shellcheck disable=SC2016 # what is to be expanded is expanded by the other shell
# Sourced after tests/e2e/lib.sh: doing what a runbook says.

# section N FILE: the commands of scenario N.
section() {
	awk -v n="## $1." 'fence == "" && index($0, "## ") == 1 { on = index($0, n) == 1 }
		fence != "" && $0 == fence { fence = ""; next }
		fence == "" && match($0, /^```+/) { fence = substr($0, 1, RLENGTH); sh = $0 == fence "sh"; next }
		fence != "" && on && sh' "$2"
}

# done_so FILE [VARIABLE=VALUE...]: does what it says, up to the step that cleans up.
done_so() {
	sed -e '/^dropdb /d; /^rm -rf /d' "$1" >"$1.run"
	shift
	as_pg env "$@" PATH="$PATH" sh -eu -c '. "$0"' "$SCRATCH/commands.run" >"$SCRATCH/log/done" 2>&1 </dev/null || {
		cat "$SCRATCH/log/done"
		return 1
	}
}

# start_command DIR: what starts the server of that directory, as pg_run does.
start_command() {
	echo "pg_ctl -D $1/data -l $1/server.log -w -s \
-o '-c unix_socket_directories=$1 -c listen_addresses= -c fsync=off' start </dev/null"
}
