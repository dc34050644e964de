#!/bin/sh
# check-integrity: a base backup that is sound passes; each single fault is found and named. Faults
# keep sizes where they can, and change bytes by XOR, which is never a no-op.
. "${0%/*}/lib.sh"
need jq python3 tar zstd lz4
need_pg

base() {
	dir=$1
	shift
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D "$PG_SOCKET/$dir" -c fast --no-sync "$@"
}

make_backups() {
	mkdir "$SCRATCH/source" "$SCRATCH/source/space"
	[ "$(id -u)" -ne 0 ] || chown -R postgres: "$SCRATCH/source"
	as_pg "$PG_BIN/initdb" -D "$SCRATCH/source/data" -U postgres -k --wal-segsize=1 --no-sync -A trust >"$SCRATCH/log/initdb"
	PG_SOCKET=$SCRATCH/source
	PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
	pg_run "$PG_SOCKET" -c listen_addresses=
	pg_slim
	sql "CREATE TABLESPACE elsewhere LOCATION '$SCRATCH/source/space'"
	sql "CREATE TABLE t AS SELECT g, md5(g::text) m FROM generate_series(1, 20000) g;
		CREATE TABLE far TABLESPACE elsewhere AS SELECT g FROM generate_series(1, 5000) g;
		CHECKPOINT"
	TABLE=$(sql "SELECT pg_relation_filepath('t')")
	FAR=$(sql "SELECT pg_relation_filepath('far')")
	as_pg touch "$(printf 'source/data/base/odd\377name')"
	base plain -T "$SCRATCH/source/space=$SCRATCH/source/space-copy"
	for sums in SHA256 SHA512 NONE; do
		base "sums-$sums" --manifest-checksums=$sums \
			-T "$SCRATCH/source/space=$SCRATCH/source/space-$sums"
	done
	base encoded -R --manifest-force-encode -T "$SCRATCH/source/space=$SCRATCH/source/space-encoded"
	base tars -R -Ft
	for how in gzip zstd lz4; do
		cp -a source/tars "source/tars-$how"
		for tar in "source/tars-$how"/*.tar; do
			$how -q -c "$tar" >"$tar.$how" && rm "$tar"
		done
	done
	GOOD=$SCRATCH/source/plain
}

prepare make_backups

# A directory whose tablespace is in it, as a copy of the whole has it.
cp -a source/plain source/whole
rm source/whole/pg_tblspc/*
cp -a source/space-copy "source/whole/pg_tblspc/$(basename "$GOOD"/pg_tblspc/*)"

passes() {
	expect_status 0 check-integrity --records "$@"
	for check in backup-manifest backup-files page-checksums control-file backup-label backup-wal; do
		expect_check $check ok
	done
}

# A copy of a backup (the good one) to be damaged: $BAD. Only what the test before changed is copied
# again.
copy() {
	from=${1:-$GOOD} BAD=$SCRATCH/bad
	if [ "$(cat copied 2>/dev/null)" = "$from" ]; then
		(cd "$from" && find . -printf '%P %y\n' | sort) >there
		(cd "$BAD" && find . -printf '%P %y\n' | sort) >here
		comm -13 there here | while read -r path _; do rm -rf "${BAD:?}/$path"; done
		{
			comm -23 there here | cut -d ' ' -f 1
			(cd "$BAD" && find . -newer ../copied -type f -printf '%P\n')
		} | while read -r path; do cp -a "$from/$path" "$BAD/$path"; done
	else
		rm -rf "$BAD"
		cp -a "$from" "$BAD"
	fi
	echo "$from" >copied
	touch -d '1 second ago' copied
}

# caught CHECK [SUBJECT [PATTERN]]: critical, by that check.
caught() {
	expect_status 2 check-integrity --records "$BAD"
	expect_check "$1" critical "${2-*}"
	[ -z "${3-}" ] || expect_out "$3"
}

# Without its manifest, by what the files themselves tell.
caught_alone() {
	rm "$BAD/backup_manifest"
	caught "$@"
}

plain_passes() {
	passes "$GOOD"
	expect_records 'any(.check == "page-checksums" and (.metrics | any(.name == "pages" and .value > 200)))'
}
t "a plain backup with a tablespace passes, every page looked at" plain_passes

algorithms() {
	for sums in SHA256 SHA512; do
		passes "source/sums-$sums"
		copy "source/sums-$sums"
		flip "$BAD/PG_VERSION" 0
		caught backup-file PG_VERSION "$sums"
	done
	expect_status 0 check-integrity --records source/sums-NONE
	expect_out 'no checksums compared'
}
t "the checksums of a manifest are verified, whichever they are; a manifest without any is said to be one" algorithms

tar_sets() {
	for set in tars tars-gzip tars-zstd tars-lz4; do
		passes "source/$set"
	done
}
t "sets of tars pass, plain and compressed, without being unpacked" tar_sets

# As pg_basebackup -Ft -D - writes it, and tar of a directory: its manifest is in it.
lone_tar() {
	tar -C source/whole -cf lone.tar --exclude=./backup_manifest .
	tar -C source/whole -rf lone.tar ./backup_manifest
	gzip -1k lone.tar
	for tar in lone.tar lone.tar.gz source/tars/base.tar; do passes "$tar"; done
	jq -nc --arg path "$SCRATCH/lone.tar.gz" '{record: "backup", newest: true, name: "lone", path: $path}' >in
	passes <in
	mkdir lone
	mv lone.tar lone/base.tar
	passes lone
	BAD=lone
	"$E2E/change-backup" lone page "./$TABLE"
	caught page-checksums "" "page 2 of $TABLE"
	expect_check backup-file critical "$TABLE"
	"$E2E/change-backup" lone remove ./pg_xact/0000
	caught backup-file pg_xact/0000 'is missing'
	truncate -s 500000 lone.tar.gz
	BAD=lone.tar.gz
	caught backup-file lone.tar.gz 'is damaged'
	expect_check backup-manifest unknown
}
t "one tar that is all of the backup passes and fails like the others" lone_tar

records() {
	jq -nc --arg path "$GOOD" '{record: "backup", newest: true, name: "base", path: $path}' >in
	check-integrity --records <in >"$OUT"
	expect_check backup-files ok
	expect_records 'any(.record == "backup")'
}
t "it takes the backup that the records name" records

without_manifest() {
	copy
	rm "$BAD/backup_manifest"
	expect_status 1 check-integrity --records "$BAD"
	expect_check backup-manifest warning
	expect_check page-checksums ok
	expect_check backup-wal warning
}
t "without a manifest it says what could not be known" without_manifest

checksums_off() {
	copy
	as_pg "$PG_BIN/pg_checksums" -d -D "$BAD" --no-sync >/dev/null 2>&1 || {
		# It wants a cluster that was shut down: this one is made so by pg_resetwal.
		as_pg "$PG_BIN/pg_resetwal" -f -D "$BAD" >/dev/null
		as_pg "$PG_BIN/pg_checksums" -d -D "$BAD" --no-sync >/dev/null
	}
	rm "$BAD/backup_manifest" "$BAD/backup_label"
	expect_status 1 check-integrity --records "$BAD"
	expect_check page-checksums warning
	flip "$BAD/$TABLE" 8204 4
	expect_status 2 check-integrity --records "$BAD"
	expect_check page-checksums critical
	expect_out 'damaged header'
}
t "with data checksums off it says so, and still looks at the headers" checksums_off

# --- one fault each: the list of pg_verifybackup's own tests, and pages ------------------------

# The rows of src/bin/pg_verifybackup/t/003_corruption.pl, and some more: the change, the file, the check
# that finds it, with what words. Those of unreadable files and directories follow below; those of bad
# manifests (005) are in tests/unit/test_physical.c.
cat >rows <<ROWS
add|extra_file|backup-file|not in the manifest
add|${FAR%/*}/extra_ts_file|backup-file|not in the manifest
add|base/${FAR##*/}.1|backup-file|not in the manifest
remove|pg_xact/0000|backup-file|is missing
remove|$FAR|backup-file|is missing
lose|$(echo "$FAR" | cut -d / -f 1,2)|backup-file|is missing
append|global/pg_control|backup-file|8193 bytes instead of 8192
empty|global/pg_control|backup-file|0 bytes instead of 8192
replace|PG_VERSION|backup-file|CRC32C [0-9a-f]{8} instead of [0-9a-f]{8}
replace|global/pg_control|control-file|CRC
replace|backup_label|backup-label|backup_label
replace|pg_xact/0000|backup-file|CRC32C [0-9a-f]{8} instead of [0-9a-f]{8}
page|$TABLE|page-checksums|page 2 of $TABLE
page|$FAR|page-checksums|page 2 of $FAR
remove|$(printf 'base/odd\377name')|backup-file|is missing
ROWS

rows() {
	while IFS='|' read -r op path check words; do
		copy "source/$1"
		"$E2E/change-backup" "$BAD" "$op" "$path"
		subject='*'
		case $check:$path in
		backup-file:*odd*name) subject=$(printf 'base/odd\357\277\275name') ;;
		backup-file:pg_tblspc/*) [ "$op" = lose ] || subject=$path ;;
		backup-file:*) subject=$path ;;
		esac
		caught "$check" "$subject" "$words"
	done <rows
}
t "each row of PostgreSQL's own table of corruption is found in a directory" rows whole
t "each row of PostgreSQL's own table of corruption is found in a set of tars" rows tars

# pg_basebackup -R has changed and added some after the manifest was made; names may be encoded.
left_alone() {
	passes source/encoded
	copy source/encoded
	echo x >>"$BAD/postgresql.auto.conf"
	: >"$BAD/recovery.signal"
	: >"$BAD/pg_wal/000000090000000000000009.partial"
	passes "$BAD"
	rm "$BAD/postgresql.auto.conf"
	passes "$BAD"
	rm "$BAD/pg_xact/0000"
	caught backup-file pg_xact/0000 'is missing'
	copy
	flip "$BAD/PG_VERSION" 2
	caught backup-file PG_VERSION
	check-integrity --records --no-checksums "$BAD" >"$OUT" || true
	expect_check backup-files ok
}
t "files that recovery's setup changes are left alone, also where all names are encoded; --no-checksums leaves more" left_alone

cut_page() {
	copy
	truncate -s -100 "$BAD/$TABLE"
	caught_alone backup-file "$TABLE" 'no whole number of pages'
}
t "a relation cut inside a page is found without a manifest" cut_page

# Of another cluster, as from PostgreSQL 17 on the manifest tells.
other_cluster() {
	copy
	python3 - "$BAD/backup_manifest" <<-'PYTHON'
		import hashlib, re, sys
		text = open(sys.argv[1], "rb").read()
		text = re.sub(rb'Version": (1,|2,\s*"System-Identifier": [0-9]+,)', b'Version": 2,\n"System-Identifier": 42,', text, 1)
		text = text[:text.rindex(b'"Manifest-Checksum"')]
		text += b'"Manifest-Checksum": "%s"}\n' % hashlib.sha256(text).hexdigest().encode()
		open(sys.argv[1], "wb").write(text)
	PYTHON
	caught control-file "" 'the manifest of 42'
	expect_check backup-manifest ok
}
t "a manifest of another cluster is found" other_cluster

bad_manifest() {
	copy
	echo >>"$BAD/backup_manifest"
	caught backup-manifest
	for cut in 10 50 99; do
		copy
		truncate -s "$(($(stat -c %s "$GOOD/backup_manifest") * cut / 100))" "$BAD/backup_manifest"
		caught backup-manifest
	done
	copy
	flip "$BAD/backup_manifest" 300
	caught backup-manifest "" 'was changed'
	copy
	: >"$BAD/backup_manifest"
	caught backup-manifest
}
t "a manifest that was changed or cut is found by its own checksum" bad_manifest

damaged_page() {
	copy
	flip "$BAD/$TABLE" $((8192 * 3 + 5000))
	caught page-checksums "" "page 3 of $TABLE \([0-9a-f]{4} instead of [0-9a-f]{4}\)"
	expect_check backup-file critical "$TABLE"
	caught_alone page-checksums "" "page 3 of $TABLE"
}
t "one changed byte in a page is found by its checksum, with and without a manifest" damaged_page

damaged_far() {
	copy
	rm "$BAD"/pg_tblspc/*
	cp -a "$SCRATCH/source/space-copy" "$BAD/pg_tblspc/$(basename "$GOOD"/pg_tblspc/*)"
	passes "$BAD"
	flip "$BAD/$FAR" 9000
	caught page-checksums "" "page 1 of $FAR"
}
t "pages of a tablespace are looked at" damaged_far

damaged_header() {
	copy
	flip "$BAD/$TABLE" 12 4
	caught_alone page-checksums "" 'damaged header'
}
t "a page whose header contradicts itself is found" damaged_header

zeroed_page() {
	copy
	dd if=/dev/zero of="$BAD/$TABLE" bs=8192 seek=2 count=1 conv=notrunc status=none
	caught backup-file "$TABLE" '[0-9]+ of its pages are all zero, the first is page 2'
	rm "$BAD/backup_manifest"
	expect_status 1 check-integrity --records "$BAD"
	expect_out 'all zero: without a manifest nobody knows'
	copy
	dd if=/dev/zero of="$BAD/$TABLE" bs=512 seek=33 count=1 conv=notrunc status=none
	caught_alone page-checksums "" "page 2 of $TABLE"
}
t "a zeroed page differs from the manifest; a torn one fails its checksum" zeroed_page

swapped_page() {
	copy
	dd if="$GOOD/$TABLE" of="$BAD/$TABLE" bs=8192 skip=4 seek=2 count=1 conv=notrunc status=none
	caught_alone page-checksums "" "page 2 of $TABLE"
}
t "a sound page in the wrong place is found" swapped_page

# The page says that it was changed after the backup began: then WAL writes it anew.
changed_while_copied() {
	copy
	python3 - "$BAD/$TABLE" "$BAD/backup_label" <<-'PYTHON'
		import re, struct, sys
		high, low = re.search(r"LOCATION: (\w+)/(\w+)", open(sys.argv[2]).read()).groups()
		with open(sys.argv[1], "r+b") as f:
		    f.write(struct.pack("<II", int(high, 16), int(low, 16) + 8))
	PYTHON
	rm "$BAD/backup_manifest"
	expect_status 1 check-integrity --records "$BAD"
	expect_check page-checksums ok
	expect_out 'changed while they were copied'
	copy
	python3 - "$BAD/$TABLE" <<-'PYTHON'
		import struct, sys
		with open(sys.argv[1], "r+b") as f:
		    f.write(struct.pack("<II", 77, 0))
	PYTHON
	caught page-checksums "" "page 0 of $TABLE"
}
t "a page changed while it was copied is none; one from beyond the backup's end is" changed_while_copied

control() {
	copy
	flip "$BAD/global/pg_control" 40
	caught_alone control-file "" 'CRC'
	copy source/encoded
	cp source/plain/global/pg_control "$BAD/global/"
	caught_alone control-file "" 'is older than'
	copy
	rm "$BAD/global/pg_control"
	caught_alone control-file "" 'no global/pg_control'
}
t "a damaged or missing pg_control is found" control

label() {
	copy
	rm "$BAD/backup_label"
	caught_alone backup-label "" 'wrong place'
	copy
	sed -i 's/^CHECKPOINT LOCATION.*/CHECKPOINT LOCATION: none/' "$BAD/backup_label"
	caught_alone backup-label
}
t "a missing or damaged backup_label is found" label

wal() {
	segment=$(sed -n 's/.*(file \(.*\))/\1/p' "$GOOD/backup_label")
	copy
	rm "$BAD/pg_wal/$segment"
	caught backup-wal "" "$segment is missing"
	expect_status 0 check-integrity --records --no-wal "$BAD"
	copy
	head -c 1048576 /dev/urandom >"$BAD/pg_wal/$segment"
	caught backup-wal "" 'no WAL segment'
	copy
	flip "$BAD/pg_wal/$segment" 25
	caught backup-wal "" 'another cluster'
	copy
	truncate -s 819200 "$BAD/pg_wal/$segment"
	caught backup-wal "" 'wrong size'
}
t "WAL that is missing, garbage of the same length, of another cluster or short is found" wal

tar_damage() {
	copy source/tars
	flip "$BAD/base.tar" $(($(stat -c %s "$BAD/base.tar") / 2))
	expect_status 2 check-integrity --records "$BAD"
	expect_check backup-files critical
	for set in tars tars-gzip tars-zstd tars-lz4; do
		copy "source/$set"
		file=$(find "$BAD" -name 'base.tar*')
		truncate -s "$(($(stat -c %s "$file") * 60 / 100))" "$file"
		caught backup-file "${file##*/}" 'is damaged'
		copy "source/$set"
		rm "$BAD"/pg_wal.tar*
		caught backup-wal
	done
}
t "a changed, cut or missing tar is found" tar_damage

missing_segment() {
	copy
	truncate -s 8192 "$BAD/$TABLE.2"
	rm "$BAD/backup_manifest"
	expect_status 2 check-integrity --records "$BAD"
	expect_check backup-file critical "$TABLE.1"
}
t "a relation that lost a segment is found without a manifest" missing_segment

# What may not be read is no damage: as a user without rights. The file or directory, its mode, the check
# that says so and of which subject; then 003_corruption.pl's open_file_fails, open_directory_fails,
# search_directory_fails, and what recovery needs.
cat >modes <<MODES
plain|PG_VERSION|0|backup-file|PG_VERSION
plain|PG_VERSION|0|control-file|
plain|$TABLE|0|backup-file|$TABLE
plain|pg_subtrans|0|backup-file|pg_subtrans
plain|base|0|backup-file|base
plain|base|400|backup-file|base
plain|global|0|control-file|
plain|backup_label|0|backup-label|
plain|pg_wal|0|backup-wal|
plain|backup_manifest|0|backup-manifest|
plain||0|backup-files|
plain||400|backup-files|
tars|base.tar|0|backup-file|base.tar
tars|pg_wal.tar|0|backup-wal|
MODES

closed() {
	chmod 711 "$SCRATCH/source"
	while IFS='|' read -r set path mode check subject; do
		copy "source/$set"
		chmod "$mode" "$BAD/$path"
		got=0
		as_pg "$BIN/check-integrity" --records "$BAD" >"$OUT" 2>"$ERR" || got=$?
		chmod 700 "$BAD/$path"
		[ $got -eq 3 ] || say_failed "$path, mode $mode: status $got"
		expect_check "$check" unknown "$subject"
		expect_out 'Permission denied; run this as the owner'
	done <modes
	copy
	chmod 0 "$BAD/$TABLE"
	truncate -s -8192 "$BAD/$TABLE"
	got=0
	as_pg "$BIN/check-integrity" --records "$BAD" >"$OUT" 2>"$ERR" || got=$?
	[ $got -eq 2 ] || say_failed "status $got"
	expect_check backup-file unknown "$TABLE"
	expect_check backup-file critical "$TABLE"
}
t "what may not be read is unknown, not damage, and never called missing; its size still counts" closed

escapes() {
	copy
	ln -s /etc/passwd "$BAD/base/link"
	caught backup-file base/link 'neither a file'
	copy
	mkfifo "$BAD/base/pipe"
	caught backup-file base/pipe 'neither a file'
}
t "links and pipes do not belong to a backup" escapes

bad_usage() {
	expect_status 3 check-integrity --records /nonexistent
	expect_check backup-files unknown
	mkdir -p dump
	: >dump/toc.dat
	expect_status 3 check-integrity --records dump
	expect_out 'no base backup'
	expect_status 3 check-integrity --records dump/toc.dat
	expect_out 'no base backup; for a dump'
	tar cf dump.tar dump
	expect_status 3 check-integrity --records dump.tar
	expect_out 'no base backup; for a dump'
	expect_status 3 check-integrity --jobs 1000 "$GOOD"
	expect_err '--jobs'
	expect_status 3 check-integrity a b
	: >in
	expect_status 3 check-integrity --records
	expect_out 'fetch-latest'
}
t "what cannot be looked at is unknown, with the way out" bad_usage
