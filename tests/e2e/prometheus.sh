#!/bin/sh
# alerts/prometheus and report/grafana: the rules' own tests, and all of it in a real Prometheus that
# scrapes a real node_exporter and a real Pushgateway.
# sanitizers: no, it tests rules and queries; emit-report has tests of its own
. "${0%/*}/lib.sh"
need promtool prometheus prometheus-node-exporter prometheus-pushgateway

RULES=$ROOT/alerts/prometheus
BOARD=$ROOT/report/grafana/backup-probes.json

rules_hold() {
	expect_status 0 promtool check rules "$RULES/backup-probes.rules.yml"
	expect_out 'SUCCESS'
	expect_status 0 promtool test rules "$RULES/backup-probes.test.yml"
}
t "the rules fire when they should, and only then" rules_hold

board_is_whole() {
	jq -e '.id == null and (.uid | length <= 40) and .schemaVersion >= 36
		and ([.panels[].id] | unique | length) == (.panels | length)
		and all(.panels[]; .title and .type and .description and (.targets | length) > 0
			and .gridPos.x + .gridPos.w <= 24 and all(.targets[]; .expr != "" and .refId)
			and .datasource.uid == "${datasource}")
		and ([.templating.list[].name] == ["datasource", "database"])' "$BOARD"
	# No two panels over each other.
	jq -e '[.panels[].gridPos] as $g | all(range($g | length) as $i | range($i) as $k
		| {a: $g[$i], b: $g[$k]}; .a.x >= .b.x + .b.w or .b.x >= .a.x + .a.w
			or .a.y >= .b.y + .b.h or .b.y >= .a.y + .a.h)' "$BOARD"
}
t "the dashboard is one that can be imported" board_is_whole

# --- a real Prometheus -------------------------------------------------------------------------------

# of_label LABEL STATUS: a run with all that the dashboard shows.
of_label() {
	{
		a_run "$1" "R-$1" "row-count/public.orders=$2"
		jq -nc --arg name "$1" --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg status "$2" '
			{label: $name, run: "R-\($name)", $at, subject: "", status: "ok", summary: "fine"} as $base
			| $base + {record: "backup", tool: "fetch-latest", name: "a.dump", bytes: 5000000, newest: true,
				taken_at: $at},
			({tool: "fetch-latest", check: "backup-download", of: {fetch_seconds: 3}},
			{tool: "restore-to-temp", check: "restore", of: {}},
			{tool: "restore-to-temp", check: "restore-time", of: {start_seconds: 1, unpack_seconds: 1,
				pre_data_seconds: 1, data_seconds: 20, post_data_seconds: 9, ready_seconds: 1}},
			{tool: "restore-to-temp", check: "verified-rto", of: {rto_seconds: 36}},
			{tool: "check-freshness", check: "verified-rpo", of: {rpo_seconds: 4000}}
			| $base + {record: "check", tool, check, metrics: [.of | to_entries[]
				| {name: .key, value: .value, unit: "s"}]})'
	} | emit-report --quiet --format "prometheus=$3" || [ "$2" != ok ]
}

query() {
	curl -sS --fail --get --data-urlencode "query=$1" "$PROMETHEUS/api/v1/query"
}

has() {
	query "$1" >"$SCRATCH/log/answer" &&
		jq -e '.status == "success" and (.data.result | length) > 0' "$SCRATCH/log/answer"
}

prometheus_up() {
	mkdir -p textfile data
	of_label shop ok textfile/shop.prom
	of_label blog critical blog.prom
	[ "$(stat -c %a textfile/shop.prom)" = 644 ]
	node_port=$(free_port) push_port=$(free_port) port=$(free_port)
	prometheus-node-exporter --web.listen-address="127.0.0.1:$node_port" --collector.disable-defaults \
		--collector.textfile --collector.textfile.directory="$SCRATCH/textfile" >"$SCRATCH/log/node" 2>&1 &
	started $!
	prometheus-pushgateway --web.listen-address="127.0.0.1:$push_port" \
		--persistence.file="$SCRATCH/pushed" >"$SCRATCH/log/push" 2>&1 &
	started $!
	cat >prometheus.yml <<-YML
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$RULES/backup-probes.rules.yml]
		scrape_configs:
		  - job_name: node
		    static_configs: [{targets: ['127.0.0.1:$node_port']}]
		  - job_name: push
		    honor_labels: true
		    static_configs: [{targets: ['127.0.0.1:$push_port']}]
	YML
	expect_status 0 promtool check config prometheus.yml
	prometheus --config.file=prometheus.yml --storage.tsdb.path=data \
		--web.listen-address="127.0.0.1:$port" >"$SCRATCH/log/prometheus" 2>&1 &
	started $!
	PROMETHEUS=http://127.0.0.1:$port
	wait_for 20 curl -sS --fail -o "$SCRATCH/log/push.out" --data-binary @blog.prom \
		"http://127.0.0.1:$push_port/metrics/job/backup_probes/database/blog"
	wait_for 30 has 'backup_run_status{database="shop"}'
	wait_for 30 has 'backup_run_status{database="blog", job="backup_probes"}'
	wait_for 10 has 'node_textfile_scrape_error == 0'
}

scraped() {
	prometheus_up
	[ "$(query 'backup_run_status{database="blog"}' | jq -r '.data.result[0].value[1]')" = 2 ]
	[ "$(query 'backup_run_status{database="shop"}' | jq -r '.data.result[0].value[1]')" = 0 ]
	# The alert of the bad one, and none of the good one.
	wait_for 30 has 'ALERTS{alertname="BackupBad", alertstate="firing", database="blog"}'
	not has 'ALERTS{database="shop"}'

	jq -r '.panels[] | .title as $t | .targets[] | "\($t)\t\(.expr)"' "$BOARD" |
		sed 's/[$]database/.*/g' >queries
	while IFS="$(printf '\t')" read -r title expr; do
		has "$expr" >"$SCRATCH/log/has" || {
			query "$expr"
			say_failed "the panel \"$title\" shows nothing: $expr"
		}
	done <queries
	[ "$(wc -l <queries)" -ge 9 ]
	curl -sS "$PROMETHEUS/api/v1/rules" | jq -e 'all(.data.groups[].rules[]; .health == "ok")'
	[ "$(curl -sS --get --data-urlencode 'match[]=backup_run_status' "$PROMETHEUS/api/v1/label/database/values" |
		jq -c .data)" = '["blog","shop"]' ]
}
t "a real Prometheus scrapes both ways, fires the alert, and answers each panel's query" scraped
