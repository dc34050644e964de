#!/bin/sh
# restore-to-temp: every format and compression, as root and as a plain user.
# time limit: 900 s
# sanitizers: no, compare-restored.sh restores under them, and the formats have unit tests
. "${0%/*}/lib.sh"
need jq zstd lz4 xz bzip2 gzip
need_pg

# A shop with what dumps stumble over: owners and grants of absent roles, look-alike data, large
# objects, a second schema, a tablespace-free index zoo.
make_shop() {
	pg_start
	sql "ALTER SYSTEM SET work_mem = '5MB'"
	sql 'SELECT pg_reload_conf()'
	sql 'CREATE ROLE owner; CREATE ROLE "Reader X"'
	sql 'CREATE DATABASE shop OWNER owner'
	SHOP="host=$PG_SOCKET user=postgres dbname=shop"
	"$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$SHOP" <<-'SQL'
		CREATE SCHEMA sales AUTHORIZATION owner;
		CREATE TYPE sales.state AS ENUM ('new', 'paid', 'it''s');
		CREATE TABLE public.users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE);
		CREATE TABLE sales.orders (id bigserial PRIMARY KEY, customer int REFERENCES public.users,
			s sales.state, note text, "odd ""name" text);
		INSERT INTO public.users (email) SELECT 'u' || g FROM generate_series(1, 500) g;
		INSERT INTO sales.orders (customer, s, note)
			SELECT 1 + g % 500, 'it''s', E'\nCOPY sales.orders (id) FROM stdin;\n\\.' || g
			FROM generate_series(1, 2000) g;
		ALTER TABLE sales.orders OWNER TO owner;
		GRANT SELECT ON public.users TO "Reader X";
		CREATE INDEX ON sales.orders (lower(note));
		CREATE MATERIALIZED VIEW public.totals AS SELECT s, count(*) FROM sales.orders GROUP BY s;
		CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
			RETURN 1; -- \connect nowhere
		END $$;
		ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
		CREATE POLICY p ON public.users TO "Reader X" USING (true);
		SELECT lo_from_bytea(4711, 'a large object');
	SQL
}

make_dumps() {
	mkdir dumps
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp -f dumps/plain.sql
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp --create --clean -f dumps/create.sql
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp --inserts -f dumps/inserts.sql
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc -f dumps/custom.dump
	"$PG_BIN/pg_dump" -d "$SHOP" -Ft -f dumps/tar.tar
	"$PG_BIN/pg_dump" -d "$SHOP" -Fd -j 2 -f dumps/directory
	"$PG_BIN/pg_dump" -d "$SHOP" -Fd -Z0 -f dumps/directory0
	"$PG_BIN/pg_dumpall" -d "$PG_DSN" -f dumps/all.sql
	"$PG_BIN/pg_dumpall" -d "$PG_DSN" --clean -f dumps/allclean.sql
	cp -r dumps/directory0 dumps/directory0-gz
	gzip dumps/directory0-gz/*
	for f in plain.sql custom.dump tar.tar all.sql; do
		gzip -k dumps/$f
		zstd -q dumps/$f
		lz4 -q dumps/$f dumps/$f.lz4
		xz -k dumps/$f
		bzip2 -k dumps/$f
	done
}

# What the restored server must hold, asked by COMMAND over the PG* variables it is given.
cat >probe <<'EOS'
#!/bin/sh
cat
n=$(psql -XqAt -c 'SELECT count(*) FROM sales.orders') || exit 3
u=$(psql -XqAt -c 'SELECT count(*) FROM public.users') || exit 3
lo=$(psql -XqAt -c "SELECT convert_from(lo_get(4711), 'UTF8')") || exit 3
owner=$(psql -XqAt -c "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'")
i=$(psql -XqAt -c "SELECT count(*) FROM pg_indexes WHERE schemaname IN ('public', 'sales')")
status=critical
[ "$n $u $lo $owner $i" = "2000 500 a large object owner 4" ] && status=ok
printf '{"record":"check","tool":"probe","check":"contents","subject":"","status":"%s","summary":"%s"}\n' \
	$status "$n orders, $u users, $lo of $owner, $i indexes"
[ $status = ok ] || exit 2
EOS
chmod 755 probe
PATH=$PG_BIN:$PATH

# restores SEAL COMMAND...: SEAL is the status of the isolation, and with it of the whole.
restores() {
	seal=$1 end=0
	shift
	[ "$seal" = ok ] || end=1
	expect_status $end "$@"
	expect_check isolation "$seal"
	expect_check backup-format ok
	expect_check backup-complete ok
	expect_check restore ok
	expect_check contents ok
	expect_check restore-time ok
	expect_check verified-rto ok
	expect_check temporary-server ok
	expect_records 'map(select(.record == "instance")) | length == 1 and .[0].durability == "fast"'
	expect_records '.[-1].event == "end" and .[-1].status == "'"$seal"'" and .[-1].checks == 7'
	expect_records '(map(select(.event == "begin")) | length) == 1 and (map(.run // empty) | unique | length) == 1'
	expect_nothing_left
}

as_root() { restores ok restore-to-temp --records --backup "$1" -- "$SCRATCH/probe"; }

plain_seal=ok
plain_users_can_seal || plain_seal=warning

# The plain user needs a place to write; dumps are readable for all here.
as_nobody() {
	restores "$plain_seal" setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$SCRATCH/tmp" \
		restore-to-temp --records --backup "$1" -- "$SCRATCH/probe"
}

prepare make_shop
prepare make_dumps

for f in dumps/*; do
	t "${f#*/} restores" as_root "$f"
	# As a plain user each format once: unpacking is the same for all.
	case $f in *.gz | *.zst | *.lz4 | *.xz | *.bz2) continue ;; esac
	[ "$(id -u)" -eq 0 ] || continue
	chmod -R a+rX dumps
	t "${f#*/} restores as a plain user" as_nobody "$f"
	chmod -R go= dumps/*
done

# databases NAME OPTIONS: one with a table t that holds bytes of its encoding; dumped, restored, read.
database() {
	name=$1 escaped=$(printf %s "$1" | sed "s/[\\\\']/\\\\&/g")
	dsn="host=$PG_SOCKET user=postgres dbname='$escaped'"
	[ "$name" = postgres ] || sql "CREATE DATABASE \"$name\" TEMPLATE template0 $2"
	sql "$dsn" "CREATE TABLE t (a text); INSERT INTO t VALUES ($3)"
	"$PG_BIN/pg_dump" -d "$dsn" -Fc -f odd.dump
	"$PG_BIN/pg_dump" -d "$dsn" -Fp --create -f odd.sql
	"$PG_BIN/pg_dump" -d "$dsn" -Fp --create --clean -f odd-clean.sql
	psql -XqAt -d "$dsn" -c 'SELECT a FROM t; SHOW server_encoding' >expected
	for f in odd.dump odd.sql odd-clean.sql; do
		expect_status 3 restore-to-temp --records --backup $f -- \
			sh -c 'psql -XqAt -c "SELECT a FROM t; SHOW server_encoding" >got'
		expect_check restore ok
		expect_same expected got
	done
}
t "a database with a name that needs every quote" database "it's a\\b \$x=y é" "" "'x'"
t "a database in LATIN1" database latin "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'" "E'caf\\xe9'"
t "a database in SQL_ASCII, with bytes of no encoding" \
	database ascii "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'" "E'\\xff\\xfe'"
t "the database postgres itself" database postgres "" "'x'"

# Second bytes that are backslashes: 0x835c, 0x955c and 0x945c in SJIS, 0xa55c and 0xb35c in BIG5, 0xd85c in GBK.
clients_encodings() {
	sql "CREATE DATABASE han"
	dsn="host=$PG_SOCKET user=postgres dbname=han"
	while read -r encoding format text; do
		sql "$dsn" "DROP SCHEMA public CASCADE; CREATE SCHEMA public;
			CREATE TABLE \"$text\" (\"$text\" text, n int);
			INSERT INTO \"$text\" SELECT '$text' || chr(9) || '\\' || '$text', g FROM generate_series(1, 50) g;
			COMMENT ON TABLE \"$text\" IS '$text''\\$text';
			CREATE FUNCTION f() RETURNS text LANGUAGE sql AS \$\$ SELECT E'$text\\\\;$text' \$\$"
		"$PG_BIN/pg_dump" -d "$dsn" -f expected
		# shellcheck disable=SC2086  # two options
		"$PG_BIN/pg_dump" -d "$dsn" -E "$encoding" ${format%,*} ${format#*,} -f "$encoding.dump"
		LC_ALL=C grep -qaP '[\x81-\xfe]\x5c' "$encoding.dump" || [ "$format" = -Fc,-Z1 ]
		expect_status 3 restore-to-temp --records --backup "$encoding.dump" -- pg_dump -f got
		expect_check restore ok
		for f in expected got; do grep -vE '^.(un)?restrict ' $f >$f.same; done
		expect_same expected.same got.same
	done <<-'EOS'
		SJIS -Fp,-Fp ソ表能
		SJIS -Fp,--inserts ソ表能
		SJIS -Fc,-Z1 ソ表能
		BIG5 -Fp,-Fp 功許
		GBK -Fp,-Fp 豛
	EOS
	"$PG_BIN/pg_dump" -d "$PG_DSN" -E JOHAB -f johab.sql
	expect_status 3 restore-to-temp --records --backup johab.sql
	expect_records 'any(.[]; .status == "unknown" and (.summary | test("written in JOHAB.*--encoding=UTF8")))'
}
t "dumps in encodings that only clients have are restored, or refused with the way out" clients_encodings

faithful() {
	expect_status 3 restore-to-temp --records --durability faithful --settings-from "$PG_DSN" \
		--jobs 1 --backup dumps/custom.dump -- sh -c 'psql -XqAt -c "SHOW work_mem" >got'
	expect_check production-settings ok
	[ "$(cat got)" = 5MB ]
	expect_records 'any(.[]; .check == "verified-rto" and (.summary | test("production.s settings")))'
	expect_status 1 restore-to-temp --records --durability faithful \
		--settings-from "host=$SCRATCH/nowhere" --backup dumps/custom.dump
	expect_check production-settings warning
	expect_check restore ok
	expect_status 3 restore-to-temp --settings-from "$PG_DSN" --backup dumps/custom.dump
	expect_status 3 restore-to-temp --durability faithful --settings-from "password=x" \
		--backup dumps/custom.dump
	expect_err "no password on the command line"
	expect_status 0 restore-to-temp --records --durability faithful --jobs 1 --backup dumps/custom.dump
	expect_records 'map(select(.record == "instance"))[0].durability == "faithful"'
}
t "a faithful restore" faithful

# Without large objects a tar is a directory archive in one file, if it holds nothing else.
tars() {
	dsn="host=$PG_SOCKET user=postgres dbname=tar"
	sql "CREATE DATABASE tar"
	sql "$dsn" "CREATE TABLE t AS SELECT generate_series(1, 1000) a; CREATE INDEX i ON t (a)"
	"$PG_BIN/pg_dump" -d "$dsn" -Ft -f t.tar
	expect_status 3 restore-to-temp --records --backup t.tar -- \
		sh -c 'psql -XqAt -c "SELECT count(*) FROM t; SELECT count(*) FROM pg_indexes WHERE tablename = '"'t'"'" >got'
	expect_check restore ok
	[ "$(tr '\n' ' ' <got)" = "1000 1 " ]
	mkdir sub
	echo x >sub/evil
	cp t.tar odd.tar
	tar -rf odd.tar sub/evil
	expect_status 2 restore-to-temp --records --backup odd.tar
	expect_records 'any(.[]; .check == "backup-complete" and (.summary | test("pg_dump does not write")))'
	head -c 4000 t.tar >cut.tar
	expect_status 2 restore-to-temp --records --backup cut.tar
	expect_check backup-complete critical
}
t "a tar is restored like a directory, and refused when it holds anything else" tars

# As people pack the directory that pg_dump -Fd wrote; with large objects, too.
packed_directories() {
	dsn="host=$PG_SOCKET user=postgres dbname=tar"
	"$PG_BIN/pg_dump" -d "$dsn" -Fd -f dumped
	tar -cf 1.tar dumped
	tar -C dumped -czf 2.tgz .
	(cd dumped && tar --format=pax -cf ../3.tar -- *.dat*)
	for f in 1.tar 2.tgz 3.tar; do
		expect_status 3 restore-to-temp --records --backup $f -- \
			sh -c 'psql -XqAt -c "SELECT count(*) FROM t" >got'
		expect_check restore ok
		expect_records 'any(.[]; .check == "backup-format" and .format == "packed-directory")'
		[ "$(cat got)" = 1000 ]
	done
	expect_status 3 inspect-dump --records 1.tar
	expect_records 'any(.check == "dump-complete" and (.summary | test("unpack it and give the directory")))'
	head -c 3000 1.tar >cut.tar
	expect_status 2 restore-to-temp --records --backup cut.tar
	mkdir -p x/y && cp dumped/*.dat* x && cp dumped/*.dat.gz x/y
	tar -cf odd.tar x
	expect_status 2 restore-to-temp --records --backup odd.tar
	expect_records 'any(.[]; .check == "backup-complete" and (.summary | test("pg_dump does not write")))'
	rm dumped/toc.dat
	tar -cf odd.tar dumped
	expect_status 2 restore-to-temp --records --backup odd.tar
	expect_records 'any(.[]; .check == "backup-complete" and (.summary | test("no toc.dat")))'
	expect_nothing_left
}
t "a tar of a directory archive is restored like the directory" packed_directories

bombs() {
	{ echo 'SELECT 1;' && head -c 100M /dev/zero | tr '\0' ' '; } | zstd -q >bomb.zst
	expect_status 3 restore-to-temp --records --backup bomb.zst
	expect_records 'any(.[]; .status == "unknown" and (.summary | test("more than 1000 to 1")))'
	expect_status 3 restore-to-temp --records --max-unpacked 10kB --backup dumps/custom.dump.gz
	expect_records 'any(.[]; .status == "unknown" and (.summary | test("raise MAX_UNPACKED")))'
	# What is packed within the archive counts too.
	size=$(($(stat -c %s dumps/custom.dump) + 100))
	expect_status 3 restore-to-temp --records --max-unpacked "$size" --backup dumps/custom.dump
	expect_records 'any(.[]; .status == "unknown" and (.summary | test("raise MAX_UNPACKED")))'
	expect_nothing_left
}
t "a bomb is not unpacked, by ratio or by size" bombs

# Tables and rows, and nothing of what is made after them; and it says what that is worth.
depth_data() {
	cat >rows <<-'EOS'
		#!/bin/sh
		cat >/dev/null
		got=$(psql -XqAt -c "SELECT (SELECT count(*) FROM sales.orders),
			(SELECT convert_from(lo_get(4711), 'UTF8')), (SELECT last_value FROM sales.orders_id_seq),
			(SELECT count(*) FROM pg_indexes WHERE schemaname IN ('public', 'sales')),
			(SELECT count(*) FROM pg_constraint WHERE contype IN ('f', 'p', 'u')
				AND connamespace <> 'pg_catalog'::regnamespace),
			(SELECT bool_or(ispopulated) FROM pg_matviews)")
		[ "$got" = "2000|a large object|2000|0|0|f" ] && status=ok || status=critical
		printf '{"record":"check","check":"contents","status":"%s","summary":"%s"}\n' $status "$got"
	EOS
	chmod 755 rows
	for f in plain.sql inserts.sql all.sql custom.dump; do
		expect_status 0 env DEPTH=data restore-to-temp --records --rto-target 1h \
			--backup dumps/$f -- ./rows
		expect_check contents ok
		expect_check backup-complete ok
		expect_no_check verified-rto
		expect_records 'any(.[]; .check == "restore" and (.summary | test("rows only: nothing is proven")))'
		expect_records 'map(select(.record == "instance"))[0].depth == "data"'
	done
}
t "--depth data restores tables and rows, says so, and claims no RTO" depth_data

depth_of_others() {
	printf 'CREATE TABLE t (a int PRIMARY KEY);\nCREATE INDEX i ON t (a);\n' >others.sql
	expect_status 0 restore-to-temp --records --depth data --backup others.sql
	expect_records 'any(.[]; .check == "restore" and (.summary | test("in full")))'
	expect_records 'map(select(.record == "instance"))[0].depth == "full"'
	expect_check verified-rto ok
	expect_status 3 restore-to-temp --depth some --backup others.sql
	expect_err "neither full nor data"
}
t "a script of somebody else is restored in full, whatever the depth" depth_of_others

phases() {
	fetch-latest --records --dir "$SCRATCH/fetched" dumps/plain.sql.gz >fetched.jsonl
	expect_status 0 sh -c 'restore-to-temp --records --analyze <fetched.jsonl'
	expect_records '["restore_seconds", "find_seconds", "start_seconds", "pre_data_seconds",
		"data_seconds", "data_bytes", "data_rate", "post_data_seconds", "post_data_bytes",
		"post_data_rate", "analyze_seconds", "ready_seconds"]
		- [.[] | select(.check == "restore-time").metrics[].name] == []'
	expect_status 0 restore-to-temp --records --backup dumps/tar.tar.gz
	expect_records '[.[] | select(.check == "restore-time").metrics[].name]
		| contains(["unpack_seconds", "unpack_bytes", "unpack_rate"])'
}
t "each phase has its time, and a rate where bytes went through" phases

name_disagrees() {
	cp dumps/custom.dump shop.sql.zst
	expect_status 1 restore-to-temp --records --backup shop.sql.zst -- "$SCRATCH/probe"
	expect_check backup-format warning
	expect_check restore ok
}
t "a name that says something else is a warning" name_disagrees

text_output() {
	expect_status 0 restore-to-temp --text --backup dumps/custom.dump -- "$SCRATCH/probe"
	expect_out '^ok +Temporary server: removed$'
	expect_out '^ok +Contents: 2000 orders'
}
t "text for people, COMMAND's findings included" text_output

plugin() {
	expect_status 0 restore-to-temp --nagios --backup dumps/custom.dump
	expect_out "^RESTORE-TO-TEMP OK - .*rto_seconds'=[0-9.]+s"
}
t "a monitoring plugin" plugin

in_a_pipeline() {
	fetch-latest --records --dir "$SCRATCH/fetched" dumps/custom.dump |
		jq -c '(.metrics[]? | select(.name == "fetch_seconds")).value = 2' >fetched.jsonl
	expect_status 2 sh -c "restore-to-temp --records --rto-target 1s -- '$SCRATCH/probe' <fetched.jsonl"
	expect_check backup-download ok
	expect_check contents ok
	expect_check verified-rto critical
	expect_records 'map(.run) | unique | length <= 2' # the probe's record has none
	expect_records '[.[] | select(.check == "backup-download")] | length == 1'
	# COMMAND was fed all that came before, ours included, and none of it comes twice.
	expect_records '[.[] | select(.record == "instance")] | length == 1'
	expect_records 'length == (unique | length)'
	expect_nothing_left
}
t "in a pipeline, against its target" in_a_pipeline

environment() {
	cat >show <<-'EOS'
		#!/bin/sh
		cat >/dev/null
		env | grep ^PG | sort >&2
	EOS
	chmod 755 show
	PGSERVICE=prod PGHOSTADDR=10.0.0.1 PGOPTIONS=-cx=y PGPASSFILE=/p PGHOST=prod \
		expect_status 3 restore-to-temp --records --backup dumps/custom.dump -- ./show
	expect_err '^PGHOST=/.*/backup-probes-'
	expect_err '^PGDATABASE=shop$'
	expect_err '^PGUSER=postgres$'
	expect_err '^PGPASSFILE=/p$'
	expect_not_err '^PG(SERVICE|HOSTADDR|OPTIONS)='
	expect_check command unknown
}
t "COMMAND's environment leads to the restored server alone" environment
