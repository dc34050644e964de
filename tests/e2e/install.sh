#!/bin/sh
# make install: complete, relocatable, and removed again; completions; probes as plugins.
# sanitizers: no, it installs what was built and tests shells
. "${0%/*}/lib.sh"
need bash zsh make

PREFIX=/opt/probes
HERE=$SCRATCH/root$PREFIX
build=${BIN%/bin}

installs() {
	# What tests/run copied elsewhere was built here.
	[ -e "$build/lib.a" ] || build=$ROOT/build
	make -s -C "$ROOT" B="$build" install DESTDIR="$SCRATCH/root" PREFIX=$PREFIX
	for tool in "$build"/bin/*; do
		name=${tool##*/}
		cmp "$tool" "$HERE/bin/$name"
		expect_file "$HERE/share/man/man1/$name.1"
		expect_file "$HERE/share/bash-completion/completions/$name"
		expect_file "$HERE/share/zsh/site-functions/_$name"
	done
	for page in man1/verify-backup.1 man5/backup-probes.conf.5 man7/backup-probes.7; do expect_file "$HERE/share/man/$page"; done
	expect_file "$HERE/share/doc/backup-probes/examples/backup-probes.conf.sample"
	expect_file "$HERE/bin/verify-backup"
	expect_file "$HERE/share/backup-probes/daily-job/keys"
	expect_file "$HERE/share/doc/backup-probes/README.md"
	expect_file "$HERE/share/doc/backup-probes/examples/prometheus/backup-probes.rules.yml"
	[ -z "$(find "$SCRATCH/root" -type f ! -perm -044)" ]
}
t "everything is installed, readable for all" installs

# The tools beside verify-backup and its parts are found wherever the tree stands.
relocated() {
	mv "$SCRATCH/root" "$SCRATCH/moved"
	ln -sf "moved$PREFIX/bin/verify-backup" daily
	printf 'LABEL=shop\nBACKUP_SOURCE=/nowhere\n' >shop.conf
	for command in "$SCRATCH/moved$PREFIX/bin/verify-backup" ./daily; do
		expect_status 0 env -i PATH=/usr/bin:/bin HOME="$SCRATCH" "$command" --check-config shop.conf
	done
	mv "$SCRATCH/moved" "$SCRATCH/root"
}
t "it works from wherever it is moved to, and through a link" relocated

plugins() {
	for probe in "$ROOT"/probes/*.c; do
		name=$(basename "$probe" .c)
		plugin=$HERE/lib/nagios/plugins/check_backup_$(echo "${name#check-}" | tr - _)
		[ "$(readlink -f "$plugin")" = "$HERE/bin/$name" ]
		# As a plugin, help is no OK, and wrong usage is one line on standard output.
		expect_status 3 "$plugin" --help
		expect_status 3 "$plugin" --no-such-option
		expect_out "^$name UNKNOWN - .*no-such-option"
		expect_no_err
	done
}
t "each probe is a plugin under its check_backup_ name" plugins

# complete_bash WORD...: what bash offers for the last word.
complete_bash() {
	bash -c '. "$0/$1"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_"${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' \
		"$HERE/share/bash-completion/completions" "$@" >"$OUT"
}

bash_completes() {
	complete_bash restore-to-temp --dep
	[ "$(cat "$OUT")" = --depth ]
	complete_bash restore-to-temp --depth ''
	[ "$(tr '\n' ' ' <"$OUT")" = "full data " ]
	touch here.dump
	complete_bash restore-to-temp --backup here
	[ "$(cat "$OUT")" = here.dump ]
	complete_bash restore-to-temp --timeout ''
	[ -z "$(cat "$OUT")" ]
	complete_bash restore-to-temp -- compare-coun
	expect_out '^compare-counts$'
	for file in "$HERE"/share/bash-completion/completions/*; do bash -n "$file"; done
}
t "bash completes options, choices, files and commands" bash_completes

zsh_completes() {
	for file in "$HERE"/share/zsh/site-functions/_*; do zsh -fn "$file"; done
	# _arguments asks for the words of a completion: here it only shows that it takes all specs.
	zsh -f -c 'fpath=('"$HERE"'/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D
		whence -w _restore-to-temp; print $_comps[restore-to-temp]' >"$OUT"
	expect_out '^_restore-to-temp$'
}
t "zsh finds its completions" zsh_completes

uninstalls() {
	make -s -C "$ROOT" B="$build" uninstall DESTDIR="$SCRATCH/root" PREFIX=$PREFIX
	[ -z "$(find "$SCRATCH/root" ! -type d)" ] || find "$SCRATCH/root" ! -type d
	[ -z "$(find "$SCRATCH/root" ! -type d)" ]
}
t "make uninstall leaves nothing" uninstalls
