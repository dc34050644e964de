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
	grep -qF "\`$name" README.md || complain "README.md does not mention $name"
done

# Every configuration key of verify-backup is in its manual page and in the README.
for key in $(ci/verify-backup --keys); do
	grep -qw "$key" ci/verify-backup.1 || complain "$key is not in ci/verify-backup.1"
	grep -qw "$key" README.md || complain "$key is not in README.md"
done
exit $bad
