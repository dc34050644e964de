# shellcheck shell=sh
# Sourced after tests/e2e/lib.sh: a PostgreSQL of its own that archives its WAL by pgBackRest into the
# stanza "shop", and what damages a repository. PG_DSN is the server, CONF the configuration, S the source.
# shellcheck disable=SC2034 # some of it is for who sources this
R=$SCRATCH/br
CONF=$R/pgbackrest.conf
S="pgbackrest:shop?config=$CONF"
MAJOR=$("$PG_BIN/postgres" --version | sed 's,^[^0-9]*\([0-9]*\).*,\1,') # archives are called MAJOR-1
PG_DSN="host=$SCRATCH/production user=postgres dbname=postgres"

backrest() { as_pg pgbackrest --config="$CONF" --stanza=shop "$@"; }

# to_pg FILE...: they belong to the user that pgBackRest runs as.
to_pg() { [ "$(id -u)" -ne 0 ] || chown -R postgres: "$@"; }

# stanza_configure: writes CONF; standard input: the lines that tell of its repositories.
stanza_configure() {
	mkdir -p "$R/repo" "$R/lock" "$R/spool"
	{
		echo '[global]'
		cat
		cat <<-EOT
			lock-path=$R/lock
			spool-path=$R/spool
			log-path=$R/lock
			log-level-file=off
			log-level-console=off
			start-fast=y
			archive-timeout=10
			[shop]
			pg1-path=$SCRATCH/production/data
			pg1-socket-path=$SCRATCH/production
			pg1-user=postgres
		EOT
	} >"$CONF"
	chmod 600 "$CONF"
	to_pg "$R"
}

# stanza_production: the server, with 1,000 orders; it has fewer files than a usual one, so that backups
# are quick.
stanza_production() {
	pg_init "$SCRATCH/production"
	cat >>"$SCRATCH/production/data/postgresql.conf" <<-EOT
		archive_mode = on
		archive_command = 'pgbackrest --config=$CONF --stanza=shop archive-push %p'
	EOT
	as_pg "$PG_BIN/pg_checksums" --enable --no-sync -D "$SCRATCH/production/data"
	pg_run "$SCRATCH/production" -c listen_addresses=
	sql "update pg_database set datistemplate = false where datname = 'template0'"
	sql "drop database template0"
	sql "create table orders as select g as id, now() as at from generate_series(1, 1000) g"
}

segments() { find "$R/repo/archive/shop/$MAJOR-1" -name '0000*-*' | sort; }

# The repository as it was before the damage: links, so no file of it may be changed in place.
whole_again() {
	rm -rf "$R/repo"
	cp -al "$R/good" "$R/repo"
}
change() {
	cp -p "$1" "$1.new"
	mv "$1.new" "$1"
	flip "$1" 100 2
}
checked() { expect_status "$1" check-repository --records "$S"; }

# finds STATUS CHECK SUBJECT WORDS COMMAND...: after COMMAND that check is so bad, the worst, and says WORDS.
finds() {
	bad=$1 check=$2 subject=$3 words=$4
	shift 4
	whole_again
	"$@"
	case $bad in warning) checked 1 ;; *) checked 2 ;; esac
	expect_check "$check" "$bad" "$subject"
	expect_records "any(.check == \"$check\" and .status == \"$bad\" and (.summary | test(\"$words\")))"
}
damaged() { finds critical "$@"; }

# edit PATTERN REPLACEMENT FILE...: of an information file; its own checksum is right again.
edit() {
	python3 - "$@" <<-'PYTHON'
		import hashlib, os, re, sys
		for path in sys.argv[3:]:
		    old = open(path).read()
		    text = re.sub(sys.argv[1], sys.argv[2], old)
		    assert text != old
		    sections = {}
		    for line in text.splitlines():
		        if line.startswith("["):
		            section = sections.setdefault(line[1:-1], [])
		        elif line and not line.startswith("backrest-checksum"):
		            section.append('"%s":%s' % tuple(line.split("=", 1)))
		    data = "{%s}" % ",".join('"%s":{%s}' % (n, ",".join(v)) for n, v in sorted(sections.items()))
		    digest = hashlib.sha1(data.encode()).hexdigest()
		    status = os.stat(path)
		    os.unlink(path)
		    with open(path, "w") as f:
		        f.write(re.sub(r'checksum="\w+"', 'checksum="%s"' % digest, text))
		    os.chown(path, status.st_uid, status.st_gid)
	PYTHON
}
