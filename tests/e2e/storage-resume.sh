#!/bin/sh
# A fetch of a directory that was killed, from storages whose listings tell no ETags: sshd and nginx.
# sanitizers: no, what it parses is fuzzed and unit-tested
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/sshd.sh
. "$ROOT/tests/servers/sshd.sh"
PATH=$PATH:/usr/sbin
need jq nginx sshd ssh-keygen
[ "$(id -u)" -eq 0 ] || {
	echo "skip - ${0##*/} # sshd needs root"
	exit 0
}

DUMP=shop-20260219.dir
mkdir -p root/$DUMP
chmod 755 root root/$DUMP
web_start root
sshd_start
export SSH_KEY_FILE="$PWD/ssh/key" SSH_KNOWN_HOSTS_FILE="$PWD/ssh/known"

# new_dump SECOND: as many bytes as before, others. All but its end is of the same minute.
new_dump() {
	for n in 1 2 3 4; do
		head -c 15000000 /dev/urandom >root/$DUMP/300$n.dat
	done
	echo toc >root/$DUMP/toc.dat
	touch -d 2026-02-19T02:00:01Z root/$DUMP/*
	touch -d "2026-02-19T02:00:$1Z" root/$DUMP/toc.dat
	chmod 644 root/$DUMP/*
}
killed_under_way() {
	new_dump 01
	fetch-latest --records --dir work --max-rate 20MB --connections 1 "$URL/" >"$OUT" 2>"$ERR" &
	fetching=$!
	wait_for 20 grep -q '^2 ' work/.$DUMP.partial/journal
	kill -s KILL $fetching
	wait $fetching || :
	expect_no_file work/$DUMP
}
fetched_whole() {
	diff -r root/$DUMP work/$DUMP
	[ "$(ls -A work)" = $DUMP ] || say_failed "left in work: $(ls -A work)"
	rm -r work
}

# What is here already is not read again: over there it is another by now, of the same minute and size.
same() {
	killed_under_way
	mv root/$DUMP/3001.dat before
	head -c 15000000 /dev/zero >root/$DUMP/3001.dat
	touch -d 2026-02-19T02:00:01Z root/$DUMP/3001.dat
	expect_status 0 fetch-latest --records --dir work "$URL/"
	mv before root/$DUMP/3001.dat
	fetched_whole
}
another() {
	killed_under_way
	new_dump 02
	expect_status 0 fetch-latest --records --dir work "$URL/"
	fetched_whole
}
for URL in "sftp://root@127.0.0.1:$SSH_PORT$PWD/root" "$WEB_URL"; do
	t "${URL%%:*}: it goes on as long as the table of contents is the same" same
	t "${URL%%:*}: parts of another dump are not used" another
done
