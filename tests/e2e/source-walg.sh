#!/bin/sh
# A WAL-G repository as a source: a full and a delta backup in several parts, with a tablespace, and
# their WAL; listed, verified and restored from by WAL-G itself, and damaged in ways that WAL-G
# restores without a word.
# time limit: 600 s
# sanitizers: no, what is parsed here is parsed by the unit test of lib/keeper
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/keepers.sh
. "$ROOT/tests/servers/keepers.sh"
# shellcheck source=tests/servers/runbook.sh
. "$ROOT/tests/servers/runbook.sh"
need jq python3 lz4
command -v wal-g >/dev/null || {
	echo "skip - source-walg.sh # optional: needs wal-g, which Debian has not"
	exit 0
}

R=$SCRATCH/wg
CONF=$R/walg.json
S=walg:$CONF

walg() { as_pg wal-g "$@" --config "$CONF" 2>>"$SCRATCH/log/wal-g"; }
full() { jq -r 'select(.record == "backup" and .type == "full").name' <"$SCRATCH/good.jsonl"; }
delta() { jq -r 'select(.record == "backup" and .type == "incr").name' <"$SCRATCH/good.jsonl"; }
field() { jq -r "select(.record == \"backup\" and .type == \"$1\").$2" <"$SCRATCH/good.jsonl"; }
parts() { find "$R/repo/basebackups_005/$1/tar_partitions" -name 'part_*' | sort; }
wal() { echo "$R/repo/wal_005/$1.lz4"; }
# The repository as it was before the damage: links, so no file of it may be changed in place.
whole_again() {
	rm -rf "$R/repo"
	cp -al "$R/good" "$R/repo"
}
change() {
	cp -p "$1" "$1.new"
	mv "$1.new" "$1"
	flip "$1" "$(($(wc -c <"$1") / 2))" 2
}

configure() {
	mkdir -p "$R/repo" "$R/space"
	cat >"$CONF" <<-EOT
		{
			"WALG_FILE_PREFIX": "$R/repo",
			"WALG_COMPRESSION_METHOD": "lz4",
			"WALG_DELTA_MAX_STEPS": "3",
			"WALG_TAR_SIZE_THRESHOLD": "3000000",
			"WALG_UPLOAD_CONCURRENCY": "1",
			"WALG_PG_WAL_SIZE": "1",
			"PGHOST": "$SCRATCH/production",
			"PGUSER": "postgres"
		}
	EOT
	[ "$(id -u)" -ne 0 ] || chown -R postgres: "$R"
}

# Waits until what was written so far has come.
archived() {
	last=$(sql "select pg_walfile_name(pg_switch_wal())")
	wait_for 20 test -e "$(wal "$last")"
}
now() { sql "select to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF')"; }

set_up() {
	configure
	mkdir -p "$SCRATCH/production"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$SCRATCH/production"
	as_pg "$PG_BIN/initdb" -D "$SCRATCH/production/data" --wal-segsize=1 --no-sync -A trust -U postgres
	cat >>"$SCRATCH/production/data/postgresql.conf" <<-EOT
		archive_mode = on
		archive_command = 'wal-g wal-push %p --config $CONF'
	EOT
	pg_run "$SCRATCH/production" -c listen_addresses=
	PG_DSN="host=$SCRATCH/production user=postgres dbname=postgres"
	pg_slim
	sql "create tablespace elsewhere location '$R/space'"
	sql "create table orders as select g as id, now() as at from generate_series(1, 1000) g"
	sql "create table far (n int) tablespace elsewhere"
	sql "insert into far values (1)"
	walg backup-push "$SCRATCH/production/data"
	BETWEEN=$(now)
	sleep 0.1
	sql "insert into orders values (1001, now())"
	sql "insert into far values (2)"
	walg backup-push "$SCRATCH/production/data"
	sql "insert into orders values (1002, now())"
	archived
	BEFORE=$(now)
	sql "insert into orders values (1003, now())"
	archived
	sql "select pg_logical_emit_message(true, 'next', '')" >/dev/null
	archived
	cp -a "$R/repo" "$R/good"
	list-backups --records "$S" >"$SCRATCH/good.jsonl"
	echo "BETWEEN=$BETWEEN BEFORE=$BEFORE" >"$SCRATCH/times"
}
t "a WAL-G repository with a full and a delta backup is made" set_up
PG_DSN="host=$SCRATCH/production user=postgres dbname=postgres"
# shellcheck disable=SC1091  # written above
. "$SCRATCH/times"

lists() {
	expect_status 0 list-backups --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 2
		and .[0].type == "full" and .[0].prior == null and .[0].set_bytes == .[0].bytes
		and .[1].type == "incr" and .[1].prior == .[0].name
		and .[1].set_bytes == .[0].bytes + .[1].bytes
		and all(.format == "walg" and .bytes > 0 and .database_bytes > .bytes
			and (.start_lsn | test("^0/")) and (.stop_lsn | test("^0/"))
			and (.system_identifier | test("^[0-9]{15,20}$")) and .host != ""
			and (.server_version | test("^[0-9]+[.]")) and .started_at <= .taken_at)'
	expect_records 'any(.check == "listing" and (.summary | startswith("2 backups, newest ")))'
	expect_status 0 list-backups --records --nth 2 "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1 and .[0].type == "full"'
	expect_status 0 fetch-latest --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1 and .[0].newest
		and .[0].type == "incr" and .[0].path == null'
	expect_judged "$R/repo/wal_005" "$(field incr start_wal)"
}
t "full and delta backups are listed, with their chain, and judged by size, age and number; their WAL is read" \
	lists

marked() {
	walg backup-mark "$(full)"
	expect_status 0 list-backups --records "$S"
	expect_records '[.[] | select(.record == "backup" and .permanent)] | length == 1'
	whole_again
}
t "a permanent backup is one in its record" marked

refuses() {
	expect_status 3 list-backups --records "walg:$R/none.json"
	expect_records 'any(.check == "listing" and (.summary | contains("cannot read the configuration")))'
	# Without the variable it would have gone on with the environment.
	expect_status 3 env WALG_FILE_PREFIX="$R/repo" "$BIN/list-backups" --records "walg:$R/none.json"
	expect_status 3 list-backups --records walg:
	expect_records 'any(.check == "listing" and (.summary | contains("any configured storage")))'
	expect_status 3 list-backups --records walg:shop
	expect_records 'any(.check == "listing" and (.summary | contains("not the path of a file")))'
	expect_status 3 list-backups --records "$S?repo=2"
	expect_status 2 env WALG_FILE_PREFIX="$R/gone" "$BIN/list-backups" --records walg:
	expect_check listing critical
	mkdir "$R/nothing" "$R/nothing/basebackups_005"
	expect_status 2 env WALG_FILE_PREFIX="$R/nothing" "$BIN/list-backups" --records walg:
	expect_records 'any(.check == "listing" and (.summary | contains("no backup")))'
	expect_status 2 env WALG_FILE_PREFIX="$R/nothing" "$BIN/check-repository" --records walg:
	expect_check repository-verify critical
	expect_status 3 env PATH="$BIN" "$BIN/list-backups" --records "$S"
	expect_records 'any(.check == "listing" and (.summary | contains("install it")))'
}
t "what cannot be asked is unknown and says why; a repository that is gone or empty is critical" refuses

verifies() {
	expect_status 0 check-repository --records "$S"
	expect_records 'any(.check == "repository-verify" and .status == "ok"
		and (.summary | test("could read 2 backups")))'
	expect_check repository-wal-gaps ok
	expect_status 0 check-repository --records --no-verify --production "$S"
	expect_records 'any(.check == "repository-check" and .status == "ok"
		and any(.metrics[]; .name == "segments" and .value > 2))'
}
t "whole backups are read to the last byte, with their WAL, and production's WAL has come" verifies

# damaged CHECK SUBJECT WORDS COMMAND...: after COMMAND that check is critical and says WORDS.
damaged() {
	check=$1 subject=$2 words=$3
	shift 3
	whole_again
	"$@"
	expect_status 2 check-repository --records "$S"
	expect_check "$check" critical "$subject"
	expect_records "any(.check == \"$check\" and .status == \"critical\" and (.summary | test(\"$words\")))"
}

damage() {
	full=$(full) delta=$(delta)
	part=$(parts "$full" | sed -n 2p)
	damaged repository-backup "$full" "one is missing or cut off" rm "$part"
	expect_check repository-verify critical
	damaged repository-backup "$full" "part_.*checksum" change "$part"
	damaged repository-backup "$delta" "pg_control is not there" \
		rm "$R/repo/basebackups_005/$delta/tar_partitions/pg_control.tar.lz4"
	damaged repository "$delta" "what it builds on, .*, is not there" \
		rm -r "$R/repo/basebackups_005/${full}_backup_stop_sentinel.json"
	needed=$(field incr start_wal)
	damaged repository-wal-gaps "" "missing $needed.*: backup $delta cannot be restored" \
		rm "$(wal "$needed")"
	damaged repository-wal-gaps "" "nothing later can be recovered" rm "$(wal "$LAST_BUT_ONE")"
}
LAST_BUT_ONE=$(find "$R/good/wal_005" -name '0000*.lz4' ! -name '*.backup.*' | sort | tail -n 2 | head -n 1)
LAST_BUT_ONE=${LAST_BUT_ONE##*/}
LAST_BUT_ONE=${LAST_BUT_ONE%.lz4}
t "a lost part, a changed byte, a lost base and a gap in the WAL are found" damage

# restored ROWS ARGUMENT...: so many orders are there afterwards; nothing to compare with is a warning.
restored() {
	rows=$1
	shift
	expect_status 1 restore-to-temp --records "$@" -- sh -c "
		'$PG_BIN/psql' -XqAt -c 'select count(*) from orders' >'$TMPDIR/rows'
		'$PG_BIN/psql' -XqAt -c 'select count(*) from far' >>'$TMPDIR/rows'
		compare-counts --records"
	[ "$(tr '\n' ' ' <"$TMPDIR/rows")" = "$rows " ] || say_failed "$(cat "$TMPDIR/rows") rows, not $rows"
	expect_check recovery-target ok
	expect_nothing_left
}

# The names, sizes and times of all files there.
state_of() { find "$@" -printf '%P %s %T@ %C@\n' | sort; }

restores() {
	whole_again
	sql checkpoint
	state_of "$R" >"$SCRATCH/before"
	fetch-latest --records "$S" >"$SCRATCH/newest"
	restored "1003 2" <"$SCRATCH/newest"
	expect_check wal-archive ok
	expect_records 'any(.check == "backup-format" and (.summary | contains("1 tablespace")))'
	expect_records 'any(.check == "restore-time" and any(.metrics[]; .name == "repository_seconds" and .value > 0))'
	state_of "$R" >"$SCRATCH/after"
	expect_same "$SCRATCH/before" "$SCRATCH/after"
}
t "the newest backup, a delta, restores with all WAL; the repository and production's tablespace stay as they were" \
	restores

targets() {
	restored "1002 2" --target "$BEFORE" --backup "$S"
	# That moment is before the end of the newest backup: the full one is taken.
	restored "1000 1" --target "$BETWEEN" --backup "$S"
	# As WAL-G's own environment says.
	export WALG_FILE_PREFIX="$R/repo" WALG_PG_WAL_SIZE=1
	restored "1001 2" --target immediate --backup walg:
	unset WALG_FILE_PREFIX WALG_PG_WAL_SIZE
	expect_status 2 restore-to-temp --records --target 2020-01-01T00:00:00Z --backup "$S"
	expect_records 'any(.check == "restore" and (.summary | contains("ended before the target")))'
}
t "a target gets exactly its rows, from the backup before it" targets

# refused WORDS: a critical finding says so.
refused() {
	expect_status 2 restore-to-temp --records --jobs 1 --backup "$S"
	expect_records "any(.status == \"critical\" and (.summary | test(\"$1\")))"
	expect_nothing_left
}

# of_another_cluster FILE: the same segment, whole and well packed, of another cluster.
of_another_cluster() {
	lz4 -dqf "$1" "$SCRATCH/segment"
	flip "$SCRATCH/segment" 24 8
	lz4 -qf "$SCRATCH/segment" "$SCRATCH/segment.lz4"
	rm "$1"
	install -m 644 "$SCRATCH/segment.lz4" "$1"
}

damaged_restores() {
	full=$(full) needed=$(field incr start_wal)
	whole_again
	rm "$(parts "$full" | sed -n 2p)"
	# WAL-G itself calls this one restored.
	as_pg mkdir "$R/out"
	walg backup-fetch "$R/out" "$full"
	refused "$full: damaged: .*one is missing or cut off"
	whole_again
	# One of one: of several it would try the broken one again, a minute later.
	change "$(parts "$(delta)")"
	refused "backup-fetch by WAL-G: Extraction error in part_001.tar.lz4: "
	whole_again
	rm "$(wal "$needed")"
	refused "WAL"
	whole_again
	change "$(wal "$needed")"
	refused "checksum|WAL"
	whole_again
	of_another_cluster "$(wal "$needed")"
	refused "different database system|another cluster|WAL"
	whole_again
}
t "a lost part, which WAL-G restores without, a changed byte, and lost, broken or other WAL are critical" \
	damaged_restores

verified() {
	whole_again
	expect_daily_job 'WAL-G could read 2 backups' '1,003'
	head -n 1 "$SCRATCH/history.jsonl" | jq -e '.verified and .backup.type == "incr" and .rto_seconds > 0'
}
t "verify-backup proves it like any other backup" verified

elsewhere() {
	whole_again
	as_pg mv "$R/space" "$R/moved"
	expect_status 3 restore-to-temp --records --backup "$S"
	expect_records 'any(.check == "restore" and .status == "unknown" and (.summary | contains("make the empty directory")))'
	expect_no_file "$R/space"
	as_pg mv "$R/moved" "$R/space"
}
t "where WAL-G would make a tablespace's place outside of the private directory, nothing is restored" elsewhere

runbook_done() {
	whole_again
	chmod 1777 "$SCRATCH"
	emit-runbook --label shop --source "$S" --server "$PG_DSN" --pg-bindir "$PG_BIN" --work "$SCRATCH/work" \
		--table orders >runbook.md
	section 1 runbook.md >commands
	# Seconds after the backups: it looks for one that is older than the incident's second.
	INCIDENT=$(now)
	sql 'truncate orders'
	archived
	done_so commands INCIDENT="$INCIDENT"
	[ "$(sql 'select count(*) from orders')" = 1003 ]
	archived
	rm -rf "$R/good"
	cp -a "$R/repo" "$R/good"
}
t "the runbook's commands bring back the rows of before an incident" runbook_done

timelines() {
	whole_again
	pg_stop
	as_pg touch "$SCRATCH/production/data/standby.signal"
	pg_run "$SCRATCH/production" -c listen_addresses=
	as_pg "$PG_BIN/pg_ctl" -D "$SCRATCH/production/data" -w -s promote
	sql "insert into orders values (1004, now())"
	archived
	wait_for 20 test -e "$(wal 00000002.history)"
	restored "1004 2" --backup "$S"
	expect_records 'any(.check == "recovery-target" and (.summary | contains("timeline 2")))'
}
t "a timeline that production went over to is followed" timelines

production() {
	sql "alter system set archive_command = 'false'"
	sql "select pg_reload_conf()" >/dev/null
	wait_for 5 sh -c "'$PG_BIN/psql' -XqAt -d '$PG_DSN' -c 'show archive_command' | grep -qx false"
	for id in 1005 1006 1007; do
		sql "insert into orders values ($id, now())"
		sql "select pg_switch_wal()" >/dev/null
	done
	expect_status 2 check-repository --records --no-verify --production "$S"
	expect_records 'any(.check == "repository-check" and .status == "critical"
		and (.summary | test("^WAL segment.* lost")))'
	pg_stop
	expect_status 3 check-repository --records --no-verify --production "$S"
	expect_records 'any(.check == "repository-check" and .status == "unknown"
		and (.summary | contains("could not compare with production")))'
}
t "archiving that stopped is critical, production that cannot be reached is unknown" production
