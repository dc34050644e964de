#!/bin/sh
# Chains of incremental base backups (PostgreSQL 17 and later) are put together and recovered; what
# lacks a link, has a wrong one or is damaged is told.
# time limit: 400 s
. "${0%/*}/lib.sh"
need jq python3 tar curl radosgw nginx

[ -x "$PG_BIN/pg_combinebackup" ] || {
	echo "skip - restore-chain.sh # optional: needs PostgreSQL 17 or later (pg_combinebackup)"
	exit 0
}

CHAIN=$SCRATCH/source/chain

base() {
	dir=$1
	shift
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$PG_SOCKET/$dir" -c fast --no-sync "$@"
}

# plain NAME [PRIOR]: a directory of the chain, its tablespace beside it.
plain() {
	base "chain/$1" -T "$PG_SOCKET/space=$PG_SOCKET/space-$1" \
		${2:+"--incremental=$PG_SOCKET/chain/$2/backup_manifest"}
}

make_source() {
	pg_init "$SCRATCH/source" || return
	as_pg rm -r "$SCRATCH/source/data"
	as_pg "$PG_BIN/initdb" -D "$SCRATCH/source/data" -U postgres -k --wal-segsize=1 --no-sync -A trust
	PG_SOCKET=$SCRATCH/source
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	as_pg mkdir "$PG_SOCKET/space" "$PG_SOCKET/wal" "$CHAIN" "$PG_SOCKET/tars"
	pg_run "$PG_SOCKET" -c listen_addresses= -c summarize_wal=on -c archive_mode=on || return
	sql "ALTER SYSTEM SET archive_command = 'cp %p $PG_SOCKET/wal/%f'" || return
	sql "SELECT pg_reload_conf()" || return
	pg_slim || return
	sql "CREATE TABLESPACE elsewhere LOCATION '$PG_SOCKET/space'" || return
	sql "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 20000) g;
		CREATE TABLE far TABLESPACE elsewhere AS SELECT g FROM generate_series(1, 5000) g" || return
	plain full || return
	sql "UPDATE t SET m = 'changed' WHERE g % 1000 = 0; DELETE FROM far WHERE g > 4000" || return
	plain monday full || return
	sql "INSERT INTO t SELECT g, 'new' FROM generate_series(20001, 20100) g" || return
	plain tuesday monday || return
	base tars/full -Ft -z || return
	sql "INSERT INTO t SELECT g, 'new' FROM generate_series(20101, 20200) g" || return
	base tars/monday -Ft --compress=server-zstd --incremental="$PG_SOCKET/tars/full/backup_manifest" || return
	sql "INSERT INTO t VALUES (0, 'after the last backup')" || return
	as_pg "$PG_BIN/pg_ctl" -D "$PG_SOCKET/data" -m fast -w -s stop
}

if ! make_source >"$SCRATCH/log/source" 2>&1; then
	echo "not ok - the backups could not be made"
	cat "$SCRATCH/log/source"
	exit 1
fi

# restored BACKUP WHAT [ARG...]: WHAT is what the restored server says of its rows.
restored() {
	backup=$1 what=$2
	shift 2
	expect_status 3 restore-to-temp --records --backup "$backup" "$@" -- "$PG_BIN/psql" -XqAt -o "$TMPDIR/said" \
		-c "SELECT count(*), count(*) FILTER (WHERE m = 'changed'), count(*) FILTER (WHERE m = 'new'),
			min(g), (SELECT count(*) FROM far) FROM t"
	for check in isolation backup-chain backup-format backup-complete restore recovery-target verified-rto \
		temporary-server; do
		expect_check $check ok
	done
	[ "$(cat "$TMPDIR/said")" = "$what" ] || say_failed "$backup: $(cat "$TMPDIR/said")"
	expect_nothing_left
}

together() {
	restored source/chain/tuesday '20100|20|100|1|4000' --target immediate
	expect_records 'any(.check == "backup-chain" and (.members | map(split("/") | last)) ==
		["full", "monday", "tuesday"])'
	expect_records 'any(.check == "restore-time" and
		any(.metrics[]; .name == "combine_seconds" and .value > 0))'
	restored source/chain/monday '20000|20|0|1|4000'
	expect_out 'a full backup and 1 incremental one: full and monday'
}
t "a chain of directories is found among its neighbours and put together, up to each of its links" together

tars() {
	restored source/tars/monday '20200|20|200|1|4000'
	expect_out 'base backup in tar of PostgreSQL .*zstd'
}
t "a chain of tars, each packed in its own way, is unpacked and put together" tars

recovered() {
	restored source/chain/tuesday '20201|20|200|0|4000' --wal-source source/wal
	expect_records 'any(.record == "instance" and .recovery_point_by == "last-commit")'
}
t "recovery goes on from there to the end of the archive" recovered

# Where each backup has a folder of its own.
dated() {
	mkdir -p days/2026-02-15 days/2026-02-16
	cp -a source/chain/full days/2026-02-15/base
	cp -a source/chain/monday days/2026-02-16/base
	restored days/2026-02-16/base '20000|20|0|1|4000'
	rm -r days
}
t "the chain is also found where each backup lies in a folder of its day" dated

# The chain of directories, to be damaged.
copy() {
	rm -rf bad
	cp -a "$CHAIN" bad
}

broken() {
	expect_status "$1" restore-to-temp --records --backup bad/tuesday
	expect_check "$2" "$3"
	expect_out "$4"
	expect_nothing_left
}

# edit_manifest BACKUP PYTHON: the text s of its manifest is changed so, and its own checksum made right.
edit_manifest() {
	python3 - "$1/backup_manifest" "$2" <<-'PYTHON'
		import hashlib, re, sys
		s = open(sys.argv[1]).read()
		s = s[:s.rindex('"Manifest-Checksum"')]
		before = s
		exec(sys.argv[2])
		assert s != before
		with open(sys.argv[1], "w") as out:
		    out.write(s + '"Manifest-Checksum": "%s"}\n' % hashlib.sha256(s.encode()).hexdigest())
	PYTHON
}

lsn_of() { sed -n 's,^START WAL LOCATION: \([0-9A-F/]*\) .*,\1,p' "$CHAIN/$1/backup_label"; }

links() {
	copy
	rm -r bad/monday
	broken 2 backup-chain critical "tuesday builds on: no backup beside it began at $(lsn_of monday) on timeline 1"
	copy
	rm -r bad/full
	broken 2 backup-chain critical "monday builds on: no backup beside it began at $(lsn_of full) on timeline 1"
	copy
	edit_manifest bad/monday 's = re.sub(r"(System-Identifier.: )(\d+)", lambda m: m[1] + str(int(m[2]) ^ 1), s)'
	broken 2 backup-chain critical 'bad/monday did, of another cluster'
	copy
	sed -i 's/^INCREMENTAL FROM TLI: 1/INCREMENTAL FROM TLI: 2/' bad/tuesday/backup_label
	broken 2 backup-chain critical 'on timeline 2'
	copy
	sed -i 's,^INCREMENTAL FROM LSN: .*,INCREMENTAL FROM LSN: somewhere,' bad/tuesday/backup_label
	broken 2 backup-complete critical 'INCREMENTAL FROM LSN is no LSN'
	rm -r bad
}
t "a missing backup is named by where it began; one of another cluster or timeline is none" links

closed() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to take a backup from its user"
	copy
	chown root bad/monday
	broken 3 backup-chain unknown 'what may not be read: 1'
	rm bad/tuesday/pg_tblspc/* # root follows none of its links
	chown -R root bad/tuesday
	chmod 700 bad/tuesday
	broken 3 restore unknown 'could not be looked for'
	rm -r bad
}
t "what the user of the server may not read is unknown, not missing" closed

PART=$(cd "$CHAIN/tuesday" && find base -name 'INCREMENTAL.*' -size +8k | head -n 1)
WHOLE=$(dirname "$PART")/$(basename "$PART" | cut -d . -f 2-)

damage() {
	copy
	flip "bad/tuesday/$PART" 0
	broken 2 backup-chain critical 'pg_combinebackup: .*magic'
	copy
	rm "bad/full/$WHOLE" "bad/monday/$PART"
	broken 2 backup-chain critical 'pg_combinebackup: '
	rm -r bad
}
t "what pg_combinebackup refuses is critical, in its words" damage

without() {
	mkdir programs
	ln -s "$PG_BIN"/* programs/
	rm programs/pg_combinebackup
	expect_status 3 restore-to-temp --records --backup "$CHAIN/monday" --pg-bindir "$PWD/programs"
	expect_check restore unknown
	expect_out 'install the server package of PostgreSQL [0-9]+ \(postgresql-[0-9]+\), which has pg_combinebackup'
	expect_status 3 restore-to-temp --records --backup "$CHAIN/monday" --max-disk 5MB
	expect_out 'it may take [0-9.]+ MB, and --max-disk allows'
	expect_nothing_left
}
t "without pg_combinebackup, and without room for all of the chain, it says what is needed" without

sound() {
	expect_status 0 check-integrity --records "$CHAIN/tuesday"
	for member in full monday ''; do
		for check in backup-manifest backup-files page-checksums control-file backup-label; do
			expect_check $check ok "$member"
		done
	done
	expect_check backup-wal ok ''
	expect_check backup-chain ok
	expect_records 'any(.check == "backup-chain" and any(.metrics[]; .name == "partial_files" and .value > 100))'
	expect_records 'any(.check == "page-checksums" and .subject == "" and
		any(.metrics[]; .name == "pages" and .value > 0))'
	expect_status 0 check-integrity --records source/tars/monday
	expect_check page-checksums ok full
	expect_check backup-chain ok
	expect_status 0 check-integrity --records --alone "$CHAIN/tuesday"
	expect_no_check backup-chain
}
t "check-integrity looks at every member of a chain, in directories and in tars" sound

# unsound CHECK SUBJECT TEXT
unsound() {
	expect_status 2 check-integrity --records bad/tuesday
	expect_check "$1" critical "$2"
	expect_out "$3"
}

unsound_members() {
	copy
	flip "bad/tuesday/$PART" 0
	unsound backup-file "$PART" 'damaged: its magic number is wrong'
	copy
	rm bad/tuesday/backup_manifest
	flip "bad/tuesday/$PART" "$(($(stat -c %s "bad/tuesday/$PART") - 100))"
	unsound page-checksums '' 'pages with the wrong checksum: 1, the first is page [0-9]+ of base'
	copy
	truncate -s -8192 "bad/monday/$PART"
	unsound backup-file "monday/$PART" 'does not have the blocks that its header counts'
	copy
	flip "bad/full/$WHOLE" 5000
	unsound page-checksums full 'wrong checksum'
	copy
	rm -r bad/full
	unsound backup-chain '' "no backup beside it began at $(lsn_of full)"
	copy
	edit_manifest bad/full "s = re.sub(r'\\{ \"Path\": \"$WHOLE\".*\\n', '', s)"
	unsound backup-chain '' "not at all in the backup before: 1, first of all monday/$PART"
	copy
	edit_manifest bad/monday 's = re.sub(r"(System-Identifier.: )(\d+)", lambda m: m[1] + str(int(m[2]) ^ 1), s)'
	unsound backup-chain '' 'bad/monday did, of another cluster'
	rm -r bad
}
t "a damaged file of any member, in part or whole, and a link that is lost are critical" unsound_members

fetched() {
	mkdir work
	copy
	rm bad/*/pg_tblspc/* # a place outside is not fetched
	expect_status 0 fetch-latest --records --copy --dir work --match '*tuesday*' bad
	expect_check backup-download ok
	expect_out 'with the 2 that it builds on'
	expect_records 'any(.record == "backup" and .newest and .name == "tuesday" and .type == "incr" and
		(.ancestors | map(split("/") | last)) == ["full", "monday"])'
	rm -r work/* bad
	expect_status 0 fetch-latest --records --copy --dir work --match '*monday*' source/tars
	cp "$OUT" records
	expect_status 0 list-backups --records source/tars
	expect_records '[.[] | select(.record == "backup") | [.name, .type]] == [["full", null], ["monday", "incr"]]'
	expect_status 0 restore-to-temp --records <records
	expect_check backup-chain ok
	rm -r work
}
t "an incremental backup is fetched with all that it builds on, wanted by name or not" fetched

fetched_days() {
	mkdir -p work days/2026-02-15 days/2026-02-16
	cp -a source/tars/full days/2026-02-15/base
	cp -a source/tars/monday days/2026-02-16/base
	touch -d 2026-02-15T02:00Z days/2026-02-15/base/*
	touch -d 2026-02-16T02:00Z days/2026-02-16/base/*
	expect_status 0 fetch-latest --records --copy --dir work days
	[ "$(ls -A work)" = "$(printf '2026-02-15-base\nbase')" ] || say_failed "$(ls -A work)"
	cp "$OUT" records
	expect_status 0 restore-to-temp --records <records
	expect_check backup-chain ok
	rm -r work/* days/2026-02-15
	expect_status 2 fetch-latest --records --copy --dir work days
	expect_check backup-download critical
	expect_out 'of the 1 base backups in .* none began at'
	rm -r work days
}
t "members of one name do not take each other's place; one that is gone is critical" fetched_days

from_s3() {
	s3_use || return
	for file in source/tars/*/*; do
		s3_put "$file" "$S3_BUCKET/tars/${file#source/tars/}"
	done
	mkdir work
	expect_status 0 list-backups --records "s3://$S3_BUCKET/tars/"
	expect_records 'any(.name == "monday" and .type == "incr")'
	expect_status 0 fetch-latest --records --dir work --match '*monday*' "s3://$S3_BUCKET/tars/"
	expect_out 'with the 1 that it builds on'
	diff -r source/tars/full work/full
	diff -r source/tars/monday work/monday
	cp "$OUT" records
	expect_status 0 restore-to-temp --records <records
	expect_check backup-chain ok
	rm -r work
}
t "a chain in a bucket is fetched and put together" from_s3

from_http() {
	chmod -R a+rX source
	web_start source/chain || return
	mkdir work
	expect_status 0 fetch-latest --records --dir work --match '*tuesday*' "$WEB_URL/"
	expect_out 'with the 2 that it builds on'
	cp "$OUT" records
	expect_status 0 restore-to-temp --records <records
	expect_check backup-chain ok
	rm -r work
}
t "a chain of directories is fetched from a web server and put together" from_http
