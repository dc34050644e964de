#!/bin/sh
# fetch.sh [MEGABYTES [FILES]]: downloads from a real S3 server on loopback, in one run: one object of
# MEGABYTES (1024), FILES small objects (5000), and one object over a line with 20 ms each way; by
# fetch-latest, curl (alone, and with sha256sum after it), aws s3 cp and s3cmd, such as are there.
# Over that line a file comes from sshd, too, by fetch-latest and sftp.
#
# The one object comes from nginx, too: on two processors the S3 server takes more of them than any
# client, and what a client costs is seen best beside a server that costs little.
#
# cpu: of the client. ratio: its wall time to that of fetch-latest. The files go to memory (a tmpfs
# below $BENCH_DIR) where that can be mounted, so that no disk is measured; $ROUNDS (2) runs each, by
# turns, of which the fastest counts. s3cmd, which asks for one small object after the other, is given
# up after two minutes.
BENCH_DIR=${BENCH_DIR:-/var/tmp}
BP_SCRATCH=$(mktemp -d "$BENCH_DIR/bp-bench.XXXXXX") || exit 3
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"
# shellcheck source=tests/servers/sshd.sh
. "$ROOT/tests/servers/sshd.sh"
PATH=$PATH:/usr/sbin
need jq curl radosgw python3 nginx sshd
megabytes=${1:-1024} files=${2:-5000} rounds=${ROUNDS:-2}
aws=/usr/bin/aws
[ -x $aws ] || aws=$(command -v aws || true)

mkdir out served
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs tmpfs out 2>/dev/null && mount -t tmpfs -o mode=755 tmpfs served; then
	trap 'umount -l "$SCRATCH/out" "$SCRATCH/served"; finish' EXIT
	trap 'exit 3' INT TERM HUP
	echo "the files go to memory"
else
	echo "the files go to $BENCH_DIR"
fi
s3_use || exit 3
direct=$AWS_ENDPOINT_URL
B=s3://$S3_BUCKET
AWS_MAX_ATTEMPTS=3 AWS_EC2_METADATA_DISABLED=true
export AWS_MAX_ATTEMPTS AWS_EC2_METADATA_DISABLED

head -c "${megabytes}M" /dev/urandom >out/source
s3_put out/source "$S3_BUCKET/big/shop.dump" || exit 3
head -c 134217728 out/source >out/part
s3_put out/part "$S3_BUCKET/far/shop.dump"
rm out/part
sha256sum <out/source | cut -d ' ' -f 1 >sum
mv out/source served/shop.dump
echo "$(cat sum)  shop.dump" >served/shop.dump.sha256
head -c 10000 /dev/urandom >small
i=1
while [ $i -lt "$files" ]; do
	printf 'url = "%s/%s/small/d/%d.dat"\nupload-file = small\n' "$direct" "$S3_BUCKET" $i
	i=$((i + 1))
done >uploads
many() {
	curl -sS --fail --aws-sigv4 "aws:amz:$AWS_REGION:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -Z --parallel-max 8 "$@"
}
many -K uploads >log/uploads 2>&1 && s3_put small "$S3_BUCKET/small/d/toc.dat" || exit 3

# run CALL...: a program or a function of this file; prints wall, cpu, KiB of the largest process.
cat >measure.py <<'PY'
import os, resource, sys, time
begun = time.monotonic()
pid = os.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
print(f"{time.monotonic() - begun:.2f} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status) != 0)
PY
# What a shell function starts is counted with its shell.
run() {
	case $1 in
	one* | cmd | many) python3 measure.py sh -c "$(shell_of "$@")" ;;
	*) python3 measure.py "$@" ;;
	esac
}
sig="--aws-sigv4 aws:amz:\$AWS_REGION:s3 --user \$AWS_ACCESS_KEY_ID:\$AWS_SECRET_ACCESS_KEY -H x-amz-content-sha256:UNSIGNED-PAYLOAD"
shell_of() {
	case $1 in
	one) echo "exec curl -sS --fail -o out/x $sig \$AWS_ENDPOINT_URL/$S3_BUCKET/$2" ;;
	one_summed) echo "curl -sS --fail -o out/x $sig \$AWS_ENDPOINT_URL/$S3_BUCKET/$2 && sha256sum out/x >/dev/null" ;;
	many) echo "exec curl -sS --fail $sig -Z --parallel-max 8 -K $2" ;;
	cmd)
		shift
		echo "exec timeout 120 s3cmd -q --no-ssl --host=\${AWS_ENDPOINT_URL#http://} --host-bucket= --region=\$AWS_REGION --access_key=\$AWS_ACCESS_KEY_ID --secret_key=\$AWS_SECRET_ACCESS_KEY $*"
		;;
	esac
}

# row NAME CALL...: one measurement.
row() {
	name=$1
	shift
	find out -mindepth 1 -delete
	if run "$@" >result 2>log/bench; then
		echo "$name|$(tr ' ' '|' <result)" >>rows
	else
		echo "$name failed: $(tail -n 1 log/bench)" >&2
	fi
}

# table TITLE: the fastest of each, its ratio to the first; and the median, which wavers less.
table() {
	printf '\n%s\n%-34s %8s %8s %8s %8s %8s %8s %8s\n' "$1" "" "wall s" "cpu s" "MiB" "ratio" "cpu ratio" "median s" "ratio"
	sort -s -t '|' -k 2,2n rows | awk -F '|' '
		FNR == NR { if (!($1 in runs)) order[++n] = $1; runs[$1]++; next }
		!($1 in wall) { wall[$1] = $2; cpu[$1] = $3; mem[$1] = $4 }
		++seen[$1] == int((runs[$1] + 1) / 2) { median[$1] = $2 }
		END {
			for (i = 1; i <= n; i++) {
				t = order[i]
				printf "%-34s %8.2f %8.2f %8.0f %8.2f %8.2f %8.2f %8.2f\n", t, wall[t], cpu[t], mem[t] / 1024, \
					wall[t] / wall[order[1]], cpu[t] / cpu[order[1]], median[t], median[t] / median[order[1]]
			}
		}' rows -
	rm -f rows
}

ours() { row "$1" fetch-latest --records --dir out/w "$B/$2"; }
have() { command -v "$1" >/dev/null; }

i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	s3_put sum "$S3_BUCKET/big/shop.dump.sha256"
	ours "fetch-latest, .sha256 compared" big/
	s3 DELETE "$S3_BUCKET/big/shop.dump.sha256"
	ours "fetch-latest, ETag (MD5) compared" big/
	row "curl" one big/shop.dump
	row "curl; sha256sum" one_summed big/shop.dump
	[ -z "$aws" ] || row "aws s3 cp" "$aws" --endpoint-url "$AWS_ENDPOINT_URL" s3 cp --only-show-errors "$B/big/shop.dump" out/x
	have s3cmd && row "s3cmd get" cmd get "$B/big/shop.dump" out/x
done
table "one object of $megabytes MiB"

web_start served
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	row "fetch-latest, .sha256 compared" fetch-latest --records --dir out/w "$WEB_URL/"
	row "curl" curl -sS --fail -o out/x "$WEB_URL/shop.dump"
	row "curl; sha256sum" sh -c "curl -sS --fail -o out/x '$WEB_URL/shop.dump' && sha256sum out/x >/dev/null"
done
rm served/shop.dump served/shop.dump.sha256
table "the same from nginx"

sed 's,^upload-file.*,output = out/x,' uploads >downloads
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	ours "fetch-latest" small/
	row "curl -Z, 8 at a time" many downloads
	[ -z "$aws" ] || row "aws s3 cp --recursive" "$aws" --endpoint-url "$AWS_ENDPOINT_URL" s3 cp --only-show-errors --recursive "$B/small/" out/x
	have s3cmd && [ "$i" -eq 1 ] && row "s3cmd get --recursive" cmd get --recursive "$B/small/" out/
done
table "$files objects of 10 kB"

line s3-line "${direct##*:}"
AWS_ENDPOINT_URL=http://127.0.0.1:$LINE
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	ours "fetch-latest" far/
	row "fetch-latest --connections 1" fetch-latest --records --connections 1 --dir out/w "$B/far/"
	row "curl" one far/shop.dump
	[ -z "$aws" ] || row "aws s3 cp" "$aws" --endpoint-url "$AWS_ENDPOINT_URL" s3 cp --only-show-errors "$B/far/shop.dump" out/x
done
table "one object of 128 MiB, 20 ms away each way, a window of 1 MiB"

[ "$(id -u)" -eq 0 ] || exit 0
head -c 134217728 /dev/urandom >served/shop.dump
touch -d 2026-02-17 served/shop.dump
sshd_start
line ssh-line "$SSH_PORT"
ssh_known host "$LINE" >>ssh/known
export SSH_KEY_FILE="$PWD/ssh/key" SSH_KNOWN_HOSTS_FILE="$PWD/ssh/known"
over_ssh() {
	row "fetch-latest" fetch-latest --records --dir out/w "sftp://root@127.0.0.1:$1$PWD/served/shop.dump"
	row "fetch-latest --connections 1" fetch-latest --records --connections 1 --dir out/w \
		"sftp://root@127.0.0.1:$1$PWD/served/shop.dump"
	row "sftp" sftp -q -i ssh/key -o UserKnownHostsFile=ssh/known -P "$1" "root@127.0.0.1:$PWD/served/shop.dump" out/x
}
for port in "$SSH_PORT" "$LINE"; do
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		over_ssh "$port"
	done
	table "a file of 128 MiB over SFTP, $([ "$port" = "$LINE" ] && echo "the same line" || echo near)"
done
