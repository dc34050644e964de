#!/bin/sh
# A stanza in two repositories: an encrypted one on this machine, and one in S3 behind TLS. Each is
# listed, verified and restored from, and no secret ever shows.
# sanitizers: no, what is parsed here is parsed by the unit test of lib/keeper
. "${0%/*}/lib.sh"
need pgbackrest jq radosgw nginx

# shellcheck source=tests/servers/pgbackrest.sh
. "$ROOT/tests/servers/pgbackrest.sh"
# shellcheck source=tests/servers/runbook.sh
. "$ROOT/tests/servers/runbook.sh"
PASSPHRASE=correct-horse-battery-staple

set_up() {
	chmod a+rx "$SCRATCH/web"
	chmod a+r "$WEB_CA"
	stanza_configure <<-EOT
		repo1-path=$R/repo
		repo1-bundle=y
		repo1-cipher-type=aes-256-cbc
		repo1-cipher-pass=$PASSPHRASE
		repo1-retention-full=9
		repo2-type=s3
		repo2-path=/backups
		repo2-s3-bucket=$S3_BUCKET
		repo2-s3-region=$AWS_REGION
		repo2-s3-endpoint=localhost
		repo2-s3-key=$AWS_ACCESS_KEY_ID
		repo2-s3-key-secret=$AWS_SECRET_ACCESS_KEY
		repo2-s3-uri-style=path
		repo2-storage-host=localhost
		repo2-storage-port=$WEB_PROXY_PORT
		repo2-storage-ca-file=$WEB_CA
		repo2-bundle=y
		repo2-retention-full=9
		io-timeout=5
	EOT
	stanza_production
	backrest stanza-create
	backrest backup --type=full --repo=1
	backrest backup --type=full --repo=2
	sql "insert into orders values (1001, now())"
	backrest check
}
s3_use && mkdir -p "$SCRATCH/empty" && web_start "$SCRATCH/empty" "$AWS_ENDPOINT_URL"
t "a stanza with an encrypted repository and one in S3 is made" set_up

no_secrets() {
	expect_not_out "$PASSPHRASE|$AWS_SECRET_ACCESS_KEY"
	expect_not_err "$PASSPHRASE|$AWS_SECRET_ACCESS_KEY"
}

lists() {
	expect_status 0 list-backups --records "$S"
	expect_records '[.[] | select(.record == "backup")] | length == 2
		and .[0].repository == 1 and .[0].encryption == "aes-256-cbc"
		and .[1].repository == 2 and .[1].encryption == null'
	expect_status 0 list-backups --records "$S&repo=2"
	expect_records '[.[] | select(.record == "backup").repository] == [2]'
	no_secrets
}
t "both are listed, each with its repository; ?repo=N takes one" lists

verifies() {
	expect_status 0 check-repository --records "$S"
	expect_check repository-verify ok repo1
	expect_check repository-verify ok repo2
	no_secrets
}
t "both are verified" verifies

restores() {
	for repo in 1 2; do
		expect_status 1 restore-to-temp --records --backup "$S&repo=$repo" -- sh -c "
			'$PG_BIN/psql' -XqAt -c 'select count(*) from orders' >'$TMPDIR/rows'
			compare-counts --records"
		[ "$(cat "$TMPDIR/rows")" = 1001 ] || say_failed "$(cat "$TMPDIR/rows") rows"
		expect_check recovery-target ok
		no_secrets
		expect_nothing_left
	done
}
t "each restores, with all WAL" restores

damaged_ones() {
	S="$S&repo=1"
	cp -a "$R/repo" "$R/good"
	full=$(basename "$R"/repo/backup/shop/*F)
	bundle=$R/repo/backup/shop/$full/bundle/1
	damaged repository-backup "$full" "1 with another checksum; invalid checksum" change "$bundle"
	damaged repository-backup "$full" "missing; file missing" rm "$bundle"
	finds warning repository-copies "" "archive.info has another checksum|cannot be read" change "$R/repo/archive/shop/archive.info"
	no_secrets
	whole_again
}
t "damage to a bundle and a catalogue is found where all of it is encrypted" damaged_ones

runbook_done() {
	chmod 1777 "$SCRATCH"
	INCIDENT=$(sql 'select clock_timestamp()')
	sql 'truncate orders'
	backrest check
	emit-runbook --label shop --source "$S&repo=2" --server "$PG_DSN" --pg-bindir "$PG_BIN" --work "$SCRATCH/work" \
		--data-directory "$SCRATCH/production/data" --start-command "$(start_command "$SCRATCH/production")" >runbook.md
	section 3 runbook.md >commands
	done_so commands INCIDENT="$INCIDENT"
	started "$(head -n 1 "$SCRATCH/production/data/postmaster.pid")" INT
	[ "$(sql 'select count(*) from orders')" = 1001 ]
	[ -e "$SCRATCH/production/data.damaged/PG_VERSION" ]
	[ "$(sql 'show archive_mode')" = on ]
	backrest check
}
t "the runbook's commands bring back the state before an incident, out of S3, and WAL is archived again" runbook_done

unreadable() {
	sed 's/^repo1-cipher-pass=.*/repo1-cipher-pass=wrong/' "$CONF" >"$R/wrong.conf"
	to_pg "$R/wrong.conf"
	expect_status 3 list-backups --records "pgbackrest:shop?config=$R/wrong.conf&repo=1"
	expect_check listing unknown
	sed "s/^repo2-storage-port=.*/repo2-storage-port=1/" "$CONF" >"$R/away.conf"
	to_pg "$R/away.conf"
	expect_status 3 list-backups --records "pgbackrest:shop?config=$R/away.conf&repo=2"
	expect_check listing unknown
	no_secrets
}
t "a wrong passphrase and a server that is away are unknown" unreadable
