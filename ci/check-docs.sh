#!/bin/sh
# check-docs: what --help says is what the manual page and the README say.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
bad=0

complain() {
	echo "check-docs: $*"
	bad=1
}

for tool in "$build"/bin/*; do
	name=${tool##*/}
	page=$(mandoc -T utf8 "$build/man/$name.1" | col -b)
	for option in $("$tool" --help | grep -oE '^ +(-[A-Za-z], +)?--[a-z0-9-]+' | grep -oE -e '--[a-z0-9-]+'); do
		echo "$page" | grep -qF -e "$option" || complain "$name: $option is not in its manual page"
	done
	grep -q "^\.It Xr $name 1" ci/backup-probes.7 || complain "ci/backup-probes.7 does not list $name"
	grep -qF "\`$name" README.md || complain "README.md does not mention $name"
done

# Every configuration key of verify-backup is explained in backup-probes.conf(5) with an example, and
# some tool reads it from the environment; the other way round, it knows what its tools read.
known=$(ci/verify-backup --keys)
# shellcheck disable=SC2013  # words
read_by_tools=$(for tool in $(sed -n "s/^tools='\(.*\)'$/\1/p" ci/daily-job/tools.sh); do
	"$build/bin/$tool" --help | grep -oE '\[[A-Z][A-Z_]+\]' | tr -d '[]'
done | sort -u)
help=$(for tool in "$build"/bin/*; do "$tool" --help; done)
for key in $known; do
	grep -qE "^\.It Ev (.*, )?$key( |$)" ci/backup-probes.conf.5 || complain "$key is not in ci/backup-probes.conf.5"
	grep -q "^\.Dl $key=" ci/backup-probes.conf.5 || complain "ci/backup-probes.conf.5 has no example (.Dl) of $key"
	case $key in LABEL | BACKUP_SOURCE | REPORT_DIR | DEPTH | VERIFY_REPOSITORY | INTEGRITY) continue ;; esac
	echo "$help" | grep -qw "$key" || complain "no tool reads $key"
done
for key in $read_by_tools; do
	echo "$known" | grep -qx "$key" || complain "ci/daily-job/keys does not have $key"
done
for key in $(sed -n 's/^\.It Ev //p' ci/backup-probes.conf.5 | tr -d ,); do
	echo "$known" | grep -qx "$key" || complain "ci/daily-job/keys does not have $key, which is in ci/backup-probes.conf.5"
done
ci/conf-sample | cmp -s - ci/backup-probes.conf.sample ||
	complain "ci/backup-probes.conf.sample is not what ci/conf-sample makes of ci/backup-probes.conf.5: make sample"

# The map of modules: each header is in it, and nothing else.
for dir in lib/*/; do
	listed=$(sed -n "\,^## ${dir%/}\$,,/^## /s/^| \`\(.*\.h\)\`.*/\1/p" docs/modules.md)
	[ "$listed" = "$(find "$dir" -name "*.h" -printf "%f\n" | LC_ALL=C sort)" ] || complain "docs/modules.md does not have all of $dir: make modules"
	grep -q "\`${dir%/}\`" docs/architecture.md || complain "docs/architecture.md does not explain ${dir%/}"
done

# Links between pages lead somewhere.
for page in README.md CONTRIBUTING.md docs/*.md; do
	# shellcheck disable=SC2013  # words
	for link in $(grep -oE '\]\([^)#]+' "$page" | cut -c 3- | grep -v ':'); do
		[ -e "${page%"${page##*/}"}$link" ] || complain "$page links to $link, which is not there"
	done
done

version=$(sed -n 's/^VERSION *:= *//p' Makefile)
[ "$(ci/verify-backup --version)" = "verify-backup (backup-probes) $version" ] ||
	complain "ci/verify-backup --version is not that of the Makefile"
exit $bad
