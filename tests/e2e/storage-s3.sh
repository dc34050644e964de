#!/bin/sh
# list-backups and fetch-latest on a real S3 server (radosgw), and on answers that mislead.
# time limit: 400 s
# sanitizers: no, its modules have unit tests, and PostgreSQL does most of the work
. "${0%/*}/lib.sh"
need jq curl radosgw python3
s3_use || exit 1

DAY=$(date -u +%Y%m%d)
head -c 3000000 /dev/urandom >shop.dump
echo small >small.dump
fetch() { fetch-latest --records --dir work "$@"; }
nothing_fetched() { [ ! -e work ] || [ -z "$(ls -A work)" ] || say_failed "left in work: $(ls -A work)"; }
B=s3://$S3_BUCKET

empty() {
	expect_status 2 list-backups --records "$B"
	expect_says listing critical 'nothing is there'
	expect_status 2 fetch "$B/pg/"
	expect_says backup-download critical 'nothing is there'
}
t "an empty bucket is critical" empty

s3_put small.dump "$S3_BUCKET/pg/shop-${DAY}_000000.dump" || exit 1
s3_put shop.dump "$S3_BUCKET/pg/shop-${DAY}_000100.dump"
s3_put small.dump "$S3_BUCKET/pg/shop-${DAY}_000050.dump.sha256"
s3_put small.dump "$S3_BUCKET/pg/shop-${DAY}_000200.dump.part"
s3_put small.dump "$S3_BUCKET/pg-other/other-${DAY}_235900.dump"
s3_put small.dump "$S3_BUCKET/tree/$DAY/toc.dat"
s3_put shop.dump "$S3_BUCKET/tree/$DAY/3001.dat.gz"

prefixes() {
	expect_status 0 list-backups --records "$B/pg/"
	expect_names "shop-${DAY}_000000.dump" "shop-${DAY}_000100.dump"
	expect_records 'any(.bytes == 3000000 and (.etag | test("^\"[0-9a-f]{32}\"$")) and .modified_at)'
	# A folder without its '/' is that folder, not all that begins so.
	expect_status 0 list-backups --records "$B/pg"
	expect_names "shop-${DAY}_000000.dump" "shop-${DAY}_000100.dump"
	expect_status 0 list-backups --records "$B/pg/shop-${DAY}_0001"
	expect_names "shop-${DAY}_000100.dump"
	expect_status 0 list-backups --records "$B/pg/shop-${DAY}_000100.dump"
	expect_names "shop-${DAY}_000100.dump"
	expect_status 0 list-backups --records --match 'pg-*' "$B"
	expect_names "pg-other/other-${DAY}_235900.dump"
	expect_status 2 list-backups --records "$B/nothing"
	expect_check listing critical
}
t "a prefix is a folder, one object, or the beginning of keys" prefixes

fetched() {
	expect_status 0 fetch "$B/pg/"
	cmp shop.dump "work/shop-${DAY}_000100.dump"
	[ "$(ls -A work)" = "shop-${DAY}_000100.dump" ]
	sum=$(sha256sum <shop.dump | cut -d ' ' -f 1)
	expect_records "any(.newest and .sha256 == \"$sum\" and .bytes == 3000000)"
	expect_not_out "$AWS_SECRET_ACCESS_KEY|Signature="
	rm -r work
	expect_status 0 fetch "$B/pg/shop-${DAY}_000000.dump"
	cmp small.dump "work/shop-${DAY}_000000.dump"
	rm -r work
	expect_status 0 fetch "$B/tree"
	cmp shop.dump "work/$DAY/3001.dat.gz"
	sum=$(cd "work/$DAY" && sha256sum 3001.dat.gz toc.dat | sha256sum | cut -d ' ' -f 1)
	expect_records "any(.newest and .files == 2 and .sha256 == \"$sum\")"
	rm -r work
}
t "the newest object, a single one and a directory dump are fetched" fetched

# put_as_is FILE BUCKET/KEY: curl 8 takes dots out of a path that it is to sign.
put_as_is() {
	python3 - "$@" <<-'PYTHON'
		import datetime, hashlib, hmac, http.client, os, sys
		body, path, env = open(sys.argv[1], "rb").read(), "/" + sys.argv[2], os.environ
		host = env["AWS_ENDPOINT_URL"].split("//")[1]
		now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
		payload, scope = "UNSIGNED-PAYLOAD", "/".join([now[:8], env["AWS_REGION"], "s3", "aws4_request"])
		names = "host;x-amz-content-sha256;x-amz-date"
		request = "\n".join(["PUT", path, "", "host:" + host, "x-amz-content-sha256:" + payload,
			"x-amz-date:" + now, "", names, payload])
		text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
		key = ("AWS4" + env["AWS_SECRET_ACCESS_KEY"]).encode()
		for part in scope.split("/") + [text]:
		    key = hmac.new(key, part.encode(), "sha256").digest()
		to = http.client.HTTPConnection(host)
		to.request("PUT", path, body, {"x-amz-content-sha256": payload, "x-amz-date": now, "Authorization":
			"AWS4-HMAC-SHA256 Credential=" + env["AWS_ACCESS_KEY_ID"] + "/" + scope
			+ ",SignedHeaders=" + names + ",Signature=" + key.hex()})
		answer = to.getresponse()
		sys.exit(0 if answer.status == 200 else str(answer.status) + " " + answer.read().decode())
	PYTHON
}

odd_keys() {
	i=0
	while read -r encoded; do
		i=$((i + 1))
		printf 'content %d\n' $i >odd
		case $encoded in
		*/../*) put_as_is odd "$S3_BUCKET/odd/$i/$encoded" ;;
		*) s3_put odd "$S3_BUCKET/odd/$i/$encoded" ;;
		esac
		expect_status 0 fetch "$B/odd/$i/"
		cmp odd work/*
		rm -r work
	done <<-KEYS
		a%20b.dump
		a%2Bb.dump
		a%25b%2541.dump
		a%26b%3Dc%3Fd%23e.dump
		%C3%A9%E2%82%AC%F0%9F%90%98.dump
		%27%22%2A%3C%3E%5C%7C.dump
		d//x.dump
		d/./x.dump
		d/../x.dump
		%28a%29%21%40%3A%2C%3B~.dump
		tab%09in.dump
		new%0Aline.dump
	KEYS
	[ $i -eq 12 ]
	expect_status 0 list-backups --records "$B/odd/"
	expect_records 'map(select(.record == "backup")) | length == 12'
	expect_records 'any(.name == "4/a&b=c?d#e.dump") and any(.name == "5/é€🐘.dump") and any(.name == "9/d/../x.dump")
		and any(.name == "12/new\nline.dump")'
}
t "keys with blanks, +, %, &, unicode, quotes, dots, tabs and newlines" odd_keys

traversal() {
	s3_put small.dump "$S3_BUCKET/evil/t/global/pg_control"
	put_as_is small.dump "$S3_BUCKET/evil/t/../../../escaped.dat"
	expect_status 2 fetch "$B/evil/"
	expect_says backup-download critical 'leads out of the backup'
	nothing_fetched
	expect_no_file escaped.dat
}
t "a backup whose files lead out of it is refused" traversal

pages() {
	i=0
	while [ $i -lt 2300 ]; do
		printf 'url = "%s/%s/many/k+%%20&%04d.dump"\nupload-file = small.dump\n' \
			"$AWS_ENDPOINT_URL" "$S3_BUCKET" $i
		i=$((i + 1))
	done | sed 's/k+/k%2B/; s/&/%26/' >many
	curl -sS --fail --aws-sigv4 "aws:amz:$AWS_REGION:s3" \
		--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -Z --parallel-max 8 -K many >uploads 2>&1 || {
		tail -n 3 uploads
		return 1
	}
	expect_status 0 list-backups --records "$B/many/"
	expect_records 'map(select(.record == "backup")) | length == 2300'
	expect_records '[.[] | select(.record == "backup") | .name] | unique | length == 2300'
	expect_records 'any(.name == "k+ &2299.dump")'
}
t "more than a thousand keys come in pages" pages

credentials() {
	AWS_SECRET_ACCESS_KEY=wrong expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown '403.*(secret key is wrong|keys are wrong)'
	AWS_ACCESS_KEY_ID=NOBODY expect_status 3 fetch "$B/pg/"
	expect_says backup-download unknown '403'
	expect_status 3 list-backups --records "s3://no-such-bucket-$$/pg/"
	expect_says listing unknown 'NoSuchBucket'
	expect_status 3 list-backups --records s3:///pg
	expect_says listing unknown 'names no bucket'
	AWS_ENDPOINT_URL=http://127.0.0.1:$(free_port) expect_status 3 list-backups --records --retries 1 "$B/pg/"
	expect_says listing unknown '2 attempts'
	AWS_ENDPOINT_URL=ftp://x expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'AWS_ENDPOINT_URL'
	HOME=$PWD/nowhere AWS_ACCESS_KEY_ID='' expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'AWS_ACCESS_KEY_ID'
	AWS_SECRET_ACCESS_KEY='' expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'AWS_SECRET_ACCESS_KEY is not'
}
t "wrong keys, no bucket and no server are unknown, each with its way out" credentials

profiles() (
	key=$AWS_ACCESS_KEY_ID secret=$AWS_SECRET_ACCESS_KEY endpoint=$AWS_ENDPOINT_URL
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL AWS_REGION
	mkdir -p home/.aws
	export HOME="$PWD/home"
	printf '[default]\naws_access_key_id = %s\naws_secret_access_key = wrong\n' "$key" >home/.aws/credentials
	printf '[good]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$key" "$secret" >>home/.aws/credentials
	printf '[default]\nendpoint_url = %s\nregion = us-east-1\n' "$endpoint" >home/.aws/config
	printf '[profile good]\nservices = here\n[services here]\ns3 =\n  endpoint_url = %s\n' "$endpoint" >>home/.aws/config
	expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown '403'
	AWS_PROFILE=good expect_status 0 list-backups --records "$B/pg/"
	AWS_PROFILE=missing expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'no profile .missing'
	mv home/.aws/credentials elsewhere
	AWS_PROFILE=good AWS_SHARED_CREDENTIALS_FILE=$PWD/elsewhere expect_status 0 list-backups --records "$B/pg/"
	AWS_SHARED_CREDENTIALS_FILE=$PWD/gone expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'gone'
	echo 'aws_secret_access_key = leaked' >elsewhere
	AWS_SHARED_CREDENTIALS_FILE=$PWD/elsewhere expect_status 3 list-backups --records "$B/pg/"
	expect_says listing unknown 'line 1'
	expect_not_out leaked
	# The bucket in the host's name: localhost and all below it is this machine.
	printf '[profile virtual]\ns3 =\n  addressing_style = virtual\nendpoint_url = http://localhost:%s\n' \
		"${endpoint##*:}" >>home/.aws/config
	AWS_PROFILE=virtual AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret expect_status 0 list-backups --records "$B/pg/"
	AWS_ENDPOINT_URL=$endpoint AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_REGION=us-east-1 \
		expect_status 0 list-backups --records "$B/pg/"
)
t "profiles, services sections and the files that variables name" profiles

# The server's own STS makes keys that hold for a while: signed with a token, checked by others' code.
roles() (
	key=$AWS_ACCESS_KEY_ID secret=$AWS_SECRET_ACCESS_KEY
	export CEPH_CONF="$BP_S3/ceph.conf"
	trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/t"]},"Action":["sts:AssumeRole"]}]}'
	allow='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::*"}]}'
	timeout 60 radosgw-admin role create --role-name=reader --path=/ --assume-role-policy-doc="$trust" >made
	timeout 60 radosgw-admin role-policy put --role-name=reader --policy-name=read --policy-doc="$allow" >>made
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_CONFIG_FILE="$PWD/assume" AWS_PROFILE=reader
	cat >assume <<-CONFIG
		[profile user]
		aws_access_key_id = $key
		aws_secret_access_key = $secret
		[profile reader]
		role_arn = arn:aws:iam:::role/reader
		source_profile = user
	CONFIG
	expect_status 0 fetch "$B/pg/"
	expect_same shop.dump "work/shop-${DAY}_000100.dump"
	rm -r work
	sed -i 's/= wJal/= wrong/' assume
	expect_status 3 fetch "$B/pg/"
	expect_says backup-download unknown 'assume arn:aws:iam:::role/reader: .*403'
)
t "a role of the server's own STS is assumed, and its token signed" roles

versions() {
	sed 's/small/other/' small.dump >other.dump
	printf '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' >versioning
	s3 PUT "$S3_BUCKET?versioning=" -T versioning
	s3_put small.dump "$S3_BUCKET/versions/shop-$DAY.dump"
	s3_put other.dump "$S3_BUCKET/versions/shop-$DAY.dump"
	expect_status 0 fetch "$B/versions/"
	expect_same other.dump "work/shop-$DAY.dump"
	expect_records 'map(select(.record == "backup")) | length == 1'
	rm -r work
	s3 DELETE "$S3_BUCKET/versions/shop-$DAY.dump"
	expect_status 2 list-backups --records "$B/versions/"
	expect_says listing critical 'nothing is there'
}
t "of a versioned bucket the present is read, and what was deleted is not there" versions

"$ROOT/tests/servers/rude-store" start "$SCRATCH/rude" "$SCRATCH"
wait_for 10 test -s "$SCRATCH/rude/env"
started "$(cat "$SCRATCH/rude/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/rude/env"

# answered HOW PATTERN
answered() {
	AWS_ENDPOINT_URL=$RUDE_URL/$1 expect_status 3 list-backups --records --retries 1 s3://bucket/x/
	expect_says listing unknown "$2"
}
misleading() {
	keep=$B
	AWS_ENDPOINT_URL=$RUDE_URL/s3-loop expect_status 3 list-backups --records s3://bucket/
	expect_says listing unknown 'same page again'
	AWS_ENDPOINT_URL=$RUDE_URL/s3-repeat expect_status 3 list-backups --records s3://bucket/
	expect_says listing unknown 'same page again'
	answered s3-endless 'same page again'
	answered s3-loop 'not asked for'
	answered s3-html 'list s3://bucket/x/: .*no answer of an object store'
	answered s3-error 'InternalError'
	answered s3-skew "clock is [0-9]+ s ahead of the server"
	answered s3-region 'region eu-central-1.*AWS_ENDPOINT_URL'
	answered s3-slow 'SlowDown.*503'
	B=$keep
}
t "pages that do not advance, foreign answers, skewed clocks and other regions are named" misleading

archived() {
	AWS_ENDPOINT_URL=$RUDE_URL/s3-archived expect_status 3 fetch s3://bucket/
	expect_says backup-download unknown 'InvalidObjectState.*restore it from its storage class'
	nothing_fetched
}
t "an archived object is named as such" archived
