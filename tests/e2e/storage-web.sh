#!/bin/sh
# list-backups and fetch-latest over HTTP: nginx, and a server that misbehaves.
# time limit: 400 s
. "${0%/*}/lib.sh"
need jq nginx python3

mkdir root root/shop-20260214.dir root/sub root/empty
chmod 755 root
head -c 3000000 /dev/urandom >root/shop-20260217_015842.dump
echo older >root/shop-20260216.dump
echo not ready >root/shop-20260218.dump.part
echo toc >root/shop-20260214.dir/toc.dat
echo data >root/shop-20260214.dir/3001.dat
echo odd >'root/shop 20260213 a+b%41&é#;?x.dump'
echo sub >root/sub/shop-20260220.dump
touch -d 2026-02-17T02:00Z root/*20260217*
touch -d 2026-02-16T02:00Z root/*20260216*
touch -d 2026-02-14T02:00Z root/*20260214*/*
touch -d 2026-02-13T02:00Z root/*20260213*
touch -d 2026-02-20T02:00Z root/sub/*
NEWEST=shop-20260217_015842.dump
web_start root
"$ROOT/tests/servers/rude-store" start "$SCRATCH/rude" root
wait_for 10 test -s "$SCRATCH/rude/env"
started "$(cat "$SCRATCH/rude/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/rude/env"

fetch() { fetch-latest --records --dir work "$@"; }
fetched_whole() {
	expect_check backup-download ok
	cmp "root/$NEWEST" "work/$NEWEST"
	[ "$(ls -A work)" = "$NEWEST" ]
	rm -r work
}
nothing_fetched() { [ ! -e work ] || [ -z "$(ls -A work)" ] || say_failed "left in work: $(ls -A work)"; }
requests() { grep -c "^$1" "$SCRATCH/rude/requests"; }

nginx_index() {
	expect_status 0 list-backups --records "$WEB_URL/"
	expect_names 'shop 20260213 a+b%41&é#;?x.dump' 'shop-20260214.dir' 'shop-20260216.dump' "$NEWEST"
	expect_records "any(.name == \"$NEWEST\" and .bytes == 3000000 and .modified_at == \"2026-02-17T02:00:00.000Z\")"
	expect_records 'any(.name == "shop-20260214.dir" and .files == 2 and .bytes == 9)'
	expect_status 0 list-backups --records "$WEB_URL"
	expect_status 0 list-backups --records "$WEB_URL/sub"
	expect_names 'shop-20260220.dump'
}
json_index() {
	mkdir -p root/2026-02-13 && echo dated >root/2026-02-13/shop.dump
	touch -d 2026-02-13T01:00Z root/2026-02-13/shop.dump
	for place in '' json/; do
		expect_status 0 list-backups --records "$WEB_URL/$place"
		expect_names '2026-02-13/shop.dump' 'shop 20260213 a+b%41&é#;?x.dump' 'shop-20260214.dir' 'shop-20260216.dump' "$NEWEST"
	done
	expect_records "any(.name == \"$NEWEST\" and .bytes == 3000000 and .modified_at == \"2026-02-17T02:00:00.000Z\")"
	rm -r root/2026-02-13
}
t "nginx's JSON index is read like its page; folders named by date are looked into" json_index

t "nginx's index page is listed, with and without the last '/'" nginx_index

trees() {
	mkdir -p root/cluster/global root/cluster/base/1 root/2026-02-12/shop.dir root/global
	echo other >root/global/other-20260225.dump
	echo 15 >root/cluster/PG_VERSION
	echo control >root/cluster/global/pg_control
	echo rows >root/cluster/base/1/16384
	echo toc >root/2026-02-12/shop.dir/toc.dat
	echo data >root/2026-02-12/shop.dir/3001.dat
	touch -d 2026-02-21T02:00Z root/cluster/*/* root/cluster/base/1/*
	touch -d 2026-02-12T02:00Z root/2026-02-12/*/*
	for place in '' json/; do
		expect_status 0 list-backups --records "$WEB_URL/$place"
		expect_records 'any(.name == "cluster" and .files == 3) and any(.name == "2026-02-12/shop.dir" and .files == 2)'
		expect_records 'all(.name != "global/other-20260225.dump")'
	done
	expect_status 0 fetch --match cluster "$WEB_URL/"
	diff -r root/cluster work/cluster
	rm -r work
	expect_status 0 fetch "$WEB_URL/cluster/"
	diff -r root/cluster work/cluster
	expect_status 0 fetch "$WEB_URL/2026-02-12"
	diff -r root/2026-02-12/shop.dir work/shop.dir
	rm -r work root/cluster root/2026-02-12 root/global
}
t "base backups, and dumps in folders named by date, are found below the page, whole" trees

objects() {
	expect_status 0 fetch "$WEB_URL/"
	fetched_whole
	expect_records "any(.newest and .sha256 == \"$(sha256sum <"root/$NEWEST" | cut -d ' ' -f 1)\")"
	expect_status 0 fetch "$WEB_URL/$NEWEST"
	fetched_whole
	expect_status 0 fetch --match '*20260213*' "$WEB_URL/"
	cmp root/*20260213* work/*20260213*
	rm -r work
	expect_status 0 fetch "$WEB_URL/shop%2020260213%20a+b%2541&%C3%A9%23%3b%3Fx.dump"
	cmp root/*20260213* work/*20260213*
	rm -r work
	expect_status 0 fetch --match '*.dir' "$WEB_URL/"
	diff -r root/shop-20260214.dir work/shop-20260214.dir
	rm -r work
}
t "objects of the index, odd names, single URLs and directory dumps are fetched" objects

tls() {
	SSL_CERT_FILE=$WEB_CA expect_status 0 fetch "$WEB_TLS_URL/"
	fetched_whole
	expect_status 3 fetch --retries 0 "$WEB_TLS_URL/"
	expect_says backup-download unknown 'certificate.*SSL_CERT_FILE'
	nothing_fetched
}
t "TLS is verified, against SSL_CERT_FILE too" tls

absent() {
	expect_status 2 list-backups --records "$WEB_URL/empty/"
	expect_says listing critical 'nothing is there'
	expect_status 2 list-backups --records "$WEB_URL/gone.dump"
	expect_says listing critical 'no such file .404'
	expect_status 3 list-backups --records "$WEB_URL/gone/"
	expect_says listing unknown 'no such page .404'
	expect_status 3 list-backups --records --retries 1 "http://127.0.0.1:$(free_port)/"
	expect_says listing unknown 'refused|connect.*2 attempts'
	expect_status 3 list-backups --records --retries 0 http://host.invalid/
	expect_says listing unknown 'host.invalid'
	expect_status 3 list-backups --records 'http://[broken/'
	expect_check listing unknown
	expect_status 3 fetch-latest --records "$WEB_URL/"
	expect_says backup-download unknown 'dir or WORK_DIR'
}
t "what is not there is critical, who does not answer is unknown" absent

broken_transfers() {
	for how in ok cut-once reset-once noranges novalidators busy-once nohead redirect redirect-other; do
		echo "$how"
		expect_status 0 fetch --retries 2 "$RUDE_URL/$how/$NEWEST"
		fetched_whole
	done
	# Where it broke, not from the beginning, and tied to the same object.
	grep "^GET /cut-once/$NEWEST bytes=1500000- \"v1-3000000\"" "$SCRATCH/rude/requests"
}
t "a broken download goes on where it broke, or begins again where it must" broken_transfers

replaced() {
	expect_status 0 fetch "$RUDE_URL/replaced/$NEWEST"
	not cmp "root/$NEWEST" "work/$NEWEST"
	[ "$(stat -c %s "work/$NEWEST")" -eq 3000000 ]
	rm -r work
}
t "an object that is replaced meanwhile is begun again, never mixed" replaced

given_up() {
	expect_status 3 fetch --retries 2 "$RUDE_URL/cut/$NEWEST"
	expect_says backup-download unknown '3 attempts'
	[ "$(requests "GET /cut/")" -eq 3 ]
	nothing_fetched
	expect_status 2 fetch --retries 0 "$RUDE_URL/short/$NEWEST"
	expect_says backup-download critical '3000100 bytes are on their way, the storage said it has 3000000'
	nothing_fetched
	expect_status 3 fetch --retries 1 "$RUDE_URL/badrange/$NEWEST"
	expect_says backup-download unknown 'another range'
	nothing_fetched
	expect_status 3 fetch --retries 1 "$RUDE_URL/busy/$NEWEST"
	expect_says backup-download unknown '503 .asked 2 times'
	expect_status 3 fetch --retries 1 "$RUDE_URL/limited/$NEWEST"
	expect_says backup-download unknown '429 .asked 2 times'
	for how in unauthorized forbidden teapot; do
		expect_status 3 fetch "$RUDE_URL/$how/$NEWEST"
		expect_check backup-download unknown
	done
	expect_status 3 fetch --retries 0 "$RUDE_URL/redirect-loop/$NEWEST"
	expect_says backup-download unknown 'redirects'
}
t "what cannot be fetched whole is unknown and leaves nothing" given_up

stalled() {
	begun=$(date +%s)
	expect_status 3 fetch --retries 0 --stall-timeout 2s "$RUDE_URL/stall/$NEWEST"
	expect_says backup-download unknown 'after 1500000 bytes.*stalled'
	expect_status 3 fetch --retries 0 --stall-timeout 2s "$RUDE_URL/stall-headers/$NEWEST"
	expect_says backup-download unknown 'stalled'
	[ $(($(date +%s) - begun)) -lt 20 ]
	nothing_fetched
}
t "a stalled download is given up" stalled

stored_as_is() {
	expect_status 0 fetch "$RUDE_URL/gzip/$NEWEST"
	gzip -dc <"work/$NEWEST" | cmp - "root/$NEWEST"
	rm -r work
}
t "Content-Encoding: gzip is not undone: bytes are taken as stored" stored_as_is

pages() {
	expect_status 2 fetch "$RUDE_URL/html/$NEWEST"
	expect_says backup-download critical 'HTML page'
	nothing_fetched
	expect_status 2 fetch "$RUDE_URL/xml/$NEWEST"
	expect_says backup-download critical 'XML document'
	nothing_fetched
	expect_status 3 list-backups --records "$RUDE_URL/login/"
	expect_says listing unknown 'no directory index'
}
t "an HTML or XML page instead of the backup is critical, instead of the index unknown" pages

secrets() {
	url=http://hans:geheim@127.0.0.1:${RUDE_URL##*:}
	expect_status 0 fetch "$url/ok/$NEWEST?token=sesam"
	expect_not_out 'geheim|hans|sesam'
	expect_not_err 'geheim|hans|sesam'
	grep -q '^GET /ok/.*token=sesam .*Basic' "$SCRATCH/rude/requests"
	rm -r work
	: >"$SCRATCH/rude/requests"
	expect_status 0 fetch "$url/redirect-other/$NEWEST"
	grep -q '^GET /redirect-other/.*Basic' "$SCRATCH/rude/requests"
	not grep -q '^GET /ok/.*Basic' "$SCRATCH/rude/requests"
	rm -r work
	for how in forbidden busy cut; do
		expect_status 3 fetch --retries 0 "$url/$how/$NEWEST?token=sesam"
		expect_not_out 'geheim|hans|sesam'
	done
}
t "user, password and query are sent, not shown, and not handed to another host" secrets

logins() {
	echo geheim >password
	echo sesam >token
	url=http://hans@127.0.0.1:${RUDE_URL##*:}
	: >"$SCRATCH/rude/requests"
	expect_status 0 fetch --password-file password "$url/ok/$NEWEST"
	grep -q "^GET /ok/.* Basic_$(printf hans:geheim | base64)\$" "$SCRATCH/rude/requests"
	expect_not_out 'geheim|hans'
	: >"$SCRATCH/rude/requests"
	SOURCE_TOKEN_FILE=token expect_status 0 fetch "$RUDE_URL/ok/$NEWEST"
	grep -q '^GET /ok/.* Bearer_sesam$' "$SCRATCH/rude/requests"
	expect_not_out sesam
	: >"$SCRATCH/rude/requests"
	expect_status 0 fetch --token-file token "$RUDE_URL/redirect-other/$NEWEST"
	grep -q '^GET /redirect-other/.* Bearer_sesam$' "$SCRATCH/rude/requests"
	not grep -q '^GET /ok/.*sesam' "$SCRATCH/rude/requests"
	rm -r work
	expect_status 3 fetch --token-file nowhere "$RUDE_URL/ok/$NEWEST"
	expect_says backup-download unknown 'nowhere'
}
t "a password and a bearer token come from files, and reach no other host" logins

rounded() {
	rm -f root/x
	expect_status 0 list-backups --records "$RUDE_URL/index/"
	expect_records "any(.name == \"$NEWEST\" and .bytes == 3000000)"
}
mkdir flat
cp -p "root/$NEWEST" flat/
"$ROOT/tests/servers/rude-store" start "$SCRATCH/rude2" flat
wait_for 10 test -s "$SCRATCH/rude2/env"
started "$(cat "$SCRATCH/rude2/pid")"
apache() {
	# shellcheck source=/dev/null
	. "$SCRATCH/rude2/env"
	rounded
}
t "where an index page rounds sizes, the server is asked" apache

# interrupted SIGNAL URL
interrupted() {
	fetch-latest --records --dir work --stall-timeout 60s "$2" >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 10 grep -q "^GET ${2#"$RUDE_URL"}" "$SCRATCH/rude/requests"
	sleep 0.3
	kill -s "$1" $pid
	got=0
	wait $pid || got=$?
}
signals() {
	for signal in TERM INT HUP; do
		: >"$SCRATCH/rude/requests"
		interrupted $signal "$RUDE_URL/stall/$NEWEST"
		[ $got -eq 3 ] || say_failed "SIG$signal: status $got"
		expect_says backup-download unknown 'stopped by signal'
		expect_records 'any(.event == "end")'
		nothing_fetched
	done
	: >"$SCRATCH/rude/requests"
	interrupted KILL "$RUDE_URL/stall/$NEWEST"
	nothing_fetched
	expect_status 3 fetch --timeout 2s "$RUDE_URL/stall/$NEWEST"
	expect_says backup-download unknown 'not finished within 2 s'
	nothing_fetched
}
t "signals, kill -9 and --timeout leave no file behind" signals

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir tiny
	mount -t tmpfs -o size=1m tmpfs tiny 2>/dev/null || skip "cannot mount"
	got=0
	fetch-latest --records --dir tiny "$WEB_URL/" >"$OUT" 2>"$ERR" || got=$?
	left=$(ls -A tiny)
	umount tiny
	[ $got -eq 3 ]
	expect_says backup-download unknown '3.0 MB are needed, 1.0 MB are free'
	[ -z "$left" ]
}
t "a disk that is too small is said before anything is fetched" full_disk

filled_meanwhile() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir filling
	mount -t tmpfs -o size=4m tmpfs filling 2>/dev/null || skip "cannot mount"
	: >"$SCRATCH/rude/requests"
	cp -p "root/$NEWEST" "root/again-$NEWEST"
	fetch-latest --records --dir filling "$RUDE_URL/cut-once/again-$NEWEST" >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 10 grep -q '^GET /cut-once/again' "$SCRATCH/rude/requests"
	head -c 5000000 /dev/zero >filling/other 2>/dev/null || true
	got=0
	wait $pid || got=$?
	left=$(ls -A filling)
	umount filling
	[ $got -eq 3 ] || say_failed "status $got"
	expect_says backup-download unknown 'No space left on device after [0-9.]+ .?B of 3.0 MB; name another directory'
	[ "$left" = other ]
}
t "a disk that others fill meanwhile: how far it came, and nothing is kept" filled_meanwhile
umount "$SCRATCH/filling" 2>/dev/null
