#!/bin/sh
# list.sh [KEYS]: how long it takes to list a bucket of 100,000 keys (or so many), and how much memory:
# list-backups and `aws s3 ls --recursive`, on one static server, in one run, best of three.
#
# list-backups sorts by age and prints a record for each key; aws prints lines in the order in which
# they come. "few" is the same of 1,000 keys: what memory there is without keys.
. "${0%/*}/../e2e/lib.sh"
need python3
keys=${1:-100000}

"$ROOT/tests/servers/aws-services" start "$SCRATCH/aws"
wait_for 10 test -s "$SCRATCH/aws/env"
started "$(cat "$SCRATCH/aws/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/aws/env"
export AWS_ACCESS_KEY_ID=AKIDUSER AWS_SECRET_ACCESS_KEY=x AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true

# measure COMMAND...: seconds of the clock, of the processors, MiB of memory at most.
measure() {
	python3 - "$@" <<-'PYTHON'
		import os, sys, time
		out = os.open("listed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
		start = time.monotonic()
		pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
		_, status, used = os.wait4(pid, 0)
		print(f"{time.monotonic() - start:.2f} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / 1024:.1f}")
		sys.exit(os.waitstatus_to_exitcode(status))
	PYTHON
}

# best KEYS COMMAND...: the quickest of three, for which all keys must have come.
best() {
	AWS_ENDPOINT_URL=$AWS_TEST_URL/s3/many-$1
	export AWS_ENDPOINT_URL
	wanted=$1
	shift
	for _ in 1 2 3; do
		measure "$@" || { echo "failed: $*" >&2; exit 1; }
		[ "$(grep -c 'archive-' listed)" -ge "$wanted" ] || { echo "not all keys: $*" >&2; exit 1; }
	done | sort -n | head -n 1
}

row() { printf '%-32s %8s %8s %8s\n' "$@"; }
row "$keys keys" wall/s cpu/s MiB
# shellcheck disable=SC2046  # three words
row 'list-backups, few' $(best 1000 list-backups --records s3://bucket/)
ours=$(best "$keys" list-backups --records s3://bucket/) || exit 1
# shellcheck disable=SC2086  # three words
row 'list-backups' $ours
if command -v aws >/dev/null; then
	theirs=$(best "$keys" aws s3 ls --recursive s3://bucket/) || exit 1
	# shellcheck disable=SC2086
	row 'aws s3 ls --recursive' $theirs
	echo "$ours $theirs" | awk '{ printf "%.1f times faster, %.1f times less of the processors, %.1f times less memory\n",
		$4 / $1, $5 / $2, $6 / $3 }'
else
	echo "aws is not installed: nothing to compare with"
fi
