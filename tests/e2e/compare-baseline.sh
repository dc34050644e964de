#!/bin/sh
# Baselines: captured while a database is being written to, compared with what the dump restores.
# ROUNDS=20 repeats the whole with other moments and other damage.
# time limit: 900 s
# sanitizers: no, its time goes into servers, dumps and restores; keyrange and rowhash have unit tests
. "${0%/*}/lib.sh"
need jq

pg_start || exit 3
export PGHOST="$PG_SOCKET" PGUSER=postgres
SHOP="dbname=shop"
sql "CREATE DATABASE shop"
as_pg "$PG_BIN/pgbench" -q -i -s 1 shop >"$SCRATCH/log/pgbench" 2>&1 || exit 3
sql "$PG_DSN" "CREATE ROLE app"
sql "host=$PG_SOCKET user=postgres dbname=shop" "
	CREATE TYPE mood AS ENUM ('low', 'high');
	CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL DEFAULT md5(random()::text),
		mood mood DEFAULT 'high', at timestamptz DEFAULT clock_timestamp());
	CREATE TABLE words (word text, no int, x float8 DEFAULT random(), PRIMARY KEY (word, no));
	CREATE TABLE \"odd \"\"name\" (\"a b\" text);
	CREATE TABLE nothing ();
	CREATE INDEX by_name ON people (name);
	CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	INSERT INTO people (name) SELECT 'name ' || g FROM generate_series(1, 3000) g;
	INSERT INTO words SELECT md5(g::text), g FROM generate_series(1, 3000) g;
	INSERT INTO \"odd \"\"name\" VALUES (E'tab\\tand\\nline'), (NULL), ('\\N');
	INSERT INTO nothing DEFAULT VALUES;
	INSERT INTO parted SELECT g, '2026-03-03' FROM generate_series(1, 100) g;
	CREATE VIEW few AS SELECT id FROM people WHERE id < 10;
	CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
	CREATE POLICY own ON people TO app USING (name = current_user);
	ALTER TABLE people ENABLE ROW LEVEL SECURITY;
	GRANT SELECT, INSERT ON people TO app;
	COMMENT ON TABLE people IS 'who buys';
	SELECT count(lo_from_bytea(g, decode(md5(g::text), 'hex'))) FROM generate_series(70001, 70050) g" >/dev/null
cat >write.pgbench <<'SQL'
\set id random(1, 3000)
UPDATE people SET name = md5(random()::text) WHERE id = :id;
INSERT INTO people DEFAULT VALUES;
DELETE FROM words WHERE no = :id;
INSERT INTO words VALUES (md5(random()::text), :id);
SQL
chmod 644 write.pgbench

# The dump and its baseline, both of a moment at which others write. $1: for pg_dump.
capture() {
	rm -rf dump dump.counts.json
	"$PG_BIN/pgbench" -n -c 2 -T 60 -f "$SCRATCH/write.pgbench" -b tpcb-like shop \
		>"$SCRATCH/log/pgbench" 2>&1 &
	writer=$!
	started $writer
	sleep 0.5
	# shellcheck disable=SC2086  # words
	expect_status 0 capture-counts --checksum --beside dump --database "$SHOP" -- \
		"$PG_BIN/pg_dump" $1 --snapshot=@SNAPSHOT@ -f dump shop
	sleep 0.2
	kill $writer
	wait $writer || true
	expect_file dump.counts.json
	sql "$PG_DSN" "DROP DATABASE IF EXISTS restored"
	sql "$PG_DSN" "CREATE DATABASE restored"
	"$PG_BIN/pg_restore" -d restored dump
}

compare() {
	expect_status "$1" compare-counts --records --checksum --restored "dbname=${2:-restored}" \
		--baseline dump.counts.json
}

equal() {
	compare 0
	for part in rows sequences large-objects schema; do
		expect_check "baseline-$part" ok ""
	done
	expect_check baseline ok
}

damaged_anew() {
	sql "$PG_DSN" "DROP DATABASE IF EXISTS damaged"
	sql "$PG_DSN" "CREATE DATABASE damaged TEMPLATE $1"
}

# found CHECK SUBJECT SUMMARY WHAT: in "damaged", named rightly, and nothing else is.
found() {
	compare 2 damaged
	jq -es --arg check "$1" --arg subject "$2" --arg say "$3" '
		map(select(.record == "check" and .status != "ok"))
		| length == 1 and .[0].check == $check and .[0].subject == $subject
			and (.[0].summary | test($say))' "$OUT" >/dev/null || say_failed "$4"
}

# damage CHECK SUBJECT SUMMARY STATEMENT
damage() {
	damaged_anew restored
	sql "host=$PG_SOCKET user=postgres dbname=damaged" "$4"
	found "$@"
}

# One bit of one byte in a block of the dump: it restores without an error.
flipped_byte() {
	perl -0777 -pe 's{(\d\t[0-9a-z ]+)(\d)\thigh\t}{$1 . chr(ord($2) ^ 1) . "\thigh\t"}e' dump >dump.flipped
	expect_status 1 cmp -s dump dump.flipped
	damaged_anew template0
	"$PG_BIN/pg_restore" -d damaged dump.flipped
	found baseline-content public.people "key [0-9]+ changed" "a flipped byte"
}

every_damage() {
	id=$(shuf -i 1-3000 -n 1)
	lo=$(shuf -i 70001-70050 -n 1)
	damage baseline-rows public.people "1 lost; key $id lost" "DELETE FROM people WHERE id = $id"
	damage baseline-rows public.people "1 too many; key -5 added" "INSERT INTO people (id) VALUES (-5)"
	damage baseline-content public.people "key $id changed" \
		"UPDATE people SET at = at + interval '1 us' WHERE id = $id"
	damage baseline-content public.words "key [0-9a-f]{32},[0-9]+ changed" \
		"UPDATE words SET x = -1 WHERE word = (SELECT max(word) FROM words)"
	damage baseline-rows public.words "1 lost; one row with a key" \
		"DELETE FROM words WHERE word = (SELECT min(word) FROM words)"
	damage baseline-content 'public."odd ""name"' "content differs" \
		"UPDATE \"odd \"\"name\" SET \"a b\" = '' WHERE \"a b\" IS NULL"
	damage baseline-sequences public.people_id_seq "stands at .*fail" \
		"SELECT setval('people_id_seq', 1, false)"
	damage baseline-schema "index public.by_name" missing "DROP INDEX by_name"
	damage baseline-schema "grant on public.people to app" 'is .*SELECT.*has .*INSERT, SELECT' \
		"REVOKE INSERT ON people FROM app"
	damage baseline-schema "policy public.people.own" missing "DROP POLICY own ON people"
	damage baseline-schema "table public.people" "row security" \
		"ALTER TABLE people DISABLE ROW LEVEL SECURITY"
	damage baseline-schema "view public.few" "11.*10" \
		"CREATE OR REPLACE VIEW few AS SELECT id FROM people WHERE id < 11"
	damage baseline-schema "column public.people.name" "not null" \
		"ALTER TABLE people ALTER name DROP NOT NULL"
	damage baseline-schema "comment on table public.people" missing "COMMENT ON TABLE people IS NULL"
	damage baseline-large-objects "" "49; the baseline has 50; key $lo lost" "SELECT lo_unlink($lo)"
	damage baseline-large-objects "" "key $lo changed" "SELECT lo_put($lo, 0, 'x')"
	damage baseline-rows public.parted_1 "empty; the baseline has 100 rows" "TRUNCATE parted"
}

round=0
while [ $round -lt "${ROUNDS:-1}" ]; do
	round=$((round + 1))
	case $((round % 3)) in
	0) how=-Ft ;;
	1) how='-Fc -Z0' ;;
	2) how='-Fd -j2' ;;
	esac
	t "a snapshot's dump ($how) of a database that is written to can be taken and restored" capture "$how"
	t "what is restored equals the baseline" equal
	t "every kind of damage is found, named rightly, and nothing else" every_damage
	[ -d dump ] || t "a byte that was flipped in the dump is found and named" flipped_byte
done

counts_alone() {
	expect_status 0 capture-counts --beside dump --database "$SHOP" -- true
	expect_records 'length == 0'
	jq -e '.exact and .checksum == null and (.tables["public.people"].rows > 0)
		and .tables["public.people"].newest.at' dump.counts.json >/dev/null
	expect_status 1 compare-counts --records --checksum --restored "$SHOP" --baseline dump.counts.json
	expect_check baseline warning
	expect_check baseline-rows ok ""
	[ "$(stat -c %a dump.counts.json)" = 600 ]
}
t "without --checksum rows are counted, and comparing content then is a warning" counts_alone

status_passed_on() {
	expect_status 7 capture-counts --beside dump --database "$SHOP" -- sh -c 'exit 7'
	expect_no_file dump.counts.json
	expect_status 3 capture-counts --beside dump --database "$SHOP" -- ./there-is-no-such-program
	expect_no_file dump.counts.json
	expect_status 3 capture-counts --beside dump --database "dbname=nowhere" -- touch ran
	expect_err "COMMAND was not started"
	expect_no_file ran
	# shellcheck disable=SC2016  # for the inner shell
	expect_status 0 capture-counts --beside dump --database "$SHOP" -- sh -c 'echo "$PGSNAPSHOT_NAME"'
	expect_out '^[0-9A-F]{8}-[0-9A-F]{8}-[0-9]+$'
}
t "COMMAND's status and output are passed on; a failure leaves no baseline" status_passed_on

ddl() {
	expect_status 0 capture-counts --beside dump --database "$SHOP" -- "$PG_BIN/psql" -qXd shop \
		-c "SET lock_timeout = 100" -c "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'"
	expect_err "definitions changed while the backup ran: function public.two"
	expect_status 1 capture-counts --beside dump --database "$SHOP" -- "$PG_BIN/psql" -qXd shop \
		-c "SET lock_timeout = 100" -c "TRUNCATE words"
	expect_err "lock timeout"
}
t "a table cannot be truncated meanwhile; a function made meanwhile is said" ddl

signed() {
	echo 'a shared secret' >secret
	openssl genpkey -algorithm ed25519 -out private 2>/dev/null
	openssl pkey -in private -pubout -out public 2>/dev/null
	for pair in secret:secret private:public; do
		expect_status 0 capture-counts --beside dump --database "$SHOP" --sign-key "${pair%:*}" -- true
		expect_status 0 compare-counts --records --restored "$SHOP" --baseline dump.counts.json \
			--baseline-key "${pair#*:}"
		jq -c '.tables["public.people"].rows += 1' dump.counts.json >forged
		expect_status 2 compare-counts --records --restored "$SHOP" --baseline forged \
			--baseline-key "${pair#*:}"
		expect_check baseline critical
		jq -c 'del(.signature)' dump.counts.json >forged
		expect_status 2 compare-counts --records --restored "$SHOP" --baseline forged \
			--baseline-key "${pair#*:}"
	done
}
t "a baseline that is not signed by the key is not trusted" signed

holed() {
	jq 'del(.tables["public.people"].rows)' dump.counts.json >holed
	expect_status 2 compare-counts --records --restored "$SHOP" --baseline holed
	expect_check baseline critical
	expect_records 'any(.summary // "" | contains("\"public.people\" of its \"tables\" is damaged"))'
}
t "a baseline that lacks a table's number of rows is not trusted" holed

physical() {
	expect_status 0 capture-counts --at-backup-stop --beside dump --database "$SHOP" -- true
	jq -e '.exact and .physical' dump.counts.json >/dev/null
	expect_status 0 capture-counts --at-backup-stop --beside dump --database "$SHOP" -- \
		"$PG_BIN/psql" -qXd shop -c "INSERT INTO nothing DEFAULT VALUES"
	jq -e '(.exact | not) and .lsn' dump.counts.json >/dev/null
	sql "host=$PG_SOCKET user=postgres dbname=shop" "INSERT INTO nothing DEFAULT VALUES"
	expect_status 1 compare-counts --records --restored "$SHOP" --baseline dump.counts.json
	expect_check baseline-rows warning public.nothing
	expect_check baseline warning
}
t "at a backup's stop a baseline says whether it is exact" physical

beside() {
	mkdir backups
	expect_status 0 capture-counts --checksum --beside backups/shop.dump --database "$SHOP" -- \
		"$PG_BIN/pg_dump" -Fc --snapshot=@SNAPSHOT@ -f backups/shop.dump shop
	chmod 755 backups && chmod 644 backups/shop.dump
	unset PGHOST PGUSER
	fetch-latest --records "$SCRATCH/backups" >fetched
	CHECKSUM=yes expect_status 0 restore-to-temp --records -- compare-counts --records <fetched
	expect_check baseline-rows ok ""
	expect_check baseline-schema ok ""
	expect_no_check tables-compared
	BASELINE=none expect_status 1 restore-to-temp --records -- compare-counts --records <fetched
	expect_no_check baseline
	echo '{}' >backups/shop.dump.counts.json
	expect_status 2 restore-to-temp --records -- compare-counts --records <fetched
	expect_check baseline critical
}
t "restore-to-temp's backup is compared with the baseline beside it" beside

usage() {
	expect_status 3 capture-counts --beside dump
	expect_status 3 capture-counts -- true
	expect_status 3 capture-counts --beside dump --jobs 0 -- true
	expect_status 3 capture-counts --beside dump --database "dbname=shop password=x" -- true
	expect_err "password"
	expect_status 3 compare-counts --records --restored "$SHOP" --baseline missing.json
	expect_check baseline unknown
}
t "wrong usage is refused" usage
