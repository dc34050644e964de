#!/bin/sh
# restore-to-temp: what it restores is what was there, as an independent pg_dump of both sides tells.
# TABLES (200) says how many tables the large schema has.
# time limit: 900 s
# sanitizers: no, restore-formats.sh runs the same code there
. "${0%/*}/lib.sh"
need jq
need_pg
PATH=$PG_BIN:$PATH
TABLES=${TABLES:-200}

# Tokens that are new in each dump; nothing else may differ.
cat >dump <<'EOS'
#!/bin/sh
cat >/dev/null
exec pg_dump "$@" | grep -vE '^\\(un)?restrict '
EOS
chmod 755 dump

load() {
	pg_start
	sql 'CREATE DATABASE source'
	SOURCE="host=$PG_SOCKET user=postgres dbname=source"
	sed "s,LOCATION '/nowhere',LOCATION ''," "$ROOT/tests/fixtures/objects.sql" \
		"$ROOT/tests/fixtures/objects-rest.sql" >objects.sql
	PGOPTIONS='-c allow_in_place_tablespaces=on' psql -Xq -v ON_ERROR_STOP=1 -d "$SOURCE" -f objects.sql
}

prepare load
for create in '' --create; do
	PGHOST=$PG_SOCKET PGUSER=postgres PGDATABASE=source ./dump $create </dev/null >expected$create
done

# restored FORMAT [--create] OPTION...: the same dump comes out of the restored server. What belongs
# to the database itself (its settings, comment and grants) is in scripts made with --create alone.
restored() {
	format=$1 create=${2-}
	shift
	pg_dump -d "$SOURCE" -F "$format" "$@" -f backup
	restore-to-temp --records --backup backup -- sh -c "./dump $create >got" >"$OUT" 2>"$ERR" || true
	rm -rf backup
	expect_check restore ok
	expect_file got
	diff "expected$create" got >difference || say_failed "differs: $(head -n 30 difference)"
}
t "every kind of object comes out of a script as it was" restored plain --create
t "every kind of object comes out of a directory archive as it was" restored directory
t "every kind of object comes out of a custom archive as it was" restored custom
t "every kind of object comes out of a tar archive as it was" restored tar
t "rows written as INSERTs come out as they were" restored plain --create --rows-per-insert=7

# shellcheck disable=SC2016  # for COMMAND's shell
all_databases() {
	pg_dumpall -d "$PG_DSN" -f all.sql
	restore-to-temp --records --backup all.sql -- \
		sh -c 'export PGDATABASE=source; ./dump --create >got; pg_dumpall --globals-only -d "host=$PGHOST" |
			grep -vE "^.(un)?restrict " >globals' >"$OUT" 2>"$ERR" || true
	expect_check restore ok
	diff expected--create got >difference || say_failed "differs: $(head -n 30 difference)"
	pg_dumpall --globals-only -d "$PG_DSN" | grep -vE '^\\(un)?restrict ' >globals.expected
	# A tablespace lies inside the temporary server.
	sed -i "s,pg_tblspc/[0-9]*,pg_tblspc," globals globals.expected
	diff globals.expected globals
}
t "a whole cluster comes out as it was, its roles and their settings too" all_databases

# shellcheck disable=SC2016  # for COMMAND's shell
many_tables() {
	sql 'CREATE DATABASE many'
	sql "host=$PG_SOCKET user=postgres dbname=many" "SELECT format('CREATE TABLE t%s (id int PRIMARY KEY, t text); INSERT INTO t%s VALUES (%s);', g, g, g)
		FROM generate_series(1, $TABLES) g" | psql -Xq -v ON_ERROR_STOP=1 -d "host=$PG_SOCKET user=postgres dbname=many" >"$OUT" 2>&1
	for format in plain custom; do
		pg_dump -d "host=$PG_SOCKET user=postgres dbname=many" -F $format -f many
		restore-to-temp --records --backup many -- sh -c 'psql -XqAt -c "SELECT count(*) FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
			WHERE relkind = \$\$r\$\$ AND relnamespace = \$\$public\$\$::regnamespace" >got' >"$OUT" 2>"$ERR" || true
		expect_check restore ok
		[ "$(cat got)" = "$TABLES" ] || say_failed "$(cat got) tables"
	done
}
t "$TABLES tables" many_tables

empty_database() {
	sql 'CREATE DATABASE empty'
	for format in plain custom; do
		pg_dump -d "host=$PG_SOCKET user=postgres dbname=empty" -F $format -f empty
		expect_status 0 restore-to-temp --records --backup empty
		expect_check restore ok
		expect_check backup-complete ok
	done
}
t "a database with nothing in it is a legitimate backup" empty_database
