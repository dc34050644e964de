#!/bin/sh
# A Barman server as a source: streaming backups over a Unix socket, listed, verified and checked by
# Barman itself; damage that its verification finds, and WAL that it never misses.
# time limit: 600 s
# sanitizers: no, what is parsed here is parsed by the unit test of lib/keeper
. "${0%/*}/lib.sh"
need barman jq python3
# shellcheck source=tests/servers/keepers.sh
. "$ROOT/tests/servers/keepers.sh"
# shellcheck source=tests/servers/runbook.sh
. "$ROOT/tests/servers/runbook.sh"

R=$SCRATCH/bm
CONF=$R/barman.conf
S="barman:shop?config=$CONF"
[ "$(id -u)" -ne 0 ] || S="$S&user=postgres"

man() { as_pg barman --config "$CONF" "$@"; }
whole_again() {
	for part in base wals meta; do
		rm -rf "$R/home/shop/$part"
		[ ! -e "$R/good/$part" ] || cp -a "$R/good/$part" "$R/home/shop/"
	done
}
checked() { expect_status "$1" check-repository --records "$S"; }
backup_id() { jq -r 'select(.record == "backup").name' <"$SCRATCH/good.jsonl"; }

# What barman switch-wal --archive does, without its waits of ten seconds. Barman takes a segment for
# closed when the next one has begun.
archive() {
	sql "select pg_logical_emit_message(true, 'last', '')" >/dev/null # what is empty is not switched
	segment=$(sql "select pg_walfile_name(pg_switch_wal())")
	wait_for 20 test -e "$R/home/shop/streaming/$segment"
	sql "select pg_logical_emit_message(true, 'next', '')" >/dev/null
	wait_for 20 sh -c "ls '$R/home/shop/streaming/'*.partial"
	man archive-wal shop
}

configure() {
	mkdir -p "$R/home" "$R/conf.d"
	cat >"$CONF" <<-EOT
		[barman]
		barman_user=$(as_pg sh -c 'id -un')
		barman_home=$R/home
		barman_lock_directory=$R
		configuration_files_directory=$R/conf.d
		log_file=$R/barman.log
	EOT
	cat >"$R/conf.d/shop.conf" <<-EOT
		[shop]
		description=shop
		conninfo=host=$SCRATCH/production user=postgres dbname=postgres
		streaming_conninfo=host=$SCRATCH/production user=postgres
		backup_method=postgres
		streaming_archiver=on
		slot_name=barman
		path_prefix=$PG_BIN
		immediate_checkpoint=true
	EOT
	chmod -R a+rX "$R"
	[ "$(id -u)" -ne 0 ] || chown -R postgres: "$R"
}

# Takes a backup. Where it ends with a segment, Barman waits for the next one, which a server at rest
# does not fill (PostgreSQL 17 names the one after the end).
backup_shop() {
	man backup --wait shop &
	tries=50
	while kill -0 $! 2>/dev/null; do
		tries=$((tries - 1))
		[ $((tries % 50)) -ne 0 ] || sql "select pg_create_restore_point('backup'), pg_switch_wal()"
		sleep 0.1
	done
	wait $!
}

PG_DSN="host=$SCRATCH/production user=postgres dbname=postgres"
set_up() {
	configure
	pg_start
	pg_slim
	man receive-wal --create-slot shop
	man receive-wal shop >"$SCRATCH/log/receive-wal" 2>&1 &
	started $!
	wait_for 20 sh -c "'$PG_BIN/psql' -XqAt -d '$PG_DSN' -c 'table pg_stat_replication' | grep -q streaming"
	archive
	sql "create table orders as select g as id, now() as at from generate_series(1, 1000) g"
	backup_shop
	archive
	sql "insert into orders values (1001, now())"
	archive
	cp -a "$R/home/shop" "$R/good"
	list-backups --records "$S" >"$SCRATCH/good.jsonl"
}
t "a Barman server with a backup is made" set_up

lists() {
	expect_status 0 list-backups --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1
		and all(.format == "barman" and .type == "full" and .bytes > 0
			and (.start_lsn | test("^0/")) and (.stop_lsn | test("^0/"))
			and (.server_version | test("^[0-9]+[.]")) and .started_at <= .taken_at)'
	expect_status 0 fetch-latest --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1 and .[0].newest
		and .[0].name == "'"$(backup_id)"'"'
	expect_judged "$R/home/shop/wals" "$(backup_id)"
}
t "its backup is listed, and judged by size, age and number; its WAL is read" lists

refuses() {
	expect_status 2 list-backups --records "barman:nobody?${S#*\?}"
	expect_records 'any(.check == "listing" and (.summary | contains("Unknown server")))'
	expect_status 3 list-backups --records "barman:shop?config=$R/none"
	expect_records 'any(.check == "listing" and (.summary | contains("does not exist")))'
	expect_status 3 list-backups --records "barman:shop?repo=1"
}
t "a server that Barman does not know is critical; what cannot be asked is unknown" refuses

verifies() {
	checked 0
	expect_check repository-verify ok
	expect_check repository-wal-gaps ok shop
	expect_status 0 check-repository --records --no-verify --production "$S"
	expect_check repository-check ok
}
t "whole backups are verified, with their WAL, and production is looked at" verifies

# Several faults at a time, of which each has a finding of its own: Barman takes its time.
damage() {
	file=$(find "$R/home/shop/base/$(backup_id)/data/base" -name 2838 | head -n 1)
	newest_but_one=$(find "$R/home/shop/wals" -name '0000000*' -type f | sort | tail -n 2 | head -n 1)
	flip "$file" 100 2
	rm "$newest_but_one"
	checked 2
	expect_check repository-backup critical "$(backup_id)"
	expect_records 'any(.check == "repository-backup" and (.summary | contains("checksum mismatch")))'
	expect_check repository-verify critical
	expect_records 'any(.check == "repository-wal-gaps" and .status == "critical"
		and (.summary | test("^missing '"${newest_but_one##*/}"': nothing later")))'
}
t "a changed file and a gap in the WAL are both found" damage

needed() {
	whole_again
	needed=$(man -f json show-backup shop "$(backup_id)" |
		jq -r '.shop.base_backup_information.begin_wal')
	rm "$R"/home/shop/wals/*/"$needed" "$R/home/shop/base/$(backup_id)/data/backup_manifest"
	checked 2
	expect_check repository-backup warning "$(backup_id)"
	expect_check repository-verify warning
	expect_records "any(.check == \"repository-wal-gaps\" and .status == \"critical\"
		and (.summary | test(\"missing $needed.*: backup $(backup_id) cannot be restored\")))"
	# Looking changes nothing: Barman's own look would have marked that backup as failed.
	expect_status 0 list-backups --records "$S"
}
t "without its manifest it cannot be verified; WAL that it needs is missed, and the catalogue stays as it was" needed

# restored ROWS ARGUMENT...: so many orders are there afterwards; nothing to compare with is a warning.
restored() {
	rows=$1
	shift
	expect_status 1 restore-to-temp --records --backup "$S" "$@" -- sh -c "
		'$PG_BIN/psql' -XqAt -c 'select count(*) from orders' >'$TMPDIR/rows'
		compare-counts --records"
	[ "$(cat "$TMPDIR/rows")" = "$rows" ] || say_failed "$(cat "$TMPDIR/rows") rows, not $rows"
	expect_check recovery-target ok
	expect_nothing_left
}

restores() {
	whole_again
	restored 1001
	expect_records 'any(.check == "backup-complete" and (.summary | contains("all files of its manifest")))'
	expect_records 'any(.check == "restore-time" and any(.metrics[]; .name == "repository_seconds" and .value > 0))'
	rm "$(find "$R/home/shop/base/$(backup_id)/data/base" -name 2838 | head -n 1)"
	expect_status 2 restore-to-temp --records --backup "$S"
	expect_records 'any(.check == "backup-complete" and .status == "critical" and (.summary | contains("2838")))'
	expect_nothing_left
}
t "the newest backup restores, to the end of its WAL; one without a file does not" restores

failed() {
	whole_again
	# In base/ID/, or in meta/ (from 3.13 on).
	find "$R/home/shop" -path "*$(backup_id)*" -name '*backup.info' -exec sed -i 's/^status=.*/status=FAILED/' {} +
	expect_status 2 list-backups --records "$S"
	expect_check listing critical
	expect_check repository warning "$(backup_id)"
}
t "a backup that failed is none, and a warning when it is the last one" failed

runbook_done() {
	whole_again
	chmod 1777 "$SCRATCH"
	INCIDENT=$(sql 'select clock_timestamp()')
	sql 'truncate orders'
	archive
	emit-runbook --label shop --source "$S" --server "$PG_DSN" --pg-bindir "$PG_BIN" --work "$SCRATCH/work" \
		--table orders >runbook.md
	section 1 runbook.md >commands
	done_so commands INCIDENT="$INCIDENT"
	[ "$(sql 'select count(*) from orders')" = 1001 ]
}
t "the runbook's commands bring back the rows of before an incident" runbook_done

stopped_archiving() {
	whole_again
	man receive-wal --stop shop
	expect_status 2 check-repository --records --no-verify --production "$S"
	expect_records 'any(.check == "repository-check" and .status == "critical"
		and (.summary | contains("receive_wal_running")))'
}
t "archiving that stopped is critical" stopped_archiving
