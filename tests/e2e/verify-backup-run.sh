#!/bin/sh
# verify-backup: one run as such - lock, signals, time limit, directories, statuses. The tools are
# stand-ins here, so that each can be made to do what is needed; verify-backup.sh has the real ones.
# sanitizers: no, its tools run under them in the other files
. "${0%/*}/lib.sh"

mkdir bin
cp -r "$ROOT/ci/verify-backup" "$ROOT/ci/daily-job" bin/
unset LABEL BACKUP_SOURCE HISTORY REPORT_DIR WORK_DIR TIMEOUT PRODUCTION
PATH=$SCRATCH/bin:$PATH
WORK=$SCRATCH/work
cat >shop.conf <<CONF
LABEL=shop
BACKUP_SOURCE=/backups
WORK_DIR=$WORK
HISTORY=$SCRATCH/history/shop.jsonl
REPORT_DIR=$SCRATCH/reports
CONF

# stub NAME: a tool that says what it was called with, then runs the script on standard input.
stub() {
	{
		# shellcheck disable=SC2016  # meant for the tool
		printf '#!/bin/sh\n[ "$1" != --version ] || exit 0\n'
		cat
	} >"bin/$1"
	chmod +x "bin/$1"
}

all_fine() {
	stub list-backups <<-'SH'
		echo "list $BACKUP_PROBES_RUN"
	SH
	stub fetch-latest <<-'SH'
		echo "fetch $BACKUP_PROBES_RUN"
		echo bytes >"$WORK_DIR/shop.dump"
	SH
	for filter in size-trend compare-counts check-content check-freshness check-trend; do
		stub $filter <<-SH
			cat
			echo "$filter \$BACKUP_PROBES_RUN"
		SH
	done
	stub restore-to-temp <<-'SH'
		while [ "$1" != -- ]; do shift; done
		shift
		"$@"
		echo "restore $BACKUP_PROBES_RUN"
	SH
	stub emit-report <<-'SH'
		cat
		echo "TIMEOUT=${TIMEOUT-}"
		while [ $# -gt 0 ]; do
			[ "$1" != --format ] || case $2 in *=*) echo "$2" >"${2#*=}" ;; esac
			shift
		done
		exit "${VERDICT:-0}"
	SH
}

nothing_remains() {
	expect_no_file "$WORK/shop"
	! pgrep_here || say_failed "a process is left"
}

# Lists the stand-ins that still run.
pgrep_here() {
	for p in /proc/[0-9]*/cmdline; do
		tr '\0' ' ' <"$p" | grep -E "$SCRATCH/bin/" | grep -v grep
	done 2>/dev/null | grep .
}

composition() {
	all_fine
	expect_status 0 verify-backup shop.conf
	[ "$(grep -cE '^(list|fetch|size-trend|restore|compare-counts|check-content|check-freshness|check-trend) ' "$OUT")" -eq 8 ]
	# one id for all
	[ "$(sed -n 's/^[a-z-]* \([0-9TZ]*-[0-9a-f]*\)$/\1/p' "$OUT" | sort -u | wc -l)" -eq 1 ]
	nothing_remains
	for report in report.txt report.md report.html report.json runbook.html runbook.md; do expect_file "reports/shop/latest/$report"; done
	[ -d history ]
}
t "the tools are joined, share one run, and the reports are kept" composition

statuses() {
	all_fine
	for status in 0 1 2 3; do
		VERDICT=$status
		export VERDICT
		expect_status $status verify-backup shop.conf
	done
	VERDICT=7
	expect_status 3 verify-backup shop.conf
	expect_err 'report could not be made \(status 7\)'
	stub emit-report <<-'SH'
		kill -SEGV $$
	SH
	expect_status 3 verify-backup shop.conf
	expect_err 'report could not be made'
	nothing_remains
}
t "the status is the verdict; a report that cannot be made is status 3" statuses

secrets_stay_in_the_environment() {
	all_fine
	stub size-trend <<-'SH'
		cat
		for p in /proc/[0-9]*/cmdline; do
			echo "seen: $(tr '\0' ' ' <$p)"
		done 2>/dev/null
		env | grep PRODUCTION
	SH
	PRODUCTION=postgresql://app:hunter2@db/shop
	export PRODUCTION
	expect_status 0 verify-backup shop.conf
	expect_not_out '^seen: .*hunter2'
	expect_out '^PRODUCTION=.*hunter2'
}
t "a password reaches the tools by the environment alone" secrets_stay_in_the_environment

# slow STAGE: this one waits for a signal, then needs a moment to clean up.
slow() {
	all_fine
	stub "$1" <<-'SH'
		sleep 60 &
		trap 'kill $!; sleep 0.3; echo cleaned >>"$SCRATCH/cleaned"; exit 3' TERM
		echo here >"$SCRATCH/started"
		wait
	SH
	rm -f started cleaned
}

signals() {
	for stage in list-backups fetch-latest size-trend restore-to-temp compare-counts emit-report; do
		for signal in TERM INT HUP; do
			slow $stage
			# INT is ignored in background jobs of a shell without job control.
			env --default-signal=INT verify-backup shop.conf >"$OUT" 2>"$ERR" &
			pid=$!
			wait_for 60 test -e started
			kill -s $signal $pid
			status=0
			wait $pid || status=$?
			[ $status -eq 3 ] || say_failed "$stage, $signal: status $status"
			expect_err "interrupted by SIG$signal"
			expect_file cleaned
			nothing_remains
		done
	done
}
t "INT, TERM and HUP in every stage: it waits for the clean-up, and nothing remains" signals

two_at_once() {
	slow restore-to-temp
	verify-backup shop.conf >first 2>&1 &
	pid=$!
	wait_for 60 test -e started
	expect_status 3 verify-backup shop.conf
	expect_err "another run for shop holds .*\(process $pid\)"
	# another label does not wait
	rm started
	LABEL=other verify-backup shop.conf >second 2>&1 &
	other=$!
	wait_for 60 test -e started
	kill $pid $other
	wait $pid $other || true
	all_fine
	expect_status 0 verify-backup shop.conf
}
t "one run at a time for a label; the other is told who holds the lock" two_at_once

killed() {
	slow fetch-latest
	verify-backup shop.conf >first 2>&1 &
	pid=$!
	wait_for 60 test -e started
	kill -KILL $pid
	wait $pid || true
	[ -d "$WORK/shop" ]
	for p in $(fuser_lock); do kill "$p" || true; done
	all_fine
	wait_for 60 verify-backup shop.conf
	nothing_remains
}
# Who still holds the lock.
fuser_lock() {
	for fd in /proc/[0-9]*/fd/9; do
		[ "$(readlink "$fd" 2>/dev/null)" != "$WORK/shop.lock" ] || echo "$fd" | cut -d / -f 3
	done
}
t "what a killed run left is removed by the next" killed

time_limit() {
	sed -i 's/print n + 0/print (n ? n - 119 : 0)/' bin/daily-job/run.sh
	slow restore-to-temp
	expect_status 3 env TIMEOUT=1s verify-backup shop.conf
	expect_err 'did not end within TIMEOUT=1s'
	expect_file cleaned
	nothing_remains
	cp "$ROOT/ci/daily-job/run.sh" bin/daily-job/
	all_fine
	expect_status 0 env TIMEOUT=1.5h verify-backup shop.conf
	expect_out '^TIMEOUT=$'
}
t "TIMEOUT ends a run that hangs; the report is not limited by it" time_limit

foreign_directories() {
	all_fine
	mkdir -p "$WORK/shop"
	echo precious >"$WORK/shop/file"
	expect_status 3 verify-backup shop.conf
	expect_err 'not a directory that verify-backup made'
	expect_file "$WORK/shop/file"
	rm -r "$WORK/shop"
	mkdir elsewhere
	: >elsewhere/.verify-backup
	ln -s "$SCRATCH/elsewhere" "$WORK/shop"
	expect_status 3 verify-backup shop.conf
	[ -e elsewhere/.verify-backup ]
	rm "$WORK/shop"
	: >file
	for key in WORK_DIR REPORT_DIR HISTORY; do
		expect_status 3 env $key="$SCRATCH/file/x/y" verify-backup shop.conf
		expect_err "$key=|set $key"
	done
}
t "only what verify-backup made is removed; an unusable directory is named" foreign_directories

# --- --all -----------------------------------------------------------------------------------

# fleet NAME...: a directory with a configuration for each of these labels.
fleet() {
	rm -rf fleet
	mkdir fleet
	for label; do sed "s/^LABEL=.*/LABEL=$label/; s,^HISTORY=.*,HISTORY=$SCRATCH/history/$label.jsonl," shop.conf >"fleet/$label.conf"; done
}

# The verdict of each label is in a file.
verdicts() {
	all_fine
	stub emit-report <<-'SH'
		status=$(cat "$SCRATCH/verdict-$LABEL" 2>/dev/null) || status=0
		case $status in
		KILL) kill -KILL "$(cat "$WORK_DIR/../$LABEL.lock")"; exit 0 ;;
		0) echo "OK: backup of $LABEL verified" ;;
		*) printf '%s\n' "CRITICAL: backup of $LABEL" "  is of status $status" '' ;;
		esac
		echo "details of $LABEL, $TMPDIR"
		exit "$status"
	SH
	rm -f verdict-*
}

all_of_a_directory() {
	verdicts
	fleet ant bee cat dog
	expect_status 0 verify-backup --all fleet
	[ "$(wc -l <"$OUT")" -eq 5 ]
	expect_out '^OK +ant.conf +backup of ant verified$'
	expect_out '^4 configurations: 4 ok, 0 warning, 0 critical, 0 unknown$'
	for set in '1 0 0 0 1' '1 3 0 0 3' '1 3 2 0 2' '0 3 1 1 3' '0 0 0 2 2'; do
		# shellcheck disable=SC2086  # words
		set -- $set
		for label in ant bee cat dog; do
			echo "$1" >verdict-$label
			shift
		done
		expect_status "$1" verify-backup --all --jobs 3 fleet
	done
	expect_out '^CRITICAL  dog.conf  .* of dog is of status 2$'
	expect_out '^details of dog'
	expect_not_out '^details of ant'
	for label in ant bee cat dog; do [ -L "reports/$label/latest" ] || say_failed "no reports of $label"; done
	! pgrep_here || say_failed "a process is left"
	[ -z "$(find "$WORK" -mindepth 1 -type d)" ] || say_failed "a directory is left"
}
t "--all runs every configuration: a line for each, the report of what is not good, the worst status" all_of_a_directory

each_on_its_own() {
	verdicts
	fleet ant bee cat dog elk
	echo KILL >verdict-ant
	echo 'NONSENSE=1' >>fleet/bee.conf
	rm fleet/cat.conf && mkdir fleet/cat.conf
	sed -i s/^LABEL=.*/LABEL=dog/ fleet/elk.conf
	expect_status 3 verify-backup --all --jobs 1 fleet
	expect_out '^UNKNOWN +ant.conf +the run was killed by signal 9$'
	expect_out '^UNKNOWN +bee.conf .*unknown key NONSENSE'
	expect_out '^UNKNOWN +cat.conf .*not a file'
	expect_out '^OK +dog.conf '
	expect_out '^UNKNOWN +elk.conf .*dog.conf has LABEL=dog, too'
	echo 1 >verdict-dog
	expect_status 3 verify-backup --all fleet
	[ "$(sed -n 's/^details of .*, //p' "$OUT" | sort | uniq -d | wc -l)" -eq 0 ]
	[ -z "$(find "$TMPDIR" -name 'verify-backup.*')" ]
}
t "--all: a bad configuration, a killed run, a label given twice: the others are verified" each_on_its_own

all_usage() {
	fleet ant bee
	expect_status 0 verify-backup --check-config --all fleet
	expect_out '^OK +ant.conf +ant$'
	expect_no_file fleet/.started
	echo DEPTH=deep >>fleet/bee.conf
	expect_status 3 verify-backup --check-config --all fleet
	expect_out '^UNKNOWN +bee.conf .*DEPTH=deep'
	mkdir -p none
	expect_status 3 verify-backup --all none
	expect_err 'no \*.conf'
	expect_status 3 verify-backup --all fleet/ant.conf
	expect_err 'takes a directory'
	expect_status 3 env LABEL=x verify-backup --all fleet
	expect_err 'LABEL is in the environment'
	for n in 0 x -1 1.5 '' 1000; do expect_status 3 verify-backup --all --jobs "$n" fleet; done
	expect_status 3 verify-backup --jobs 2 fleet/ant.conf
	expect_status 3 verify-backup --all --runbook fleet
	expect_status 3 sh -c 'verify-backup --check-config --all fleet >/dev/full'
}
t "--all: an empty directory, wrong usage and a full disk are unknown; --check-config checks them all" all_usage

# At most two at a time; the signal reaches both, and the rest does not begin.
all_interrupted() {
	verdicts
	stub restore-to-temp <<-'SH'
		sleep 60 &
		trap 'kill $!; sleep 0.3; echo cleaned >"$SCRATCH/cleaned-$LABEL"; exit 3' TERM
		echo here >"$SCRATCH/started-$LABEL"
		wait
	SH
	for signal in TERM INT HUP; do
		rm -f started-* cleaned-*
		fleet ant bee cat dog
		env --default-signal=INT verify-backup --all fleet >"$OUT" 2>"$ERR" &
		pid=$!
		wait_for 60 test -e started-ant -a -e started-bee
		expect_no_file started-cat
		if [ $signal = TERM ]; then
			(expect_status 3 verify-backup fleet/bee.conf && expect_err 'another run for bee holds')
			expect_err 'another run'
		fi
		kill -s $signal $pid
		status=0
		wait $pid || status=$?
		[ $status -eq 3 ] || say_failed "$signal: status $status"
		expect_file cleaned-ant
		expect_file cleaned-bee
		expect_no_file started-cat
		! pgrep_here || say_failed "a process is left"
		[ -z "$(find "$TMPDIR" -name 'verify-backup.*')" ] || say_failed "a directory is left"
	done
}
t "--all --jobs: so many at a time; INT, TERM and HUP end them all, and nothing remains" all_interrupted
