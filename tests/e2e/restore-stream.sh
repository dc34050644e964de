#!/bin/sh
# fetch-latest --stream: a restore goes on while the backup is still on its way, and counts only once
# the backup was proven.
# time limit: 400 s
# sanitizers: no, tests/unit/test_arrival.c and the other restores run what is new here
. "${0%/*}/lib.sh"
need jq gzip
need_pg
PATH=$PG_BIN:$PATH

make_dumps() {
	shop_start
	sql "$SHOP" "CREATE TABLE users (id int PRIMARY KEY, email text);
		INSERT INTO users SELECT g, md5(g::text) || md5(g || 'x') FROM generate_series(1, 420000) g"
	mkdir packed script archive
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp -f script/shop.sql
	gzip -1 -c script/shop.sql >packed/shop.sql.gz
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc -Z0 -f archive/shop.dump
	pg_stop
}

prepare make_dumps

cat >look <<'EOS'
#!/bin/sh
cat >seen
n=$(psql -XqAt -c 'SELECT count(*) FROM users') || exit 3
echo "{\"record\":\"check\",\"check\":\"users\",\"subject\":\"\",\"status\":\"ok\",\"summary\":\"$n users\"}"
EOS
chmod 755 look

# Slow enough that the restore has to wait.
stream() { fetch-latest --records --copy --dir work --max-rate 8MB --stream "$@"; }
restored() { stream "$1" | restore-to-temp --records -- ./look; }
has() { expect_records "any(.check == \"$1\" and any(.metrics[]; .name == \"$2\" and $3))"; }
never_ok() { expect_records 'all((.tool == "restore-to-temp" and (.check == "restore" or .check == "verified-rto") and .status == "ok") | not)'; }
clean() {
	expect_nothing_left
	rm -rf work seen
	mkdir work
}
mkdir work

overlaps() {
	for from in script packed; do
		echo "$from"
		expect_status 0 restored "$from"
		expect_says users ok '^420000 users'
		expect_says restore-time ok 'while it was fetched'
		has restore-time fetch_wait_seconds '.value >= 0'
		has backup-download fetch_along_seconds '.value > 1'
		expect_says backup-complete ok 'its end is there'
		# The restore does not begin where the fetch ends.
		expect_records '(map(.check == "backup-download") | index(true)) >
			(map(.check == "backup-format") | index(true))'
		# COMMAND is told all, of the fetch too; each record comes once.
		grep -q '"check":"backup-download"' seen
		grep -q '"record":"backup"' seen
		expect_records 'map(select(.check == "backup-download")) | length == 1'
		expect_records 'map(select(.tool == "fetch-latest" and .event == "end")) | length == 1'
		cmp "$from"/* work/shop.sql*
		clean
	done
}
t "a script is restored while it is fetched, and what was measured says so" overlaps

# From the network; and the whole daily job.
from_servers() {
	web_start packed
	expect_status 0 restored "$WEB_URL/shop.sql.gz"
	expect_says users ok '^420000 users'
	expect_says restore-time ok 'while it was fetched'
	clean
	s3_use
	s3_put packed/shop.sql.gz "$S3_BUCKET/shop/shop.sql.gz"
	cat >shop.conf <<-CONF
		LABEL=shop
		BACKUP_SOURCE=s3://$S3_BUCKET/shop/
		FETCH_STREAM=yes
		FETCH_MAX_RATE=8MB
		WORK_DIR=$SCRATCH/tmp/work
		HISTORY=$SCRATCH/shop.jsonl
		REPORT_DIR=$SCRATCH/reports
	CONF
	expect_status 1 verify-backup shop.conf # for there is nothing to compare with
	jq -e '[.checks[] | select(.check == "restore-time" and (.summary | test("while it was fetched")))] | length == 1' \
		reports/shop/latest/report.json
	jq -e '[.checks[] | select(.status != "ok").check] | inside(["tables-compared", "isolation", "latest-transaction", "verified-rpo"])' \
		reports/shop/latest/report.json || {
		jq -c '.checks[] | select(.status != "ok")' reports/shop/latest/report.json
		say_failed "not all is well"
	}
	clean
}
t "from a web server, and from S3 in the daily job, with FETCH_STREAM" from_servers

whole_first() {
	expect_status 0 restored archive
	expect_says users ok '^420000 users'
	has backup-download fetch_seconds '.value > 1'
	expect_records 'all(.record != "arrival")'
	clean
}
t "an archive that needs all of itself is awaited" whole_first

unproven() {
	printf '%064d  shop.sql.gz\n' 0 >packed/shop.sql.gz.sha256
	expect_status 3 restored packed
	expect_says backup-download critical 'SHA-256'
	expect_says restore unknown 'did not come to a good end'
	never_ok
	expect_records 'all(.check != "users")'
	rm packed/shop.sql.gz.sha256
	clean
}
t "bytes that differ from their digest are no success, though they restore" unproven

truncated() {
	for from in script packed; do
		echo "$from"
		mkdir cut
		# What is said speaks of the file as it will be called, and knows a wrong name by it.
		for f in "$from"/*; do head -c -1000 "$f" >"cut/${f##*/}.xz"; done
		expect_status 2 restored cut
		expect_says backup-complete critical 'work/shop.sql[.a-z]*: .*(cut short|ends)'
		[ "$from" = packed ] || expect_says backup-format warning 'its name says'
		expect_records 'all(.summary // "" | contains("partial") | not)'
		expect_records 'any(.record == "arrival" and (.becomes | test("work/shop.sql[.a-z]*$")))'
		never_ok
		rm -r cut
		clean
	done
}
t "a backup that is cut short is critical" truncated

# Its process is known, to die in the middle.
killed() {
	sh -c 'echo $$ >fetch.pid; exec fetch-latest --records --copy --dir work --max-rate 4MB --stream packed' |
		restore-to-temp --records -- ./look
}
killed_fetch() {
	(
		wait_for 20 grep -q '"record":"arrival"' "$OUT"
		sleep 0.5
		kill -9 "$(cat fetch.pid)"
	) &
	expect_status 3 killed
	wait
	expect_says restore unknown 'did not come to a good end'
	never_ok
	expect_records 'all(.check != "users")'
	clean
}
t "a fetch that is killed ends the restore, and is no success" killed_fetch
