#!/bin/sh
# list-backups and fetch-latest on Azure Blob Storage, as Azurite emulates it.
# sanitizers: no, the parsers have unit tests; this is about requests and signatures
. "${0%/*}/lib.sh"
need jq python3
if ! command -v node >/dev/null ||
	{ [ -z "${AZURITE:-}" ] && ! command -v azurite-blob >/dev/null; }; then
	echo "skip - ${0##*/} # optional: needs azurite-blob (npm install --global azurite)"
	exit 0
fi
azure() { "$ROOT/tests/servers/azure" "$@"; }
azure start "$SCRATCH/azure" || exit 1
started "$(cat "$SCRATCH/azure/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/azure/env"
unset AZURE_STORAGE_ACCOUNT AZURE_STORAGE_SAS_TOKEN AZURE_STORAGE_CONNECTION_STRING
export AZURE_STORAGE_SERVICE_ENDPOINT="$AZURE_TEST_URL" AZURE_STORAGE_KEY="$AZURE_TEST_KEY"

DAY=$(date -u +%Y%m%d)
A=azure://$AZURE_TEST_ACCOUNT/backups
head -c 9000000 /dev/urandom >shop.dump
echo small >small.dump
put() { azure PUT "$2" "$1" x-ms-blob-type:BlockBlob; }
azure PUT 'backups?restype=container' || exit 1

empty() {
	expect_status 2 list-backups --records "$A"
	expect_says listing critical 'nothing is there'
}
t "an empty container is critical" empty

put small.dump "backups/pg/shop-${DAY}_000000.dump"
put shop.dump "backups/pg/shop-${DAY}_000100.dump"
put small.dump "backups/tree/$DAY/toc.dat"
put shop.dump "backups/tree/$DAY/3001.dat.gz"

fetched() {
	expect_status 0 list-backups --records "$A/pg"
	expect_names "shop-${DAY}_000000.dump" "shop-${DAY}_000100.dump"
	expect_records 'any(.bytes == 9000000 and (.etag | test("^\"0x[0-9A-F]+\"$")) and .modified_at)'
	expect_status 0 list-backups --records "$A/pg/shop-${DAY}_0001"
	expect_names "shop-${DAY}_000100.dump"
	expect_status 0 fetch-latest --records --dir work "$A/pg/"
	expect_same shop.dump "work/shop-${DAY}_000100.dump"
	expect_records 'any(.newest and .bytes == 9000000)'
	rm -r work
	expect_status 0 fetch-latest --records --dir work "$A/pg/shop-${DAY}_000100.dump"
	expect_same shop.dump "work/shop-${DAY}_000100.dump"
	rm -r work
	expect_status 0 fetch-latest --records --dir work "$A/tree"
	expect_same shop.dump "work/$DAY/3001.dat.gz"
	rm -r work
	expect_status 2 fetch-latest --records --dir work "$A/nothing"
}
t "a folder, a beginning, one blob and a directory dump are listed and fetched" fetched

odd_names() {
	i=0
	while read -r encoded; do
		i=$((i + 1))
		printf 'content %d\n' $i >odd
		put odd "backups/odd/$i/$encoded"
		expect_status 0 fetch-latest --records --dir work "$A/odd/$i/"
		expect_same odd work/*
		rm -r work
	done <<-NAMES
		a%20b%2B.dump
		a%25b%2541%26%3D%3F%23.dump
		%C3%A9%E2%82%AC%F0%9F%90%98.dump
		%27%28%3C%3E%29%21%2A.dump
	NAMES
	[ $i -eq 4 ]
}
t "names with blanks, +, %, &, unicode and quotes" odd_names

pages() {
	azure fill 'backups/many/k%20%26' 5003
	expect_status 0 list-backups --records "$A/many/"
	expect_records '[.[] | select(.record == "backup") | .name] | unique | length == 5003'
}
t "more than five thousand blobs come in pages" pages

rights() (
	unset AZURE_STORAGE_KEY
	good=$(azure sas rl 600) one=$(azure sas rl 600 backups) late=$(azure sas rl -600 backups)
	less=$(azure sas r 600 backups)
	AZURE_STORAGE_SAS_TOKEN="?$good" expect_status 0 list-backups --records "$A/pg"
	AZURE_STORAGE_SAS_TOKEN=$one expect_status 0 fetch-latest --records --dir work "$A/pg"
	rm -r work
	AZURE_STORAGE_SAS_TOKEN=$late expect_status 3 list-backups --records "$A/pg"
	expect_says listing unknown 'list azure://.*403.*the SAS expired at 20'
	expect_not_out "sig="
	AZURE_STORAGE_SAS_TOKEN=$less expect_status 3 list-backups --records "$A/pg"
	expect_says listing unknown 'lacks the right'
	expect_status 3 list-backups --records "$A/pg"
	expect_says listing unknown 'AZURE_STORAGE_KEY'
	AZURE_STORAGE_KEY=d3Jvbmc= expect_status 3 list-backups --records "$A/pg"
	expect_says listing unknown 'key or the SAS is wrong'
	AZURE_STORAGE_KEY='not base64' expect_status 3 list-backups --records "$A/pg"
	expect_says listing unknown 'not base64'
	expect_not_out 'not base64 '
	AZURE_STORAGE_KEY=$AZURE_TEST_KEY expect_status 3 list-backups --records "azure://$AZURE_TEST_ACCOUNT/nowhere/"
	expect_says listing unknown 'ContainerNotFound'
	AZURE_STORAGE_KEY=$AZURE_TEST_KEY AZURE_STORAGE_ACCOUNT=other expect_status 3 list-backups --records "$A"
	expect_says listing unknown "variables are for .other"
	expect_status 3 list-backups --records azure://account
	expect_says listing unknown 'names no container'
	unset AZURE_STORAGE_SERVICE_ENDPOINT
	export AZURE_STORAGE_CONNECTION_STRING="AccountName=$AZURE_TEST_ACCOUNT;AccountKey=$AZURE_TEST_KEY;BlobEndpoint=$AZURE_TEST_URL"
	expect_status 0 list-backups --records azure:///backups/pg
	AZURE_STORAGE_CONNECTION_STRING="BlobEndpoint=$AZURE_TEST_URL/;SharedAccessSignature=$good" \
		expect_status 0 list-backups --records "$A/pg"
)
t "key, SAS and connection string give the right; what fails says why" rights

public() (
	unset AZURE_STORAGE_KEY
	azure PUT 'open?restype=container' x-ms-blob-public-access:container
	put small.dump "open/shop-${DAY}.dump"
	expect_status 0 fetch-latest --records --dir work "azure://$AZURE_TEST_ACCOUNT/open"
	expect_same small.dump "work/shop-${DAY}.dump"
)
t "a public container needs no key" public

archived() {
	azure PUT "backups/pg/shop-${DAY}_000100.dump?comp=tier" x-ms-access-tier:Archive
	expect_status 3 fetch-latest --records --dir work "$A/pg/"
	expect_says backup-download unknown "archive tier.*az storage blob set-tier .* --name 'pg/shop-${DAY}_000100.dump' --tier Hot"
}
t "an archived blob is named, with the request to make" archived
