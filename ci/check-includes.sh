#!/bin/sh
# check-includes: which way #include may point.
#
#	lib/base  <  lib/net  <  lib/pg  lib/storage  lib/dump  lib/report  <
#	lib/physical  <  lib/keeper  <  lib/restore  lib/alert  <  tools, tests
#
# Every folder may include its own and those before it; folders of one layer do not know each other;
# a tool includes lib/ only; lib/ never includes a tool. Names are written from the root.
set -eu
cd "${1:-$(dirname "$0")/..}"

layer() {
	case $1 in
	lib/base/*) echo 0 ;;
	lib/net/*) echo 1 ;;
	lib/pg/* | lib/storage/* | lib/dump/* | lib/report/*) echo 2 ;;
	lib/physical/*) echo 3 ;;
	lib/keeper/*) echo 4 ;;
	lib/restore/* | lib/alert/*) echo 5 ;;
	tests/unit/*.h) echo 8 ;;
	tests/*) echo 9 ;;
	restore/* | probes/* | report/* | alerts/*) echo 7 ;;
	*) echo unknown ;;
	esac
}

found=$(find lib restore probes report alerts tests -name '*.[ch]' 2>/dev/null | sort | while read -r file; do
	from=$(layer "$file")
	if [ "$from" = unknown ]; then
		echo "$file: this folder has no place in ci/check-includes.sh"
		continue
	fi
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" |
		while read -r include; do
			to=$(layer "$include")
			if [ ! -e "$include" ]; then
				echo "$file: \"$include\" is not a path from the root"
			elif [ "$from$to" = 88 ]; then
				: # what tests share may build on what tests share
			elif [ "$to" = unknown ] || [ "$to" -ge 7 ] && [ "$to" -ge "$from" ]; then
				echo "$file: must not include \"$include\""
			elif [ "$to" -gt "$from" ]; then
				echo "$file: must not include \"$include\" (a layer above)"
			elif [ "$to" -lt 7 ] && [ "$to" -eq "$from" ] && [ "${file%/*}" != "${include%/*}" ]; then
				echo "$file: must not include \"$include\" (a sibling)"
			fi
		done
done)
[ -z "$found" ] || {
	echo "$found"
	exit 1
}
