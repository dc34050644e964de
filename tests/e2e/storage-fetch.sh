#!/bin/sh
# fetch-latest in ranges over several connections: faults of the server, kills, digests, sidecars.
# time limit: 400 s
. "${0%/*}/lib.sh"
need jq nginx python3

NEWEST=shop-20260217_015842.dump
mkdir root
chmod 755 root
head -c 20000000 /dev/urandom >"root/$NEWEST"
touch -d 2026-02-17T02:00Z "root/$NEWEST"
SUM=$(sha256sum <"root/$NEWEST" | cut -d ' ' -f 1)
web_start root
"$ROOT/tests/servers/rude-store" start "$SCRATCH/rude" root
wait_for 10 test -s "$SCRATCH/rude/env"
started "$(cat "$SCRATCH/rude/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/rude/env"

fetch() { fetch-latest --records --dir work "$@"; }
fetched_whole() {
	expect_check backup-download ok
	expect_records "any(.newest and .sha256 == \"$SUM\" and .bytes == 20000000)"
	cmp "root/$NEWEST" "work/$NEWEST"
	[ "$(ls -A work)" = "$NEWEST" ]
	rm -r work
}
nothing_fetched() { [ ! -e work ] || [ -z "$(ls -A work)" ] || say_failed "left in work: $(ls -A work)"; }
metric() { expect_records "any(.check == \"backup-download\" and any(.metrics[]; .name == \"$1\" and $2))"; }

in_ranges() {
	: >"$SCRATCH/web/access.log"
	expect_status 0 fetch "$WEB_URL/"
	fetched_whole
	[ "$(grep -c '" 206 ' "$SCRATCH/web/access.log")" -ge 2 ]
	metric retries '.value == 0'
	metric rate '.value > 0'
	: >"$SCRATCH/web/access.log"
	expect_status 0 fetch --connections 1 "$WEB_URL/"
	fetched_whole
	[ "$(grep -c '" 206 ' "$SCRATCH/web/access.log")" -eq 1 ]
	metric connections '.value == 1'
	: >"$SCRATCH/web/access.log"
	expect_status 0 fetch --connections 2 "$WEB_URL/"
	fetched_whole
	[ "$(grep '" 206 ' "$SCRATCH/web/access.log" | sed 's/.* //' | sort -u | wc -l)" -le 2 ]
	for n in 0 65 x; do
		expect_status 3 fetch --connections $n "$WEB_URL/"
		expect_err 'connections'
	done
}
t "a large file comes in ranges, over --connections that are used again" in_ranges

all_at_once() {
	expect_status 0 fetch "$RUDE_URL/narrow/$NEWEST"
	fetched_whole
	metric connections '.value == 3'
	metric fetch_seconds '.value < 1.9'
}
t "a link on which one connection waits for the network is used by all of them" all_at_once

# Asked for all the rest at once: with luck, for other tests may take the processors, unless it is root's.
one_was_alone() { grep -q "GET /narrowing/large.dump bytes=8388608-79999999" "$SCRATCH/rude/requests"; }
handed_back() {
	head -c 80000000 /dev/urandom >root/large.dump
	before=
	if [ "$(id -u)" -eq 0 ] && renice -n -15 -p "$(cat "$SCRATCH/rude/pid")"; then before='nice -n -15'; fi
	for try in 1 2 3 4 5; do
		: >"$SCRATCH/rude/requests"
		rm -rf work
		# shellcheck disable=SC2086  # words
		expect_status 0 $before fetch-latest --records --dir work "$RUDE_URL/narrowing/large.dump"
		cmp root/large.dump work/large.dump
		one_was_alone && break
		echo "not in try $try"
	done
	rm -r root/large.dump work
	one_was_alone || skip "optional: these processors had no time for one connection alone"
	metric connections '.value > 3'
	metric fetch_seconds '.value < 6.5'
	metric retries '.value == 0'
}
t "a connection that was alone hands back what it has not brought when the link becomes slow" handed_back

# expect_each_again HOW: every range was asked for again, whatever the ranges were (each ends elsewhere).
expect_each_again() {
	sed -n "s,^GET /$1/$NEWEST bytes=[0-9]*-\\([0-9]*\\) .*,\\1,p" "$SCRATCH/rude/requests" | sort -u >ends
	[ "$(wc -l <ends)" -ge 2 ] || say_failed "ranges: $(cat ends)"
	metric retries ".value >= $(wc -l <ends)"
}

mended() {
	for how in cut-ranges error-ranges busy-ranges; do
		echo "$how"
		expect_status 0 fetch "$RUDE_URL/$how/$NEWEST"
		fetched_whole
		expect_each_again $how
	done
	# Each where it broke.
	grep "GET /cut-ranges/$NEWEST bytes=4194304-8388607 \"r0-20000000\"" "$SCRATCH/rude/requests"
	expect_status 0 fetch "$RUDE_URL/all-for-part/$NEWEST"
	fetched_whole
}
t "ranges that break are asked for again on their own, where they broke; without ranges it goes in one" mended

dropped() {
	for how in stall-ranges trickle-ranges; do
		expect_status 0 fetch --stall-timeout 1s "$RUDE_URL/$how/$NEWEST"
		fetched_whole
		expect_each_again $how
	done
	grep "GET /stall-ranges/$NEWEST bytes=4194304-8388607 \"r0-20000000\"" "$SCRATCH/rude/requests"
}
t "a connection that stalls, or trickles, is dropped, and its range goes on where it was" dropped

replaced() {
	expect_status 0 fetch "$RUDE_URL/replaced-late/$NEWEST"
	[ "$(head -c 1 "work/$NEWEST" | od -An -tx1 | tr -d ' ')" = 01 ]
	[ "$(stat -c %s "work/$NEWEST")" -eq 20000000 ]
	rm -r work
	expect_status 3 fetch "$RUDE_URL/ever-new/$NEWEST"
	expect_check backup-download unknown
	nothing_fetched
}
t "an object that is replaced meanwhile (412) is begun again once, and never mixed" replaced

refused() {
	expect_status 3 fetch --retries 1 "$RUDE_URL/no-such-range/$NEWEST"
	expect_says backup-download unknown '416'
	rm -rf work
	expect_status 3 fetch --retries 0 "$RUDE_URL/endless/$NEWEST"
	expect_says backup-download unknown 'all where a part was asked|more bytes come'
	nothing_fetched
	head -c 100000 "root/$NEWEST" >root/small.bin
	expect_status 2 fetch "$RUDE_URL/longer/small.bin"
	expect_says backup-download critical '101000 bytes are on their way, the storage said it has 100000'
	nothing_fetched
	expect_status 2 fetch "$RUDE_URL/shorter/small.bin"
	expect_says backup-download critical '99000 bytes are on their way, the storage said it has 100000'
	nothing_fetched
	expect_status 3 fetch "$RUDE_URL/endless/small.bin"
	expect_says backup-download unknown 'more bytes come than the 100000'
	nothing_fetched
	rm root/small.bin
}
t "416, an endless body, a longer and a shorter one than promised are errors" refused

digests() {
	for how in summed summed-crc32 summed-parts summed-md5; do
		expect_status 0 fetch "$RUDE_URL/$how/$NEWEST"
		expect_says backup-download ok 'agrees with (x-amz-checksum-|Content-MD5)'
		fetched_whole
	done
	expect_status 2 fetch "$RUDE_URL/flipped/$NEWEST"
	expect_says backup-download critical "their SHA-256 is [0-9a-f]{64}, x-amz-checksum-sha256 says $SUM"
	nothing_fetched
}
t "wrong bytes of the right length are critical, with both digests; right ones are compared" digests

sidecars() {
	(cd root && sha256sum "$NEWEST" >"$NEWEST.sha256" && md5sum "$NEWEST" >"$NEWEST.md5")
	echo '{}' >"root/$NEWEST.counts.json"
	echo signature >"root/$NEWEST.asc"
	for url in "$WEB_URL/" "$WEB_URL/$NEWEST"; do
		expect_status 0 fetch "$url"
		expect_says backup-download ok "agrees with $NEWEST.sha256, $NEWEST.md5"
		expect_records 'any(.newest and (.sidecars | sort) == [".asc", ".counts.json", ".md5", ".sha256"])'
		for suffix in sha256 md5 counts.json asc; do cmp "root/$NEWEST.$suffix" "work/$NEWEST.$suffix"; done
		[ "$(find work -type f | wc -l)" -eq 5 ]
	done
	rm "root/$NEWEST.asc"
	expect_status 0 fetch "$WEB_URL/"
	expect_no_file "work/$NEWEST.asc"
	rm -r work
	expect_status 0 fetch-latest --records root
	expect_says backup-download ok "agrees with $NEWEST.sha256"
	for sums in "$SUM" "SHA256 ($NEWEST) = $SUM" "$SUM *./$NEWEST" "$SUM  renamed.dump"; do
		echo "$sums" >"root/$NEWEST.sha256"
		expect_status 0 fetch-latest --records root
		expect_says backup-download ok "agrees with $NEWEST.sha256"
	done
	echo nonsense >"root/$NEWEST.sha256"
	expect_status 1 fetch-latest --records root
	expect_says backup-download warning "$NEWEST.sha256 holds no digest"
	rm "root/$NEWEST.sha256" "root/$NEWEST.md5"
	echo "$(echo "$SUM" | tr 0-9a-f 1-9a-f0)  $NEWEST" >root/SHA256SUMS
	expect_status 2 fetch "$WEB_URL/"
	expect_says backup-download critical "their SHA-256 is $SUM, SHA256SUMS says [0-9a-f]{64}"
	nothing_fetched
	rm root/SHA256SUMS "root/$NEWEST.counts.json"
}
t "sidecars are found, compared and come along; a digest that differs is critical" sidecars

tree_sidecars() {
	mkdir -p trees/d
	echo toc >trees/d/toc.dat
	echo data >trees/d/3001.dat
	(cd trees && sha256sum d/* >SHA256SUMS)
	expect_status 0 fetch-latest --records --copy --dir work trees
	expect_says backup-download ok 'agrees with SHA256SUMS'
	(cd trees/d && sha256sum 3001.dat toc.dat | sha256sum >../d.sha256)
	expect_status 0 fetch-latest --records --copy --dir work trees
	expect_says backup-download ok 'agrees with SHA256SUMS, d.sha256'
	expect_file work/d.sha256
	rm -r work
	echo Data >trees/d/3001.dat
	expect_status 2 fetch-latest --records --copy --dir work trees
	expect_says backup-download critical 'd/3001.dat.*SHA256SUMS says'
	rm trees/SHA256SUMS
	expect_status 2 fetch-latest --records --copy --dir work trees
	expect_says backup-download critical 'read d: .*d.sha256 says'
	nothing_fetched
}
t "of a directory the digests of its files and of all of it are compared" tree_sidecars

# killed URL: after its first range was written.
killed() {
	fetch-latest --records --dir work --max-rate 6MB "$1" >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 20 grep -qs '^0 ' "work/.$NEWEST.partial/journal"
	kill -s KILL $pid
	wait $pid || true
}
resumed() {
	killed "$WEB_URL/"
	[ "$(ls -A work)" = ".$NEWEST.partial" ]
	: >"$SCRATCH/web/access.log"
	expect_status 0 fetch "$WEB_URL/"
	[ "$(grep -c '" 206 ' "$SCRATCH/web/access.log")" -le 2 ]
	fetched_whole
}
t "a fetch that was killed is never taken for a file, and goes on from its parts" resumed

killed_anywhere() {
	i=0
	while [ $i -lt "${KILLS:-5}" ]; do
		i=$((i + 1))
		fetch-latest --records --dir work --max-rate 40MB "$WEB_URL/" >"$OUT" 2>"$ERR" &
		pid=$!
		sleep "0.$(shuf -n 1 -i 0-5)$(shuf -n 1 -i 0-9)"
		kill -s KILL $pid 2>/dev/null || true
		wait $pid || true
		[ ! -e "work/$NEWEST" ] || {
			cmp "root/$NEWEST" "work/$NEWEST"
			rm "work/$NEWEST"
		}
	done
	expect_status 0 fetch "$WEB_URL/"
	fetched_whole
}
t "killed at any moment, again and again: in the end it is whole" killed_anywhere

not_resumed() {
	killed "$WEB_URL/"
	head -c 20000000 /dev/urandom >"root/$NEWEST"
	touch -d 2026-02-17T03:00Z "root/$NEWEST"
	expect_status 0 fetch "$WEB_URL/"
	cmp "root/$NEWEST" "work/$NEWEST"
	[ "$(ls -A work)" = "$NEWEST" ]
	rm -r work
	killed "$WEB_URL/"
	echo another >root/zzz-20260218.dump
	touch -d 2026-02-18T02:00Z root/zzz-20260218.dump
	expect_status 0 fetch "$WEB_URL/"
	[ "$(ls -A work)" = zzz-20260218.dump ]
	rm -r work root/zzz-20260218.dump
}
t "parts of another version are not used, and those of another backup are removed" not_resumed

given_up_and_resumed() {
	fetch-latest --records --dir work --max-rate 6MB "$WEB_URL/" >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 20 grep -qs '^0 ' "work/.$NEWEST.partial/journal"
	kill -s TERM $pid
	got=0
	wait $pid || got=$?
	[ $got -eq 3 ]
	expect_says backup-download unknown 'stopped by signal 15; the next run goes on'
	: >"$SCRATCH/web/access.log"
	expect_status 0 fetch "$WEB_URL/"
	[ "$(grep -c '" 206 ' "$SCRATCH/web/access.log")" -le 2 ]
	rm -r work
}
t "what a signal stops goes on, too" given_up_and_resumed

limited() {
	begun=$(date +%s%3N)
	expect_status 0 fetch --max-rate 10MB "$WEB_URL/"
	[ $(($(date +%s%3N) - begun)) -ge 1700 ]
	rm -r work
	expect_status 3 fetch --max-rate 1kB "$WEB_URL/"
	expect_err 'max-rate'
}
t "--max-rate holds over all connections" limited

shown() {
	expect_status 0 fetch --progress --max-rate 20MB "$WEB_URL/"
	expect_err '[0-9.]+ MB of 20.0 MB \([0-9]+ %\), [0-9.]+ MB/s, .* left'
	rm -r work
	expect_status 0 fetch "$WEB_URL/"
	expect_no_err
	rm -r work
}
t "progress is shown when asked for" shown

small_memory() {
	head -c 80000000 /dev/urandom >root/large.dump
	/usr/bin/env python3 - "$RUDE_URL/narrow/large.dump" >"$OUT" <<-'PY'
		import resource, subprocess, sys
		subprocess.run(["fetch-latest", "--records", "--dir", "work", sys.argv[1]], check=True)
		with open("peak", "w") as peak:
		    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=peak)
	PY
	rm -r work root/large.dump
	metric connections '.value == 8'
	# The sanitizers take memory of their own.
	[ "${SANITIZED:-0}" = 0 ] || return 0
	[ "$(cat peak)" -lt 32768 ] || say_failed "$(cat peak) KiB"
}
t "eight connections take less than 32 MiB of memory" small_memory
