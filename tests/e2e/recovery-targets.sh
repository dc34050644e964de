#!/bin/sh
# Point-in-time recovery: writes at known times and positions, a base backup before them, an archive
# of the WAL; each target gets exactly its rows. Then the archive is damaged, one thing at a time.
# time limit: 400 s
# sanitizers: no, restores by the dozen, of which restore-physical.sh does a few of each kind
. "${0%/*}/lib.sh"
need jq python3 gzip zstd lz4
need_pg

base() {
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$1" -c fast --no-sync -X "$2"
}

# Waits until the archiver has taken all that is finished.
archived() {
	last=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
	wait_for 20 test -e "$1/$last"
}

make_history() {
	pg_init "$SCRATCH/source"
	as_pg rm -r "$SCRATCH/source/data"
	as_pg "$PG_BIN/initdb" -D "$SCRATCH/source/data" -U postgres --wal-segsize=1 --no-sync -A trust
	as_pg mkdir "$SCRATCH/source/archive"
	PG_SOCKET=$SCRATCH/source
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	A=$SCRATCH/source/archive
	pg_run "$PG_SOCKET" -c listen_addresses= -c archive_mode=on \
		-c "'archive_command=cp %p $A/%f'"
	pg_slim
	sql "CREATE TABLE ledger (n int)"
	base "$SCRATCH/source/base" stream
	base "$SCRATCH/source/bare" none
	sql "INSERT INTO ledger VALUES (1)"
	sleep 0.1
	TIME=$(sql "SELECT to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF')")
	sql "SELECT pg_create_restore_point('before two')"
	XID=$(sql "INSERT INTO ledger VALUES (2) RETURNING pg_current_xact_id()")
	LSN=$(sql "SELECT pg_current_wal_insert_lsn()")
	archived "$A"
	sql "INSERT INTO ledger SELECT 3 FROM generate_series(1, 20)"
	GAP=$(sql "SELECT pg_walfile_name(pg_current_wal_lsn())")
	archived "$A"
	sql "INSERT INTO ledger VALUES (4)"
	sql "SELECT pg_create_restore_point('the end')"
	LAST=$(sql "SELECT pg_walfile_name(pg_current_wal_lsn())")
	archived "$A"
}

prepare make_history

# recovers ROWS [OPTION...]: status 0, with this list of n and how often.
recovers() {
	rows=$1
	shift
	expect_status 3 restore-to-temp --records --backup "${BASE:-source/base}" \
		--wal-source "${WAL:-$A}" "$@" -- "$PG_BIN/psql" -XqAt -o "$TMPDIR/rows" \
		-c "SELECT string_agg(n || 'x' || k, ' ' ORDER BY n) FROM (SELECT n, count(*) k FROM ledger
			GROUP BY n) rows"
	expect_check recovery-target ok
	[ "$(cat "$TMPDIR/rows")" = "$rows" ] || say_failed "rows: $(cat "$TMPDIR/rows"), wanted $rows"
}

# fails CHECK PATTERN [OPTION...]: critical, by that check, saying so.
fails() {
	check=$1 pattern=$2
	shift 2
	expect_status 2 restore-to-temp --records --backup "${BASE:-source/base}" --wal-source "$WAL" "$@"
	expect_check "$check" critical
	expect_records "any(.check == \"$check\" and (.summary | test(\"$pattern\")))"
	expect_nothing_left
}

all='1x1 2x1 3x20 4x1'
targets() {
	recovers '' --target immediate
	recovers "$all"
	expect_check wal-archive ok
	expect_records 'any(.check == "recovery-target" and .observed != "" and
		(.metrics | any(.name == "wal_bytes" and .value > 2000000)))'
	recovers "$all" --timeline current
	recovers 1x1 --target "$TIME"
	recovers 1x1 --target 'before two'
	recovers '1x1 2x1' --target "$XID"
	recovers '1x1 2x1' --target "$LSN"
	recovers "$all" --target 'name:the end'
}
t "each target gets exactly the rows that were there" targets

# The last commit that was replayed is the recovery point, and the phases of the recovery are told.
measures() {
	recovers 1x1 --target "$TIME"
	expect_records "any(.record == \"instance\" and .recovery_point < \"$TIME\")"
	expect_records 'any(.check == "restore-time" and ([.metrics[].name] |
		contains(["unpack_seconds", "consistent_seconds", "replay_seconds", "ready_seconds"])))'
	expect_records 'any(.check == "verified-rto" and .status == "ok")'
}
t "the recovery point is that of the last replayed commit, before the target" measures

without_archive() {
	expect_status 0 restore-to-temp --records --backup source/base
	expect_check recovery-target ok
	BASE=source/bare WAL=empty
	mkdir empty
	fails restore 'WAL that its recovery begins with'
	BASE=source/bare WAL=$A
	recovers "$all"
}
t "a backup without WAL needs the archive, one with WAL does not" without_archive

packed() {
	mkdir -p packed/primary/first
	i=0
	for file in "$A"/*; do
		i=$((i + 1))
		case $((i % 4)) in
		0) cp "$file" packed ;;
		1) gzip -c "$file" >"packed/primary/first/${file##*/}.gz" ;;
		2) zstd -q -c "$file" >"packed/primary/first/${file##*/}.zst" ;;
		3) lz4 -q -c "$file" >"packed/primary/first/${file##*/}.lz4" ;;
		esac
	done
	BASE=source/bare WAL=packed
	recovers "$all"
	# One that is cut off is damage, not the end.
	packed=$(find packed -name "$GAP*")
	truncate -s -5 "$packed"
	fails wal-archive 'truncated|wrong size'
}
t "an archive may be compressed and lie in folders, and a cut file is not its end" packed

nowhere() {
	WAL=$A
	fails recovery-target 'target was not reached' --target 2099-01-01T00:00:00Z
	fails recovery-target 'target was not reached' --target never-made
	fails recovery-target 'before the end of the backup' --target 0/100028
	fails recovery-target 'timeline is not in the archive' --timeline 7
	expect_status 3 restore-to-temp --records --backup source/base --target '2026-02-17 06:00'
	expect_err 'time with its zone'
	expect_status 3 restore-to-temp --records --backup source/base --wal-source nowhere/at/all
	expect_check wal-archive unknown
}
t "a target that is not reached is critical" nowhere

# A copy of the archive to be damaged: $WAL.
copy() {
	rm -rf bad
	cp -a "$A" bad
	WAL=bad
}

hole() {
	copy
	rm "bad/$GAP"
	fails recovery-target "$GAP is missing, and it goes on"
	fails recovery-target "$GAP is missing, and it goes on" --target 'the end'
	recovers '1x1 2x1' --target "$LSN"
}
t "a hole in the archive is not its end" hole

damaged() {
	copy
	truncate -s 524288 "bad/$GAP"
	fails wal-archive "$GAP has the wrong size: 524288"
	copy
	flip "bad/$GAP" 24 8
	fails wal-archive "$GAP is of another cluster"
	copy
	cp "bad/$LAST" "bad/$GAP"
	fails wal-archive "$GAP holds another segment"
	copy
	flip "bad/$GAP" 40 4000
	fails recovery-target "$GAP is there and could not be replayed to its end"
}
t "a shortened, a foreign, a swapped and a damaged segment are named" damaged

over_s3() {
	s3_use
	for file in "$A"/*; do
		s3_put "$file" "$S3_BUCKET/wal/0000000100000000/${file##*/}"
	done
	BASE=source/bare WAL=s3://$S3_BUCKET/wal
	recovers "$all"
	recovers 1x1 --target 'before two'
	expect_check isolation ok
}
t "WAL comes from an object store into a server without a network" over_s3

# A second server is made of the backup and goes its own way: timeline 2.
branch() {
	cp -a "$SCRATCH/source/base" "$SCRATCH/source/branch"
	mkdir source/branched
	mv source/branch source/branched/data
	chmod 711 source/branched
	[ "$(id -u)" -ne 0 ] || chown postgres: source/branched
	as_pg touch source/branched/data/recovery.signal
	pg_run "$SCRATCH/source/branched" -c listen_addresses= -c archive_mode=on \
		-c "'archive_command=test ! -e $A/%f && cp %p $A/%f'" \
		-c "'restore_command=cp $A/%f %p'" -c "'recovery_target_name=before two'" \
		-c recovery_target_action=promote
	PG_DSN="host=$SCRATCH/source/branched user=postgres dbname=postgres"
	wait_for 20 sql "CREATE TEMP TABLE open (n int)"
	sql "INSERT INTO ledger VALUES (50)"
	archived "$A"
	pg_stop source/branched
	recovers '1x1 50x1'
	expect_records 'any(.check == "recovery-target" and (.summary | test("on timeline 2")))'
	recovers "$all" --timeline 1
	recovers '1x1 50x1' --timeline 2
	copy
	rm bad/00000002.history
	fails recovery-target 'timeline 2, which could not be followed'
}
t "a new timeline is followed, or not, as asked, and missed where its history is lost" branch
