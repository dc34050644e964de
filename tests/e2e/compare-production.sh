#!/bin/sh
# compare-counts against a production that is down, slow, locked, busy, a standby, or not there.
# time limit: 300 s
# sanitizers: no, it waits for services on purpose; their answers are parsed in unit tests
. "${0%/*}/lib.sh"
need jq

pg_tcp_start prod sesame || exit 3
PORT=$PG_PORT
pg_start restored || exit 3
BACK="host=$PG_SOCKET user=postgres dbname=postgres"
PGPASSWORD=sesame
export PGPASSWORD
SHOP="host=127.0.0.1 port=$PORT user=postgres dbname=shop"
ADMIN="host=127.0.0.1 port=$PORT user=postgres dbname=postgres"
sql "$ADMIN" "CREATE DATABASE shop"
for db in "$SHOP" "$BACK"; do
	sql "$db" "CREATE TABLE orders (id int, created_at timestamptz);
		INSERT INTO orders SELECT g, '2026-01-01'::timestamptz + g * interval '1 s' FROM generate_series(1, 1000) g;
		CREATE TABLE users AS SELECT g AS id FROM generate_series(1, 100) g"
done

# compare STATUS [OPTION...]: the first option may be another --production.
compare() {
	want_status=$1
	shift
	expect_status "$want_status" compare-counts --records --restored "$BACK" --production "$SHOP" "$@"
}

undamaged() {
	compare 0
	expect_check tables-compared ok
}
t "over TCP with a password from the environment" undamaged

# Whatever befalls production, what was restored is counted, and nothing leaks.
not_compared() {
	compare 3 "$@"
	expect_check tables-compared unknown
	expect_records 'any(.check == "row-count" and .subject == "public.orders" and .observed == 1000)'
	expect_records 'any(.check == "tables-compared" and (.summary | test("nothing was compared: connect to production")))'
	expect_not_out 'sesame|wrong'
	expect_not_err 'sesame|wrong'
}

wrong_password() {
	PGPASSWORD=wrong
	not_compared
	expect_out 'password authentication failed.*PGPASSFILE'
	unset PGPASSWORD
	not_compared
	expect_out 'no password supplied'
}
t "a wrong password is unknown and never shown" wrong_password

refused() {
	port=$(free_port)
	not_compared --production "host=127.0.0.1 port=$port user=postgres dbname=shop"
	expect_out 'Connection refused.*check host and port'
	not_compared --production "host=nohost.invalid dbname=shop"
	not_compared --production "host=127.0.0.1 port=$PORT user=postgres dbname=nosuch"
	expect_out 'nosuch.*does not exist'
	not_compared --production "host=127.0.0.1 port=$PORT user=nobodyhere dbname=shop"
}
t "nobody listening, no such host, database or role" refused

command_line_secrets() {
	expect_status 3 compare-counts --production "postgresql://u:sesame@127.0.0.1/shop"
	expect_err 'no password on the command line'
	expect_not_err sesame
	PRODUCTION="postgresql://postgres:sesame@127.0.0.1:$PORT/shop" \
		expect_status 0 compare-counts --records --restored "$BACK"
	expect_not_out sesame
	PRODUCTION='password=sesame and=more' expect_status 3 compare-counts --records --restored "$BACK"
	expect_not_out sesame
	expect_out 'neither key=value pairs nor a postgresql:// URI'
}
t "a password belongs into the environment, not into an argument" command_line_secrets

service_file() {
	printf '[shop]\nhost=127.0.0.1\nport=%s\nuser=postgres\ndbname=shop\n' "$PORT" >services
	PGSERVICEFILE=$SCRATCH/services expect_status 0 compare-counts --records --restored "$BACK" --production service=shop
	printf '127.0.0.1:%s:*:postgres:sesame\n' "$PORT" >pass
	chmod 600 pass
	unset PGPASSWORD
	PGPASSFILE=$SCRATCH/pass compare 0
}
t "service files and password files work" service_file

# restore-to-temp sets PG* to the restored server; production must not fall for them.
not_itself() {
	printf '{"record":"instance","conninfo":"host=%s user=postgres","database":"postgres"}\n' "$PG_SOCKET" >input
	PGHOST=$PG_SOCKET PGUSER=postgres PGDATABASE=postgres \
		expect_status 3 compare-counts --records --production "host=127.0.0.1 port=1" <input
	expect_out 'Connection refused'
	PGHOST=/nonexistent PGHOSTADDR=127.0.0.1 PGPORT=1 PGSERVICE=nosuch PGUSER=nobody \
		PGTARGETSESSIONATTRS=standby PGCHANNELBINDING=require \
		expect_status 1 compare-counts --records <input
	expect_check row-count ok public.orders
	expect_status 3 compare-counts --records --production "$BACK" <input
	expect_out 'is the restored database itself'
	# no database named: the one that was restored
	sql "$ADMIN" "CREATE TABLE orders (id int, created_at timestamptz)"
	expect_status 2 compare-counts --records --production "host=127.0.0.1 port=$PORT user=postgres" <input
	expect_records 'any(.subject == "public.orders" and .expected == 0)'
	sql "$ADMIN" "DROP TABLE orders"
}
t "the restored server is not taken for production" not_itself

# A cluster of several databases: the one that production is.
the_right_database() {
	sql "$BACK" "CREATE DATABASE shop TEMPLATE postgres"
	sql "$BACK" "CREATE TABLE stray (id int)"
	printf '{"record":"instance","conninfo":"host=%s user=postgres","database":"postgres","databases":["postgres","shop"]}\n' \
		"$PG_SOCKET" >input
	expect_status 0 compare-counts --records --production "$SHOP" <input
	sql "$BACK" "DROP TABLE stray"
	sql "$BACK" "DROP DATABASE shop"
}
t "of several restored databases the one of production's name is compared" the_right_database

no_restore() {
	printf '{"record":"backup","name":"x"}\n' >input
	PGHOST=127.0.0.1 PGPORT=$PORT PGUSER=postgres PGDATABASE=shop \
		expect_status 3 compare-counts --records --production "$SHOP" <input
	expect_out 'no instance record'
	expect_status 3 compare-counts --records --production "$SHOP" </dev/null
	expect_out 'run this under restore-to-temp'
	expect_status 3 compare-counts --records --restored "host=/nonexistent" --production "$SHOP"
	expect_check tables-compared unknown
}
t "without a restored database nothing is compared" no_restore

# lock TABLE: another session holds it until unlock.
lock() {
	mkfifo hold
	"$PG_BIN/psql" -Xq -d "$SHOP" <hold >/dev/null 2>&1 &
	exec 9>hold
	echo "BEGIN; LOCK TABLE $1 IN ACCESS EXCLUSIVE MODE;" >&9
	wait_for 10 locked "$1"
}
locked() { [ "$(sql "$SHOP" "SELECT count(*) FROM pg_locks WHERE granted AND relation = '$1'::regclass AND mode = 'AccessExclusiveLock'")" = 1 ]; }
unlock() {
	exec 9>&-
	wait
	rm hold
}

locked_table() {
	lock orders
	compare 3 --production-timeout 6s
	unlock
	expect_check row-count unknown public.orders
	expect_out 'lock timeout.*another session holds a lock'
	# its sizes come from the statistics, its neighbour is compared
	expect_check row-count ok public.users
	expect_check tables-compared ok
}
t "a table that is locked in production is unknown, its neighbour is compared" locked_table

out_of_time() {
	compare 0 --max-seconds 1h
	lock orders
	PRODUCTION_TIME=1s compare 3 --jobs 1
	unlock
	# not the lock's own timeout, which is longer
	expect_records 'any(.subject == "public.orders" and .status == "unknown"
		and (.summary | test("user request")))'
	expect_records 'any(.subject == "public.users" and .status == "unknown"
		and (.summary | test("time for all queries was used up")))'
	expect_check tables-compared unknown
}
t "production is read for no longer than allowed in all" out_of_time

# Slow: the rows of a table behind a function cannot be; so many rows for so little time.
too_slow() {
	sql "$SHOP" "CREATE UNLOGGED TABLE wide AS SELECT g AS id FROM generate_series(1, 4000000) g"
	sql "$BACK" "CREATE TABLE wide AS SELECT 1 AS id"
	# a paused server process keeps no time limit; ours comes a little later
	compare-counts --records --restored "$BACK" --production "$SHOP" --production-timeout 1s --jobs 1 >slow 2>&1 &
	slow=$!
	i=0
	while kill -0 $slow 2>/dev/null && [ $i -lt 400 ]; do
		pid=$(sql "$ADMIN" "SELECT pid FROM pg_stat_activity WHERE application_name = 'backup-probes' AND query LIKE 'SELECT count%wide%' AND state = 'active'")
		i=$((i + 1))
		if [ -n "$pid" ]; then kill -STOP "$pid" && break; fi
	done
	[ -n "$pid" ]
	wait_for 40 not kill -0 $slow
	kill -CONT "$pid"
	wait $slow || status=$?
	[ "${status:-0}" -eq 3 ]
	cp slow "$OUT"
	expect_out 'no answer within the time limit, nor to its cancellation'
	expect_check row-count unknown public.wide
	expect_check row-count ok public.users
	sql "$SHOP" "DROP TABLE wide"
	sql "$BACK" "DROP TABLE wide"
}
t "a production that stops answering is given up, and the rest is compared" too_slow

down_in_between() {
	compare-counts --records --restored "$BACK" --production "$SHOP" >/dev/null # warm
	pg_stop prod
	not_compared
	pg_run "$SCRATCH/prod" -c listen_addresses=127.0.0.1 -c "port=$PORT"
	compare 0
}
t "production is down" down_in_between

too_many_clients() {
	sql "$ADMIN" "ALTER ROLE postgres CONNECTION LIMIT 2" # superusers are not bound by it
	sql "$ADMIN" "CREATE ROLE lonely LOGIN PASSWORD 'sesame' CONNECTION LIMIT 1; GRANT pg_read_all_data TO lonely"
	compare 0 --production "host=127.0.0.1 port=$PORT user=lonely dbname=shop" --jobs 8
	expect_check row-count ok public.orders
	expect_check row-count ok public.users
}
t "one connection is enough where there are no more" too_many_clients

reads_only() {
	sql "$ADMIN" "ALTER SYSTEM SET log_statement = 'all'"
	sql "$ADMIN" "SELECT pg_reload_conf()" >/dev/null
	compare 0 --all
	grep -c 'READ ONLY' "$SCRATCH/prod/server.log"
	grep 'backup-probes\|statement:\|execute' "$SCRATCH/prod/server.log" |
		grep -vE 'SELECT|SET |BEGIN|SAVEPOINT|COMMIT|ALTER SYSTEM' >odd || :
	[ ! -s odd ] || { cat odd; return 1; }
	[ "$(sql "$ADMIN" "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backup-probes'")" = 0 ]
}
t "production sees nothing but reads, and nobody stays connected" reads_only

# A physical standby as production: same data, in recovery, unlogged tables unreadable.
sql "$ADMIN" "ALTER SYSTEM RESET log_statement"
for db in "$SHOP" "$BACK"; do sql "$db" "CREATE UNLOGGED TABLE scratch AS SELECT 1"; done
echo "host replication all 127.0.0.1/32 scram-sha-256" >>"$SCRATCH/prod/data/pg_hba.conf"
sql "$ADMIN" "SELECT pg_reload_conf()" >/dev/null
mkdir standby
[ "$(id -u)" -ne 0 ] || chown postgres standby
as_pg env PGPASSWORD=sesame "$PG_BIN/pg_basebackup" -R -c fast -D "$SCRATCH/standby/data" \
	-d "host=127.0.0.1 port=$PORT user=postgres" || exit 3
STANDBY_PORT=$(free_port)
STANDBY="host=127.0.0.1 port=$STANDBY_PORT user=postgres dbname=shop"
pg_run "$SCRATCH/standby" -c listen_addresses=127.0.0.1 -c "port=$STANDBY_PORT" \
	-c max_standby_streaming_delay=0 || exit 3

standby() {
	compare 1 --production "$STANDBY" --jobs 3
	expect_check row-count ok public.orders
	expect_check row-count warning public.scratch
	expect_out 'unlogged: a standby cannot read it'
	compare 0 --production "$STANDBY" --exclude scratch
}
t "a standby serves as production" standby

# Recovery removes rows that our snapshot still sees, all the time.
conflict() {
	sql "$SHOP" "CREATE TABLE big AS SELECT g AS id FROM generate_series(1, 2000000) g"
	sql "$BACK" "CREATE TABLE big AS SELECT g AS id FROM generate_series(1, 2000000) g"
	wait_for 30 sql "$STANDBY" "SELECT 1 / count(*) FROM pg_class WHERE relname = 'big'"
	(while [ ! -e enough ]; do
		sql "$SHOP" "UPDATE users SET id = id" && sql "$SHOP" "VACUUM users"
	done) &
	writer=$!
	for _ in 1 2 3 4 5 6 7 8; do
		! grep -q 'conflict with recovery' "$SCRATCH/standby/server.log" || break
		compare-counts --records --restored "$BACK" --production "$STANDBY" \
			--exclude scratch --jobs 1 >"$OUT" 2>"$ERR" || :
		# tried again until it counts, or said; never taken for a difference
		expect_records 'all(.check != "row-count" or .status == "ok"
			or (.status == "unknown" and (.summary | test("recovery"))))'
	done
	touch enough
	wait $writer
	grep -q 'conflict with recovery' "$SCRATCH/standby/server.log"
	expect_status 0 compare-counts --records --restored "$BACK" --production "$STANDBY" --exclude scratch
}
t "a conflict with recovery on a standby is tried again" conflict
