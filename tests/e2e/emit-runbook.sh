#!/bin/sh
# emit-runbook: what it writes, done as it stands.
# shellcheck disable=SC2016  # what is to be expanded is expanded by the runbook's shell
# sanitizers: no, this is about the commands; the document has unit tests
. "${0%/*}/lib.sh"
need jq awk
# shellcheck source=tests/servers/runbook.sh
. "$ROOT/tests/servers/runbook.sh"

NOW=2026-02-17T06:33:06Z
chmod 1777 .
mkdir archive base dumps
chmod 777 archive base dumps
pg_init "$SCRATCH/production"
pg_run "$SCRATCH/production" -c listen_addresses= -c wal_level=replica -c archive_mode=on \
	-c "archive_command='cp %p $SCRATCH/archive/%f'" -c max_wal_senders=4
PG_SOCKET=$SCRATCH/production
PG_DSN="host=$PG_SOCKET user=postgres dbname=postgres"
SHOP="host=$PG_SOCKET user=postgres dbname=shop"

# shop: a database with what makes copying rows hard.
make_shop() {
	sql 'CREATE DATABASE shop'
	sql "$SHOP" 'CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
			initial text GENERATED ALWAYS AS (left(name, 1)) STORED);
		CREATE TABLE "Order Items" (id bigserial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE,
			note text);
		INSERT INTO users (name) SELECT $$user $$ || i FROM generate_series(1, 500) i;
		INSERT INTO "Order Items" (user_id, note) SELECT 1 + i % 500, repeat(chr(65 + i % 26), 40)
			FROM generate_series(1, 2000) i'
}
make_shop >"$SCRATCH/log/shop" 2>&1 || cat "$SCRATCH/log/shop"

# A drill as emit-report remembers it: of a dump that is there.
drill() {
	as_pg "$PG_BIN/pg_dump" -Fc -d "$SHOP" -f "dumps/shop-20260217.dump"
	jq -nc '{tool: "restore-to-temp", label: "shop", run: "R1"} as $t
		| $t + {record: "backup", newest: true, name: "shop-20260217.dump", source: "dumps", format: "custom",
			bytes: 5000, taken_at: "2026-02-17T01:58:42Z"},
		$t + {record: "instance", server_version: "15.20", database: "shop"},
		$t + {record: "check", check: "backup-download", status: "ok", summary: "got it",
			metrics: [{name: "fetch_seconds", value: 140, unit: "s"}]},
		$t + {record: "check", check: "restore", status: "ok", summary: "restored"},
		$t + {record: "check", check: "restore-time", status: "ok", summary: "22 min",
			metrics: [{name: "pre_data_seconds", value: 6, unit: "s"}, {name: "data_seconds", value: 1080, unit: "s"},
				{name: "post_data_seconds", value: 34, unit: "s"}]},
		$t + {record: "check", check: "verified-rto", status: "ok", summary: "22 min",
			metrics: [{name: "rto_seconds", value: 1320, unit: "s", crit: "1800"}]},
		($t + {record: "check", check: "row-count", status: "ok", summary: "as many"}
			| . + {subject: "public.users", metrics: [{name: "rows", value: 500, unit: "rows"}]},
			. + {subject: "public.Order Items", metrics: [{name: "rows", value: 2000, unit: "rows"}]})' |
		emit-report --now $NOW --history h.jsonl --format text=report.txt
}

runbook() {
	emit-runbook --now $NOW --label shop --history h.jsonl --source "$SCRATCH/dumps" \
		--production "host=$PG_SOCKET dbname=shop user=verifier password=hunter2" --server user=postgres \
		--pg-bindir "$PG_BIN" --work "$SCRATCH/work" "$@"
}

says() { grep -qF -e "$1" runbook.md || { cat runbook.md; echo "it does not say: $1"; return 1; }; }

written() {
	drill
	runbook --rto-target 30m --contact 'head of operations <ops@example.org>' >runbook.md
	says '- Date: 2026-02-17 06:33:06 UTC'
	says '- Result: the backup was restored and verified'
	says '- Recovery time, measured: 22 min'
	says 'Fetch the backup (measured: 2 min 20 s)'
	says 'Restore it beside the live database (measured: 19 min)'
	says "live -At -c 'SELECT count(*) FROM public.\"Order Items\"'"
	says '| public.Order Items | 2,000 |'
	says 'To: head of operations \<ops@example.org\>'
	says 'the last drill took 22 min.'
	says 'without a base backup and archived WAL'
	says 'no standby is configured'
	for n in 1 2 3 4; do says "## $n. "; done
	not grep -q 'hunter2\|verifier' runbook.md
	runbook --standby db2.example.org >runbook.md
	says "psql -X -At -h \"\$STANDBY\" -d postgres -c 'SELECT pg_last_xact_replay_timestamp(), pg_promote()'"
}
t "the names of the configuration, the durations of the drill" written

damage() {
	sql "$SHOP" 'DELETE FROM users WHERE id <= 100; DROP TABLE "Order Items"'
	sql "$SHOP" "INSERT INTO users (name) VALUES ('since then')"
}

deletion() {
	damage
	runbook --table public.users --table '"Order Items"' >runbook.md
	section 1 runbook.md >commands
	done_so commands
	[ "$(sql "$SHOP" 'SELECT count(*) FROM users')" = 501 ]
	[ "$(sql "$SHOP" 'SELECT count(*) FROM "Order Items"')" = 2000 ]
	[ "$(sql "$SHOP" 'SELECT count(*) FROM "Order Items" JOIN users ON user_id = users.id')" = 2000 ]
	[ "$(sql "$SHOP" 'SELECT initial FROM users WHERE id = 7')" = u ]
	sql "$SHOP" 'INSERT INTO "Order Items" (user_id) VALUES (1)'
	grep -q 'public.users: 500 rows in the good copy, 401 live' log/done
	grep -q 'public.users: 500 rows in the good copy, 501 live' log/done
	section 1 runbook.md | grep -e '^dropdb' >commands
	as_pg env PGHOST="$PG_SOCKET" PGUSER=postgres SIDE=shop_recovery PATH="$PG_BIN:$PATH" sh -eu commands
	rm -rf work
}
t "scenario 1 from a dump: rows and a whole table come back, newer rows stay" deletion

corruption() {
	sql "$SHOP" 'UPDATE users SET name = $$damaged$$'
	runbook >runbook.md
	section 2 runbook.md >commands
	done_so commands
	[ "$(sql "$SHOP" "SELECT count(*) FROM users WHERE name LIKE 'user %'")" = 500 ]
	[ "$(sql "$SHOP" 'SELECT count(*) FROM "Order Items"')" = 2000 ]
	[ "$(sql "SELECT datallowconn FROM pg_database WHERE datname = 'shop_damaged'")" = f ]
	sql 'ALTER DATABASE shop_damaged ALLOW_CONNECTIONS true'
	sql 'DROP DATABASE shop_damaged'
	rm -rf work
}
t "scenario 2 from a dump: the restored database takes the place of the damaged one" corruption

dump_before() {
	as_pg touch -d '2026-02-16 02:00:00Z' dumps/shop-20260217.dump
	as_pg cp dumps/shop-20260217.dump dumps/shop-20260301.dump
	sql "$SHOP" 'DELETE FROM users'
	runbook --incident '2026-02-20 12:00:00+00' >runbook.md
	section 3 runbook.md >commands
	done_so commands
	[ "$(sql "$SHOP" 'SELECT count(*) FROM users')" = 500 ]
	grep -q 'work/shop-20260217.dump' log/done
	sql 'ALTER DATABASE shop_damaged ALLOW_CONNECTIONS true'
	sql 'DROP DATABASE shop_damaged'
	rm -rf work
}
t "scenario 3 without WAL: the last dump before the incident" dump_before

# From here on there is a base backup and archived WAL.
incident() {
	as_pg "$PG_BIN/pg_basebackup" -d "$PG_DSN" -D base/b1 --checkpoint=fast "$@"
	sql "$SHOP" "INSERT INTO users (name) SELECT 'late ' || i FROM generate_series(1, 50) i"
	sleep 0.1
	INCIDENT=$(sql 'SELECT clock_timestamp()')
	sleep 0.1
	sql "$SHOP" 'TRUNCATE users CASCADE'
	last=$(sql 'SELECT pg_walfile_name(pg_current_wal_lsn())')
	sql 'SELECT pg_switch_wal()' >/dev/null
	wait_for 20 [ -s "archive/$last" ]
}

wal_runbook() {
	runbook --base-backups "$SCRATCH/base" --wal "$SCRATCH/archive" \
		--data-directory "$PG_SOCKET/data" --start-command "$(start_command "$PG_SOCKET")" "$@" >runbook.md
}

deletion_replayed() {
	incident
	wal_runbook --table public.users --table '"Order Items"'
	section 1 runbook.md >commands
	done_so commands INCIDENT="$INCIDENT"
	[ "$(sql "$SHOP" 'SELECT count(*) FROM users')" = 550 ]
	[ "$(sql "$SHOP" "SELECT count(*) FROM users WHERE name LIKE 'late %'")" = 50 ]
	[ "$(sql "$SHOP" 'SELECT count(*) FROM "Order Items"')" = 2000 ]
	not as_pg "$PG_BIN/pg_ctl" -D work/data status
	rm -rf work base/b1
}
t "scenario 1 from WAL: the rows of the moment before come back" deletion_replayed

replayed() {
	incident -Ft -z
	wal_runbook
	section 3 runbook.md >commands
	done_so commands INCIDENT="$INCIDENT"
	started "$(head -n 1 "$PG_SOCKET/data/postmaster.pid")" INT
	[ "$(sql "$SHOP" "SELECT count(*) FROM users WHERE name LIKE 'late %'")" = 100 ]
	[ -e "$PG_SOCKET/data.damaged/PG_VERSION" ]
	[ ! -e work/data ]
	rm -rf work
}
t "scenario 3 from WAL: the server as it was before the incident" replayed

hostile() {
	jq -c --arg s "$(printf 'a`b\047"; rm -rf ~ | <script>\n```\n$(id)\342\200\256\033[31m')" '
		.label = $s | .backup.name = $s | .backup.source = $s | .instance.server_version = $s
		| (.checks[] | select(.check == "row-count")).subject = "public." + $s' h.jsonl >hostile.jsonl
	name=$(printf 'a`b\047"; rm -rf ~ | <script>\n```\n$(id)\342\200\256\033[31m')
	emit-runbook --now $NOW --label "$name" --history hostile.jsonl --source "$name" --contact "$name" \
		--server "host=/tmp dbname=x" --format markdown=runbook.md --format html=runbook.html
	not grep -qP '[\x00-\x08\x0b-\x1f\x7f]' runbook.md runbook.html
	not grep -qF '<script' runbook.html
	not grep -q "$(printf '\342\200\256')" runbook.md
	# what looks like a command stays a word
	section 1 runbook.md | sh -n
	section 1 runbook.md | awk '/^mkdir/ { exit } { print }' >names
	source=$(sh -c '. "$0"; printf "%s" "$SOURCE"' "$SCRATCH/names")
	[ "$source" = "$(printf 'a`b\047"; rm -rf ~ | <script>\n```\n$(id)??[31m')" ]
}
t "hostile names are words of commands, and text on the page" hostile

refusals() {
	expect_status 3 emit-runbook
	expect_err 'say which database'
	expect_status 3 emit-runbook --label x --server 'host=h password=p'
	expect_err 'leave the password out'
	expect_status 3 emit-runbook --label x -f pdf
	expect_err 'no format'
	expect_status 3 emit-runbook --label x -f html=/nowhere/x
	expect_err 'No such file'
	expect_status 0 emit-runbook --label x
	expect_out 'There was none: no duration'
	expect_out 'there is nothing to restore from'
	expect_status 0 emit-runbook --label x --source pgbackrest:shop
	expect_out 'pgbackrest --stanza=.shop. --set="\$SET"'
	expect_not_out 'pg_restore|fetch-latest|nothing to restore from'
	expect_status 0 emit-runbook --label x --source walg:
	expect_out 'wal-g backup-fetch "\$WORK/data" "\$SET"'
	expect_out 'wal-g wal-fetch %f'
	expect_out 'must find its own environment'
	expect_status 0 emit-runbook --label x --source walg:shop
	expect_out 'there is nothing to restore from'
	expect_status 3 sh -c 'emit-runbook --label x >/dev/full'
}
t "what it lacks, it says" refusals
