#!/bin/sh
# list-backups and fetch-latest over SFTP, from a real sshd on loopback.
# sanitizers: no, what it parses is fuzzed and unit-tested
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/sshd.sh
. "$ROOT/tests/servers/sshd.sh"
PATH=$PATH:/usr/sbin
need jq sshd ssh-keygen
[ "$(id -u)" -eq 0 ] || {
	echo "skip - ${0##*/} # sshd needs root"
	exit 0
}

mkdir -p root/shop-20260215.dir root/2026-02-14 root/other
sshd_start
ssh_known stranger "$SSH_PORT" >ssh/wrong

head -c 3000000 /dev/urandom >root/shop-20260217_015842.dump
(cd root && sha256sum shop-20260217_015842.dump >shop-20260217_015842.dump.sha256)
echo older >'root/shop 20260216 é#%41?.dump'
echo toc >root/shop-20260215.dir/toc.dat
echo data >root/shop-20260215.dir/3001.dat
echo dated >root/2026-02-14/shop.dump
echo no >root/other/shop-20260220.dump
touch -d 2026-02-17T02:00:01Z root/*20260217*
touch -d 2026-02-16T02:00Z root/*20260216*
touch -d 2026-02-15T02:00Z root/*20260215*/*
touch -d 2026-02-14T02:00Z root/2026-02-14/*
ln -s shop-20260217_015842.dump root/latest
NEWEST=shop-20260217_015842.dump
URL=sftp://root@127.0.0.1:$SSH_PORT$PWD/root
export SSH_KEY_FILE="$PWD/ssh/key" SSH_KNOWN_HOSTS_FILE="$PWD/ssh/known"

fetch() { fetch-latest --records --dir work "$@"; }

listed() {
	for url in "$URL" "$URL/"; do
		expect_status 0 list-backups --records "$url"
		expect_names 2026-02-14/shop.dump shop-20260215.dir 'shop 20260216 é#%41?.dump' "$NEWEST"
		expect_records "any(.name == \"$NEWEST\" and .bytes == 3000000 and .modified_at == \"2026-02-17T02:00:01.000Z\")"
		expect_records 'any(.name == "shop-20260215.dir" and .files == 2 and .bytes == 9)'
	done
}
t "a directory is listed as one on this machine is" listed

fetched() {
	for source in "$URL" "$URL/$NEWEST" "$URL/latest"; do
		expect_status 0 fetch "$source"
		expect_says backup-download ok "agrees with $NEWEST.sha256"
		cmp "root/$NEWEST" "work/$NEWEST"
		cmp "root/$NEWEST.sha256" "work/$NEWEST.sha256"
		rm -r work
	done
	expect_status 0 fetch --match '*.dir' "$URL"
	diff -r root/shop-20260215.dir work/shop-20260215.dir
	expect_status 0 fetch --match '*#*' "$URL"
	cmp "root/shop 20260216 é#%41?.dump" "work/shop 20260216 é#%41?.dump"
	rm -r work
}
t "a file, a pointer and a directory are fetched" fetched

cluster() {
	mkdir -p place/cluster/global place/global
	echo control >place/cluster/global/pg_control
	echo other >place/global/other-20260225.dump
	touch -d 2026-02-21T02:00:01Z place/cluster/global/pg_control
	expect_status 0 list-backups --records "${URL%/root}/place"
	expect_names cluster
	expect_records 'any(.name == "cluster" and .files == 1 and .modified_at == "2026-02-21T02:00:01.000Z")'
}
t "a base backup is of the time of its control file; a folder called global makes none" cluster

# The server's processes for a connection end, but not the server.
broken_off() {
	fetch --max-rate 1500kB "$URL/$NEWEST" >"$OUT" 2>"$ERR" &
	fetching=$!
	sleep 0.8
	for pid in $(pgrep -P "$SSHD"); do
		# shellcheck disable=SC2046  # those below it, of which there may be none
		kill -s KILL $(pgrep -P "$pid") "$pid"
	done
	wait $fetching || say_failed "status $?"
	cmp "root/$NEWEST" "work/$NEWEST"
	expect_records 'any(.check == "backup-download" and any(.metrics[]; .name == "retries" and .value >= 1))'
	rm -r work
}
t "a connection that breaks is made again, and the file goes on" broken_off

BIG=${URL%/root}/big
LARGE=shop-20260218_015842.dump
large() {
	mkdir -p big
	head -c 60000000 /dev/urandom >big/$LARGE
	touch -d 2026-02-18T02:00:01Z big/$LARGE
}
# under_way RANGE ARG...: a new large file is being fetched, RANGE of it has come.
under_way() {
	large
	range=$1
	shift
	fetch-latest --records --dir work --max-rate 20MB "$@" "$BIG" >"$OUT" 2>"$ERR" &
	fetching=$!
	wait_for 20 grep -q "0 $range" "work/.$LARGE.partial/journal"
}
killed_under_way() {
	under_way 3 --connections 1
	kill -s KILL $fetching
	wait $fetching || :
	expect_no_file "work/$LARGE"
}
expect_large() {
	cmp "big/$LARGE" "work/$LARGE"
	[ "$(ls -A work)" = "$LARGE" ] || say_failed "left in work: $(ls -A work)"
}

in_ranges() {
	large
	expect_status 0 fetch "$BIG"
	expect_large
	expect_says backup-download ok '60.0 MB'
	rm -r work
	expect_status 0 fetch --connections 1 "$BIG/$LARGE"
	expect_large
	rm -r work
}
t "a large file comes in ranges" in_ranges

# The parts of the run before are read here: what is over there now, of the same time and size, is not.
killed() {
	killed_under_way
	cp "big/$LARGE" before
	head -c 8388608 /dev/zero | dd of="big/$LARGE" conv=notrunc status=none bs=1M
	touch -d 2026-02-18T02:00:01Z "big/$LARGE"
	expect_status 0 fetch "$BIG"
	mv before "big/$LARGE"
	expect_large
	rm -r work
}
t "a fetch that was killed goes on from its parts, as long as time and size are the same" killed

another_version() {
	killed_under_way
	large
	touch -d 2026-02-18T02:00:02Z "big/$LARGE"
	expect_status 0 fetch "$BIG"
	expect_large
	rm -r work
}
t "parts of another version are not used" another_version

# One that has just been written may be written once more within the second that its time tells.
replaced() {
	under_way 2 --connections 2
	head -c 60000000 /dev/urandom >newer
	mv newer "big/$LARGE"
	wait $fetching || say_failed "status $?"
	expect_large
	expect_records 'all(.etag // "" | startswith("\"1771380001-") | not)'
	rm -r work
}
t "a file that is replaced meanwhile is begun again, and never mixed" replaced

rewritten() {
	under_way 2 --connections 1
	head -c 60000000 /dev/urandom | dd of="big/$LARGE" conv=notrunc status=none bs=1M
	wait $fetching || say_failed "status $?"
	expect_large
	rm -r work "big/$LARGE"
}
t "a file that is written anew in its place is begun again" rewritten

# Far enough away that all would like to take part.
few() {
	large
	port=$(free_port)
	sed "s/^Port .*/Port $port/; s/^MaxStartups .*/MaxStartups 2/; s,^PidFile .*,PidFile $PWD/ssh/few.pid," ssh/config >ssh/few
	/usr/sbin/sshd -D -e -f ssh/few 2>ssh/few.log &
	started $!
	line line "$port"
	{
		ssh_known host "$port"
		ssh_known host "$LINE"
	} >>ssh/known
	wait_for 10 ssh-keyscan -t ed25519 -p "$port" 127.0.0.1
	expect_status 0 fetch "sftp://root@127.0.0.1:$LINE$PWD/big/$LARGE"
	expect_large
	grep -i 'drop.*connection\|MaxStartups' ssh/few.log
	expect_records 'any(.check == "backup-download" and any(.metrics[]; .name == "connections" and .value < 8))'
	rm -r work
}
t "a server that grants fewer connections is used with these" few

host_keys() {
	SSH_KNOWN_HOSTS_FILE=$PWD/ssh/wrong expect_status 3 list-backups --records "$URL"
	expect_says listing unknown "key is not the one in known_hosts"
	: >ssh/none
	expect_status 3 list-backups --records --known-hosts ssh/none "$URL"
	expect_says listing unknown "key is not the one in known_hosts"
	HOME=$PWD/nowhere SSH_KNOWN_HOSTS_FILE='' expect_status 3 list-backups --records "$URL"
	expect_check listing unknown
	expect_status 3 list-backups --records --ssh-key ssh/stranger "$URL"
	expect_says listing unknown 'lets this user not in'
	expect_status 3 list-backups --records --ssh-key ssh/missing "$URL"
	expect_check listing unknown
	echo 'open sesame' >ssh/password
	expect_status 0 list-backups --records --ssh-key ssh/locked --password-file ssh/password "$URL"
	expect_status 3 list-backups --records --ssh-key ssh/locked --password-file ssh/none "$URL"
	expect_not_out sesame
}
t "a server whose key is not known is never spoken to; keys may have a password" host_keys

absent() {
	expect_status 2 list-backups --records "$URL/gone.dump"
	expect_says listing critical 'no such file'
	mkdir -p root/empty
	expect_status 2 fetch "$URL/empty/"
	expect_says backup-download critical 'nothing is there'
	rmdir root/empty
	expect_status 3 fetch --retries 0 "sftp://root@127.0.0.1:$(free_port)$PWD/root"
	expect_check backup-download unknown
	expect_status 3 list-backups --records sftp://host
	expect_says listing unknown 'sftp://USER@HOST/PATH'
}
t "what is not there is critical, what cannot be reached unknown" absent
