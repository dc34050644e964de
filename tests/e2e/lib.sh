# shellcheck shell=sh
# What every end-to-end test file starts with:
#
#	. "${0%/*}/lib.sh"
#
# It gives the file a scratch directory (the working directory, removed at the end), puts the
# built tools into PATH ($BIN, default build/bin) and points TMPDIR into the scratch. A test is a
# promise in words and a command or function that keeps it by exiting 0:
#
#	an_empty_source() {
#		mkdir empty
#		expect_status 2 list-backups --records empty
#		expect_check listing critical
#		expect_err "no backup"
#	}
#	t "an empty source is critical" an_empty_source
#
# What all tests of a file stand on is made before, by `prepare FUNCTION`.
#
# Each test runs in a subshell under `set -e`, with standard input closed to it: the first line
# that fails ends it, and what it printed is shown. Servers come from pg_start, pg_tcp_start,
# web_start and s3_use; whatever they start is stopped at the end, also after a signal. A process
# or a temporary directory of the tools that is still there at the end of the file fails it.
#
# A line "# time limit: N s" in the file replaces the 300 s that tests/run grants it.

set -u
E2E=$(cd "$(dirname "$0")" && pwd)
ROOT=${E2E%/tests/*}
BIN=${BIN:-$ROOT/build/bin}
PATH=$BIN:$ROOT/ci:$PATH
LC_ALL=C.UTF-8 TZ=UTC0
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS BACKUP_PROBES_RUN
export BIN PATH LC_ALL TZ

# --- scratch and its end ---------------------------------------------------------------------

BP_SCRATCH=${BP_SCRATCH:-$(mktemp -d "$("$ROOT/tests/place")/bp.XXXXXX")} || exit 3
SCRATCH=$BP_SCRATCH
TMPDIR=$SCRATCH/tmp
export BP_SCRATCH SCRATCH TMPDIR
mkdir -p "$TMPDIR" "$SCRATCH/log"
# The tools drop from root to another user, who must get through to TMPDIR.
chmod 711 "$SCRATCH"
chmod 1777 "$TMPDIR"
cd "$SCRATCH" || exit 3
OUT=$SCRATCH/log/stdout ERR=$SCRATCH/log/stderr
: >"$OUT"
: >"$ERR"
: >"$SCRATCH/log/pids"
failed=0 preparing=

# Prints the pids that belong to this scratch: by environment, command line or directory. One grep and
# one ls look at all processes: a shell loop over them would cost more than many a test.
scratch_pids() {
	{
		grep -lsaF -e "BP_SCRATCH=$SCRATCH" /proc/[0-9]*/environ
		grep -lsaF -e "$SCRATCH/" /proc/[0-9]*/cmdline
		# shellcheck disable=SC2012  # these names are numbers
		ls -l /proc/[0-9]*/cwd 2>/dev/null | sed -n "s,.* \(/proc/[0-9]*/cwd\) -> $SCRATCH/.*,\1,p"
	} | cut -d / -f 3 | sort -u | grep -vx -e "$$" -e "$PPID"
}

# Stops what was started here, newest first: TERM (for PostgreSQL its fast stop), then KILL.
stop_started() {
	sort -rn "$SCRATCH/log/pids" 2>/dev/null | while read -r _ pid sig; do
		kill -s "$sig" "$pid" 2>/dev/null || continue
		i=0
		while kill -0 "$pid" 2>/dev/null; do
			i=$((i + 1))
			[ $i -le 100 ] || { kill -s KILL "$pid"; break; }
			sleep 0.1
		done
	done
	: >"$SCRATCH/log/pids"
}

# started PID [SIGNAL]: to be stopped with SIGNAL (default TERM) when the file ends.
started() {
	echo "$(wc -l <"$SCRATCH/log/pids") $1 ${2:-TERM}" >>"$SCRATCH/log/pids"
}

# shellcheck disable=SC2317  # called by the trap
finish() {
	trap '' INT TERM HUP
	set +e
	if [ -n "$preparing" ]; then
		echo "not ok - $preparing, which the tests stand on"
		tail -n 60 "$SCRATCH/log/prepare" | cut -c1-600 | sed 's/^/    | /'
		failed=1
	fi
	stop_started
	left=
	for pid in $(scratch_pids); do
		# The subshell that lists them is gone by now; what is alive still is a finding.
		[ -d "/proc/$pid" ] || continue
		left="$left $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c1-100))"
		kill -s KILL "$pid" 2>/dev/null
	done
	for dir in "$TMPDIR"/backup-probes-*; do
		[ ! -e "$dir" ] || left="$left $dir"
	done
	if [ -n "$left" ]; then
		echo "not ok - nothing is left behind"
		echo "    | left:$left"
		failed=1
	fi
	cd /
	rm -rf "$SCRATCH"
	exit $failed
}
trap 'finish' EXIT
trap 'echo "not ok - interrupted"; failed=1; finish' INT TERM HUP

# --- promises --------------------------------------------------------------------------------

# t PROMISE COMMAND...: see the top. Status 77 (from skip) is a skip, visible and counted.
t() {
	promise=$1
	shift
	: >"$OUT"
	: >"$ERR"
	(
		set -e
		"$@"
	) >"$SCRATCH/log/test" 2>&1 </dev/null
	case $? in
	0) echo "ok - $promise" ;;
	77) echo "skip - $promise # $(tail -n 1 "$SCRATCH/log/test")" ;;
	*)
		echo "not ok - $promise"
		tail -n 60 "$SCRATCH/log/test" | cut -c1-600 | sed 's/^/    | /'
		failed=1
		;;
	esac
}

# Ends one test, with the reason.
skip() {
	echo "$*"
	exit 77
}

# Ends the whole file unless every program is there.
need() {
	for program; do
		command -v "$program" >/dev/null || {
			echo "skip - ${0##*/} # needs $program"
			exit 0
		}
	done
}

# Ends the whole file unless there is PostgreSQL.
need_pg() {
	[ -n "$PG_BIN" ] || {
		echo "skip - ${0##*/} # needs PostgreSQL"
		exit 0
	}
}

# prepare FUNCTION: what the tests of the file stand on, under `set -e`, but with its variables for them.
# Where it fails, the file ends with what it printed.
prepare() {
	preparing=$1
	set -e
	"$1" >"$SCRATCH/log/prepare" 2>&1
	set +e
	preparing=
}

say_failed() {
	echo "$*"
	echo "--- standard output:"
	tail -n 30 "$OUT"
	echo "--- standard error:"
	tail -n 20 "$ERR"
	return 1
}

# expect_status N COMMAND...: runs it, its output going to $OUT and $ERR. A crash (status 126 and
# above) is never an expected failure, nor is a report of the sanitizers.
expect_status() {
	want=$1
	shift
	got=0
	"$@" >"$OUT" 2>"$ERR" || got=$?
	if [ "$got" -ne "$want" ] || [ "$got" -ge 126 ]; then
		say_failed "expected status $want, got $got: $*"
	elif grep -qE 'AddressSanitizer|LeakSanitizer|runtime error:' "$ERR"; then
		say_failed "a sanitizer complained: $*"
	fi
}

# About the output of the last expect_status; the patterns are extended regular expressions.
expect_out() { grep -qE -e "$1" "$OUT" || say_failed "no line on standard output matches: $1"; }
expect_err() { grep -qE -e "$1" "$ERR" || say_failed "no line on standard error matches: $1"; }
expect_not_out() { ! grep -qE -e "$1" "$OUT" || say_failed "standard output must not match: $1"; }
expect_not_err() { ! grep -qE -e "$1" "$ERR" || say_failed "standard error must not match: $1"; }
expect_silent() { [ "$(cat "$OUT" "$ERR" | wc -c)" -eq 0 ] || say_failed "expected no output"; }
expect_no_err() { [ ! -s "$ERR" ] || say_failed "expected nothing on standard error"; }
expect_file() { [ -s "$1" ] || say_failed "missing or empty: $1"; }
expect_no_file() { [ ! -e "$1" ] || say_failed "must not exist: $1"; }
expect_same() { cmp "$1" "$2"; }

# not COMMAND...: must fail. (`! COMMAND` would not do: set -e overlooks it.)
not() {
	if "$@"; then
		say_failed "must fail, but did not: $*"
	fi
}

# expect_check NAME STATUS [SUBJECT]: the records on standard output hold such a check.
expect_check() {
	jq -es --arg name "$1" --arg status "$2" --arg subject "${3-*}" \
		'any(.record == "check" and .check == $name and .status == $status
			and ($subject == "*" or .subject == $subject))' "$OUT" >/dev/null 2>&1 && return 0
	echo "no check \"$1\" with status $2${3+ of $3}; there are:"
	jq -rR 'fromjson? | select(.record == "check")
		| "  \(.check) \(.subject // "") \(.status): \(.summary)"' "$OUT" || true
	say_failed ""
}

# expect_says NAME STATUS PATTERN: there is such a check, and its summary matches.
expect_says() {
	expect_records "any(.check == \"$1\" and .status == \"$2\" and (.summary | test(\"$3\")))"
}

expect_no_check() {
	! jq -es --arg name "$1" 'any(.check == $name)' "$OUT" >/dev/null 2>&1 ||
		say_failed "there must be no check \"$1\""
}

# expect_records FILTER: jq says true of the list of all records.
expect_records() {
	jq -es "$1" "$OUT" >/dev/null 2>>"$ERR" || say_failed "not true of the records: $1"
}

backup_names() { jq -r 'select(.record == "backup") | .name' "$OUT"; }

# expect_names NAME...: the records on standard output are of these backups, in this order.
expect_names() {
	[ "$(backup_names)" = "$(printf '%s\n' "$@")" ] || say_failed "not these names: $*"
}

# No temporary directory of the tools, no process that lives in one.
expect_nothing_left() {
	for dir in "$TMPDIR"/backup-probes-*; do
		[ ! -e "$dir" ] || say_failed "left behind: $dir" || return 1
	done
	# shellcheck disable=SC2012  # these names are numbers
	inside=$(ls -l /proc/[0-9]*/cwd 2>/dev/null |
		sed -n "s,.* \(/proc/[0-9]*\)/cwd -> $TMPDIR/backup-probes-.*,\1,p")
	[ -z "$inside" ] || say_failed "left behind: process $inside"
}

# made NAME TIME [CONTENT]: a file that was modified then.
made() {
	mkdir -p "$(dirname "$1")"
	printf '%s\n' "${3-a backup named $1}" >"$1"
	touch -d "$2" "$1"
}

# line NAME PORT: a line to PORT, with 20 ms each way and a window of 1 MiB: sets LINE to its port. It is a
# relay, which needs neither root nor a kernel with netem.
line() {
	"$ROOT/tests/servers/slow-link" start "$SCRATCH/$1" "$2" 20 1024
	wait_for 10 test -s "$SCRATCH/$1/port"
	started "$(cat "$SCRATCH/$1/pid")"
	# shellcheck disable=SC2034  # for who sources this
	LINE=$(cat "$SCRATCH/$1/port")
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "gave up waiting for: $*"; return 1; }
		sleep 0.1
	done
}

# flip FILE OFFSET [COUNT]: other bytes there, and as many: whatever they were, they differ.
flip() {
	python3 - "$@" <<-'PYTHON'
		import sys
		path, at, n = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or [1])[0])
		with open(path, "r+b") as f:
		    f.seek(at)
		    old = f.read(n)
		    f.seek(at)
		    f.write(bytes(b ^ 0xff for b in old))
	PYTHON
}

# overlay_root: this machine's files again in $SCRATCH/root; what is written there goes to a memory file
# system. overlay_end takes it away.
overlay_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir -p "$SCRATCH/layer" "$SCRATCH/root"
	mount -t tmpfs tmpfs "$SCRATCH/layer" || skip "optional: no file systems can be mounted here"
	mkdir "$SCRATCH/layer/upper" "$SCRATCH/layer/work"
	mount -t overlay -o "lowerdir=/,upperdir=$SCRATCH/layer/upper,workdir=$SCRATCH/layer/work" \
		overlay "$SCRATCH/root" || skip "optional: no overlay file system here"
}

overlay_end() { umount -l "$SCRATCH/root" "$SCRATCH/layer" 2>/dev/null || true; }

# --- servers ---------------------------------------------------------------------------------

# A TCP port of 127.0.0.1 that nobody listens on, below the ephemeral ones.
free_port() {
	while :; do
		port=$(shuf -n 1 -i 20000-32000)
		grep -qi ":$(printf %04X "$port") 0*:0000 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null ||
			break
	done
	echo "$port"
}

# Where the PostgreSQL programs are (not in PATH on Debian).
pg_bindir() {
	find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null |
		sort -t / -k 5 -n | tail -n 1 | sed 's,/initdb$,,'
}
PG_BIN=${PG_BIN:-$(pg_bindir)}

# PostgreSQL refuses root: run as its user then.
as_pg() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@"
	else
		"$@"
	fi
}

# May a user without rights make namespaces? Not in a chroot, nor where the kernel was told so.
plain_users_can_seal() { as_pg unshare --user --map-root-user --net true 2>/dev/null; }

pg_init() {
	mkdir -p "$1"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$1"
	as_pg "$PG_BIN/initdb" -D "$1/data" -U postgres --no-sync -E UTF8 --locale=C.UTF-8 \
		-A "${2:-trust}" ${3:+"--pwfile=$3"} >"$SCRATCH/log/initdb" 2>&1 || {
		cat "$SCRATCH/log/initdb"
		return 1
	}
}

pg_run() {
	pg_dir=$1
	shift
	as_pg "$PG_BIN/pg_ctl" -D "$pg_dir/data" -l "$pg_dir/server.log" -w -t 60 -s -o \
		"-c unix_socket_directories=$pg_dir -c fsync=off -c max_connections=50 $*" start \
		</dev/null || {
		cat "$pg_dir/server.log"
		return 1
	}
	started "$(head -n 1 "$pg_dir/data/postmaster.pid")" INT
}

# pg_start [NAME]: a PostgreSQL of its own on a socket in the scratch. Sets PG_DSN (database
# postgres, superuser postgres) and PG_SOCKET. pg_stop NAME stops it before the end.
pg_start() {
	pg_init "$SCRATCH/${1:-production}" || return
	PG_SOCKET=$SCRATCH/${1:-production}
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	pg_run "$PG_SOCKET" -c listen_addresses=
}

# shop_start: pg_start, with an empty database shop, SHOP.
shop_start() {
	pg_start || return
	sql 'CREATE DATABASE shop' || return
	# shellcheck disable=SC2034  # for who calls it
	SHOP="host=$PG_SOCKET user=postgres dbname=shop"
}

# pg_tcp_start NAME PASSWORD: one that listens on 127.0.0.1 and asks for a password. Sets PG_PORT
# and PG_DSN (without the password).
pg_tcp_start() {
	printf '%s\n' "$2" >"$SCRATCH/password"
	chmod 644 "$SCRATCH/password"
	pg_init "$SCRATCH/$1" scram-sha-256 "$SCRATCH/password" || return
	PG_PORT=$(free_port)
	PG_DSN="host=127.0.0.1 port=$PG_PORT user=postgres dbname=postgres"
	pg_run "$SCRATCH/$1" -c listen_addresses=127.0.0.1 -c "port=$PG_PORT"
}

pg_stop() {
	as_pg "$PG_BIN/pg_ctl" -D "$SCRATCH/${1:-production}/data" -m immediate -w -s stop
}

# sql [DSN] TEXT: one psql call that stops at the first error.
sql() {
	[ $# -gt 1 ] || set -- "$PG_DSN" "$1"
	"$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# pg_slim: takes away the databases that nobody asks for: a backup of the rest has a third of the files,
# and whatever is done to it takes a third of the time.
pg_slim() {
	sql "UPDATE pg_database SET datistemplate = false" || return
	for name in template0 template1; do
		sql "DROP DATABASE $name" || return
	done
}

# web_start DIR [URL]: nginx with an index page over DIR. Sets WEB_URL, and WEB_TLS_URL with WEB_CA (the
# certificate to trust); WEB_PROXY_PORT, where the server at URL is to be had through TLS.
web_start() {
	WEB_DIR=$(cd "$1" && pwd) || return
	"$ROOT/tests/servers/web" start "$SCRATCH/web" "$WEB_DIR" ${2:+"$2"} || return
	started "$(cat "$SCRATCH/web/nginx.pid")"
	# shellcheck source=/dev/null
	. "$SCRATCH/web/env"
}

# s3_use: the S3 server that tests/run started for all, else one of its own. Exports AWS_* and
# makes a bucket of this file's own, S3_BUCKET.
s3_use() {
	if [ -z "${BP_S3:-}" ]; then
		"$ROOT/tests/servers/s3" start "$SCRATCH/s3" || return
		while read -r pid; do started "$pid"; done <"$SCRATCH/s3/pids"
		BP_S3=$SCRATCH/s3
	fi
	# shellcheck source=/dev/null
	. "$BP_S3/env"
	S3_BUCKET=$(basename "$0" .sh | tr -c 'a-z0-9\n' '-')-$$
	s3 PUT "$S3_BUCKET"
}

# s3 METHOD BUCKET[/KEY] [CURL-ARGUMENT...]: one signed request; KEY is percent-encoded already.
s3() {
	method=$1 path=$2
	shift 2
	curl -sS --fail-with-body -o "$SCRATCH/log/s3" -X "$method" \
		--aws-sigv4 "aws:amz:$AWS_REGION:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" "$AWS_ENDPOINT_URL/$path" || {
		cat "$SCRATCH/log/s3"
		return 1
	}
}

s3_put() { s3 PUT "$2" -T "$1"; }

# a_run LABEL RUN CHECK[/SUBJECT]=STATUS...: the records of a tool that found this.
a_run() {
	jq -nc --arg at "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" '$ARGS.positional as $words
		| {tool: "restore-to-temp", run: $words[1], label: $words[0], at: $at} as $base
		| $base + {record: "stage", event: "begin", v: 1},
		($words[2:][] | capture("^(?<check>[^/=]*)(/(?<subject>.*))?=(?<status>[a-z]+)$")
			| $base + {record: "check", check, subject: (.subject // ""), status,
				summary: "it is \(.status)"}),
		$base + {record: "stage", event: "end", status: "ok", seconds: 1,
			checks: ($words | length - 2)}' --args "$@"
}
