# The tools that take part, and where they are.

tools='list-backups fetch-latest size-trend check-wal inspect-dump restore-to-temp compare-counts check-content check-freshness check-trend emit-report emit-runbook'

# With those whose keys are set.
add_tools() {
	[ -z "$VERIFY_REPOSITORY" ] || tools="$tools check-repository"
	[ -z "$INTEGRITY" ] || tools="$tools check-integrity"
	[ -z "${SLACK_WEBHOOK_URL-}${SLACK_WEBHOOK_URL_FILE-}${SLACK_BOT_TOKEN-}${SLACK_BOT_TOKEN_FILE-}" ] ||
		tools="$tools alert-slack"
	[ -z "${PAGERDUTY_ROUTING_KEY-}${PAGERDUTY_ROUTING_KEY_FILE-}" ] || tools="$tools alert-pagerduty"
	[ -z "${WEBHOOK_URL-}${WEBHOOK_URL_FILE-}" ] || tools="$tools alert-webhook"
	[ -z "${ALERTMANAGER_URL-}${ALERTMANAGER_URL_FILE-}" ] || tools="$tools alert-webhook--alertmanager"
	[ -z "${EMAIL_TO-}" ] || tools="$tools alert-email"
	[ -z "${DEADMAN_URL-}${DEADMAN_URL_FILE-}" ] || tools="$tools ping-deadman"
}

# Beside this script (installed), in ../build/bin (a source tree), else in PATH.
find_tools() {
	for dir in "$here" "$here/../bin" "$here/../build/bin"; do
		if [ -x "$dir/emit-report" ]; then
			PATH=$(cd "$dir" && pwd):$PATH
			export PATH
			break
		fi
	done
	add_tools
	case $DEPTH in
	inspect) others='restore-to-temp check-content' ;;
	*) others=inspect-dump ;;
	esac
	for tool in $tools; do
		tool=${tool%--alertmanager}
		case " $others " in *" $tool "*) continue ;; esac
		command -v "$tool" >/dev/null ||
			die "$tool is neither beside $here/$me nor in PATH: run make, or make install"
		# Each tool reads its keys from the environment, and refuses a bad value before all else.
		"$tool" --version >/dev/null || exit 3
	done
}
