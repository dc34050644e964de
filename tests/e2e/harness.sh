#!/bin/sh
# The harness itself: a test that cannot fail proves nothing.
# sanitizers: no, it tests the test library
. "${0%/*}/lib.sh"

inner() {
	cat >inner.sh
	cp "$E2E/lib.sh" .
	env -u BP_SCRATCH BIN="$BIN" sh ./inner.sh
}

a_failing_step_fails_the_test() {
	expect_status 1 inner <<-'SH'
		. "${0%/*}/lib.sh"
		steps() { false; true; }
		t "steps" steps
		t "not" not true
	SH
	expect_out '^not ok - steps'
	expect_out '^not ok - not'
}
t "the first failing step fails a test" a_failing_step_fails_the_test

what_tests_stand_on() {
	expect_status 1 inner <<-'SH'
		. "${0%/*}/lib.sh"
		stage() { answer=42; echo "the reason"; false; }
		prepare stage
		t "never run" true
	SH
	expect_out '^not ok - stage, which'
	expect_out 'the reason'
	expect_not_out 'never run'
	expect_status 0 inner <<-'SH'
		. "${0%/*}/lib.sh"
		stage() { answer=42; }
		prepare stage
		false
		t "its variables are there" [ "$answer" = 42 ]
	SH
	expect_out '^ok - its variables are there'
	# shellcheck disable=SC2016  # for the inner shell
	expect_status 0 env -u BP_SCRATCH PG_BIN=/nowhere sh -c '. "$0"; PG_BIN=; need_pg; t "never run" true' "$E2E/lib.sh"
	expect_out '^skip - .*needs PostgreSQL'
	expect_not_out 'never run'
}
t "a file whose stage cannot be set fails, and says why" what_tests_stand_on

a_crash_is_no_expected_failure() {
	expect_status 1 inner <<-'SH'
		. "${0%/*}/lib.sh"
		t "crash" expect_status 139 sh -c 'kill -SEGV $$'
		t "wrong" expect_status 2 sh -c 'exit 3'
		t "right" expect_status 2 sh -c 'exit 2'
	SH
	expect_out '^not ok - crash'
	expect_out '^not ok - wrong'
	expect_out '^ok - right'
}
t "a crash is never an expected failure" a_crash_is_no_expected_failure

checks_are_looked_up() {
	expect_status 0 echo '{"record":"check","check":"row-count","subject":"a.b","status":"ok","summary":"s"}'
	expect_check row-count ok
	expect_check row-count ok a.b
	not expect_check row-count ok a.c
	not expect_check row-count critical
	expect_no_check backup-age
	not expect_no_check row-count
	expect_records 'length == 1'
}
t "checks are found by name, status and subject" checks_are_looked_up

leftovers_are_found() {
	expect_status 1 inner <<-'SH'
		. "${0%/*}/lib.sh"
		sh -c 'sleep 60 & mkdir "$TMPDIR/backup-probes-x"'
		t "fine" true
	SH
	expect_out 'not ok - nothing is left behind'
	expect_out 'sleep 60'
	expect_out 'tmp/backup-probes-x'
}
t "a process or a directory left behind fails the file" leftovers_are_found

servers_answer() {
	pg_start
	[ "$(sql 'select 1')" = 1 ]
	pg_stop
	not sql 'select 1'
	pg_tcp_start secured s3cret
	[ "$(PGPASSWORD=s3cret sql 'select 2')" = 2 ]
	not env PGPASSWORD=wrong "$PG_BIN/psql" -d "$PG_DSN" -c 'select 2'
	mkdir www
	echo hello >www/file.txt
	web_start www
	[ "$(curl -fsS "$WEB_URL/file.txt")" = hello ]
	[ "$(curl -fsS --cacert "$WEB_CA" "$WEB_TLS_URL/file.txt")" = hello ]
	curl -fsS "$WEB_URL/" | grep file.txt
}
t "PostgreSQL and nginx start and answer" servers_answer

s3_answers() {
	s3_use
	echo hello >object
	s3_put object "$S3_BUCKET/a%20b/object"
	s3 GET "$S3_BUCKET/a%20b/object"
	expect_same object "$SCRATCH/log/s3"
	AWS_SECRET_ACCESS_KEY=wrong
	not s3 GET "$S3_BUCKET/a%20b/object"
}
t "a real S3 server takes and gives objects" s3_answers
