#!/bin/sh
# inspect-dump: real dumps in every form against the server that made them, and every damage found.
. "${0%/*}/lib.sh"
need jq gzip zstd lz4
need_pg

# A shop with what counting stumbles over: a COPY in a function's body, a line \. in a value, no
# columns, no rows, names in quotes, large objects, partitions.
make_shop() {
	shop_start
	PGOPTIONS='-c timezone=UTC'
	export PGOPTIONS
	"$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$SHOP" <<-'SQL'
		CREATE SCHEMA sales;
		CREATE TABLE sales.orders (id int PRIMARY KEY, note text, made timestamptz, day date);
		INSERT INTO sales.orders SELECT g, E'(''); \n\\.\n\t' || g,
			timestamptz '2026-02-16 23:58:42+02' + g * interval '1 second', '2026-01-01' FROM generate_series(1, 3000) g;
		INSERT INTO sales.orders VALUES (0, NULL, NULL, 'infinity');
		CREATE TABLE public."Odd "".T" (a text);
		INSERT INTO public."Odd "".T" VALUES (''), (NULL), (E'\\N');
		CREATE TABLE public.nothing ();
		INSERT INTO public.nothing DEFAULT VALUES;
		INSERT INTO public.nothing DEFAULT VALUES;
		CREATE TABLE public.empty (a int);
		CREATE TABLE public.parts (k int, t text) PARTITION BY RANGE (k);
		CREATE TABLE public.part1 PARTITION OF public.parts FOR VALUES FROM (0) TO (500);
		CREATE TABLE public.part2 PARTITION OF public.parts FOR VALUES FROM (500) TO (5000);
		INSERT INTO public.parts SELECT g, repeat(md5(g::text), 9) FROM generate_series(0, 1999) g;
		CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
		COPY sales.orders (id) FROM stdin;
		INSERT INTO public.empty VALUES (1);
		END $$;
		SELECT lo_from_bytea(4711, 'a large object'), lo_from_bytea(4712, '');
	SQL
}

dump() {
	file=dumps/$1
	shift
	"$PG_BIN/pg_dump" -d "$SHOP" -f "$file" "$@"
}

make_dumps() {
	mkdir dumps
	dump plain.sql
	dump custom -Fc
	dump custom0 -Fc -Z0
	dump tar -Ft
	dump dir -Fd -j2
	dump dir0 -Fd -Z0
	dump inserts.sql --inserts
	dump inserts -Fc --inserts
	dump columns.sql --column-inserts --rows-per-insert=7 --on-conflict-do-nothing
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc | cat >dumps/piped
	"$PG_BIN/pg_dumpall" -d "$PG_DSN" -f dumps/all.sql
	gzip -k dumps/plain.sql
	zstd -q dumps/all.sql
	lz4 -q dumps/tar dumps/tar.lz4
	gzip -k dumps/custom
	cp -r dumps/dir0 dumps/dirz && gzip dumps/dirz/[0-9]*.dat && zstd -q --rm dumps/dirz/blob_4711.dat
}

counts_of_server() {
	"$PG_BIN/psql" -XqAt -d "$SHOP" <<-'SQL'
		SELECT format('SELECT %L, count(*) FROM ONLY %s', n.nspname || '.' || c.relname, c.oid::regclass)
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind = 'r' AND nspname IN ('public', 'sales') \gexec
	SQL
}

counts_of_dump() {
	jq -r 'select(.check == "dump-rows") | "\(.table)|\(.observed)"' "$OUT" | sort
}

# A dump's counts are the server's, its newest moment is right, and nothing is missing.
inspects() {
	expect_status 0 inspect-dump --records "$@"
	expect_check dump-format ok
	expect_check dump-complete ok
	counts_of_dump >counted
	expect_same counted expected
	expect_no_err
}

looks() {
	case $1 in *inserts* | *columns*)
		inspects "$1"
		return
		;;
	esac
	inspects --time-column orders.made --checksum --jobs 3 "$1"
	expect_records 'any(.check == "dump-newest" and .observed == "2026-02-16T22:48:42.000Z")'
	jq -r 'select(.check == "dump-rows") | "\(.table)|\(.checksum)"' "$OUT" | sort >sums
	[ -e sums.first ] || cp sums sums.first
	expect_same sums sums.first
}

prepare make_shop
prepare make_dumps
counts_of_server | sort >expected

for f in dumps/*; do
	t "${f#*/} has the server's counts" looks "$f"
done


# --- damage ----------------------------------------------------------------------------------

# damaged FILE WORDS...: critical, and it says so.
damaged() {
	expect_status 2 inspect-dump --records "$1"
	shift
	expect_records "any(.status == \"critical\" and (.summary // \"\" | test(\"$*\")))"
}

# A byte in the middle of packed data, and each tenth of the file as its end.
damage_is_found() {
	expect_status 0 inspect-dump --records "$1"
	size=$(stat -c %s "$1")
	cp "$1" bad
	# A single bit may be one that no decoder reads.
	flip bad $((size * 2 / 3)) 4
	damaged bad "damaged|cannot|checksum|invalid"
	for tenth in 0 1 2 3 4 5 6 7 8 9; do
		head -c $((size * tenth / 10 + (tenth == 0) * 400)) "$1" >bad
		damaged bad "truncated|incomplete"
	done
	head -c $((size - 1)) "$1" >bad
	damaged bad .
	{ cat "$1"; printf x; } >bad
	damaged bad .
}

# flip_bit FILE TO AT: a copy with one bit of one byte changed.
flip_bit() {
	cp "$1" "$2"
	byte=$(od -An -tu1 -j "$3" -N 1 "$1")
	printf '%b' "\\0$(printf '%03o' $((byte ^ 1)))" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}

directory_damage() {
	expect_status 0 inspect-dump --records dumps/dir
	for f in dumps/dir/*; do
		mv "$f" away
		expect_status 2 inspect-dump --records dumps/dir
		size=$(stat -c %s away)
		head -c $((size / 2)) away >"$f"
		expect_status 2 inspect-dump --records dumps/dir
		mv away "$f"
	done
	for f in dumps/dir/*.dat.gz; do
		cp "$f" keep
		flip_bit keep "$f" $(($(stat -c %s keep) / 2))
		expect_status 2 inspect-dump --records dumps/dir
		mv keep "$f"
	done
	expect_status 0 inspect-dump --records dumps/dir
}

# The others are still counted, and the bad one is named.
one_bad_table() {
	cp -r dumps/dir bad.dir
	# shellcheck disable=SC2012  # plain names
	big=$(ls -S bad.dir/*.dat.gz | head -1)
	flip_bit "$big" flipped $(($(stat -c %s "$big") / 2))
	mv flipped "$big"
	expect_status 2 inspect-dump --records bad.dir
	expect_records 'map(select(.check == "dump-rows" and .status == "critical")) | length == 1'
	expect_check dump-rows ok public.nothing
}

# Nothing but the checksum can see this.
flipped_row() {
	for f in dumps/plain.sql dumps/custom0 dumps/tar; do
		at=$(grep -obaF "$(printf '\t')2026-01-01" "$f" | sed -n '100s/:.*//p')
		flip_bit "$f" bad $((at + 10))
		expect_status 0 inspect-dump --records --checksum bad
		jq -r 'select(.check == "dump-rows") | "\(.table)|\(.checksum)"' "$OUT" | sort >sums
		diff sums sums.first >changed || true
		[ "$(grep -c '^>' changed)" -eq 1 ]
		grep -q '^> sales.orders' changed
	done
}

t "damage of a custom archive is found" damage_is_found dumps/custom
t "damage of one in gzip is found" damage_is_found dumps/custom.gz
t "damage of a script in gzip is found" damage_is_found dumps/plain.sql.gz
t "damage of a cluster's script in zstd is found" damage_is_found dumps/all.sql.zst
t "damage of a tar file in lz4 is found" damage_is_found dumps/tar.lz4
t "damage of each file of a directory is found" directory_damage
t "a damaged table is named, the others are counted" one_bad_table
t "a flipped byte in an uncompressed dump changes the checksum of its table" flipped_row

# --- other databases -------------------------------------------------------------------------

mysql_dump() {
	cat <<-'SQL'
		-- MySQL dump 10.13  Distrib 8.0.39, for Linux (x86_64)
		--
		-- Host: localhost    Database: shop
		/*!40101 SET NAMES utf8 */;
		DROP TABLE IF EXISTS `users`;
		CREATE TABLE `users` (`id` int, `name` varchar(20) DEFAULT 'a;(b' COMMENT 'it''s \'') ENGINE=InnoDB;
		LOCK TABLES `users` WRITE;
		INSERT INTO `users` VALUES (1,'O\'Neil (x),(y);'),(2,'two'),(3,NULL);
		INSERT INTO `users` (`id`,`name`) VALUES (4,''),(5,'\\');
		UNLOCK TABLES;
		DELIMITER ;;
		CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW BEGIN INSERT INTO log VALUES ('x'); END ;;
		DELIMITER ;
		INSERT INTO `log` VALUES
		(1,x'00'),
		(2,_binary '-- Dump completed');
		-- Dump completed on 2018-01-15  1:56:53
	SQL
}

mysql() {
	mysql_dump >my.sql
	gzip -k my.sql
	for f in my.sql my.sql.gz; do
		expect_status 0 inspect-dump --records "$f"
		expect_check dump-complete ok
		expect_records 'any(.check == "dump-rows" and .subject == "users" and .observed == 5)'
		expect_records 'any(.check == "dump-rows" and .subject == "log" and .observed == 2)'
	done
	sed '$d' my.sql >cut.sql
	damaged cut.sql "Dump completed.*missing"
	head -n 14 my.sql >cut.sql
	damaged cut.sql "middle of a statement"
	{ cat my.sql; echo 'INSERT INTO t VALUES (1);'; } >cut.sql
	damaged cut.sql "Dump completed.*missing"
}
t "a dump of MySQL is counted, and known as whole or not" mysql

# --- how it is asked -------------------------------------------------------------------------

in_the_pipe() {
	mkdir -p backups && cp dumps/custom backups/shop.dump
	fetch-latest --records backups >records
	expect_status 0 inspect-dump --records <records
	expect_records 'any(.check == "backup-download") and any(.check == "dump-complete" and .status == "ok")'
	expect_check dump-rows ok sales.orders
	expect_status 3 inspect-dump --records </dev/null
	expect_check dump-complete unknown
}

as_a_plugin() {
	expect_status 0 inspect-dump --nagios dumps/custom
	expect_out '^INSPECT-DUMP OK - .*\|'
	expect_status 2 inspect-dump --nagios bad.dir
	expect_out 'CRITICAL'
	expect_status 3 inspect-dump --nagios nowhere
}

what_is_none() {
	echo '<html><title>Sign in</title></html>' >page
	expect_status 2 inspect-dump --records page
	: >nothing
	expect_status 2 inspect-dump --records nothing
	expect_status 3 inspect-dump --records nowhere
	expect_status 3 inspect-dump --records --time-column no.such dumps/custom
	expect_check dump-newest unknown
	expect_status 3 inspect-dump --jobs 0 dumps/custom
	expect_status 1 inspect-dump --records --max-unpacked 100GB dumps/schema
	expect_check dump-complete warning
	expect_status 3 inspect-dump --records --max-unpacked 1kB dumps/custom
	expect_records 'any(.check == "dump-complete" and (.summary | test("MAX_UNPACKED")))'
}
dump schema -Fc --schema-only
t "it inspects what fetch-latest has fetched" in_the_pipe
t "it is a monitoring plugin" as_a_plugin
t "what is no dump, or holds nothing, is no success" what_is_none
