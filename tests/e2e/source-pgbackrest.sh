#!/bin/sh
# A pgBackRest repository as a source: listed, verified and checked by its own program, and damaged
# in the ways that pgBackRest's tests of verify know (missing and changed files, WAL, information
# files), and some that verify passes over.
# time limit: 600 s
# sanitizers: no, what is parsed here is parsed by the unit test of lib/keeper
. "${0%/*}/lib.sh"
need pgbackrest jq python3
# shellcheck source=tests/servers/keepers.sh
. "$ROOT/tests/servers/keepers.sh"
# shellcheck source=tests/servers/pgbackrest.sh
. "$ROOT/tests/servers/pgbackrest.sh"

label() { jq -r "select(.record == \"backup\" and .type == \"$1\").name" <"$SCRATCH/good.jsonl"; }

set_up() {
	printf '%s\n' "repo1-path=$R/repo" repo1-retention-full=9 compress-type=zst | stanza_configure
	stanza_production
	backrest stanza-create
	backrest backup --type=full
	as_pg date -u +%Y-%m-%dT%H:%M:%S.%NZ >"$SCRATCH/between"
	sleep 1.1
	sql "insert into orders values (1001, now())"
	backrest backup --type=incr
	backrest check
	sql "insert into orders values (1002, now())"
	backrest check
	cp -a "$R/repo" "$R/good"
	list-backups --records "$S" >"$SCRATCH/good.jsonl"
}
t "a pgBackRest repository with a full and an incremental backup is made" set_up

lists_full_and_incr() {
	expect_status 0 list-backups --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 2
		and .[0].type == "full" and .[0].prior == null
		and .[1].type == "incr" and .[1].prior == .[0].name
		and all(.format == "pgbackrest" and .bytes > 0 and .database_bytes > .bytes
			and (.start_lsn | test("^0/")) and (.stop_lsn | test("^0/"))
			and (.system_identifier | test("^[0-9]{15,20}$"))
			and .started_at <= .taken_at)'
	expect_records 'any(.check == "listing" and (.summary | startswith("2 backups, newest ")))'
}
t "full and incremental backups are listed, oldest first, with their chain, sizes and places" \
	lists_full_and_incr

its_list_is_filtered() {
	expect_status 0 list-backups --records --match '*F' "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1 and .[0].type == "full"'
	expect_status 0 list-backups --records --nth 2 "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1 and .[0].type == "full"'
	expect_status 2 list-backups --records --nth 9 "$S"
	expect_check listing critical
	expect_status 2 list-backups --records --as-of 2020-01-01 "$S"
}
t "--match, --nth and --as-of choose among them" its_list_is_filtered

probes_take_it() {
	list-backups --records "$S" | size-trend --records >"$SCRATCH/list"
	expect_status 0 check-freshness --records --max-age 1h <"$SCRATCH/list"
	expect_check backup-age ok
	expect_status 0 check-retention --records --daily 1 <"$SCRATCH/list"
	expect_check retention ok daily
	expect_check backup-size ok
	# The incremental backup is a fiftieth of the full one, and no drop.
	jq -c 'select(.record == "backup" and .type == "full") | .type = "incr"
		| .name = "x" | .database_bytes *= 3' "$SCRATCH/list" >"$SCRATCH/larger"
	cat "$SCRATCH/larger" "$SCRATCH/good.jsonl" >"$SCRATCH/list"
	expect_status 2 size-trend --records <"$SCRATCH/list"
	expect_check backup-size critical
}
t "size, retention and freshness are judged by what it restores to, each kind by itself" probes_take_it

chooses() {
	expect_status 0 fetch-latest --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 1 and .[0].newest
		and .[0].type == "incr" and .[0].path == null'
	expect_records 'any(.check == "backup-download" and .status == "ok"
		and any(.metrics[]; .name == "fetch_seconds" and .value == 0))'
}
t "fetch-latest chooses the newest and leaves it where it is" chooses

refuses() {
	expect_status 3 list-backups --records "pgbackrest:shop?config=$R/none"
	expect_records 'any(.check == "listing" and (.summary | contains("missing file")))'
	expect_status 3 list-backups --records "$S&repo=2"
	expect_status 3 list-backups --records "$S&repo=x"
	expect_status 3 list-backups --records "$S&key=secret"
	expect_records 'any(.check == "listing" and (.summary | contains("is not known")))'
	expect_status 2 list-backups --records "pgbackrest:nobody?config=$CONF"
	expect_records 'any(.check == "listing" and (.summary | contains("missing stanza path")))'
	expect_status 3 env PATH="$BIN" "$BIN/list-backups" --records "$S"
	expect_records 'any(.check == "listing" and (.summary | contains("install it")))'
	expect_status 3 check-repository --records "$SCRATCH"
	expect_status 3 check-repository --no-verify "$S"
}
t "what cannot be asked is unknown and says why; a stanza that is not there is critical" refuses

verifies() {
	checked 0
	expect_check repository-verify ok
	expect_check repository-wal-gaps ok "$MAJOR-1"
	expect_status 0 check-repository --records --no-verify --production "$S"
	expect_check repository-check ok
}
t "a whole repository is verified, and production's WAL arrives in it" verifies

files() {
	full=$(label full) incr=$(label incr)
	file=$(find "$R/repo/backup/shop/$full/pg_data/base" -name 2838.zst | head -n 1)
	damaged repository-backup "$full" "1 with another checksum; invalid checksum .$full/.*/2838.zst" change "$file"
	# What builds on it is not whole either.
	expect_check repository-backup critical "$incr"
	damaged repository-backup "$full" "1 missing" rm "$file"
	damaged repository-backup "$full" "another checksum" cp --remove-destination /dev/null "$file"
	damaged repository-backup "$incr" "missing" rm -r "$R/repo/backup/shop/$incr/pg_data"
	expect_records 'all(.check != "repository-backup" or .subject != "'"$full"'")'
}
t "a changed, missing or empty file is found in its backup and in those that build on it" files

manifests() {
	full=$(label full)
	damaged repository-backup "$full" "manifest missing" \
		sh -c "rm $R/repo/backup/shop/$full/backup.manifest*"
	damaged repository-backup "$full" "in the catalogue, but not in the repository" \
		rm -r "$R/repo/backup/shop/$full"
	damaged repository "" "missing stanza data" sh -c "rm $R/repo/backup/shop/backup.info*"
	damaged repository "" "archive.info" sh -c "rm $R/repo/archive/shop/archive.info*"
	expect_status 2 list-backups --records "$S"
	expect_check listing critical
	# Of another cluster, and of a database that the catalogue does not know.
	m=$R/repo/backup/shop/$full/backup.manifest
	damaged repository-backup "$full" "system-id 5.* is not in the backup.info history" \
		edit '(db-system-id=)\d' '\g<1>5' "$m" "$m.copy"
	damaged repository-backup "$full" "id 2, .* is not in the backup.info history" \
		edit 'db-id=1' 'db-id=2' "$m" "$m.copy"
	damaged repository-verify "" "archiveIds '$MAJOR-9' are not in the archive.info history" \
		cp -al "$R/repo/archive/shop/$MAJOR-1" "$R/repo/archive/shop/$MAJOR-9"
	damaged repository "" "do not match|unable to retrieve the archive id" \
		edit '(db-system-id"?[:=])\d' '\g<1>5' "$R"/repo/backup/shop/backup.info "$R"/repo/backup/shop/backup.info.copy
}
t "a lost manifest, backup or catalogue is found, or one of another cluster, which verify may call ok" \
	manifests

copies() {
	full=$(label full) b=$R/repo/backup/shop a=$R/repo/archive/shop
	set -- finds warning repository-copies ""
	"$@" "backup.info has another checksum|cannot be read" change "$b/backup.info"
	"$@" "archive.info.copy is missing" rm "$a/archive.info.copy"
	"$@" "backup.info.copy does not match backup.info" edit '"backup-error":false' '"backup-error":true' "$b/backup.info.copy"
	"$@" "archive.info.copy does not match archive.info" edit "\"$MAJOR\"" '"14"' "$a/archive.info.copy"
	"$@" "$full/backup.manifest is missing or unusable" change "$b/$full/backup.manifest"
	"$@" "$full' manifest.copy does not match" edit 'timestamp-start=1' 'timestamp-start=2' "$b/$full/backup.manifest.copy"
	# An older catalogue: what was backed up since is hidden.
	finds warning repository-backup "$(label incr)" "not in the catalogue" \
		edit '2.*_.*I=.*' '' "$b/backup.info" "$b/backup.info.copy"
}
t "a file that is kept twice, and of which one is lost, damaged or older, is found; so is an older catalogue" copies

wal() {
	damaged repository-wal "$MAJOR-1" "1 (with another checksum|unreadable or damaged)" \
		change "$(segments | sed -n 2p)"
	full=$(label full)
	needed=$(backrest info --output=json | jq -r '.[0].backup[0].archive.start')
	damaged repository-wal-gaps "$MAJOR-1" "missing $needed: backup $full cannot be restored" \
		sh -c "rm $R/repo/archive/shop/$MAJOR-1/*/$needed-*"
	damaged repository-wal-gaps "$MAJOR-1" "nothing later can be recovered" \
		rm "$(segments | tail -n 2 | head -n 1)"
	third=$(segments | sed -n 3p)
	finds warning repository-wal-gaps "$MAJOR-1" "up to the next backup" rm "$third"
	# archive-get looks for it in the folder of its name.
	finds warning repository-wal-gaps "$MAJOR-1" "up to the next backup" \
		sh -c "mkdir '${third%/*/*}/0000000100000001' && mv '$third' '${third%/*/*}/0000000100000001'"
}
t "a changed WAL segment is found, and one that is missing, which verify passes over" wal

# archived FILE SEGMENT: as archive-push stores it, with its checksum in its name, but not compressed.
archived() {
	mv "$1" "${1%/*}/$2-$(sha1sum "$1" | cut -d ' ' -f 1)"
}

other_wal() {
	whole_again
	second=$(segments | sed -n 2p) third=$(segments | sed -n 3p) fourth=$(segments | sed -n 4p)
	dir=${third%/*}
	: >"$dir/new" && mv "$dir/new" "$second"
	name=$(basename "$third" | cut -c 1-24)
	zstd -dq "$third" -o "$dir/new" && rm "$third" && truncate -s 1000 "$dir/new"
	archived "$dir/new" "$name"
	twice=$(basename "$fourth" | cut -c 1-24)
	cp -p "$fourth" "$dir/$twice-da39a3ee5e6b4b0d3255bfef95601890afd80709.zst"
	# Of a backup that is being made there is the copy of the manifest only.
	full=$(label full)
	mkdir "$R/repo/backup/shop/20991231-010101F"
	cp -p "$R/repo/backup/shop/$full/backup.manifest" \
		"$R/repo/backup/shop/20991231-010101F/backup.manifest.copy"
	to_pg "$R/repo/backup/shop/20991231-010101F" "$dir"
	checked 2
	expect_records 'any(.check == "repository-wal" and .status == "critical"
		and (.summary | test("1 of another size, 1 unreadable or damaged")))'
	expect_records 'any(.check == "repository-wal-gaps" and .status == "critical"
		and (.summary | contains("1 segments are there twice, first of all '"$twice"'")))'
	expect_records 'all(.check != "repository-backup")'
}
t "WAL that is empty, of another size, or there twice is found; a backup that is being made is none" other_wal

catalogues() {
	whole_again
	full=$(label full)
	rm "$R/repo/backup/shop/$full/backup.manifest"
	mkdir "$R/repo/backup/shop/20991231-010101F"
	cp -p "$R/repo/backup/shop/$full/backup.manifest.copy" "$R/repo/backup/shop/20991231-010101F/"
	to_pg "$R/repo/backup/shop/20991231-010101F"
	checked 1
	expect_out 'pgBackRest verified 2 backups .*; 1 more without an end'
	# Another cluster's archive.info, sound in itself.
	whole_again
	edit '\d{18}' 9 "$R/repo/archive/shop/archive.info" "$R/repo/archive/shop/archive.info.copy"
	checked 2
	expect_records 'any(.check == "repository" and .status == "critical"
		and (.summary | contains("unable to retrieve the archive id")))'
}
t "one copy of a manifest is enough; WAL of another cluster than its backups is found" catalogues

records() {
	whole_again
	wal=$R/repo/archive/shop/$MAJOR-1
	list-backups --records "$S" >"$SCRATCH/list"
	expect_status 0 check-wal --records --archive "$wal" <"$SCRATCH/list"
	expect_check wal-archive ok
	expect_check wal-window ok
	# Bytes that are not WAL, under their own checksum, are whole to verify.
	third=$(segments | sed -n 3p)
	name=$(basename "$third" | cut -c 1-24)
	zstd -dq "$third" -o "$wal/new" && rm "$third"
	flip "$wal/new" 0
	archived "$wal/new" "$name"
	to_pg "$wal"
	checked 0
	got=0
	check-wal --records --archive "$wal" >"$OUT" || got=$?
	[ $got -gt 0 ] || say_failed "check-wal did not see it"
	expect_records 'any(.check == "wal-segment" and .subject == "'"$name"'"
		and (.summary | contains("of another version of PostgreSQL (magic")))'
}
t "check-wal reads the WAL in the repository, and sees what verify calls whole" records

# restored ROWS STATUS ARGUMENT...: so many orders are there afterwards.
restored() {
	rows=$1 status=$2
	shift 2
	expect_status "$status" restore-to-temp --records "$@" -- sh -c "
		'$PG_BIN/psql' -XqAt -c 'select count(*) from orders' >'$TMPDIR/rows'
		compare-counts --records"
	[ "$(cat "$TMPDIR/rows")" = "$rows" ] || say_failed "$(cat "$TMPDIR/rows") rows, not $rows"
	expect_nothing_left
}

# The names, sizes and times of all files there.
state_of() { find "$@" -printf '%P %s %T@ %C@\n' | sort; }

restores() {
	whole_again
	state_of "$R/repo" "$R/lock" >"$SCRATCH/before"
	fetch-latest --records "$S" >"$SCRATCH/newest"
	restored 1002 1 <"$SCRATCH/newest"
	expect_check restore ok
	expect_check recovery-target ok
	expect_check wal-archive ok
	expect_records 'any(.check == "backup-format" and (.summary | contains("physical base backup")))'
	expect_records 'any(.check == "restore-time" and .status == "ok"
		and ([.metrics[] | select(.name == "repository_seconds")] | .[0].value) > 0
		and ([.metrics[] | select(.name == "restore_seconds")] | .[0].value)
			>= ([.metrics[] | select(.name == "repository_seconds")] | .[0].value))'
	state_of "$R/repo" "$R/lock" >"$SCRATCH/after"
	expect_same "$SCRATCH/before" "$SCRATCH/after"
}
t "the newest backup, an incremental one, restores with all WAL, and the repository stays as it was" \
	restores

targets() {
	restored 1001 1 --target immediate --backup "$S"
	# That moment is before the end of the newest backup: the full one is taken.
	restored 1000 1 --target "$(cat "$SCRATCH/between")" --backup "$S"
	expect_records 'any(.check == "recovery-target" and .status == "ok")'
	expect_status 2 restore-to-temp --records --target 2020-01-01T00:00:00Z --backup "$S"
	expect_records 'any(.check == "restore" and .status == "critical"
		and (.summary | contains("ended before the target")))'
}
t "a time before its end takes an earlier backup; before all of them it is critical" targets

damaged_restores() {
	whole_again
	rm -r "$R/repo/backup/shop/$(label incr)"/backup.manifest*
	expect_status 2 restore-to-temp --records --backup "$S"
	expect_records 'any(.check == "backup-complete" and .status == "critical"
		and (.summary | contains("backup manifest")))'
	whole_again
	needed=$(backrest info --output=json | jq -r '.[0].backup[1].archive.start')
	rm "$R/repo/archive/shop/$MAJOR-1"/*/"$needed"-*
	expect_status 2 restore-to-temp --records --backup "$S"
	expect_records 'any(.check == "restore" and .status == "critical" and (.summary | contains("WAL")))'
	whole_again
	change "$(find "$R/repo/archive/shop" -name "$needed-*")"
	expect_status 2 restore-to-temp --records --backup "$S"
	whole_again
	expect_nothing_left
}
t "a backup whose manifest or WAL is missing or damaged does not restore, and is critical" \
	damaged_restores

stopped() {
	restore-to-temp --records --backup "$S" -- sleep 60 >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 20 sh -c "ls -d '$TMPDIR'/backup-probes-*/brought"
	kill "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 3 ] || say_failed "status $status"
	expect_check interrupted unknown
	expect_nothing_left
}
t "stopped while pgBackRest restores, nothing is left" stopped

verified() {
	expect_daily_job 'pgBackRest verified 2 backups' '1,002'
	RECOVERY_TARGET=immediate expect_status 0 verify-backup "$SCRATCH/conf"
	expect_out 'reached the end of the backup'
	head -n 1 "$SCRATCH/history.jsonl" | jq -e '.verified and .backup.type == "incr" and .rto_seconds > 0'
}
t "verify-backup proves it like any other backup" verified

page_errors() {
	sql "create table broken as select g from generate_series(1, 9) g"
	sql checkpoint
	flip "$SCRATCH/production/data/$(sql "select pg_relation_filepath('broken')")" 100 2
	backrest backup --type=incr
	expect_status 1 list-backups --records "$S"
	last=$(jq -r 'select(.record == "backup").name' "$OUT" | tail -n 1)
	expect_check backup-fault warning "$last"
	expect_records '[.[] | select(.record == "backup" and .fault)] | length == 1'
}
t "a backup in which pgBackRest met broken pages is listed, with a warning" page_errors

upgraded() {
	whole_again
	pg_stop
	mv "$SCRATCH/production/data" "$SCRATCH/production/old"
	pg_init "$SCRATCH/production"
	tail -n 2 "$SCRATCH/production/old/postgresql.conf" >>"$SCRATCH/production/data/postgresql.conf"
	pg_run "$SCRATCH/production" -c listen_addresses=
	backrest stanza-upgrade
	backrest backup --type=full
	checked 0
	expect_check repository-wal-gaps ok "$MAJOR-1"
	expect_check repository-wal-gaps ok "$MAJOR-2"
	# Its segments have the names of the other cluster's.
	fetch-latest --records --nth 2 "$S" >"$SCRATCH/before-upgrade"
	restored 1002 1 <"$SCRATCH/before-upgrade"
	expect_check recovery-target ok
}
t "a stanza after an upgrade has two archives: a backup of before restores with the WAL of its own cluster" upgraded

stopped_archiving() {
	whole_again
	sql "alter system set archive_command = 'false'"
	sql "select pg_reload_conf()" >/dev/null
	wait_for 5 sh -c "'$PG_BIN/psql' -XqAt -d '$PG_DSN' -c 'show archive_command' | grep -qx false"
	expect_status 2 check-repository --records --no-verify --production "$S"
	expect_check repository-check critical
	pg_stop
	expect_status 3 check-repository --records --no-verify --production "$S"
	expect_check repository-check unknown
}
t "archiving that stopped is critical; production that is away is unknown" stopped_archiving
