#!/bin/sh
# verify-backup with the real tools, on a real production server: the whole daily job, and each way
# in which it can go wrong.
# time limit: 900 s
# sanitizers: no, its tools run under them in the other files
. "${0%/*}/lib.sh"

unset LABEL BACKUP_SOURCE HISTORY REPORT_DIR WORK_DIR TIMEOUT PRODUCTION
pg_start || exit 1
"$PG_BIN/createdb" -h "$PG_SOCKET" -U postgres shop
SHOP="host=$PG_SOCKET user=postgres dbname=shop"
sql "$SHOP" "
	CREATE TABLE users (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
	INSERT INTO users SELECT g, now() - g * interval '1 minute' FROM generate_series(1, 5000) g;
	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users, note text, created_at timestamptz NOT NULL);
	INSERT INTO orders SELECT g, 1 + g % 5000, md5(g::text), now() - g * interval '1 minute'
		FROM generate_series(1, 20000) g;"
mkdir backups
"$PG_BIN/pg_dump" -Fc -d "$SHOP" -f "backups/shop-$(date -u +%Y%m%dT%H%M%SZ).dump"
DUMP=$(echo "$SCRATCH"/backups/*.dump)
cat >shop.conf <<CONF
LABEL=shop
BACKUP_SOURCE=$SCRATCH/backups
PRODUCTION="$SHOP"
RPO_TARGET=24h
RTO_TARGET=30m
WORK_DIR=$SCRATCH/work
HISTORY=$SCRATCH/shop.jsonl
REPORT_DIR=$SCRATCH/reports
CONF
REPORT=$SCRATCH/reports/shop/latest/report

nothing_remains() {
	expect_no_file work/shop
	expect_nothing_left
}

# verify STATUS [KEY=VALUE...]: the job ends so, and nothing remains.
verify() {
	verdict=$1
	shift
	expect_status "$verdict" env "$@" verify-backup shop.conf
	nothing_remains
}

# finding CHECK STATUS: what the JSON report of the last run says.
finding() {
	jq -e --arg check "$1" --arg status "$2" \
		'any(.checks[]; .check == $check and .status == $status)' "$REPORT.json" >/dev/null || {
		jq -r '.checks[] | "\(.check) \(.subject) \(.status): \(.summary)"' "$REPORT.json"
		say_failed "no check $1 with status $2"
	}
}

# Nothing was restored, and the report says so.
inspected() {
	verify 0 DEPTH=inspect
	finding dump-complete ok
	finding row-count ok
	expect_out 'checked, not restored'
	expect_out 'is not proven'
	expect_out 'public.orders row count +20,000 in the dump'
	expect_not_out 'Temporary server'
	head -c 20000 "$DUMP" >cut.dump
	mkdir -p cut && mv cut.dump "cut/${DUMP##*/}"
	verify 2 DEPTH=inspect BACKUP_SOURCE="$SCRATCH/cut"
	finding dump-complete critical
	mkdir locked
	echo 'correct horse' >passphrase
	chmod 600 passphrase
	openssl enc -aes-256-cbc -pbkdf2 -pass file:passphrase -in "$DUMP" -out "locked/${DUMP##*/}"
	verify 1 DEPTH=inspect BACKUP_SOURCE="$SCRATCH/locked" DECRYPT_PASSPHRASE_FILE="$SCRATCH/passphrase"
	finding dump-complete ok
}
t "DEPTH=inspect looks without a restore, and says what that did not prove" inspected

good() {
	rm shop.jsonl
	sql "$SHOP" "INSERT INTO orders SELECT g, 1, 'new', now() FROM generate_series(20001, 20047) g"
	verify 0
	expect_out '^OK: backup of shop verified'
	expect_out 'public.orders row count +20,000 \(production: 20,047\) - 47 newer'
	expect_out 'Temporary server +removed'
	for check in backup-download backup-complete restore restore-time row-count latest-transaction \
		backup-size temporary-server verified-rpo verified-rto; do
		finding $check ok
	done
	grep -q '^| \*\*Verified RTO\*\* |' "$REPORT.md"
	expect_same "$OUT" "$REPORT.txt"
	[ "$(jq -r .verified shop.jsonl)" = true ]
	verify 0
	[ "$(wc -l <shop.jsonl)" -eq 2 ]
	[ "$(jq -r .run shop.jsonl | sort -u | wc -l)" -eq 2 ]
}
t "a good backup: status 0, the table, three reports, a line of history" good

by_web() {
	web_start backups
	verify 0 BACKUP_SOURCE="$WEB_URL/"
	verify 0 BACKUP_SOURCE="$WEB_URL/${DUMP##*/}"
}
t "the same from a web server" by_web

by_s3() {
	s3_use
	s3_put "$DUMP" "$S3_BUCKET/shop/${DUMP##*/}"
	verify 0 BACKUP_SOURCE="s3://$S3_BUCKET/shop/"
	verify 3 BACKUP_SOURCE="s3://$S3_BUCKET/shop/" AWS_SECRET_ACCESS_KEY=hunter2
	finding backup-download unknown
	expect_not_out hunter2
	verify 3 BACKUP_SOURCE="s3://no-such-bucket-here/shop/"
	finding backup-download unknown
	verify 2 BACKUP_SOURCE="s3://$S3_BUCKET/nothing/"
}
t "the same from S3; wrong credentials and a missing bucket are status 3" by_s3

nothing_to_compare() {
	sed '/^PRODUCTION/d' shop.conf >alone.conf
	expect_status 1 verify-backup alone.conf
	finding tables-compared warning
	finding restore ok
	nothing_remains
}
t "without production it restores, and warns that nothing was compared" nothing_to_compare

# damaged NAME COMMAND...: a copy of the backups whose newest the command has changed.
damaged() {
	rm -rf damaged
	cp -a backups damaged
	copy=$SCRATCH/damaged/${DUMP##*/}
	"$@" "$copy"
	touch -r "$DUMP" "$copy"
}
cut_to() { truncate -s "$1" "$2"; }
replace() { cp "$1" "$2"; }

truncated() {
	size=$(stat -c %s "$DUMP")
	for at in 1 4 100 5000 $((size / 2)) $((size - 1)); do
		damaged cut_to "$at"
		verify 2 BACKUP_SOURCE="$SCRATCH/damaged" MAX_SIZE_DROP=100%
	done
	damaged cut_to 0
	verify 2 BACKUP_SOURCE="$SCRATCH/damaged"
}
t "a backup cut at any point, or of 0 bytes: status 2" truncated

all_labels() {
	mkdir -p fleet
	damaged cut_to 5000
	sed "s/^LABEL=.*/LABEL=good/; /^HISTORY/d" shop.conf >fleet/good.conf
	sed "s/^LABEL=.*/LABEL=bad/; /^HISTORY/d; s,^BACKUP_SOURCE=.*,BACKUP_SOURCE=$SCRATCH/damaged," shop.conf >fleet/bad.conf
	echo 'TIMEOUT=often' | cat shop.conf - >fleet/wrong.conf
	expect_status 2 env XDG_STATE_HOME="$SCRATCH/state" HISTORY="$SCRATCH/all" verify-backup --all fleet
	expect_out '^OK +good.conf +backup of good verified'
	expect_out '^CRITICAL +bad.conf '
	expect_out '^UNKNOWN +wrong.conf .*TIMEOUT'
	expect_out '^3 configurations: 1 ok, 0 warning, 1 critical, 1 unknown$'
	expect_no_file work/good
	expect_no_file work/bad
	expect_nothing_left
}
t "--all: a good backup, a damaged one and a bad configuration, each judged on its own" all_labels

no_backup_at_all() {
	mkdir -p empty
	verify 2 BACKUP_SOURCE="$SCRATCH/empty"
	finding listing critical
	verify 2 BACKUP_MATCH='nosuch*'
	finding listing critical
	verify 2 BACKUP_SOURCE="$SCRATCH/nowhere"
	expect_out 'nowhere: there is no such file'
	echo '<html><body>503 Service Unavailable</body></html>' >page.html
	echo '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>' >page.xml
	head -c 20000 /dev/urandom >noise
	for file in page.html page.xml noise; do
		damaged replace "$file"
		verify 2 BACKUP_SOURCE="$SCRATCH/damaged" MAX_SIZE_DROP=100%
		expect_out '^  CRITICAL  Backup (download|format)$'
	done
}
t "no backup, no match, no such directory, a page or noise instead of a backup: 2" no_backup_at_all

# As root: the same as a user without rights, who cannot reach our files.
plainly() {
	mkdir -p plain
	chmod 1777 plain
	as_pg env BACKUP_SOURCE="$1" WORK_DIR="$SCRATCH/plain/work" HISTORY="$SCRATCH/plain/shop.jsonl" \
		REPORT_DIR="$SCRATCH/plain/reports" verify-backup "$SCRATCH/shop.conf"
}

plain_user() {
	damaged chmod 644
	sealed=0
	plain_users_can_seal || sealed=1
	expect_status $sealed plainly "$SCRATCH/damaged"
	expect_nothing_left
	chmod 000 damaged/*
	[ "$(id -u)" -ne 0 ] || chown root: damaged/*
	expect_status 3 plainly "$SCRATCH/damaged"
	expect_out 'Permission denied'
	expect_nothing_left
	chmod 600 damaged/*
}
t "a plain user: a good backup 0, an unreadable file 3" plain_user

rows_lost() {
	sql "$SHOP" "CREATE TABLE lost AS SELECT * FROM orders WHERE id <= 3"
	sql "$SHOP" "DELETE FROM orders WHERE id <= 3"
	"$PG_BIN/pg_dump" -Fc -d "$SHOP" -T lost -f incomplete.dump
	sql "$SHOP" "INSERT INTO orders SELECT * FROM lost"
	damaged replace incomplete.dump
	verify 2 BACKUP_SOURCE="$SCRATCH/damaged" EXCLUDE_TABLES=lost
	finding row-count critical
	verify 0 BACKUP_SOURCE="$SCRATCH/damaged" EXCLUDE_TABLES=lost TOLERANCE=3
	verify 2 BACKUP_SOURCE="$SCRATCH/damaged"
	expect_out 'lost'
	sql "$SHOP" "DROP TABLE lost"
	verify 0
}
t "three rows that the backup lacks, a table that it lacks: 2" rows_lost

old() {
	damaged touch
	name=$SCRATCH/damaged/shop-$(date -u -d '3 days ago' +%Y%m%dT%H%M%SZ).dump
	mv damaged/*.dump "$name"
	touch -d '3 days ago' "$name"
	verify 2 BACKUP_SOURCE="$SCRATCH/damaged"
	finding backup-age critical
	verify 2 RPO_TARGET=1s
	finding verified-rpo critical
}
t "an old backup, a missed RPO: 2" old

shrunk() {
	damaged touch
	head -c 3000000 /dev/zero >"damaged/shop-$(date -u -d yesterday +%Y%m%dT%H%M%SZ).dump"
	touch -d yesterday damaged/*"$(date -u -d yesterday +%Y%m%d)"*
	verify 2 BACKUP_SOURCE="$SCRATCH/damaged" HISTORY="$SCRATCH/other.jsonl"
	finding backup-size critical
}
t "a backup that shrank: 2" shrunk

production_away() {
	verify 3 PRODUCTION="host=$SCRATCH/nowhere user=postgres dbname=shop"
	finding restore ok
	finding tables-compared unknown || finding row-count unknown
	verify 3 PRODUCTION="host=127.0.0.1 port=$(free_port) user=postgres dbname=shop"
	verify 3 PRODUCTION="host=$PG_SOCKET user=postgres dbname=nosuch"
	pg_tcp_start secured s3cret
	verify 3 PRODUCTION="host=127.0.0.1 port=$PG_PORT user=postgres dbname=postgres password=hunter2"
	expect_not_out hunter2
	expect_not_err hunter2
	not grep -rq hunter2 reports shop.jsonl
}
t "production down, refusing the password: 3, and the password is nowhere" production_away

no_network() {
	verify 3 BACKUP_SOURCE="http://127.0.0.1:$(free_port)/backups/"
	finding backup-download unknown
	finding listing unknown
	[ "$(jq -r .status "$REPORT.json")" = unknown ]
}
t "connection refused: 3, and what could then not run is no second finding" no_network

bad_settings() {
	for setting in MAX_BACKUP_AGE=soon RPO_TARGET=1x TOLERANCE=some MAX_SIZE_DROP=20 TIMEOUT=-1 \
		DURABILITY=slow COMPARE_TABLES=few MAX_DISK=big; do
		expect_status 3 env "$setting" verify-backup shop.conf
		expect_err "${setting%%=*}"
		[ "$(wc -l <"$ERR")" -eq 1 ]
		nothing_remains
	done
	verify 3 PG_BINDIR="$SCRATCH/empty"
}
t "a bad value is one line that names its key; no PostgreSQL programs: 3" bad_settings

full_disk() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small disk"
	mkdir -p small
	mount -t tmpfs -o size=20m,mode=711 tmpfs small
	status=0
	(verify 3 WORK_DIR="$SCRATCH/small") || status=$?
	umount small
	return $status
}
t "a full disk: 3" full_disk

closed_output() {
	expect_status 3 sh -c 'verify-backup shop.conf >&-'
	nothing_remains
	expect_status 3 sh -c 'verify-backup shop.conf >/dev/full'
	nothing_remains
}
t "standard output closed or full: 3" closed_output

limits() {
	"$PG_BIN/pg_dump" -d "$SHOP" | gzip >plain.sql.gz
	damaged replace plain.sql.gz
	verify 1 BACKUP_SOURCE="$SCRATCH/damaged" MAX_SIZE_DROP=100%
	finding backup-format warning
	verify 3 BACKUP_SOURCE="$SCRATCH/damaged" MAX_SIZE_DROP=100% MAX_UNPACKED=100kB
	expect_out 'raise MAX_UNPACKED'
}
t "content decides, and a name that disagrees is a warning; MAX_UNPACKED holds" limits

# MOMENTS: tenths of a second, when more of them are wanted.
random_signals() {
	for tenth in ${MOMENTS:-0 1 4 10 20}; do
		for signal in TERM INT; do
			env --default-signal=INT verify-backup shop.conf >"$OUT" 2>"$ERR" &
			pid=$!
			sleep "$((tenth / 10)).$((tenth % 10))"
			kill -s $signal $pid 2>/dev/null || true
			status=0
			wait $pid || status=$?
			case $status in
			0 | 3) ;;
			130 | 143) [ "$tenth" -le 1 ] || say_failed "died of $signal after $tenth/10 s" ;;
			*) say_failed "status $status after $tenth/10 s and $signal" ;;
			esac
			expect_nothing_left
			rm -rf work/shop
		done
	done
}
t "TERM and INT at any moment: nothing remains" random_signals

expect_not_production_changed() {
	[ "$(sql "$SHOP" "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backup-probes'")" = 0 ]
	[ "$(sql "$SHOP" "SELECT count(*) FROM orders")" = 20047 ]
}
t "production is as it was" expect_not_production_changed
