#!/bin/sh
# The history in a table of PostgreSQL: first use, writers that are killed, a server that is, tampering,
# rights, and every reader. KILLS (8) says how many writers are killed.
# sanitizers: no, the tools are under them in the other files, and the driver in test_pg_history
. "${0%/*}/lib.sh"

printf 'secret-of-the-history\n' >pw
chmod 644 pw
pg_init "$SCRATCH/history" scram-sha-256 "$SCRATCH/pw"
PG_PORT=$(free_port)
serve() { pg_run "$SCRATCH/history" -c listen_addresses=127.0.0.1 -c "port=$PG_PORT" -c max_connections=80; }
serve
printf '127.0.0.1:%s:*:%s:secret-of-the-history\n' "$PG_PORT" postgres "$PG_PORT" backup_probes_writer \
	"$PG_PORT" backup_probes_reader >pass
chmod 600 pass
export PGPASSFILE="$SCRATCH/pass"
ADMIN="host=127.0.0.1 port=$PG_PORT user=postgres"
sql "$ADMIN dbname=postgres" 'CREATE DATABASE fleet' && sql "$ADMIN dbname=postgres" 'CREATE DATABASE other'
FLEET="$ADMIN dbname=fleet"
URL="postgresql://postgres@127.0.0.1:$PG_PORT/fleet"
openssl genpkey -algorithm ed25519 -out sign.pem 2>/dev/null
openssl pkey -in sign.pem -pubout -out verify.pem

# remember LABEL RUN [OPTION...]: a run into $URL.
remember() {
	a_run "$1" "$2" restore=ok >"in.$2"
	label=$1 file=in.$2
	shift 2
	emit-report --quiet --history "$URL" --label "$label" "$@" <"$file" >/dev/null 2>&1
}

proved() {
	expected=$1 label=$2
	shift 2
	expect_status "$expected" verify-history --records --history "$URL" --label "$label" "$@"
}

race() {
	a_run race R restore=ok >in
	i=0
	while [ $i -lt 50 ]; do
		i=$((i + 1))
		emit-report --quiet --history "$URL" <in >/dev/null 2>>errors || echo "$?" >>failed &
	done
	wait
	expect_no_file failed
	[ "$(sql "$FLEET" "SELECT count(*), max(seq) FROM backup_probes.history WHERE label = 'race'")" = '50|50' ]
	proved 0 race
	expect_out '50 lines, none removed, changed or reordered'
}
t "fifty writers at once, the first use of the database: fifty lines, and the chain holds" race

# Each writer says what was acknowledged.
writer() {
	! remember kills "$1" || echo "$1" >>acknowledged
}

acknowledged_are_there() {
	sql "$FLEET" "SELECT line::json ->> 'run' FROM backup_probes.history WHERE label = 'kills'" | sort >there
	sort acknowledged | comm -23 - there >lost
	[ ! -s lost ] || { cat lost; return 1; }
	proved 0 kills
}

killed() {
	: >acknowledged
	n=0
	while [ $n -lt "${KILLS:-8}" ]; do
		n=$((n + 1))
		a_run kills "K$n" restore=ok >in
		emit-report --quiet --history "$URL" <in >/dev/null 2>&1 &
		pid=$!
		sleep "0.0$(shuf -n 1 -i 10-99)"
		kill -s KILL $pid 2>/dev/null || true
		! wait $pid || echo "K$n" >>acknowledged
	done
	writer after
	acknowledged_are_there
}
t "a writer that is killed at any moment loses nothing that was acknowledged, nor stops the next" killed

waiting() { [ "$(sql "$FLEET" "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")" -gt 0 ]; }

# Three write on, one waits for a lock in the middle of its transaction.
crashed() {
	for w in a b c; do
		for n in 1 2 3 4; do writer "$w$n"; done &
	done
	sql "$FLEET" "SELECT pg_advisory_lock(classid::int, objid::int) FROM (SELECT 1651531624 AS classid,
		hashtext('bridge') AS objid) AS l; SELECT pg_sleep(60)" >/dev/null 2>&1 &
	wait_for 20 sql "$FLEET" "SELECT 1 / count(*) FROM pg_locks WHERE granted AND locktype = 'advisory' AND classid = 1651531624"
	remember bridge B1 &
	bridged=$!
	wait_for 20 waiting
	pg_stop history
	serve
	wait $bridged
	proved 0 bridge
	wait
	acknowledged_are_there
}
t "a server that crashes loses nothing that was acknowledged, and one that waits writes when it is back" crashed

# tampered LINE WORDS STATEMENT: what the last one did is put right, and this is found.
tampered() {
	sql "$FLEET" "DELETE FROM backup_probes.history WHERE label IN ('shop', 'shopped');
		INSERT INTO backup_probes.history SELECT * FROM saved; $3"
	proved 2 shop
	expect_out "line $1: .*$2"
}

tampering() {
	for n in 1 2 3 4 5 6; do remember shop S$n --sign-key sign.pem --anchor heads.jsonl; done
	sql "$FLEET" "CREATE TABLE saved AS SELECT * FROM backup_probes.history WHERE label = 'shop'"
	proved 0 shop --verify-key verify.pem --anchor heads.jsonl
	expect_check history-anchor ok
	expect_check history-signature ok
	of="backup_probes.history"
	for n in 1 5; do
		tampered $n changed "UPDATE $of SET line = replace(line, '\"verified\":true', '\"verified\":false')
			WHERE label = 'shop' AND seq = $n"
		tampered $n . "UPDATE $of SET line = 'x' WHERE label = 'shop' AND seq = $n"
		tampered $n removed "DELETE FROM $of WHERE label = 'shop' AND seq = $n"
		tampered $n . "UPDATE $of h SET line = s.line FROM saved s
			WHERE h.label = 'shop' AND (h.seq, s.seq) IN (($n, $n + 1), ($n + 1, $n))"
	done
	for n in 1 6; do
		tampered $n 'label, number or time' \
			"UPDATE $of SET at = at + interval '1 day' WHERE label = 'shop' AND seq = $n"
	done
	tampered 6 'label, number or time' "UPDATE $of SET seq = 9 WHERE label = 'shop' AND seq = 6"
	tampered 3 removed "UPDATE $of SET label = 'shopped' WHERE label = 'shop' AND seq = 3"
	tampered 7 . "INSERT INTO $of SELECT label, 7, at, line FROM saved WHERE seq = 6"
	sql "$FLEET" "DELETE FROM $of WHERE label = 'shop' AND seq > 5"
	proved 0 shop
	proved 2 shop --anchor heads.jsonl
	expect_out 'number 6 was anchored, and the history ends with 5'
	sql "$FLEET" "INSERT INTO $of SELECT * FROM saved WHERE seq = 6"
	proved 0 shop --verify-key verify.pem --anchor heads.jsonl
}
t "any row that is changed, removed, added or reordered is found and named" tampering

# A row that somebody made unreadable stops nobody, and is not vouched for by the next.
spoilt() {
	remember spoilt P1
	remember spoilt P2
	sql "$FLEET" "UPDATE backup_probes.history SET line = '{' WHERE label = 'spoilt' AND seq = 2"
	remember spoilt P3
	expect_status 0 check-last-run --nagios --history "$URL" --label spoilt
	proved 2 spoilt
	expect_out 'line 2: '
}
t "an unreadable row stops no run, and is found" spoilt

# What is beside a history in a file has its own place; --check-config shows no connection string.
daily() {
	mkdir -p backups daily
	"$PG_BIN/pg_dump" -Fc -d "$FLEET" -f backups/daily.dump
	cat >daily.conf <<-CONF
		LABEL=daily
		BACKUP_SOURCE=$SCRATCH/backups
		DEPTH=inspect
		HISTORY="host=127.0.0.1 port=$PG_PORT user=postgres dbname=fleet password=secret-of-the-history"
		WORK_DIR=$SCRATCH/work
		READINGS=$SCRATCH/daily/readings.jsonl
		WAL_LEDGER=$SCRATCH/daily/ledger
		SIGN_KEY_FILE=$SCRATCH/sign.pem
		HISTORY_ANCHOR=$SCRATCH/daily/heads.jsonl
	CONF
	chmod 600 daily.conf
	for n in 1 2; do
		status=0
		PGPASSFILE=/dev/null verify-backup daily.conf >report 2>&1 || status=$?
		[ $status -le 1 ] || { cat report; return 1; }
	done
	not grep -r secret-of-the-history report daily work
	proved 0 daily --verify-key verify.pem --anchor daily/heads.jsonl
	expect_out '2 lines, none removed'
	[ "$(sql "$FLEET" "SELECT count(*) FROM backup_probes.history WHERE line LIKE '%secret-of-the-history%'")" -eq 0 ]
	expect_status 0 verify-backup --check-config daily.conf
	expect_out '^HISTORY=.a database; not shown.$'
	expect_not_out 'secret'
	printf '%s\n' LABEL=x BACKUP_SOURCE=/b HISTORY=postgresql://db1/fleet >x.conf
	HOME=/home/u XDG_STATE_HOME='' expect_status 0 verify-backup --check-config x.conf
	expect_out '^READINGS=/.*backup-probes/x.readings.jsonl$'
}
t "the daily job keeps its history there, signed and anchored, and never shows the password" daily

# The statements of docs/history.md as they stand: block N of language LANG.
documented() {
	awk -v lang="$1" -v want="$2" '/^```/ { n += $0 == "```" lang; on = !on && $0 == "```" lang; next }
		on && n == want' "$ROOT/docs/history.md"
}
moves() {
	documented sh "$1" | sed "s/psql /\"\$PG_BIN\"\/psql /" >"$SCRATCH/moves.sh"
	HISTORY=$URL PG_BIN=$PG_BIN sh -eu "$SCRATCH/moves.sh"
}
shape() { "$PG_BIN/pg_dump" -s -O -x -n backup_probes -d "$1" | grep -v '^\\\|^--'; }

append_only() {
	documented sql 1 >setup.sql
	grep -q 'CREATE TABLE' setup.sql
	"$PG_BIN/psql" -Xq1 -v ON_ERROR_STOP=1 -d "$ADMIN dbname=other" -f setup.sql
	sql "$ADMIN dbname=other" "ALTER ROLE backup_probes_writer PASSWORD 'secret-of-the-history';
		ALTER ROLE backup_probes_reader PASSWORD 'secret-of-the-history'"
	[ "$(shape "$ADMIN dbname=other")" = "$(shape "$FLEET")" ]
	writer="host=127.0.0.1 port=$PG_PORT user=backup_probes_writer dbname=other"
	reader="host=127.0.0.1 port=$PG_PORT user=backup_probes_reader dbname=other"
	a_run shop W1 restore=ok >in
	expect_status 0 emit-report --quiet --history "$writer" <in
	expect_status 0 verify-history --history "$reader" --label shop
	for statement in "UPDATE backup_probes.history SET line = ''" 'DELETE FROM backup_probes.history' \
		'TRUNCATE backup_probes.history' 'DROP TABLE backup_probes.history'; do
		not sql "$writer" "$statement"
		not sql "$reader" "$statement"
	done
	expect_status 3 emit-report --records --history "$reader" <in
	expect_out 'the run was not remembered: .*permission denied for table history; .*docs/history.md'
	expect_status 3 emit-report --records --history "host=127.0.0.1 port=$PG_PORT user=backup_probes_writer dbname=fleet" <in
	expect_out 'permission denied for schema backup_probes; .*docs/history.md'
	sql "$ADMIN dbname=postgres" "CREATE DATABASE bare"
	expect_status 3 emit-report --records --history "host=127.0.0.1 port=$PG_PORT user=backup_probes_writer dbname=bare" <in
	expect_out 'permission denied for database bare; .*docs/history.md'
}
t "with the documented rights a writer adds runs, and neither changes nor removes one" append_only

unreachable() {
	a_run shop U restore=ok >in
	for place in "postgresql://postgres@127.0.0.1:$(free_port)/fleet" "$ADMIN dbname=missing" \
		"host=127.0.0.1 port=$PG_PORT user=nobody dbname=fleet password=hunter2" \
		"postgresql://postgres:hunter2@127.0.0.1:$PG_PORT/fleet" 'dbname=fleet hunter2' "host=/none dbname=fleet"; do
		HISTORY=$place expect_status 3 emit-report --verbose <in
		expect_out 'the run was not remembered: (connect to|open) the history'
		expect_not_out 'hunter2'
		expect_not_err 'hunter2'
		HISTORY=$place expect_status 3 check-last-run --nagios --label shop
		expect_out 'UNKNOWN'
		HISTORY=$place expect_status 3 check-freshness --nagios --label shop
		HISTORY=$place expect_status 3 size-trend --nagios --label shop
		HISTORY=$place expect_status 3 check-trend --nagios --label shop --rto-target 30m
		HISTORY=$place expect_status 3 verify-history --label shop
		HISTORY=$place expect_status 3 emit-runbook --label shop
		expect_status 3 emit-report --fleet "$place"
		expect_not_err 'hunter2'
	done
	expect_status 3 emit-report --records --history "$ADMIN dbname=missing" <in
	expect_out 'database ."missing." does not exist; check the name of the database'
	expect_status 3 check-last-run --nagios --label shop --history "postgresql://postgres:hunter2@127.0.0.1:$PG_PORT/fleet"
	expect_out 'no password on the command line'
	PGPASSFILE=/dev/null HISTORY="postgresql://postgres:secret-of-the-history@127.0.0.1:$PG_PORT/fleet" \
		expect_status 0 check-last-run --nagios --label shop
	printf '[fleet]\nhost=127.0.0.1\nport=%s\nuser=postgres\ndbname=fleet\n' "$PG_PORT" >services
	PGSERVICEFILE=$SCRATCH/services HISTORY=service=fleet expect_status 0 check-last-run --nagios --label shop
	sql "$ADMIN dbname=postgres" "CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
	expect_status 3 check-last-run --nagios --label shop --history "$ADMIN dbname=latin"
	expect_out "encoding is LATIN1"
}
t "what cannot be reached or opened is said, never ok, and shows no password" unreachable

readers() {
	{
		a_run data D1 restore=ok row-count/public.orders=ok
		jq -nc '{record: "backup", tool: "fetch-latest", run: "D1", label: "data", name: "1.dump",
			at: "2026-02-17T01:00:00Z", taken_at: "2026-02-17T01:00:00Z", bytes: 1000000, newest: true}'
	} >in
	expect_status 0 emit-report --quiet --history "$URL" --drill --performed-by Ada <in
	sed 's/D1/D2/; s/1000000/100000/; s/17T01/18T01/g' in >in2
	expect_status 0 size-trend --nagios --history "$URL" --label data
	expect_status 2 size-trend --records --history "$URL" --label data <in2
	expect_check backup-size critical
	expect_status 0 check-freshness --nagios --history "$URL" --label data --max-drill-age 92d --max-verified-age 2h
	expect_out 'the last drill was'
	expect_status 0 check-last-run --nagios --history "$URL" --label data
	mkdir -p grows
	jq -nc 'range(28) | (1768800000 + . * 86400 | todate) as $at | (60 + 10 * (96 + .)) as $s
		| {record: "run", label: "grows", at: $at, status: "ok", verified: true, chain: {seq: (. + 1)},
			backup: {format: "custom", bytes: ((96 + .) * 1e9)}, rto_seconds: $s, checks: [
				{check: "restore"}, {check: "restore-time", metrics: [{name: "data_seconds", value: $s}]},
				{check: "verified-rto", metrics: [{name: "rto_seconds", value: $s}]}]}' >grows/shop.jsonl
	(cd grows && moves 3)
	expect_status 1 check-trend --nagios --history "$URL" --label grows --now 2026-02-17T06:00:00Z \
		--rto-target 25m --horizon 60d
	expect_out 'the 25 min target is missed in about'
	sed 's/"status":"ok","summary":"it is ok"/"status":"critical","summary":"it is not"/' in2 >in3
	expect_status 2 emit-report --history "$URL" --format html=report.html --evidence evidence <in3
	grep -q 'id="changes"' report.html || grep -qi 'since the last run\|what changed' report.html
	grep -q "the history (fleet on 127.0.0.1:$PG_PORT)" evidence.md
	expect_status 2 check-last-run --nagios --history "$URL" --label data
	expect_status 0 emit-runbook --history "$URL" --label data
	expect_out '^- Date: '
	expect_status 2 emit-report --fleet "$URL" --format html=fleet.html
	for label in race kills shop spoilt data; do grep -q ">$label<" fleet.html; done
}
t "every reader reads it: trend, freshness, drills, last run, changes, runbook, fleet" readers

moved() {
	sql "$FLEET" "SELECT line FROM backup_probes.history WHERE label = 'shop' ORDER BY seq" >before
	moves 4
	expect_same shop.jsonl before
	expect_status 0 verify-history --history shop.jsonl --label shop --verify-key verify.pem --anchor heads.jsonl
	a_run shop '"back\slash"' restore=ok | emit-report --quiet --history shop.jsonl --sign-key sign.pem --anchor heads.jsonl
	sql "$FLEET" "DELETE FROM backup_probes.history WHERE label = 'shop'"
	moves 3
	proved 0 shop --verify-key verify.pem --anchor heads.jsonl
	expect_out '7 lines, none removed'
	remember shop S8 --sign-key sign.pem --anchor heads.jsonl
	proved 0 shop --verify-key verify.pem --anchor heads.jsonl
	cp shop.jsonl before
	moves 4
	head -7 shop.jsonl | cmp - before
}
t "the documented commands move a history to a file and back, and its chain holds" moved
