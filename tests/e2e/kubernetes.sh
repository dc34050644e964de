#!/bin/sh
# ci/kubernetes: rendered by kustomize, held against the API's schema, and its container run as a node
# would run it.
# sanitizers: no, it tests manifests; the tools that they run have tests of their own
# shellcheck disable=SC2016  # jq's variables, not the shell's
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need python3 jq
modules=$(npm root --global 2>/dev/null)

# as_json YAML...: one object a line.
as_json() {
	python3 -c 'import json, sys, yaml
for f in sys.argv[1:]:
    for o in yaml.safe_load_all(open(f)): print(json.dumps(o))' "$@"
}

# render DIR NAME: NAME.yaml, and one object a line in NAME.jsonl.
render() {
	if command -v kustomize >/dev/null; then
		kustomize build "$1" >"$2.yaml"
	elif command -v kubectl >/dev/null; then
		kubectl kustomize "$1" >"$2.yaml"
	else
		skip "optional: needs kustomize, or kubectl 1.27 or later"
	fi
	as_json "$2.yaml" >"$2.jsonl"
}

# expect_objects FILTER: jq says true of the list of the fleet's.
expect_objects() { jq -es "$1" fleet.jsonl >/dev/null || say_failed "not true of the objects: $1"; }

rendered() {
	render "$ROOT/ci/kubernetes/fleet" fleet 2>"$ERR"
	expect_no_err
	expect_objects '[.[] | select(.kind == "CronJob") | .metadata.name]
		== ["verify-backup-ledger", "verify-backup-shop"]'
	# Each refers to what is there.
	expect_objects '[.[] | .kind + "/" + .metadata.name] as $names
		| [.[] | select(.kind == "CronJob") | .spec.jobTemplate.spec.template.spec
			| "ServiceAccount/" + .serviceAccountName,
			"ConfigMap/" + .containers[0].envFrom[].configMapRef.name,
			(.volumes[] | select(.configMap) | "ConfigMap/" + .configMap.name),
			(.volumes[] | select(.persistentVolumeClaim)
				| "PersistentVolumeClaim/" + .persistentVolumeClaim.claimName)]
		| length == 8 and . - $names == []'
	expect_objects 'all(.kind == "Namespace" or .metadata.namespace == "backup-probes")'
	expect_objects '[.[] | select(.kind == "CronJob") | .spec
		| .concurrencyPolicy == "Forbid" and .timeZone and .startingDeadlineSeconds
			and .jobTemplate.spec.activeDeadlineSeconds and .jobTemplate.spec.backoffLimit == 3] | all'
	expect_objects '[.[] | select(.kind == "Secret")] == []'
}
t "kustomize makes a CronJob for each database, and what they refer to" rendered

# The validators of kubernetes-models are made from the OpenAPI document of Kubernetes. They pass over
# fields that they do not know: those are the ones that nothing looks at.
validator() {
	if ! command -v node || [ ! -d "$modules/kubernetes-models" ]; then
		skip "optional: needs kubernetes-models of npm (ci/deps check)"
	fi
	cat >validate.cjs <<-'JS'
		const [, , schemas, ...files] = process.argv;
		const pascal = (s) => s[0].toUpperCase() + s.slice(1);
		const load = (o) => {
		  const [group, version] = o.apiVersion.includes("/") ? o.apiVersion.split("/") : ["core", o.apiVersion];
		  const name = "IoK8sApi" + pascal(group.split(".")[0]) + pascal(version) + o.kind;
		  return require(schemas + "/_schemas/" + name + ".js").validate;
		};
		const watched = (value, seen, path) => {
		  if (value === null || typeof value !== "object") return value;
		  if (!Array.isArray(value)) for (const key of Object.keys(value)) seen.set(path + "/" + key, false);
		  const parts = {};
		  return new Proxy(value, {
		    get(target, key) {
		      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return target[key];
		      seen.set(path + "/" + key, true);
		      return parts[key] ??= watched(target[key], seen, path + "/" + key);
		    },
		  });
		};
		let bad = 0;
		const complain = (o, what) => { bad = 1; console.log(o.kind + " " + o.metadata.name + what); };
		for (const file of files)
		  for (const line of require("fs").readFileSync(file, "utf8").trim().split("\n")) {
		    const o = JSON.parse(line), seen = new Map(), validate = load(o);
		    if (!validate(watched(o, seen, "")))
		      for (const e of validate.errors)
		        complain(o, e.instancePath + ": " + e.keyword + " " + JSON.stringify(e.params));
		    for (const [path, known] of seen) if (!known) complain(o, path + ": unknown field");
		  }
		process.exit(bad);
	JS
}

valid() { expect_status "$1" node validate.cjs "$modules/kubernetes-models" "$2"; }

# wrong NAME JQ-EXPRESSION: a CronJob with that name, so changed.
wrong() {
	jq -c "select(.kind == \"CronJob\") | .metadata.name = \"$1\" | $2" fleet.jsonl | head -n 1 >>wrong.jsonl
}

validated() {
	validator
	[ -s fleet.jsonl ] || as_json "$ROOT"/ci/kubernetes/base/[!k]*.yaml >fleet.jsonl
	valid 0 fleet.jsonl
	expect_silent
	spec=.spec.jobTemplate.spec
	wrong value "$spec.podFailurePolicy.rules[0].action = \"Fail\""
	wrong missing "del(.spec.schedule)"
	wrong type "$spec.activeDeadlineSeconds = \"6h\""
	wrong field ".spec.timezone = \"UTC\""
	wrong deep "$spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true"
	valid 1 wrong.jsonl
	expect_out 'CronJob value.*rules/0/action: enum'
	expect_out 'CronJob missing/spec: required'
	expect_out 'CronJob type.*activeDeadlineSeconds: type'
	expect_out 'CronJob field/spec/timezone: unknown field'
	expect_out 'CronJob deep.*securityContext/readOnlyRootFileSystem: unknown field'
}
t "the API's schema knows every field and value, and complains about wrong ones" validated

# What the namespace's label "restricted" asks for (Pod Security Standards).
restricted() {
	[ -s fleet.yaml ] || skip "optional: needs kustomize"
	expect_objects '[.[] | select(.kind == "CronJob") | .spec.jobTemplate.spec.template.spec
		| (.securityContext | .runAsNonRoot and .runAsUser > 0 and .seccompProfile.type == "RuntimeDefault")
		and (.hostNetwork or .hostPID or .hostIPC or .hostUsers | not) and (.initContainers | not)
		and all(.containers[]; .securityContext
			| .allowPrivilegeEscalation == false and .capabilities == {drop: ["ALL"]}
			and .readOnlyRootFilesystem and (.privileged | not))
		and all(.volumes[]; keys - ["name", "configMap", "secret", "emptyDir", "ephemeral",
			"persistentVolumeClaim"] == [])] | all'
	user=$(sed -n 's/^USER //p' "$ROOT/ci/Containerfile")
	[ "$(jq -r 'select(.kind == "CronJob") | .spec.jobTemplate.spec.template.spec.securityContext
		| "\(.runAsUser):\(.runAsGroup)"' fleet.jsonl | sort -u)" = "$user" ]
	# No token, no secret in the environment, every volume of the node with an end.
	expect_objects '[.[] | select(.kind == "CronJob") | .spec.jobTemplate.spec.template.spec
		| .automountServiceAccountToken == false
		and all(.containers[].env[]; .value)
		and all(.containers[]; .resources | (.requests | keys) == ["cpu", "ephemeral-storage", "memory"]
			and (.limits | keys) == ["cpu", "ephemeral-storage", "memory"])
		and all(.volumes[] | select(.emptyDir); .emptyDir.sizeLimit)] | all'
	# Out to names, HTTPS and one server; the label of the database is asked of its pods, not of DNS.
	expect_objects '[.[] | select(.kind == "NetworkPolicy" and .metadata.name != "history")]
		| length == 2 and all(.spec
		| .policyTypes == ["Ingress", "Egress"] and .ingress == []
		and ([.egress[].ports[].port] == [53, 53, 443, 5432])
		and (.egress[0].to == [{namespaceSelector: {matchLabels: {"kubernetes.io/metadata.name": "kube-system"}},
			podSelector: {matchLabels: {"k8s-app": "kube-dns"}}}])
		and any(.egress[1].to[0].ipBlock.except[]; . == "169.254.0.0/16")
		and (.egress[2].to | length == 1 and (.[0].ipBlock.cidr | endswith("/32"))))'
	expect_objects '(.[] | select(.kind == "NetworkPolicy" and .metadata.name != "history")
		| .spec.podSelector.matchLabels) as $wanted | [.[] | select(.kind == "CronJob") | .spec.jobTemplate.spec.template.metadata.labels
		| select(. == $wanted)] | length == 1'
}
t "the pods may do no more than they need" restricted

configured() {
	for database in "$ROOT"/ci/kubernetes/fleet/databases/*; do
		env HOME="$SCRATCH" sh -c 'set -a; . "$1"; shift; exec "$@"' sh "$ROOT/ci/kubernetes/fleet/fleet.env" \
			verify-backup --check-config "$database/${database##*/}.conf" >"$OUT" 2>"$ERR"
		expect_no_err
		expect_out "^LABEL=${database##*/}\$"
	done
}
t "verify-backup takes the configuration of each database" configured

# --- a node ------------------------------------------------------------------------------------------

# The fleet with a database of ours.
fill_in() {
	cp -R "$ROOT/ci/kubernetes" k
	cat >k/fleet/databases/shop/shop.conf <<-CONF
		LABEL=shop
		BACKUP_SOURCE=$WEB_URL/
		PRODUCTION="host=127.0.0.1 port=$PG_PORT user=postgres dbname=postgres"
		ALERT_WHEN=always
		COMPARE_TABLES=all
	CONF
	sed -i "s,^HISTORY=.*,HISTORY=postgresql://postgres@127.0.0.1:$PG_PORT/postgres," k/fleet/fleet.env
	render k/fleet node
	mkdir -p secrets/verify-backup-shop
	echo "127.0.0.1:$PG_PORT:*:postgres:pass word" >secrets/verify-backup-shop/pgpass
	echo "$ALERT_URL/hook" >secrets/verify-backup-shop/WEBHOOK_URL
}

# The image: that of IMAGE, which container.sh makes, else this machine with the tools.
install_image() {
	if [ -n "${IMAGE-}" ]; then
		ln -s "$IMAGE" image
		return
	fi
	overlay_root
	ln -sfn root image
	make -s -C "$ROOT" install PREFIX=/usr DESTDIR="$SCRATCH/root" >/dev/null
	# As the Containerfile does.
	cp "$ROOT/ci/container-entry" root/usr/local/bin
	rm -rf root/var/lib/backup-probes root/etc/backup-probes
	echo 'backup-probes:x:10001:10001::/nonexistent:/usr/sbin/nologin' >>root/etc/passwd
}

pod() {
	entry=$(sed -n 's/^ENTRYPOINT //p' "$ROOT/ci/Containerfile" | jq -r '.[]')
	[ -n "$entry" ]
	# shellcheck disable=SC2086  # words
	"$ROOT/tests/servers/pod" node.yaml verify-backup-shop "$SCRATCH" $entry
}

# job_after STATUS: what the Job controller makes of it: its rules in order, else an attempt counted.
job_after() {
	jq -rs --argjson status "$1" 'if $status == 0 then "Complete" else
		first((.[] | select(.kind == "CronJob" and .metadata.name == "verify-backup-shop")
			| .spec.jobTemplate.spec.podFailurePolicy.rules[] | select(.onExitCodes
			| .operator == "In" and (.values | any(. == $status))) | .action), "Count") end' node.jsonl
}

# ran STATUS JOB PATTERN: the container ended so, what the Job makes of that, the pod's one line.
ran() {
	expect_status "$1" pod
	[ "$(job_after "$1")" = "$2" ]
	[ "$(wc -l <termination-log)" -eq 1 ]
	grep -qE "$3" termination-log || say_failed "termination log: $(cat termination-log)"
}

serve() {
	pg_tcp_start production 'pass word'
	sql 'CREATE TABLE users AS SELECT generate_series(1, 10) AS id'
	mkdir www
	"$PG_BIN/pg_dump" -d "$PG_DSN" >www/shop.sql
	touch -d "-1 hour" www/shop.sql
	web_start www
	alerts_start
}

on_a_node() {
	[ -s fleet.yaml ] || skip "optional: needs kustomize"
	install_image
	fill_in
	ran 0 Complete '^BACKUP WARNING - '
	expect_out 'restored without an error'
	expect_out 'public.users row count +10 \(production: 10\)'
	# The kernel gives it no namespaces: that is said, and is all there is to warn of.
	expect_out 'user backup-probes, but the network is within reach'
	expect_out 'checks: 1 warning, [0-9]+ ok'
	[ "$(stat -c %u volumes/state/shop.readings.jsonl)" -eq 10001 ]
	expect_no_file volumes/state/shop.jsonl
	PGPASSWORD='pass word' sql "SELECT line FROM backup_probes.history WHERE label = 'shop'" >line
	jq -e '.status == "warning" and .verified' line
	expect_alerts 'any(.accepted and .path == "/hook")'
	not grep -rq 'pass word' volumes "$OUT" "$ERR" termination-log
}
# The servers outlive the test that begins them.
export PGPASSWORD='pass word'
[ ! -s fleet.yaml ] || serve || exit 1
unset PGPASSWORD
t "a node runs it without rights, on a read-only root; the verdict is the pod's summary" on_a_node

bad_or_unseen() {
	[ -s node.yaml ] || skip "optional: needs kustomize"
	# Cut short: bad, and no attempt more.
	head -c 300 www/shop.sql >www/shop-2.sql
	ran 2 FailJob '^BACKUP CRITICAL - '
	rm www/shop-2.sql
	# Out of reach, a key that is wrong, a backup that must not be restored in here: tried again.
	sed "s,BACKUP_SOURCE=.*,BACKUP_SOURCE=http://127.0.0.1:1/," node.yaml >other.yaml
	mv other.yaml node.yaml
	ran 3 Count '^BACKUP UNKNOWN - '
	sed 's,BACKUP_SOURCE=,BACKUP_SAUCE=,' node.yaml >other.yaml
	mv other.yaml node.yaml
	ran 3 Count '^UNKNOWN - .*is BACKUP_SOURCE meant'
}
t "a bad backup fails the Job; one that could not be looked at is tried again" bad_or_unseen

# The first process of the pod: the child of the unshare that a shell began.
first_process() { pgrep -P "$(pgrep -P "$1")"; }

fetches() { pgrep --ns "$(first_process "$1")" --nslist pid -x fetch-latest; }

ended() {
	[ -s node.yaml ] || skip "optional: needs kustomize"
	echo FETCH_MAX_RATE=100kB >>k/fleet/databases/shop/shop.conf
	render k/fleet node
	head -c 10000000 /dev/urandom >www/shop-3.sql
	pod >"$OUT" 2>"$ERR" &
	started $!
	wait_for 20 fetches $!
	kill -s TERM "$(first_process $!)"
	got=0
	wait $! || got=$?
	[ $got -eq 3 ] || say_failed "status $got"
	expect_err 'interrupted by SIGTERM; nothing was left running'
	grep -q '^UNKNOWN - interrupted; status 3' termination-log
}
t "asked to end, it ends, and says so" ended
overlay_end
