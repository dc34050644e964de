#!/bin/sh
# check-retention: the ladder, what should be gone, and what it costs, from a listing alone.
. "${0%/*}/lib.sh"
need jq

# listing BYTES DATE...: the records of list-backups.
listing() {
	bytes=$1
	shift
	for day; do
		printf '{"record":"backup","name":"shop-%s.dump","bytes":%s,"taken_at":"%sT01:00:00Z"}\n' \
			"$day" "$bytes" "$day"
	done
}
keep() {
	want_status=$1
	shift
	expect_status "$want_status" check-retention --records --now 2026-02-17T06:00:00Z "$@" <input
}

whole() {
	listing 1000000000 2025-12-31 2026-01-31 2026-02-08 2026-02-15 2026-02-16 2026-02-17 >input
	keep 0 --daily 3 --weekly 3 --monthly 3
	for rung in daily weekly monthly; do expect_check retention ok $rung; done
	expect_records 'any(.subject == "daily" and .summary == "a backup in each of the last 3 days")'
	expect_records '.[0].record == "backup" and ([.[] | select(.record == "backup")] | length == 6)'
	KEEP_DAILY=3 KEEP_WEEKLY=3 keep 0
	expect_check retention ok weekly
}
t "a ladder without a gap is ok" whole

gaps() {
	listing 1000 2026-02-08 2026-02-14 2026-02-15 2026-02-17 >input
	keep 2 --daily 4
	expect_records 'any(.subject == "daily" and .status == "critical"
		and .summary == "no backup in 1 of the last 4 days, last in that of 2026-02-16")'
	# an empty file is no backup
	{ listing 1000 2026-02-15 2026-02-17; listing 0 2026-02-16; } >input
	keep 2 --daily 3
	# nor is the fetched one another
	listing 1000 2026-02-17 | sed 's/"record"/"newest":true,"record"/' >input
	keep 3 --daily 1
	expect_check retention unknown daily
}
t "a gap is critical, and named" gaps

young() {
	listing 1000 2026-02-16 2026-02-17 >input
	keep 1 --daily 7
	expect_records 'any(.subject == "daily" and .status == "warning" and (.summary | test("not reached")))'
}
t "a ladder that is not reached is a warning" young

expired() {
	listing 1000 2025-01-01 2026-02-16 2026-02-17 >input
	keep 1 --expire-after 90d
	expect_records 'any(.check == "expired-backups" and .status == "warning"
		and .summary == "1 older than 90 d, the oldest of 2025-01-01 01:00:00 UTC")'
	EXPIRE_AFTER=500d keep 0
	expect_check expired-backups ok
	echo '{"record":"backup","name":"x","bytes":1}' >>input
	keep 3 --expire-after 500d
}
t "backups that should be gone are a warning" expired

cost() {
	listing 20000000000 2026-02-16 2026-02-17 >input
	keep 0 --price 0.023 --currency USD
	expect_records 'any(.check == "storage-used" and .summary == "40.0 GB in 2 backups; 0.92 USD a month"
		and any(.metrics[]; .name == "cost_per_month" and .value > 0.919 and .value < 0.921))'
	keep 1 --max-storage 30GB
	expect_check storage-used warning
	keep 0
	expect_not_out 'a month'
	for wrong in '' x 1.2.3 -1 1e5 nan; do expect_status 3 check-retention --price "$wrong"; done
}
t "what they cost is told, and too much is a warning" cost

nothing() {
	: >input
	keep 3
	expect_check storage-used unknown
	keep 3 --daily 1
	expect_check retention unknown daily
	expect_status 3 check-retention --daily 1000000
	expect_status 3 check-retention operand
}
t "no listing is unknown" nothing
