#!/bin/sh
# list-backups and fetch-latest: files, directories, globs and file:// on this machine.
. "${0%/*}/lib.sh"
need jq

# A source as it grows in real life.
source_dir() {
	made src/shop-20260215.dump 2026-02-15T02:00Z
	made src/shop-20260217_015842.dump 2026-02-17T02:10Z
	made src/shop-20260216.dump 2026-02-16T02:00Z
	made src/shop-20260218.dump.tmp 2026-02-18T02:00Z
	made src/.shop-20260219.dump.x7 2026-02-18T02:00Z
	made src/shop-20260215.dump.sha256 2026-02-18T02:00Z
	made src/shop-20260215.dump.counts.json 2026-02-18T02:00Z
	made src/subfolder/shop-20260220.dump 2026-02-20T02:00Z
	made src/README.txt 2026-02-20T02:00Z
	ln -sf shop-20260217_015842.dump src/latest
	made src/shop-20260214.dir/toc.dat 2026-02-14T02:00Z toc
	made src/shop-20260214.dir/3001.dat.gz 2026-02-14T02:00Z data
	mkdir -p src/shop-20260218.dir
	made src/shop-20260218.dir/3001.dat.gz 2026-02-18T02:00Z "still being dumped"
}
source_dir

oldest_first() {
	expect_status 0 list-backups --records src
	expect_names shop-20260214.dir shop-20260215.dump shop-20260216.dump \
		shop-20260217_015842.dump
	expect_check listing ok
	expect_records 'any(.name == "shop-20260214.dir" and .files == 2 and .bytes == 9)'
	expect_records 'any(.check == "listing"
		and (.summary | test("4 backups, newest shop-20260217_015842.dump of 2026-02-17 01:58:42")))'
	expect_records 'any(.name == "shop-20260217_015842.dump"
		and .taken_at == "2026-02-17T01:58:42.000Z" and .modified_at == "2026-02-17T02:10:00.000Z"
		and (.path | startswith("/")))'
	expect_no_check name-time
}
t "a directory is listed oldest first, without what is unfinished, beside it or below it" oldest_first

same_by_uri_and_glob() {
	expect_status 0 list-backups --records "file://$PWD/src"
	[ "$(backup_names | wc -l)" -eq 4 ]
	expect_status 0 list-backups --records "file://localhost$PWD/src/"
	[ "$(backup_names | wc -l)" -eq 4 ]
	expect_status 0 list-backups --records 'src/shop-*.dump'
	expect_names shop-20260215.dump shop-20260216.dump shop-20260217_015842.dump
	expect_status 0 list-backups --records "$PWD"'/s*/*/shop-*.dump'
	expect_names src/subfolder/shop-20260220.dump
	expect_status 0 list-backups --records src/README.txt
	expect_names README.txt
	BACKUP_SOURCE=src expect_status 0 list-backups --records
	[ "$(backup_names | wc -l)" -eq 4 ]
}
t "file://, globs, a single file and BACKUP_SOURCE name sources too" same_by_uri_and_glob

odd_names() {
	mkdir "odd %41 +&=é"
	made "odd %41 +&=é/a b%20c*[x]é.dump" 2026-02-17T02:00Z
	expect_status 0 fetch-latest --records "odd %41 +&=é"
	expect_records 'any(.newest and .name == "a b%20c*[x]é.dump")'
	expect_status 0 fetch-latest --records "odd %41 +&=é/a b%20c*[x]é.dump"
	expect_status 0 list-backups --records "file://$PWD/odd%20%2541%20+%26=%C3%A9"
	[ "$(backup_names | wc -l)" -eq 1 ]
}
t "names with blanks, percent signs, brackets and accents are taken as they are" odd_names

chosen() {
	expect_status 0 list-backups --records --match '*.dump' --exclude '*0216*' src
	expect_names shop-20260215.dump shop-20260217_015842.dump
	BACKUP_MATCH='*.dir *.sql' expect_status 0 list-backups --records src
	expect_names shop-20260214.dir
	expect_status 0 fetch-latest --records --match '*.dir' src
	expect_records 'any(.newest and .name == "shop-20260214.dir")'
}
t "--match and --exclude choose" chosen

in_place() {
	expect_status 0 fetch-latest --records src
	expect_check backup-download ok
	sum=$(sha256sum <src/shop-20260217_015842.dump | cut -d ' ' -f 1)
	expect_records "any(.newest and .sha256 == \"$sum\" and .path == \"$PWD/src/shop-20260217_015842.dump\")"
	expect_records 'any(.check == "backup-download" and any(.metrics[]; .name == "fetch_seconds" and .value == 0))'
}
t "a backup on this machine is used where it is, and hashed" in_place

copied() {
	before=$(ls -lR src)
	expect_status 0 fetch-latest --records --copy --dir copies src
	cmp src/shop-20260217_015842.dump copies/shop-20260217_015842.dump
	expect_records "any(.newest and .path == \"$PWD/copies/shop-20260217_015842.dump\")"
	[ "$(ls -A copies)" = shop-20260217_015842.dump ]
	[ "$before" = "$(ls -lR src)" ]
	expect_status 0 fetch-latest --records --copy --dir copies src
	[ "$(ls -A copies)" = shop-20260217_015842.dump ]
}
t "--copy copies it, over an older copy too, and leaves nothing else" copied

readable_for_the_restore() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	expect_status 0 fetch-latest --records --copy --dir given src
	setpriv --reuid=postgres --regid=postgres --clear-groups \
		cmp given/shop-20260217_015842.dump - <src/shop-20260217_015842.dump
	[ "$(stat -c %a given/shop-20260217_015842.dump)" = 600 ]
}
t "what root fetches belongs to the user that restores, and to nobody else" readable_for_the_restore

directory_dump() {
	sum=$(cd src/shop-20260214.dir && find . -type f -printf '%P\n' | LC_ALL=C sort |
		xargs -d '\n' sha256sum | sha256sum | cut -d ' ' -f 1)
	expect_status 0 fetch-latest --records --match '*.dir' src
	expect_records "any(.newest and .sha256 == \"$sum\" and .bytes == 9)"
	expect_status 0 fetch-latest --records --copy --dir copies2 --match '*.dir' src
	expect_records "any(.newest and .sha256 == \"$sum\" and .path == \"$PWD/copies2/shop-20260214.dir\")"
	diff -r src/shop-20260214.dir copies2/shop-20260214.dir
	expect_status 0 fetch-latest --records --copy --dir copies2 --match '*.dir' src
	[ "$(ls -A copies2)" = shop-20260214.dir ]
	expect_status 0 fetch-latest --records src/shop-20260214.dir
	expect_records "any(.newest and .sha256 == \"$sum\" and .path == \"$PWD/src/shop-20260214.dir\")"
}
t "a directory-format dump is one backup, with the SHA-256 that sha256sum gives" directory_dump

empty_source() {
	mkdir empty
	expect_status 2 list-backups --records empty
	expect_check listing critical
	expect_records 'any(.check == "listing" and (.summary | test("nothing is there")))'
	expect_status 2 fetch-latest --records empty
	expect_check backup-download critical
	expect_status 2 list-backups --records --match '*.sql' src
	expect_records 'any(.check == "listing" and (.summary | test("5 were not asked for|not asked for")))'
	expect_status 2 list-backups --records 'src/*.sql'
	expect_check listing critical
	expect_status 2 list-backups --records src/gone.dump
	expect_records 'any(.check == "listing" and (.summary | test("no such file")))'
	expect_check listing critical
	expect_status 2 list-backups --records src/shop-20260218.dir
	expect_records 'any(.check == "listing" and (.summary | test("without its toc.dat")))'
}
t "an empty source and no match are critical: it was looked, there is no backup" empty_source

no_source() {
	expect_status 3 list-backups --records nowhere/
	expect_check listing unknown
	expect_status 3 list-backups --records nowhere/shop.dump
	expect_check listing unknown
	expect_status 3 list-backups --records 'nowhere/*.dump'
	expect_check listing unknown
	expect_status 3 list-backups --records gopher://host/x
	expect_records 'any(.check == "listing" and (.summary | test("no storage is called .gopher.*s3://BUCKET")))'
	expect_status 3 list-backups --records file://host/x
	expect_check listing unknown
}
t "a source that is not there is unknown: it could not be looked" no_source

usage() {
	expect_status 3 list-backups
	expect_err 'BACKUP_SOURCE'
	expect_status 3 list-backups src empty
	expect_err 'quote a glob'
	expect_status 3 fetch-latest --copy src
	expect_err '\-\-dir'
	expect_status 3 fetch-latest --retries many src
	expect_err 'retries'
	expect_status 3 list-backups --nth 0 src
	expect_err 'whole number from 1'
	expect_status 3 fetch-latest --nonsense src
	expect_err 'nonsense'
}
t "wrong usage is one clear line, status 3" usage

unreadable() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir private
	chmod 755 private
	made private/shop.dump 2026-02-17T02:00Z
	chmod 600 private/shop.dump
	chmod 755 .
	set -- setpriv --reuid=nobody --regid=nogroup --clear-groups
	expect_status 0 "$@" "$BIN/list-backups" --records "$PWD/private"
	expect_status 3 "$@" "$BIN/fetch-latest" --records "$PWD/private"
	expect_check backup-download unknown
	expect_records 'any(.check == "backup-download" and (.summary | test("Permission denied")))'
	chmod 700 private
	expect_status 3 "$@" "$BIN/list-backups" --records "$PWD/private"
	expect_check listing unknown
	chmod 711 .
}
t "what may not be read is unknown and says so" unreadable

worthless() {
	mkdir zero
	: >zero/shop.dump
	expect_status 0 list-backups --records zero
	expect_status 2 fetch-latest --records zero
	expect_records 'any(.check == "backup-download" and .status == "critical" and (.summary | test("empty")))'
	made page/shop.dump 2026-02-17T02:00Z '<!DOCTYPE html><title>502 Bad Gateway</title>'
	expect_status 2 fetch-latest --records page
	expect_records 'any(.check == "backup-download" and .status == "critical" and (.summary | test("HTML page")))'
	made xml/shop.dump 2026-02-17T02:00Z '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
	expect_status 2 fetch-latest --records --copy --dir xml-work xml
	expect_records 'any(.check == "backup-download" and .status == "critical" and (.summary | test("XML")))'
	[ -z "$(ls -A xml-work)" ]
}
t "an empty file, an HTML page and an XML document are no backups: critical" worthless

names_and_times() {
	made moved/shop-20260210.dump 2026-02-20T02:00Z
	made moved/shop-20260217.dump 2026-02-17T02:00Z
	expect_status 1 list-backups --records moved
	expect_check name-time warning shop-20260210.dump
	expect_names shop-20260210.dump shop-20260217.dump
	expect_status 1 fetch-latest --records moved
	expect_check name-time warning
	expect_records 'any(.newest and .name == "shop-20260217.dump")'
	# All copied at once, without their times: only the last one is of interest.
	made copied/shop-20260210.dump 2026-02-17T02:00Z
	made copied/shop-20260217.dump 2026-02-17T02:00:01Z
	expect_status 0 list-backups --records copied
	expect_no_check name-time
	made plain/b.dump 2026-02-16T02:00Z
	made plain/a.dump 2026-02-17T02:00Z
	expect_status 0 list-backups --records plain
	expect_names b.dump a.dump
}
t "the time in the name comes first; more than a day from the modification is a warning" names_and_times

overwriting() {
	expect_status 3 fetch-latest --records --copy --dir src src
	expect_records 'any(.check == "backup-download" and (.summary | test("replace the backup itself")))'
	expect_file src/shop-20260217_015842.dump
}
t "a copy never replaces the backup itself" overwriting

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir small big
	mount -t tmpfs -o size=1m tmpfs small 2>/dev/null || skip "cannot mount"
	head -c 3000000 /dev/zero >big/shop.dump
	expect_status 3 fetch-latest --records --copy --dir small big
	expect_check backup-download unknown
	expect_records 'any(.check == "backup-download" and (.summary | test("3.0 MB are needed, 1.0 MB are free")))'
	[ -z "$(ls -A small)" ]
	# Full of files, though not of bytes by its own account.
	head -c 700000 /dev/zero >small/other
	head -c 600000 /dev/zero >big/shop.dump
	expect_status 3 fetch-latest --records --copy --dir small big
	expect_check backup-download unknown
	[ "$(ls -A small)" = other ]
	umount small
}
t "a full disk is unknown, says how much is there and needed, and keeps nothing" full_disk
umount "$SCRATCH/small" 2>/dev/null

# broken_off SIGNAL: a large directory dump is being copied.
broken_off() {
	fetch-latest --records --copy --dir halfway huge >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 10 test -s halfway/.d.partial/content/3001.dat
	kill -s "$1" $pid
	got=0
	wait $pid || got=$?
}
killed() {
	mkdir -p huge/d
	truncate -s 2G huge/d/3001.dat
	echo toc >huge/d/toc.dat
	broken_off TERM
	[ $got -eq 3 ] || say_failed "status $got"
	expect_check backup-download unknown
	[ -z "$(ls -A halfway)" ]
	broken_off KILL
	not sh -c "rmdir halfway"
	expect_status 0 fetch-latest --records --copy --dir halfway src
	[ "$(ls -A halfway)" = shop-20260217_015842.dump ]
}
t "of a directory that was killed halfway nothing stays: the next run clears it away" killed

plugin() {
	expect_status 0 list-backups --nagios --match 'shop-*' src
	expect_out '^LIST-BACKUPS OK - 4 backups, .*\| .*backups.=4'
	expect_status 2 list-backups --nagios -c 3600 src
	expect_out '^LIST-BACKUPS CRITICAL - .*newest_age_seconds'
	expect_status 0 list-backups --nagios --now 2026-02-17T03:00:00Z -c 7200 src
	expect_status 3 list-backups --nagios nowhere/
	expect_out '^LIST-BACKUPS UNKNOWN - '
}
t "list-backups is a monitoring plugin" plugin

for_people() {
	expect_status 0 list-backups --text src
	expect_out '^2026-02-17 01:58:42 UTC +[0-9]+ B  shop-20260217_015842.dump'
	expect_out '4 backups, newest'
	expect_status 0 fetch-latest --text --quiet --progress src
	expect_not_out 'ok '
}
t "--text is for people" for_people

not_read() {
	mkfifo open
	exec 9<>open
	expect_status 0 timeout 20 "$BIN/fetch-latest" --records src <&9
	expect_status 0 timeout 20 "$BIN/list-backups" --records src <&9
	exec 9>&-
}
t "neither reads standard input" not_read

closed_output() {
	expect_status 3 sh -c 'list-backups --records src >/dev/full'
	expect_status 3 sh -c 'fetch-latest --records src >&-'
}
t "an output that cannot be written is status 3" closed_output

root_path() {
	expect_status 2 fetch-latest --records /nonexist
	expect_records 'any(.check == "backup-download" and (.summary | test("open /nonexist:")))'
}
t "a path below the root is shown as it was given" root_path

rewritten() {
	mkdir rewritten
	head -c 20000000 /dev/urandom >rewritten/shop.dump
	fetch-latest --records --copy --dir rewritten-work --max-rate 10MB rewritten >"$OUT" 2>"$ERR" &
	fetching=$!
	sleep 1
	head -c 20000000 /dev/urandom | dd of=rewritten/shop.dump conv=notrunc status=none bs=1M
	wait $fetching || say_failed "status $?"
	expect_check backup-download ok
	cmp rewritten/shop.dump rewritten-work/shop.dump
}
t "a file that is written anew while it is copied is begun again" rewritten

# A full backup a week and a small one a day between, as directories and as sets of tars.
chain_made() {
	for day in 01 02 03 04 05 06 07 08 09 10; do
		at=2026-02-${day}T02:00Z
		case $day in
		01 | 08) made "chained/2026-02-$day/base/5/1259" "$at" "$(seq 100000)" ;;
		*) made "chained/2026-02-$day/base/5/INCREMENTAL.1259" "$at" "$(seq 1000)" ;;
		esac
		made "chained/2026-02-$day/global/pg_control" "$at"
		file=1259
		[ -e "chained/2026-02-$day/base/5/1259" ] || file=INCREMENTAL.1259
		made "tarred/2026-02-$day/base.tar.gz" "$at" "$(cat chained/2026-02-$day/base/5/*)"
		made "tarred/2026-02-$day/backup_manifest" "$at" "{ \"PostgreSQL-Backup-Manifest-Version\": 2, \"Files\": [
			{ \"Path\": \"PG_VERSION\", \"Size\": 3 }, { \"Path\": \"base/5/$file\", \"Size\": 8192 } ] }"
	done
}

incremental_ones() {
	chain_made
	for set in chained tarred; do
		expect_status 0 list-backups --records $set
		expect_records '[.[] | select(.record == "backup" and .type == "incr")] | length == 8'
		size-trend --records <"$OUT" >trend || say_failed "size-trend: status $?"
		grep -q '"check":"backup-size".*"status":"ok"' trend || say_failed "$(cat trend)"
		expect_status 0 fetch-latest --records $set
		expect_records 'any(.newest and .type == "incr")'
		expect_status 0 fetch-latest --records --as-of 2026-02-08 $set
		expect_records 'any(.newest and .type == null)'
	done
}
t "an incremental base backup is marked, and compared with its like" incremental_ones

links_in_trees() {
	made linked/toc.dat 2026-02-17T02:00Z
	made linked/3001.dat 2026-02-17T02:00Z
	ln -s 3001.dat linked/3002.dat
	expect_status 0 fetch-latest --records --copy --dir linked-work linked
	[ "$(readlink linked-work/linked/3002.dat)" = 3001.dat ]
	for target in /etc/passwd ../secret x/../../secret; do
		ln -sfn $target linked/3002.dat
		expect_status 2 fetch-latest --records --copy --dir linked-work linked
		expect_records 'any(.status == "critical" and (.summary | test("3002.dat: it is a symbolic link to .*outside")))'
		expect_status 2 fetch-latest --records linked
	done
	made cluster/global/pg_control 2026-02-17T02:00Z
	mkdir -p cluster/pg_tblspc
	ln -s /somewhere cluster/pg_tblspc/16384
	expect_status 0 fetch-latest --records cluster
	expect_status 2 fetch-latest --records --copy --dir linked-work cluster
	expect_records 'any(.status == "critical" and (.summary | test("pg_tblspc/16384")))'
}
t "links within a backup are copied as links, those that lead out of it are critical" links_in_trees

hanging() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	[ -e /dev/fuse ] || skip "needs FUSE"
	mkdir -p mnt hang
	"$ROOT/tests/servers/hanging-mount" start hang mnt 100 2>hang/why || skip "$(cat hang/why)"
	wait_for 10 test -s hang/pid
	started "$(cat hang/pid)"
	begun=$(date +%s)
	for tool in list-backups fetch-latest; do
		expect_status 3 timeout -s KILL 60 "$BIN/$tool" --records --timeout 1s mnt
		expect_records 'any(.status == "unknown" and (.summary | test("not finish(ed)? within 1 s")))'
		expect_records 'any(.event == "end")'
	done
	[ $(($(date +%s) - begun)) -lt 50 ]
	kill "$(cat hang/pid)"
	wait_for 10 not grep -q "$PWD/mnt" /proc/mounts
}
t "a network mount that hangs: the time limit holds" hanging
