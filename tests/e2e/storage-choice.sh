#!/bin/sh
# list-backups and fetch-latest: which of many is the backup that is meant - by its time or place among
# them, in folders, behind a pointer.
. "${0%/*}/lib.sh"
need jq

as_of_and_nth() {
	made when/a-20260210.dump 2026-02-10T02:00Z
	made when/a-20260217_020000.dump 2026-02-17T02:10Z
	made when/a-20260218_020000.dump 2026-02-18T02:10Z
	for as_of in 2026-02-17 2026-02-17T02:00:00Z 2026-02-18T03:59:59+02:00; do
		expect_status 0 fetch-latest --records --as-of $as_of when
		expect_records 'any(.newest and .name == "a-20260217_020000.dump")'
	done
	expect_status 0 list-backups --records --as-of 2026-02-16T23:59:59Z when
	expect_names a-20260210.dump
	expect_status 2 list-backups --records --as-of 2026-02-09 when
	expect_records 'any(.check == "listing" and (.summary | test("3 are younger than --as-of")))'
	expect_status 0 fetch-latest --records --nth 2 when
	expect_records 'any(.newest and .name == "a-20260217_020000.dump")'
	expect_status 0 list-backups --records --nth 1 when
	expect_names a-20260218_020000.dump
	expect_status 0 list-backups --records --nth 2 --as-of 2026-02-17 when
	expect_names a-20260210.dump
	expect_status 2 fetch-latest --records --nth 4 when
	expect_records 'any(.status == "critical" and (.summary | test("3 are backups, fewer than --nth")))'
	expect_status 3 list-backups --as-of yesterday when
	expect_err 'as-of.*2026-02-17'
}
t "--as-of and --nth choose among them" as_of_and_nth

folders() {
	made dated/2026-02-16/shop.dump 2026-02-16T02:00Z
	made dated/2026-02-17T01-58-42Z/shop.dump 2026-02-17T02:00Z
	made dated/20260215/base.tar.gz 2026-02-15T02:00Z
	made dated/20260215/pg_wal.tar.gz 2026-02-15T02:00Z
	made dated/20260215/backup_manifest 2026-02-15T02:00Z
	made dated/20260215/notes.doc 2026-02-19T02:00Z
	made dated/20260214/shop.dir/toc.dat 2026-02-14T02:00Z
	made dated/20260214/shop.dir/3001.dat 2026-02-14T02:00Z
	made dated/other/shop-20260220.dump 2026-02-20T02:00Z
	expect_status 0 list-backups --records dated
	expect_names 20260214/shop.dir 20260215 2026-02-16/shop.dump 2026-02-17T01-58-42Z/shop.dump
	expect_records 'any(.name == "20260215" and .files == 3 and .modified_at == "2026-02-15T02:00:00.000Z")'
	expect_records 'any(.taken_at == "2026-02-17T01:58:42.000Z")'
	expect_status 0 fetch-latest --records --copy --dir dated-work --nth 3 dated
	[ "$(ls -A dated-work)" = 20260215 ]
	[ "$(cd dated-work/20260215 && echo *)" = "backup_manifest base.tar.gz pg_wal.tar.gz" ]
	expect_status 0 fetch-latest --records --copy --dir dated-work dated
	expect_same dated/2026-02-17T01-58-42Z/shop.dump dated-work/shop.dump
}
t "folders named by date hold backups; nothing but what belongs to a backup is fetched" folders

beside_a_dump() {
	made mixed/toc.dat 2026-02-10T02:00Z
	made mixed/3001.dat 2026-02-10T02:00Z
	made mixed/shop-20260217.dump 2026-02-17T02:00Z
	expect_status 0 list-backups --records mixed
	expect_names mixed shop-20260217.dump
	expect_status 0 fetch-latest --records --copy --dir mixed-work --match mixed mixed
	[ "$(cd mixed-work/mixed && echo *)" = "3001.dat toc.dat" ]
}
t "a dump's files in the source's own directory do not hide the backups beside them" beside_a_dump

pointers() {
	made ptr/shop-20260216.dump 2026-02-16T02:00Z sixteen
	made ptr/shop-20260217.dump 2026-02-17T02:00Z seventeen
	ln -s shop-20260217.dump ptr/latest
	echo shop-20260217.dump >ptr/LATEST.txt
	made ptr/shop-latest.dump 2026-02-17T02:00Z seventeen
	expect_status 0 list-backups --records ptr
	expect_names shop-20260216.dump shop-20260217.dump
	expect_no_check latest-pointer
	for name in latest LATEST.txt shop-latest.dump; do
		expect_status 0 fetch-latest --records ptr/$name
		expect_records 'any(.newest and .name == "shop-20260217.dump")'
	done
	(
		cd ptr
		expect_status 0 fetch-latest --records latest
		expect_records 'any(.newest and .name == "shop-20260217.dump")'
	)
}
t "a latest pointer - link, text or copy - is followed and is no backup of its own" pointers

stale_pointers() {
	made ptr/shop-20260218.dump 2026-02-18T02:00Z eighteen18
	expect_status 1 list-backups --records ptr
	for name in latest LATEST.txt shop-latest.dump; do
		expect_check latest-pointer warning $name
	done
	expect_records 'any(.subject == "latest" and (.summary | test("stands for shop-20260217.dump, but shop-20260218.dump is newer by 24 h")))'
	expect_status 1 fetch-latest --records --match '*1[78]*' ptr/latest
	expect_records 'any(.newest and .name == "shop-20260217.dump")'
	expect_check latest-pointer warning latest
	expect_status 0 fetch-latest --records --listed ptr
	expect_no_check latest-pointer
	rm ptr/LATEST.txt ptr/shop-latest.dump
	ln -sf gone.dump ptr/latest
	expect_status 1 list-backups --records ptr
	expect_records 'any(.check == "latest-pointer" and (.summary | test("gone.dump, which is no backup")))'
	# What is called so, and is like no other, is a backup.
	made only/shop-latest.dump 2026-02-18T02:00Z "$(seq 2000)"
	expect_status 0 fetch-latest --records only
	expect_records 'any(.newest and .name == "shop-latest.dump")'
}
t "a pointer to an old backup, or to none, is a warning" stale_pointers
