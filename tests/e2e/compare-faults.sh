#!/bin/sh
# What can go wrong around the tools that tell the truth of the data: a signal, a full disk, no
# permission, a server that is gone, nobody who reads the results. One clear sentence, the right status,
# nothing left.
# sanitizers: no, it is about processes, files and servers; the parsing is in unit tests
. "${0%/*}/lib.sh"
need jq

pg_start || exit 3
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
NOWHERE="host=$SCRATCH/nowhere dbname=shop"
sql "CREATE DATABASE shop"
sql "$SHOP" "CREATE TABLE orders (id int PRIMARY KEY, created_at timestamptz DEFAULT now());
	INSERT INTO orders SELECT generate_series(1, 100)"
"$PG_BIN/pg_dump" -Fc -d "$SHOP" -f shop.dump
inspect-dump --records shop.dump >counted
printf '{"record":"instance","conninfo":"%s","database":"shop"}\n' "$SHOP" >instance

no_session_left() {
	wait_for 20 no_session || say_failed "sessions are left on the server"
}
no_session() {
	[ "$(sql "$PG_DSN" "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backup-probes'")" = 0 ]
}
sessions() {
	[ "$(sql "$PG_DSN" "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'backup-probes'")" = t ]
}

# ended SIGNAL STATUS READY COMMAND...: stopped by a signal once it is READY.
ended() {
	signal=$1
	want=$2
	ready=$3
	shift 3
	"$@" >"$OUT" 2>"$ERR" <instance &
	pid=$!
	started $pid
	wait_for 20 "$ready" || say_failed "it never came so far"
	kill -"$signal" $pid
	status=0
	wait $pid || status=$?
	[ $status -eq "$want" ] || say_failed "expected status $want, got $status: $*"
}
command_runs() { [ -e begun ]; }

capture_stopped() {
	for signal in TERM INT; do
		status=143
		[ $signal = TERM ] || status=130
		rm -f begun
		ended $signal $status command_runs capture-counts --beside stopped --database "$SHOP" -- \
			env --default-signal=INT sh -c 'touch begun; exec sleep 60'
		[ "$(find . -name 'stopped*' | wc -l)" -eq 0 ] || say_failed "a file is left"
	done
	no_session_left
}
t "capture-counts passes a signal on to COMMAND and leaves no baseline and no session" capture_stopped

stopped() {
	"$PG_BIN/psql" -qX -d "$SHOP" -c "BEGIN; LOCK TABLE orders; SELECT pg_sleep(60)" >/dev/null 2>&1 &
	holder=$!
	started $holder
	wait_for 20 locked
	for tool in compare-counts check-content check-freshness; do
		ended TERM 143 sessions $tool --records
	done
	sql "$PG_DSN" "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted" >/dev/null
	wait $holder || true
	no_session_left
}
locked() {
	[ "$(sql "$PG_DSN" "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted")" = t ]
}
t "a probe that is stopped while it waits for a lock leaves no session" stopped

unreachable() {
	expect_status 3 compare-counts --records --restored "$SHOP" --production "$NOWHERE" </dev/null
	expect_check tables-compared unknown
	expect_out "nothing was compared: connect to production .*check host and port"
	expect_status 3 compare-counts --dump --records --production "$NOWHERE" <counted
	expect_check tables-compared unknown
	for tool in compare-counts check-content check-freshness; do
		expect_status 3 $tool --records --restored "$NOWHERE" </dev/null
		expect_out "connect to the restored database .*check host and port"
		[ "$(jq -c 'select(.check and .status != "ok")' "$OUT" | wc -l)" -eq 1 ] || say_failed "one finding says it"
	done
	expect_status 3 capture-counts --beside gone --database "$NOWHERE" -- touch ran
	expect_err "COMMAND was not started"
	expect_no_file ran
}
t "a server that is gone is unknown, in one sentence" unreachable

nobody_reads() {
	for out in '>/dev/full' '>&-'; do
		for tool in "compare-counts --records --restored '$SHOP' --production '$SHOP '" \
			"check-content --records --restored '$SHOP'" "check-freshness --records --restored '$SHOP'" \
			"inspect-dump --records shop.dump" "compare-counts --dump --records --production '$SHOP'"; do
			expect_status 3 sh -c "$tool <counted $out"
			expect_err "write to standard output"
			[ "$(wc -l <"$ERR")" -eq 1 ] || say_failed "one line: $tool"
		done
	done
	no_session_left
}
t "results that nobody gets are no success" nobody_reads

no_permission() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
	mkdir -m 755 closed
	cp shop.dump closed/ && chmod 600 closed/shop.dump
	chmod 755 .
	expect_status 3 as_pg "$(command -v inspect-dump)" --records "$SCRATCH/closed/shop.dump"
	expect_out "Permission denied"
	expect_status 3 as_pg "$(command -v capture-counts)" --beside "$SCRATCH/closed/x" --database "$SHOP" -- true
	expect_err "x.counts.json.*Permission denied"
	[ "$(find closed -type f | wc -l)" -eq 1 ]
	sql "$PG_DSN" "CREATE ROLE nobody LOGIN"
	sql "$PG_DSN" "CREATE DATABASE restored TEMPLATE shop"
	expect_status 3 compare-counts --records --restored "host=$PG_SOCKET user=postgres dbname=restored" \
		--production "host=$PG_SOCKET user=nobody dbname=shop" </dev/null
	expect_check row-count unknown public.orders
	expect_out "permission denied for table orders"
	expect_status 3 capture-counts --beside denied --database "host=$PG_SOCKET user=nobody dbname=shop" -- true
	expect_err "permission denied"
	expect_no_file denied.counts.json
}
t "what may not be read or written is unknown and named" no_permission

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	mkdir full
	mount -t tmpfs -o size=64k,mode=755 tmpfs full 2>/dev/null || skip "cannot mount here"
	trap 'umount full' EXIT
	head -c 64k /dev/zero >full/fill 2>/dev/null || true
	expect_status 3 capture-counts --beside full/shop --database "$SHOP" -- true
	expect_err "COMMAND succeeded, but there is no baseline: .*No space left on device"
	[ "$(find full -type f)" = full/fill ]
	umount full
	trap - EXIT
}
t "on a full disk there is no baseline, and no half of one" full_disk
