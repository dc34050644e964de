#!/bin/sh
# restore-to-temp: damaged backups are caught; each time the undamaged one is proved first.
# time limit: 600 s
# sanitizers: no, compare-restored.sh restores under them, and the formats have unit tests
. "${0%/*}/lib.sh"
need jq gzip
need_pg
PATH=$PG_BIN:$PATH

make_dumps() {
	shop_start
	sql "$SHOP" "CREATE TABLE users (id int PRIMARY KEY, email text);
		INSERT INTO users SELECT g, md5(g::text) FROM generate_series(1, 3000) g;
		CREATE TABLE zebra (id int PRIMARY KEY REFERENCES users, stripes text);
		INSERT INTO zebra SELECT g, md5(g::text) FROM generate_series(1, 3000) g"
	mkdir dumps
	pg_dump -d "$SHOP" -Fp -f dumps/plain.sql
	pg_dump -d "$SHOP" -Fc -f dumps/custom.dump
	pg_dump -d "$SHOP" -Ft -f dumps/tar.tar
	pg_dump -d "$SHOP" -Fd -f dumps/directory
	pg_dumpall -d "$PG_DSN" -f dumps/all.sql
	gzip -k dumps/plain.sql dumps/custom.dump
}

prepare make_dumps

healthy() {
	expect_status 0 restore-to-temp --records --backup "dumps/$1"
	expect_check backup-complete ok
	expect_check restore ok
}

# cut FILE SHARE: the first so many per cent of it.
cut_at() {
	size=$(stat -c %s "dumps/$1")
	head -c $((size * $2 / 100)) "dumps/$1" >"cut-$1"
}

caught() {
	expect_status 2 restore-to-temp --records --timeout 60s --backup "$1"
	expect_records 'any(.status == "critical" and
		(.check == "backup-complete" or .check == "backup-format"))'
	expect_records 'all(.check != "verified-rto" or .status != "ok")'
	expect_check temporary-server ok
	expect_nothing_left
}

cut_short() {
	healthy "$1"
	for share in ${SHARES:-1 50 99}; do
		cut_at "$1" "$share"
		caught "cut-$1"
	done
}
for f in plain.sql plain.sql.gz custom.dump custom.dump.gz tar.tar all.sql; do
	t "$f cut short at any point is critical" cut_short $f
done

last_byte() {
	for f in custom.dump tar.tar plain.sql.gz; do
		size=$(stat -c %s "dumps/$f")
		head -c $((size - 1)) "dumps/$f" >"last-$f"
		caught "last-$f"
	done
}
t "a single byte that is missing at the end is critical" last_byte

# Nothing of a script is lost with its last line end; but somebody cut it.
last_line_end() {
	size=$(stat -c %s dumps/plain.sql)
	head -c $((size - 1)) dumps/plain.sql >clipped.sql
	expect_status 1 restore-to-temp --records --backup clipped.sql
	expect_check backup-complete warning
	head -c $((size - 3)) dumps/plain.sql >cut.sql
	caught cut.sql
	expect_nothing_left
}
t "a script without its last line end is a warning" last_line_end

directory_files() {
	healthy directory
	for f in dumps/directory/*.dat.gz; do
		cp -r dumps/directory broken
		rm "broken/${f##*/}"
		caught broken
		cp "$f" broken/
		size=$(stat -c %s "$f")
		head -c $((size / 2)) "$f" >"broken/${f##*/}"
		caught broken
		rm -r broken
	done
	cp -r dumps/directory broken
	head -c 300 dumps/directory/toc.dat >broken/toc.dat
	caught broken
}
t "a directory archive that lost a file, or half of one, is critical" directory_files

flipped() {
	cp dumps/custom.dump flipped
	size=$(stat -c %s flipped)
	printf '\377\377\377' | dd of=flipped bs=1 seek=$((size * 2 / 3)) conv=notrunc status=none
	expect_status 2 restore-to-temp --records --timeout 60s --backup flipped
	cp dumps/plain.sql.gz flipped.gz
	printf '\377\377\377' | dd of=flipped.gz bs=1 seek=50000 conv=notrunc status=none
	expect_status 2 restore-to-temp --records --backup flipped.gz
	expect_nothing_left
}
t "flipped bytes in compressed data are critical" flipped

no_backup() {
	: >empty.dump
	expect_status 2 restore-to-temp --records --backup empty.dump
	expect_check backup-format critical
	printf '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>' >error.dump
	expect_status 2 restore-to-temp --records --backup error.dump
	expect_check backup-format critical
	head -c 100000 /dev/urandom >noise.dump
	expect_status 2 restore-to-temp --records --backup noise.dump
	expect_check backup-format critical
	mkdir nothing
	expect_status 2 restore-to-temp --records --backup nothing
	expect_nothing_left
}
t "what is no backup at all is critical" no_backup

failed_statement() {
	sed 's/^CREATE TABLE public.zebra/CREATE TABLE public.zebra (id nonsense); &/' dumps/plain.sql >failed.sql
	expect_status 2 restore-to-temp --records --backup failed.sql
	expect_check backup-complete ok
	expect_check restore critical
	expect_out 'type \\"nonsense\\" does not exist'
	expect_records 'any(.check == "restore" and .metrics[0].name == "failed_statements" and .metrics[0].value == 1)'
	expect_check verified-rto unknown
}
t "a single failed statement is critical" failed_statement

# A row of zebra without its user: the foreign key cannot be made.
broken_reference() {
	sed '/^COPY public.users/,/^\\\.$/{/^17\t/d}' dumps/plain.sql >reference.sql
	expect_status 2 restore-to-temp --records --backup reference.sql
	expect_check restore critical
	expect_out 'foreign key'
}
t "a constraint that cannot be made is critical" broken_reference

archive_statement() {
	sql "$SHOP" "CREATE EXTENSION hstore; CREATE TABLE h (v hstore)"
	pg_dump -d "$SHOP" -Fc -f h.dump
	sql "$SHOP" "DROP TABLE h; DROP EXTENSION hstore"
	expect_status 0 restore-to-temp --records --backup h.dump
	# As if the extension were not installed here, by a name that is not.
	sed 's/hstore/hsxxxx/g' h.dump >h-missing.dump
	expect_status 3 restore-to-temp --records --backup h-missing.dump
	expect_check restore unknown
	expect_no_check verified-rto
	expect_out 'needs what is not installed here: the extension hsxxxx \(install postgresql-[0-9]+-hsxxxx'
}
t "an extension that is not installed here is no finding against the backup" archive_statement

# What needs the extension is missing then, and the report says what; the rest is restored.
skipped_extension() {
	sql "$SHOP" "CREATE EXTENSION hstore; CREATE TABLE h (v hstore); CREATE INDEX ON h USING gin (v)"
	pg_dump -d "$SHOP" -Fc -f h.dump
	pg_dump -d "$SHOP" -Fp -f h.sql
	sql "$SHOP" "DROP TABLE h; DROP EXTENSION hstore"
	# shellcheck disable=SC2016  # for COMMAND's shell
	count='echo "{\"record\":\"check\",\"check\":\"users\",\"status\":\"ok\",\"summary\":\"$(psql -XqAtc "SELECT count(*) FROM users")\"}"'
	for f in h.dump h.sql; do
		sed 's/hstore/hsxxxx/g' $f >missing
		expect_status 3 restore-to-temp --records --backup missing
		expect_status 1 restore-to-temp --records --skip-extension hsxxxx --backup missing -- sh -c "$count"
		expect_check restore warning
		expect_out 'left-out objects: (line [0-9]+: )?extension hsxxxx'
		expect_out 'left-out objects: .*(TABLE public.h;|relation .*h.* does not exist)'
		expect_records 'any(.check == "restore" and .metrics[0].name == "failed_statements" and .metrics[0].value == 0)'
		expect_check verified-rto warning
		expect_records 'any(.check == "users" and .summary == "3000")'
	done
	# Nothing is overlooked where nothing is left out.
	sed 's/^CREATE TABLE public.zebra/CREATE TABLE public.zebra (id nonsense); &/' dumps/plain.sql >failed.sql
	expect_status 2 restore-to-temp --records --skip-extension hsxxxx --backup failed.sql
}
t "an extension that is left out takes along what needs it, and the report says so" skipped_extension

missing_locale() {
	sed 's/^CREATE TABLE public.zebra (/&x text COLLATE pg_catalog."xx_XX.utf8", /' dumps/plain.sql >locale.sql
	expect_status 3 restore-to-temp --records --backup locale.sql
	expect_out 'needs what is not installed here: the locale xx_XX.utf8 '
}
t "a locale that is not installed here is named before anything is restored" missing_locale

other_version() {
	sed 's/^-- Dumped from database version [0-9.]*/-- Dumped from database version 9.6.24/' dumps/plain.sql >old.sql
	expect_status 1 restore-to-temp --records --backup old.sql
	expect_check server-version warning
	expect_out 'it is of 9.6.24; for the same major version install postgresql-9'
	expect_check restore ok
}
t "another major version than the origin's is a warning" other_version


hostile_script() {
	{
		echo '\! touch /tmp/backup-probes-was-here'
		echo "COPY (SELECT 1) TO PROGRAM 'touch $TMPDIR/was-here';"
		echo '\connect host=127.0.0.1'
		cat dumps/plain.sql
	} >hostile.sql
	expect_status 2 restore-to-temp --records --backup hostile.sql
	expect_check restore critical
	expect_no_file /tmp/backup-probes-was-here
	expect_no_file "$TMPDIR/was-here"
}
t "a script that reaches outside is refused" hostile_script

# The server and pg_restore have no network and are not root, whatever is in the dump.
sealed() {
	cat >look <<-'EOS'
		#!/bin/sh
		cat
		psql -XqAt -c "CREATE TABLE dev (line text)"
		psql -XqAt -c "COPY dev FROM '/proc/net/dev'"
		n=$(psql -XqAt -c "SELECT count(*) FROM dev WHERE line LIKE '%:%'")
		uid=$(psql -XqAt -c "SELECT substring(pg_read_file('/proc/self/status', 0, 4000) FROM 'Uid:\s+(\d+)')")
		listen=$(psql -XqAt -c "SHOW listen_addresses")
		echo "{\"record\":\"check\",\"check\":\"seal\",\"status\":\"ok\",\"summary\":\"$n devices uid=$uid listen=$listen\"}"
	EOS
	chmod 755 look
	expect_status 0 restore-to-temp --records --backup dumps/custom.dump -- ./look
	expect_check isolation ok
	expect_out '"1 devices uid=[1-9][0-9]* listen="'
}
t "the server has no network and no root" sealed
