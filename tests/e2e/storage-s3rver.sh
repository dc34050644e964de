#!/bin/sh
# list-backups and fetch-latest on a second S3 server (s3rver), which answers in other words than the
# first: other error codes, tokens of base64.
# sanitizers: no, storage-s3.sh runs the same code
. "${0%/*}/lib.sh"
need jq curl
if ! command -v node >/dev/null ||
	[ ! -d "${S3RVER_PATH:-$(npm root --global 2>/dev/null)}/@20minutes/s3rver" ]; then
	echo "skip - ${0##*/} # optional: needs s3rver (npm install --global @20minutes/s3rver@4.0.4)"
	exit 0
fi
"$ROOT/tests/servers/s3rver" start "$SCRATCH/s3rver" || exit 1
started "$(cat "$SCRATCH/s3rver/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/s3rver/env"
DAY=$(date -u +%Y%m%d)
head -c 3000000 /dev/urandom >shop.dump
echo small >small.dump
B=s3://backups

s3_put small.dump "backups/pg/shop-${DAY}_000000.dump" || exit 1
s3_put shop.dump "backups/pg/shop-${DAY}_000100.dump"
s3_put small.dump "backups/tree/$DAY/toc.dat"
s3_put shop.dump "backups/tree/$DAY/3001.dat.gz"
s3_put small.dump "backups/odd/a%20b%2Bc%25d%3De.dump"

fetched() {
	expect_status 0 list-backups --records "$B/pg"
	expect_records '[.[] | select(.record == "backup")] | length == 2'
	expect_status 0 fetch-latest --records --dir work "$B/pg/"
	expect_same shop.dump "work/shop-${DAY}_000100.dump"
	rm -r work
	expect_status 0 fetch-latest --records --dir work "$B/tree"
	expect_same shop.dump "work/$DAY/3001.dat.gz"
	rm -r work
	expect_status 0 fetch-latest --records --dir work "$B/odd"
	expect_same small.dump "work/a b+c%d=e.dump"
	rm -r work
}
t "objects and directories are listed and fetched" fetched

pages() {
	i=0
	while [ $i -lt 1003 ]; do
		printf 'url = "%s/backups/many/k%04d.dump"\nupload-file = small.dump\n' "$AWS_ENDPOINT_URL" $i
		i=$((i + 1))
	done >many
	curl -sS --fail --aws-sigv4 "aws:amz:$AWS_REGION:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -Z --parallel-max 8 -K many >uploads 2>&1
	expect_status 0 list-backups --records "$B/many/"
	expect_records '[.[] | select(.record == "backup") | .name] | unique | length == 1003'
}
t "tokens of base64 lead to the next page" pages

credentials() {
	AWS_SECRET_ACCESS_KEY=wrong expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'SignatureDoesNotMatch.*secret key is wrong'
	AWS_ACCESS_KEY_ID=NOBODY expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'InvalidAccessKeyId.*access key is unknown'
	expect_status 3 list-backups --records s3://nowhere/pg/
	expect_says listing unknown 'NoSuchBucket'
}
t "a wrong secret and an unknown key are told apart" credentials
