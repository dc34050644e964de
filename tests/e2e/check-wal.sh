#!/bin/sh
# check-wal: an archive that a real server has filled passes; each single fault in it is found and
# named. Production: an archiver that fails, slots that hold WAL back. Segments of 1 MB.
. "${0%/*}/lib.sh"
need jq python3 gzip zstd lz4 xz openssl gpg gpgconf
need_pg

make_archive() {
	mkdir source archive
	chmod 777 archive
	[ "$(id -u)" -ne 0 ] || chown postgres: source
	as_pg "$PG_BIN/initdb" -D "$SCRATCH/source/data" -U postgres --wal-segsize=1 --no-sync -A trust
	PG_SOCKET=$SCRATCH/source
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	pg_run "$PG_SOCKET" -c listen_addresses= -c archive_mode=on \
		-c "archive_command='test ! -e $SCRATCH/source/broken && cp %p $SCRATCH/archive/%f'"
	sql "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 1000) g"
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$SCRATCH/source/base" -c fast --no-sync
	for i in 1 2 3; do
		sql "INSERT INTO t SELECT g, md5(g::text) m FROM generate_series(1, 8000 + $i) g"
	done
	as_pg mkdir "$SCRATCH/source/backups"
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$SCRATCH/source/backups/tars" -Ft -z -X none -c fast --no-sync ||
		return
	sql "SELECT pg_switch_wal()"
	sql "INSERT INTO t VALUES (0, 'last')"
	NEWEST=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
	wait_for 20 test -e "archive/$NEWEST"
	# Of the second backup only its records know.
	find archive -name '*.backup' | sort | tail -n +2 | xargs rm
}

prepare make_archive
LABEL=$(basename archive/*.backup | cut -d . -f 1)
# The third segment behind the backup's first one, and the one before it.
THIRD=$(find archive -type f -name '????????????????????????' -printf '%f\n' | sort | sed -n "/$LABEL/,\$p" | sed -n 4p)
BEFORE=$(find archive -type f -name '????????????????????????' -printf '%f\n' | sort | sed -n "/$LABEL/,\$p" | sed -n 3p)

copy() {
	rm -rf bad
	cp -a archive bad
}

# caught CHECK SUBJECT PATTERN
caught() {
	expect_status 2 check-wal --records --archive bad
	expect_check "$1" critical "$2"
	expect_out "$3"
}

good() {
	expect_status 0 check-wal --records --archive archive
	expect_check wal-archive ok
	expect_check wal-timeline ok
	expect_check wal-window ok
	expect_records 'any(.check == "wal-newest" and .newest_commit != null)'
	last=$(as_pg "$PG_BIN/pg_waldump" -r Transaction "$SCRATCH/archive/$NEWEST" 2>/dev/null |
		sed -n 's/.*COMMIT \(....-..-..\) \(..:..:..\....\).*/\1T\2Z/p' | tail -n 1)
	expect_records "any(.newest_commit == \"$last\")"
}
t "a whole archive passes; its newest commit is the one pg_waldump shows" good

packed() {
	copy
	gzip "bad/$BEFORE"
	zstd -q --rm "bad/$THIRD"
	lz4 -q -f "bad/$NEWEST" "bad/$NEWEST.lz4"
	rm "bad/$NEWEST"
	xz "bad/$LABEL"
	expect_status 0 check-wal --records --archive bad
	expect_check wal-archive ok
}
t "segments packed by gzip, zstd, lz4 and xz are read as they are" packed

gap() {
	copy
	rm "bad/$THIRD"
	caught wal-gap "$THIRD" 'is missing; nothing after .*, though the archive goes on to'
	expect_check wal-window ok
	copy
	rm "bad/$LABEL"
	caught wal-gap "$LABEL" 'cannot be restored without it'
	expect_check wal-window critical
}
t "a missing segment is named, with what cannot be recovered for it" gap

damage() {
	copy
	truncate -s 500000 "bad/$THIRD"
	caught wal-segment "$THIRD" 'it has 500000 bytes instead of 1048576'
	copy
	head -c 1048576 /dev/zero >"bad/$THIRD"
	caught wal-segment "$THIRD" 'does not begin as a WAL segment'
	copy
	gzip "bad/$THIRD"
	truncate -s -9 "bad/$THIRD.gz"
	caught wal-segment "$THIRD" 'truncated|ends'
}
t "a segment that is cut off or zeroed is found" damage

flips() {
	# In records, in the header of a page, in the last page, where only zeros may be.
	for at in 8000 500003 8192 524289 1048575; do
		copy
		flip "bad/$THIRD" $at
		caught wal-segment "$THIRD" 'wrong|impossible|follow|page|go on'
	done
	for at in 4 8 24 32; do
		copy
		flip "bad/$THIRD" $at
		caught wal-segment "$THIRD" 'timeline|another|cluster|begin|bytes'
	done
	copy
	flip "bad/$NEWEST" 1048570
	caught wal-segment "$NEWEST" 'behind the end of the WAL'
}
t "one changed byte is found wherever it is" flips

other_cluster() {
	copy
	python3 - "bad/$THIRD" <<-'PYTHON'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    f.seek(24)
		    f.write((12345).to_bytes(8, "little"))
	PYTHON
	caught wal-segment "$THIRD" 'of another cluster: its system identifier is 12345'
	copy
	cp "archive/$BEFORE" "bad/$THIRD"
	caught wal-segment "$THIRD" 'holds the WAL of another segment'
}
t "a segment of another cluster or place is found" other_cluster

names() {
	copy
	mv "bad/$NEWEST" "bad/$NEWEST.partial"
	truncate -s 700000 "bad/$NEWEST.partial"
	expect_status 0 check-wal --records --archive bad
	copy
	mv "bad/$THIRD" "bad/$THIRD.partial"
	caught wal-gap "$THIRD" 'is missing'
	copy
	gzip -k "bad/$THIRD"
	expect_status 0 check-wal --records --archive bad
	flip "bad/$THIRD" 500003
	caught wal-duplicate "$THIRD" 'differ in content'
	copy
	cp "bad/$THIRD" "bad/00000002${THIRD#????????}"
	expect_status 2 check-wal --records --archive bad
	expect_check wal-timeline critical
	expect_out '00000002.history is missing'
}
t "partial, doubled and wrongly named segments are told apart" names

ledger() {
	copy
	expect_status 0 check-wal --records --archive bad --ledger ledger
	total=$(jq -r 'select(.check == "wal-ledger").metrics[] | select(.name == "segments_read").value' "$OUT")
	[ "$total" -gt 3 ]
	expect_out "$total of $total segments verified \(100 %\), $total of them now, half within .*, all within "
	expect_out 'each is read again after 30 d; .* not looked for a second time before the oldest are expired'
	# What is remembered is not read: not even a change that the file system does not show.
	touch -r "bad/$THIRD" stamp
	flip "bad/$THIRD" 500003
	touch -r stamp "bad/$THIRD"
	expect_status 0 check-wal --records --archive bad --ledger ledger
	expect_records 'any(.check == "wal-ledger" and any(.metrics[]; .name == "segments_read" and .value == 0))'
	expect_status 2 check-wal --records --archive bad --ledger ledger --max-age 0
	expect_check wal-segment critical "$THIRD"
	expect_out 'each is read again after 0 s; .* damage is found before the oldest are expired'
	# It was forgotten then; a change that shows is seen at once.
	touch "bad/$BEFORE"
	expect_status 2 check-wal --records --archive bad --ledger ledger
	expect_records 'any(.check == "wal-ledger" and any(.metrics[]; .name == "segments_read" and .value == 2))'
}
t "the ledger saves reading; --max-age reads again; damage is not remembered as sound" ledger

damaged_ledger() {
	rm -f ledger
	expect_status 0 check-wal --records --archive archive --ledger ledger
	flip ledger 100
	truncate -s -20 ledger
	expect_status 1 check-wal --records --archive archive --ledger ledger
	expect_check wal-ledger warning
	expect_out '2 lines of the ledger were damaged'
	expect_status 0 check-wal --records --archive archive --ledger ledger
	expect_status 3 check-wal --records --archive archive --ledger /nowhere/ledger
}
t "a damaged ledger costs only time" damaged_ledger

bad_usage() {
	expect_status 3 check-wal --records
	expect_status 3 check-wal --records --archive "$SCRATCH/nowhere/at/all"
	mkdir -p empty
	expect_status 2 check-wal --records --archive empty
	expect_out 'there is no segment'
	expect_status 3 check-wal --records --archive archive --from-backup nothing
	expect_status 3 check-wal --records --archive pgbackrest:shop
	expect_out 'check-repository has its program look'
	expect_status 0 check-wal --records --archive archive --from-backup "$THIRD"
}
t "an empty archive is critical, one that is not there unknown" bad_usage

windows() {
	copy
	rm bad/*.backup
	list-backups --records source/backups >list
	# The one in tars begins behind the one in files.
	expect_status 0 check-wal --records --archive bad <list
	expect_check wal-window ok tars
	expect_records "any(.check == \"wal-archive\" and all(.metrics[]; .name != \"segments\" or .value < $(
		find bad -type f | wc -l)))"
	jq -c "select(.record == \"backup\") | ., (.name = \"files\" | .path = \"$SCRATCH/source/base\")" list >both
	expect_status 0 check-wal --records --archive bad <both
	expect_check wal-window ok tars
	expect_check wal-window ok files
	mkdir first
	cp "bad/$LABEL" first
	expect_status 2 check-wal --records --archive first <both
	expect_check wal-window ok files
	expect_check wal-window critical tars
	expect_not_out 1970
	rm "bad/$THIRD"
	expect_status 1 check-wal --records --archive bad <both
	expect_check wal-gap warning "$THIRD"
	expect_out 'nothing after .* can be recovered up to backup tars'
	# What a repository says of its backups will do.
	start=$(sed -n 's,^START WAL LOCATION: \([^ ]*\) .*,\1,p' source/base/backup_label)
	jq -nc --arg lsn "$start" --arg wal "$LABEL" '{record: "backup", tool: "list-backups", run: "x",
		at: "2026-02-17T00:00:00Z", name: "20260217-020000F", format: "pgbackrest",
		start_lsn: $lsn, start_wal: $wal, stop_lsn: $lsn, taken_at: "2026-02-17T00:00:00Z"}' >one
	expect_status 2 check-wal --records --archive bad <one
	expect_check wal-window ok 20260217-020000F
	expect_out 'recoverable from 2026-02-17 .*, where a hole follows'
}
t "backups in files, in tars and in a repository each have their window, by their records" windows

encrypted() {
	copy
	echo secret words >passphrase
	rm "bad/$BEFORE" "bad/$THIRD" "bad/$LABEL".*.backup
	openssl enc -aes-256-cbc -pbkdf2 -pass file:passphrase -in "archive/$BEFORE" -out "bad/$BEFORE.enc"
	gzip -c "archive/$THIRD" |
		openssl enc -aes-256-cbc -pbkdf2 -pass file:passphrase -out "bad/$THIRD.gz.enc"
	mkdir -m 700 gpg
	gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file passphrase \
		-o "bad/$LABEL.00000028.backup.gpg" -c archive/"$LABEL".*.backup
	gpgconf --homedir gpg --kill all
	expect_status 0 check-wal --records --archive bad --decrypt-passphrase-file passphrase
	expect_check wal-archive ok
	expect_check wal-window ok
	expect_nothing_left
	# Without the key it is not known to be damaged.
	expect_status 3 check-wal --records --archive bad
	expect_records 'any(.check == "wal-segment" and .status == "unknown"
		and (.summary | contains("no key was given: give --decrypt-key-file")))'
	echo other words >wrong
	expect_status 3 check-wal --records --archive bad --decrypt-passphrase-file wrong
	expect_check wal-segment unknown "$THIRD"
}
t "encrypted segments and labels are opened; without the key they are unknown, not damaged" encrypted

elsewhere() {
	web_start archive
	expect_status 0 check-wal --records --archive "$WEB_URL/"
	expect_check wal-archive ok
	s3_use
	for f in archive/*; do s3 PUT "$S3_BUCKET/wal/${f##*/}" --data-binary "@$f"; done
	expect_status 0 check-wal --records --archive "s3://$S3_BUCKET/wal/" --ledger s3.ledger
	expect_check wal-archive ok
	expect_status 0 check-wal --records --archive "s3://$S3_BUCKET/wal/" --ledger s3.ledger
	expect_records 'any(.check == "wal-ledger" and any(.metrics[]; .name == "segments_read" and .value == 0))'
	expect_nothing_left
	s3 DELETE "$S3_BUCKET/wal/$THIRD"
	expect_status 2 check-wal --records --archive "s3://$S3_BUCKET/wal/"
	expect_check wal-gap critical "$THIRD"
}
t "an archive may be behind https:// and s3://, and the ledger spares fetching it" elsewhere

nested() {
	mkdir -p nested/wals/0000000100000000 stanza/15-1 stanza/16-2
	cp archive/0000000100000000* nested/wals/0000000100000000
	expect_status 0 check-wal --records --archive nested
	expect_check wal-archive ok
	web_start nested
	expect_status 0 check-wal --records --archive "$WEB_URL/"
	expect_check wal-archive ok
	cp "archive/$BEFORE" "stanza/15-1/$BEFORE-da39a3ee5e6b4b0d3255bfef95601890afd80709"
	cp "archive/$THIRD" stanza/16-2
	expect_status 3 check-wal --records --archive stanza
	expect_out 'WAL of several clusters, 15-1 and 16-2; name the directory of one'
	rm stanza/15-1/*
	echo secret words | openssl enc -aes-256-cbc -pbkdf2 -pass stdin -in "archive/$BEFORE" \
		-out "stanza/15-1/$BEFORE-da39a3ee5e6b4b0d3255bfef95601890afd80709"
	expect_status 3 check-wal --records --archive stanza/15-1
	expect_out 'it is encrypted .*check-repository'
}
t "segments in directories are found; those of several clusters, or pgBackRest's key, refused" nested

timelines() {
	sql "SELECT pg_create_restore_point('here')" >/dev/null
	mkdir "$SCRATCH/source/second"
	cp -a source/base source/standby
	printf "restore_command = 'cp %s/archive/%%f %%p'\n" "$SCRATCH" >>source/standby/postgresql.auto.conf
	touch source/standby/recovery.signal
	[ "$(id -u)" -ne 0 ] || chown -R postgres: source
	mv source/data source/first
	mv source/standby source/data
	pg_run "$PG_SOCKET" -p 5499 -c listen_addresses= -c archive_mode=on -c "archive_command='cp %p $SCRATCH/archive/%f'"
	two="$PG_DSN port=5499"
	wait_for 20 sh -c "[ \"\$('$PG_BIN/psql' -XqAt -d '$two' -c 'SELECT pg_is_in_recovery()')\" = f ]"
	sql "$two" "INSERT INTO t SELECT g, md5(g::text) m FROM generate_series(1, 20000) g"
	name=$(sql "$two" "SELECT pg_walfile_name(pg_switch_wal())")
	wait_for 20 test -e "archive/$name"
	as_pg "$PG_BIN/pg_ctl" -D "$SCRATCH/source/data" -m immediate -w -s stop
	mv source/data source/second/data
	mv source/first source/data
	expect_status 0 check-wal --records --archive archive
	expect_out 'timeline 2 leaves 1 at'
	expect_check wal-window ok
	copy
	first=$(find bad -name '00000002????????????????' -printf '%f\n' | sort | head -n 1)
	rm "bad/$first"
	caught wal-gap "$first" 'missing'
	copy
	rm bad/00000002.history
	caught wal-timeline '' '00000002.history is missing'
	copy
	flip bad/00000002.history 2
	expect_status 2 check-wal --records --archive bad
	expect_check wal-timeline critical
}
t "a timeline is followed by its history, a hole on the way found" timelines

production() {
	expect_status 0 check-wal --records --production "$PG_DSN"
	expect_check wal-level ok
	expect_check wal-archiver ok
	expect_check wal-waiting ok
	# Silence is a fault only when there is something to archive.
	last=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
	wait_for 30 sh -c "[ \"\$('$PG_BIN/psql' -XqAt -d '$PG_DSN' -c \"SELECT last_archived_wal = '$last'
		AND last_archived_time < now() - interval '1.5 s' FROM pg_stat_archiver\")\" = t ]"
	expect_status 0 check-wal --records --production "$PG_DSN" --max-silence 1s
	sql "INSERT INTO t SELECT g FROM generate_series(1, 1000) g"
	expect_status 2 check-wal --records --production "$PG_DSN" --max-silence 1s
	expect_check wal-archiver critical
	sql "SELECT pg_create_physical_replication_slot('lazy', true)" >/dev/null
	touch source/broken
	for i in 1 2 3; do sql "INSERT INTO t VALUES ($i); SELECT pg_switch_wal()" >/dev/null; done
	wait_for 30 sh -c "[ \"\$('$PG_BIN/psql' -XqAt -d '$PG_DSN' -c 'SELECT failed_count > 0 FROM pg_stat_archiver')\" = t ]"
	expect_status 2 check-wal --records --production "$PG_DSN" --max-waiting 1 --max-slot 1MiB
	expect_check wal-archiver critical
	expect_out 'archiving fails'
	expect_check wal-waiting critical
	expect_check wal-slot warning lazy
	# Beyond max_slot_wal_keep_size the next checkpoint takes away what the slot needs.
	sql "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'"
	sql "ALTER SYSTEM SET max_wal_size = '2MB'"
	sql "SELECT pg_reload_conf()" >/dev/null
	for i in 4 5 6; do sql "INSERT INTO t VALUES ($i); SELECT pg_switch_wal()" >/dev/null; done
	expect_status 2 check-wal --records --production "$PG_DSN"
	expect_check wal-slot critical lazy
	sql CHECKPOINT
	expect_status 2 check-wal --records --production "$PG_DSN"
	expect_records 'any(.check == "wal-slot" and .subject == "lazy" and .status == "critical"
		and (.summary | contains("the WAL that its receiver needs is gone")))'
	expect_status 2 check-wal --nagios --production "$PG_DSN"
	sql "CREATE ROLE nobody LOGIN" >/dev/null
	expect_status 2 check-wal --records --production "host=$PG_SOCKET user=nobody dbname=postgres"
	expect_check wal-waiting unknown
	expect_status 3 check-wal --records --production "host=$SCRATCH/nowhere"
}
t "production: a failing archiver, waiting segments and a slot that holds WAL are told" production
