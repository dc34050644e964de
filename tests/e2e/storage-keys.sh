#!/bin/sh
# Who list-backups and fetch-latest are to S3: every place where keys come from, and how long they
# hold; and what an S3 answers when it is asked in the wrong region, too early or too often.
# time limit: 120 s
# sanitizers: no, the parsers have unit tests and fuzz targets; this is about requests
. "${0%/*}/lib.sh"
need jq curl python3

"$ROOT/tests/servers/aws-services" start "$SCRATCH/aws"
wait_for 10 test -s "$SCRATCH/aws/env"
started "$(cat "$SCRATCH/aws/pid")"
# shellcheck source=/dev/null
. "$SCRATCH/aws/env"
REQUESTS=$SCRATCH/aws/requests
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL
HOME=$SCRATCH/home
AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
AWS_ENDPOINT_URL_S3=$AWS_TEST_URL/s3/plain AWS_ENDPOINT_URL_STS=$AWS_TEST_URL/sts/
export HOME AWS_REGION AWS_EC2_METADATA_DISABLED AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS
mkdir -p home/.aws
cat >home/.aws/config <<-CONFIG
	[default]
	[profile user]
	aws_access_key_id = AKIDUSER
	aws_secret_access_key = user/secret+1
	[profile role]
	role_arn = arn:aws:iam::1:role/reader
	source_profile = user
	role_session_name = nightly
	[profile guarded]
	role_arn = arn:aws:iam::1:role/guarded
	source_profile = user
	external_id = ext 1&2
	duration_seconds = 900
	[profile second]
	role_arn = arn:aws:iam::2:role/second
	source_profile = role
	[profile own]
	role_arn = arn:aws:iam::1:role/own
	source_profile = own
	aws_access_key_id = AKIDUSER
	aws_secret_access_key = user/secret+1
	[profile source]
	role_arn = arn:aws:iam::1:role/source
	credential_source = Environment
	[profile forbidden]
	role_arn = arn:aws:iam::1:role/forbidden
	source_profile = user
	[profile circle]
	role_arn = arn:aws:iam::1:role/circle
	source_profile = other
	[profile other]
	role_arn = arn:aws:iam::1:role/other
	source_profile = circle
	[profile code]
	role_arn = arn:aws:iam::1:role/code
	source_profile = user
	mfa_serial = arn:aws:iam::1:mfa/me
	[profile sso]
	sso_session = company
	[profile process]
	credential_process = sh "$SCRATCH/the program" 'AKID''USER'
	[profile broken]
	credential_process = sh "$SCRATCH/the program" broken
	[profile failing]
	credential_process = sh "$SCRATCH/the program" failing
	[profile identity]
	role_arn = arn:aws:iam::1:role/identity
	web_identity_token_file = $SCRATCH/identity
CONFIG
cat >'the program' <<-'PROGRAM'
	echo "a word on the way" >&2
	[ "$1" != failing ] || exit 4
	[ "$1" != broken ] || { echo '{"Version": 1, "SecretAccessKey": "leaked"}'; exit; }
	echo "{\"Version\": 1, \"AccessKeyId\": \"$1\", \"SecretAccessKey\": \"user/secret+1\"}"
PROGRAM
echo identity-1 >identity

B=s3://bucket/
list() { list-backups --records --retries 1 "$B"; }
requested() { grep -qE "$1" "$REQUESTS" || say_failed "no such request: $1 in $(tail -n 5 "$REQUESTS")"; }
works() { : >"$REQUESTS"; expect_status 0 list; }
fails() { : >"$REQUESTS"; expect_status 3 list; expect_says listing unknown "$1"; }
at() { export AWS_ENDPOINT_URL_S3="$AWS_TEST_URL/s3/$1"; }

roles() {
	AWS_PROFILE=user works
	AWS_PROFILE=role works
	requested '^sts AssumeRole AKIDUSER .*role/reader nightly ASIATEMP'
	requested '^s3 plain GET ASIATEMP'
	AWS_PROFILE=guarded works
	AWS_PROFILE=own works
	AWS_PROFILE=second works
	requested '^sts AssumeRole AKIDUSER .*:1:role/reader'
	requested '^sts AssumeRole ASIATEMP.*:2:role/second'
	AWS_PROFILE=source AWS_ACCESS_KEY_ID=AKIDUSER AWS_SECRET_ACCESS_KEY=user/secret+1 works
}
t "a role is assumed with the keys of another profile, itself or the environment" roles

bad_roles() {
	export AWS_PROFILE
	AWS_PROFILE=forbidden
	fails 'assume arn:aws:iam::1:role/forbidden: .*403.*AccessDenied: AKIDUSER is not authorized'
	AWS_PROFILE=circle
	fails 'leads in a circle'
	AWS_PROFILE=code
	fails 'mfa_serial'
	AWS_PROFILE=sso
	fails 'credential_process = aws configure export-credentials'
}
t "a role that is not to be had says why" bad_roles

processes() {
	AWS_PROFILE=process works
	expect_err 'a word on the way'
	AWS_PROFILE=broken fails 'credential_process: there is no AccessKeyId'
	expect_not_out leaked
	expect_not_err leaked
	AWS_PROFILE=failing fails 'credential_process: sh exited with status 4'
}
t "a program hands out keys, and its failure is told without a secret" processes

identities() {
	AWS_PROFILE=identity works
	requested '^sts AssumeRoleWithWebIdentity identity .*role/identity'
	export AWS_ROLE_ARN=arn:aws:iam::1:role/pod AWS_WEB_IDENTITY_TOKEN_FILE="$SCRATCH/identity"
	AWS_ROLE_SESSION_NAME=pod-7 works
	requested '^sts AssumeRoleWithWebIdentity identity .*role/pod pod-7'
	echo identity-2 >wrong
	AWS_WEB_IDENTITY_TOKEN_FILE=$SCRATCH/wrong fails 'InvalidIdentityToken'
	expect_not_out identity-2
	AWS_WEB_IDENTITY_TOKEN_FILE=$SCRATCH/gone fails 'gone'
}
t "a web identity becomes a role" identities

hosts() (
	export AWS_CONTAINER_CREDENTIALS_FULL_URI="$AWS_TEST_URL/container"
	AWS_CONTAINER_AUTHORIZATION_TOKEN=agent-1 works
	requested '^keys /container'
	AWS_CONTAINER_AUTHORIZATION_TOKEN=agent-2 fails "container's agent.*403"
	echo agent-1 >token
	AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$SCRATCH/token works
	AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/ fails 'must be https'
	unset AWS_CONTAINER_CREDENTIALS_FULL_URI
	export AWS_EC2_METADATA_SERVICE_ENDPOINT="$AWS_TEST_URL/imds/"
	fails 'none from a container or instance'
	unset AWS_EC2_METADATA_DISABLED
	# No proxy may see these.
	AWS_ENDPOINT_URL_S3=http://localhost:${AWS_TEST_URL##*:}/s3/plain http_proxy=http://127.0.0.1:9 \
		no_proxy=localhost works
	requested '^keys /imds/latest/meta-data/iam/security-credentials/backup-role'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_TEST_URL/imds1 works
	requested '^keys /imds1/'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_TEST_URL/imds1 AWS_EC2_METADATA_V1_DISABLED=true \
		fails "metadata service.*404"
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_TEST_URL/imds-bare fails 'none from a container or instance'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:$(free_port) fails 'none from a container or instance'
)
t "containers and instances hand out keys, with and without sessions" hosts

renewed() {
	export AWS_PROFILE=role
	at one-use
	: >"$REQUESTS"
	expect_status 0 fetch-latest --records --connections 1 --dir work "$B"
	expect_records 'any(.newest and .files == 2 and .bytes == 2105)'
	[ "$(grep -c '^sts AssumeRole' "$REQUESTS")" -ge 3 ]
	requested ExpiredToken
	rm -r work
	# Keys that nobody renews are told as such.
	AWS_PROFILE=user AWS_SESSION_TOKEN=x AWS_ACCESS_KEY_ID=AKIDUSER AWS_SECRET_ACCESS_KEY=user/secret+1 \
		fails 'InvalidToken'
}
t "keys that the server takes no longer are replaced" renewed

renewed_midway() {
	export AWS_PROFILE=role
	at expiring
	: >"$REQUESTS"
	expect_status 0 fetch-latest --records --connections 1 --dir work "$B"
	expect_records 'any(.newest and .files == 2 and .bytes == 2105)'
	[ "$(grep -c '^s3 ExpiredToken' "$REQUESTS")" -ge 2 ]
	[ "$(grep -c '^sts AssumeRole' "$REQUESTS")" -ge 3 ]
	[ "$(head -n 1 work/*/3001.dat)" = one ] && [ "$(sort -u work/*/3001.dat)" = one ]
	rm -r work
}
t "a download whose token runs out in the middle goes on there with a new one" renewed_midway

early() {
	export AWS_PROFILE=role AWS_ENDPOINT_URL_STS="$AWS_TEST_URL/sts-short/"
	at slow
	: >"$REQUESTS"
	expect_status 0 fetch-latest --records --dir work "$B"
	[ "$(grep -c '^sts AssumeRole' "$REQUESTS")" -ge 2 ]
	rm -r work
}
t "keys are replaced before they run out" early

regions() {
	export AWS_PROFILE=user
	at region
	works
	requested 'PermanentRedirect'
	expect_status 0 fetch-latest --records --dir work "$B"
	rm -r work
	at region-body
	works
	requested 'AuthorizationHeaderMalformed'
}
t "the bucket's region is learned from the answer" regions

answers() {
	export AWS_PROFILE=user
	for how in busy-once late-error-once gzip; do
		at $how
		works
		expect_records 'any(.record == "backup" and .files == 2)'
	done
	at late-error
	fails 'InternalError'
}
t "a server in trouble is asked again, also when the trouble comes late; a proxy may compress" answers

payer() {
	export AWS_PROFILE=user
	at payer
	fails 'AWS_REQUEST_PAYER=requester'
	AWS_REQUEST_PAYER=requester works
}
t "the requester pays when told so" payer

archives() {
	export AWS_PROFILE=user
	at archived
	works
	expect_status 3 fetch-latest --records --dir work "$B"
	expect_says backup-download unknown "archived .GLACIER.*aws s3api restore-object --bucket bucket --key 'dump-[0-9]*/[^']*' --restore-request '.*Days"
	at restoring
	expect_status 3 fetch-latest --records --dir work "$B"
	expect_says backup-download unknown 'restore has been asked for'
	at restored
	expect_status 0 fetch-latest --records --dir work "$B"
	rm -r work
	at deleted
	expect_status 2 fetch-latest --records --dir work "$B"
	expect_says backup-download critical 'was deleted.*list-object-versions'
}
t "archived and deleted objects are named, with the request to make" archives

google() {
	export STORAGE_EMULATOR_HOST="$AWS_TEST_URL/s3/plain" AWS_PROFILE=user AWS_ENDPOINT_URL_S3=http://127.0.0.1:9
	B=gs://bucket/ works
	expect_status 0 fetch-latest --records --dir work gs://bucket
	rm -r work
}
t "Google Cloud Storage speaks S3" google
