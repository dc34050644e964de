#!/bin/sh
# check-copies: three copies, two media, one elsewhere, from the listings of several sources.
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq

# backup SOURCE TAKEN [BYTES]
backup() {
	printf '{"record":"backup","source":"%s","name":"shop.dump","bytes":%s,"taken_at":"%s"}\n' "$1" "${3:-1000}" "$2"
}
copies() {
	want_status=$1
	shift
	expect_status "$want_status" check-copies --records "$@" <input
}
DAY=2026-02-17T01:00:00Z

whole() {
	{ backup "$SCRATCH" $DAY; backup s3://elsewhere/shop/ $DAY; } >input
	copies 0
	expect_records 'any(.check == "copies" and .summary == "3 copies, production being one; 3 wanted")'
	expect_check media ok
	expect_check offsite ok
	expect_check copy ok s3://elsewhere/shop/
}
t "three copies on two media, one elsewhere, are ok" whole

too_few() {
	backup s3://elsewhere/shop/ $DAY >input
	copies 2
	expect_check copies critical
	expect_check media critical
	expect_check offsite ok
	copies 0 --copies 2 --media 1
	# two directories of one file system, both here
	mkdir -p other
	{ backup "$SCRATCH" $DAY; backup "$SCRATCH/other" $DAY; } >input
	copies 2
	expect_check copies ok
	expect_check media critical
	expect_check offsite critical
	MIN_MEDIA=1 MIN_OFFSITE=0 copies 0
	copies 0 --media 1 --offsite-source "$SCRATCH/o*"
	# two folders of one bucket
	{ backup s3://elsewhere/a/ $DAY; backup s3://elsewhere/b/ $DAY; } >input
	copies 2
	expect_check media critical
}
t "each part of the rule that is broken is critical" too_few

no_copy() {
	{ backup "$SCRATCH" $DAY; backup s3://elsewhere/shop/ 2026-02-14T01:00:00Z; } >input
	copies 2
	expect_check copies critical
	expect_records 'any(.check == "copy" and .status == "warning" and (.summary | test("3 d older")))'
	copies 0 --max-lag 4d
	{ backup "$SCRATCH" $DAY; backup s3://elsewhere/shop/ $DAY 0; } >input
	copies 2
	expect_check copy warning s3://elsewhere/shop/
}
t "a stale or empty copy is none" no_copy

nothing() {
	: >input
	copies 3
	expect_check nothing-checked unknown
	expect_status 3 check-copies operand
}
t "no listing is unknown" nothing
