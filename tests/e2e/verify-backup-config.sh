#!/bin/sh
# verify-backup: its configuration file. The tools are stand-ins here; only reading is tested.
# shellcheck disable=SC2016,SC1003  # dollars and backslashes are meant literally
# sanitizers: no, it tests a shell script
. "${0%/*}/lib.sh"

mkdir bin
cp -r "$ROOT/ci/verify-backup" "$ROOT/ci/daily-job" bin/
# shellcheck disable=SC2013  # words
for tool in $(sed -n "s/^tools='\(.*\)'$/\1/p" bin/daily-job/tools.sh); do
	printf '#!/bin/sh\nexit 0\n' >"bin/$tool"
done
chmod +x bin/*
unset LABEL BACKUP_SOURCE HISTORY REPORT_DIR WORK_DIR TIMEOUT PRODUCTION
PATH=$SCRATCH/bin:$PATH

# config LINE...: writes shop.conf with the two needed keys and these lines.
config() {
	printf '%s\n' LABEL=shop BACKUP_SOURCE=/backups "$@" >shop.conf
}

# shows LINE EXPECTED: the configuration line is understood as KEY=EXPECTED.
shows() {
	config "$1"
	expect_status 0 verify-backup --check-config shop.conf
	grep -qxF -e "$2" "$OUT" || say_failed "$1 was not read as $2"
}

refuses() {
	config "$1"
	expect_status 3 verify-backup --check-config shop.conf
	expect_err "$2"
	[ "$(wc -l <"$ERR")" -eq 1 ] || say_failed "more than one line"
}

the_needed_keys() {
	config
	expect_status 0 verify-backup --check-config shop.conf
	expect_out '^LABEL=shop$'
	expect_out '^BACKUP_SOURCE=/backups$'
	echo LABEL=shop >shop.conf
	expect_status 3 verify-backup shop.conf
	expect_err 'BACKUP_SOURCE is missing'
	echo BACKUP_SOURCE=/backups >shop.conf
	expect_status 3 verify-backup shop.conf
	expect_err 'LABEL is missing'
	: >shop.conf
	expect_status 3 verify-backup shop.conf
	expect_err 'LABEL is missing'
}
t "LABEL and BACKUP_SOURCE are needed" the_needed_keys

values() {
	for line in 'TIMEOUT=2h' '  TIMEOUT=2h  ' 'TIMEOUT="2h"' "TIMEOUT='2h'" 'TIMEOUT= "2h" # daily' \
		'TIMEOUT=2h # daily' 'export TIMEOUT=2h' "$(printf 'TIMEOUT=2h\r')" \
		"$(printf '\tTIMEOUT=\t2h\t# x')"; do
		shows "$line" TIMEOUT=2h
	done
	shows 'BACKUP_EXCLUDE=*.tmp old-*' 'BACKUP_EXCLUDE=*.tmp old-*'
	shows "BACKUP_EXCLUDE='a # b'" 'BACKUP_EXCLUDE=a # b'
	shows 'BACKUP_EXCLUDE=a#b' 'BACKUP_EXCLUDE=a#b'
	shows 'BACKUP_MATCH="a \"b\" \\ \$c \d"' 'BACKUP_MATCH=a "b" \ $c \d'
	shows "BACKUP_MATCH='a \"b\" \\'" 'BACKUP_MATCH=a "b" \'
	shows "BACKUP_MATCH='größer'" 'BACKUP_MATCH=größer'
}
t "values may be quoted, commented, exported" values

nothing_is_executed() {
	shows 'BACKUP_MATCH=$(touch pwned)`touch pwned`' 'BACKUP_MATCH=$(touch pwned)`touch pwned`'
	refuses 'BACKUP_MATCH="$(touch pwned)"; touch pwned' 'text after the closing quote'
	refuses 'touch pwned' 'line KEY=value'
	refuses 'A$(touch pwned)=1' 'no KEY'
	expect_no_file pwned
}
t "the file is read, never executed" nothing_is_executed

mistakes() {
	refuses 'MAX_BACKUP_AEG=26h' 'shop.conf:3: unknown key MAX_BACKUP_AEG; is MAX_BACKUP_AGE meant'
	refuses 'max_backup_age=26h' 'is MAX_BACKUP_AGE meant'
	refuses 'COLOUR=blue' 'unknown key COLOUR \(see'
	refuses 'PATH=/tmp' 'unknown key PATH \(see'
	refuses 'LD_PRELOAD=/tmp/x.so' 'unknown key LD_PRELOAD'
	refuses 'LABEL=again' 'LABEL is set a second time'
	refuses 'TIMEOUT = 2h' 'no blanks around'
	refuses 'TIMEOUT' 'not a line KEY=value'
	refuses '=x' 'no KEY'
	refuses 'TIMEOUT="2h' 'closing " is missing'
	refuses "TIMEOUT='2h" "closing ' is missing"
	refuses 'TIMEOUT="2h"x' 'text after the closing quote'
	refuses 'DEPTH=deep' 'DEPTH=deep is not known'
}
t "each mistake is one line that names the file, the line and the way out" mistakes

labels() {
	for label in ../x a/b .x 'a b' 'a$b'; do
		printf 'BACKUP_SOURCE=/b\nLABEL="%s"\n' "$label" >shop.conf
		expect_status 3 verify-backup --check-config shop.conf
		expect_err 'cannot be a file name'
	done
}
t "a label that is no file name is refused" labels

files() {
	expect_status 3 verify-backup nowhere.conf
	expect_err 'nowhere.conf: no such file'
	mkdir -p dir.conf
	expect_status 3 verify-backup dir.conf
	expect_err 'dir.conf: not a file'
	expect_status 3 verify-backup
	expect_err 'give one configuration file'
	expect_status 3 verify-backup a b
	expect_err 'give one configuration file'
	expect_status 3 verify-backup --frobnicate shop.conf
	expect_err 'unknown option --frobnicate'
	expect_status 0 verify-backup --help
	expect_out 'BACKUP_SOURCE'
	expect_status 0 verify-backup --version
	expect_out '^verify-backup \(backup-probes\) [0-9]'
}
t "a missing file, a directory, wrong usage: status 3" files

the_environment_wins() {
	config 'TIMEOUT=2h'
	expect_status 0 env TIMEOUT=5h LABEL=other verify-backup --check-config shop.conf
	expect_out '^TIMEOUT=5h$'
	expect_out '^LABEL=other$'
	expect_status 0 env TIMEOUT= verify-backup --check-config shop.conf
	expect_out '^TIMEOUT=2h$'
}
t "environment variables override the file; an empty one does not" the_environment_wins

secrets() {
	for line in PRODUCTION=postgresql://app:hunter2@db/shop WAL_SOURCE=https://app:hunter2@host/wal/ \
		'WAL_SOURCE=https://a.blob.core.windows.net/wal?sp=rl&sig=hunter2' AWS_SECRET_ACCESS_KEY=hunter2 \
		AZURE_STORAGE_KEY=hunter2 'AZURE_STORAGE_CONNECTION_STRING=AccountName=a;AccountKey=hunter2'; do
		config "$line"
		chmod 644 shop.conf
		expect_status 0 verify-backup --check-config shop.conf
		expect_out "^${line%%=*}="
		expect_not_out hunter2
		expect_err 'others may read it: chmod 600'
		expect_not_err hunter2
	done
	chmod 600 shop.conf
	expect_status 0 verify-backup --check-config shop.conf
	expect_no_err
}
t "secrets are not shown, and a readable file that holds one is pointed out" secrets

defaults() {
	config
	expect_status 0 env HOME=/home/u XDG_STATE_HOME= verify-backup --check-config shop.conf
	if [ "$(id -u)" -eq 0 ]; then
		expect_out '^HISTORY=/var/lib/backup-probes/shop.jsonl$'
		expect_out '^WORK_DIR=/var/lib/backup-probes/work$'
	else
		expect_out '^HISTORY=/home/u/.local/state/backup-probes/shop.jsonl$'
	fi
}
t "the history has a place of its own by default" defaults

# The stand-ins would take anything: here the real tools look at the values.
sample() {
	cp "$ROOT/ci/backup-probes.conf.sample" sample.conf
	sed 's/^#\([A-Z0-9_]*=\)/\1/' sample.conf >every.conf
	chmod 600 every.conf
	for conf in sample.conf every.conf; do
		expect_status 0 env PATH="$BIN:/usr/bin:/bin" "$ROOT/ci/verify-backup" --check-config $conf
		expect_no_err
	done
	for key in $(verify-backup --keys); do expect_out "^$key="; done
	echo RTO_TARGET=soon | cat sample.conf - >wrong.conf
	expect_status 3 env PATH="$BIN:/usr/bin:/bin" "$ROOT/ci/verify-backup" --check-config wrong.conf
	expect_err RTO_TARGET
}
t "the sample is a configuration, has every key, and each of its examples is taken by the tools" sample

missing_tool() {
	config
	mv bin/compare-counts .
	expect_status 3 env PATH=/usr/bin:/bin "$SCRATCH/bin/verify-backup" --check-config shop.conf
	expect_err 'compare-counts is neither beside'
	mv compare-counts bin/
}
t "a missing tool is named" missing_tool
