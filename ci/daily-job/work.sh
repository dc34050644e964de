# What a run needs and leaves: a lock, a directory to work in, reports.

# Directories that the temporary server's user must get through.
make_dir() {
	(umask 066 && mkdir -p "$1") || die "$2=$1 cannot be made; set $2 to a directory that can"
}

# All records of this run carry its name: sorts by time, 26 characters. And what was in force, without
# the secrets, for the history.
name_run() {
	BACKUP_PROBES_RUN=$(date -u +%Y%m%dT%H%M%S)-$(od -An -N5 -tx1 /dev/urandom | tr -d ' \n')
	BACKUP_PROBES_CONFIG_SHA256=$(show_config | sha256sum | cut -d ' ' -f 1)
	export BACKUP_PROBES_RUN BACKUP_PROBES_CONFIG_SHA256
}

make_dirs() {
	make_dir "$WORK_DIR" WORK_DIR
	history_in_database || make_dir "$(dirname "$HISTORY")" HISTORY
	make_dir "$(dirname "$READINGS")" READINGS
	make_dir "$(dirname "$WAL_LEDGER")" WAL_LEDGER
}

one_at_a_time() {
	lock=$WORK_DIR/$LABEL.lock
	exec 9>>"$lock" || die "$lock cannot be written; set WORK_DIR to a directory of yours"
	flock -n 9 ||
		die "another run for $LABEL holds $lock (process $(cat "$lock")); wait for it, or end that process"
	echo $$ >"$lock"
}

# Our mark goes last, so that what is left of a run that was killed here is still known as ours.
clear_work() {
	find "$work" -mindepth 1 -maxdepth 1 ! -name .verify-backup -exec rm -rf {} + &&
		rm -rf "$work"
}

# What a killed run has left; a download goes on from its parts.
empty_work() {
	find "$work" -mindepth 1 -maxdepth 1 ! -name .verify-backup ! -name '.*.partial' \
		-exec rm -rf {} +
}

# A killed restore-to-temp leaves its server to a watchdog, which needs a moment.
outlive_watchdog() {
	left=100
	while [ $left -gt 0 ] && [ -n "$(find "$work" -maxdepth 1 -name 'backup-probes-*')" ]; do
		left=$((left - 1))
		sleep 0.1
	done
}

# The directory of this label, for the download and the temporary server, whose user must get
# through. Only one that an earlier run made, or an empty one, is taken over.
fresh_work() {
	work=$WORK_DIR/$LABEL
	if { [ -e "$work" ] || [ -L "$work" ]; } && ! rmdir "$work" 2>/dev/null; then
		if [ -L "$work" ] || [ ! -O "$work" ] || [ ! -f "$work/.verify-backup" ]; then
			die "$work is not a directory that $me made: move it away, or set WORK_DIR"
		fi
		empty_work || die "$work cannot be emptied"
	else
		mkdir -m 711 "$work" || die "$work cannot be made"
	fi
	: >"$work/.verify-backup"
	WORK_DIR=$work
}

start_reports() {
	reports=
	[ -n "${REPORT_DIR-}" ] || return 0
	reports=$REPORT_DIR/$LABEL/$(date -u +%Y%m%dT%H%M%SZ)
	(umask 022 && mkdir -p "$reports") || {
		clear_work
		die "REPORT_DIR=$REPORT_DIR: $reports cannot be made"
	}
}

# How to recover, with what was just measured.
write_runbook() (
	# shellcheck disable=SC2086  # a list
	unset $for_alerts $for_report $for_restore
	umask 022
	emit-runbook "$@"
)

# "latest" always points to a whole run.
finish_reports() {
	[ -n "$reports" ] || return 0
	write_runbook --format html="$reports/runbook.html" --format markdown="$reports/runbook.md" ||
		echo "$me: the runbook was not written" >&2
	ln -sfn "${reports##*/}" "$REPORT_DIR/$LABEL/.latest" &&
		mv -T "$REPORT_DIR/$LABEL/.latest" "$REPORT_DIR/$LABEL/latest"
}
