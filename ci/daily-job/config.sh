# The configuration: a file of KEY=value lines, the environment, and defaults.

# Their names; those of libpq and the storages have no text.
keys() { sed -n 's/^\([A-Z][A-Z0-9_]*\)|.*|..*/\1/p' "$parts/keys"; }
foreign() { sed -n 's/^\([A-Z][A-Z0-9_]*\)|.*|$/\1/p' "$parts/keys"; }

# keys_with WORD|WORD...: those that have such a word.
keys_with() { awk -F '|' -v words="$1" '$2 ~ words { print $1 }' "$parts/keys" | tr '\n' ' '; }

# What no tool but the one that needs it may see.
for_alerts=$(keys_with alerts)
for_report=$(keys_with report)
for_restore=$(keys_with restore)

tab=$(printf '\t')
cr=$(printf '\r')

wrong() { die "$config:$line_no: $*"; }

# Takes blanks off both ends of $text.
trim() {
	text=${text#"${text%%[! "$tab"]*}"}
	text=${text%"${text##*[! "$tab"]}"}
}

# The known key nearest to $1, by edit distance, when it is near.
nearest() {
	{
		keys
		foreign
	} | awk -v a="$1" '
		function min(x, y) { return x < y ? x : y }
		function distance(a, b,    i, j, d) {
			for (i = 0; i <= length(a); i++) d[i, 0] = i
			for (j = 0; j <= length(b); j++) d[0, j] = j
			for (i = 1; i <= length(a); i++)
				for (j = 1; j <= length(b); j++)
					d[i, j] = min(min(d[i - 1, j], d[i, j - 1]) + 1, \
						d[i - 1, j - 1] + (substr(a, i, 1) != substr(b, j, 1)))
			return d[length(a), length(b)]
		}
		{
			n = distance(toupper(a), $0)
			if (best == "" || n < least) { least = n; best = $0 }
		}
		END { if (least <= 1 + length(best) / 3) print best }'
}

# Sets $text to the value in $1: quoted by ' or ", or up to a blank and #.
unquote() {
	text=$1
	trim
	case $text in
	\'*)
		rest=${text#?}
		case $rest in *\'*) ;; *) wrong "$key: the closing ' is missing" ;; esac
		value=${rest%%\'*}
		rest=${rest#*\'}
		;;
	\"*)
		rest=${text#?}
		value=
		while :; do
			case $rest in
			'') wrong "$key: the closing \" is missing" ;;
			\"*)
				rest=${rest#?}
				break
				;;
			\\[\"\\\$\`]*) rest=${rest#?} ;;
			esac
			value=$value${rest%"${rest#?}"}
			rest=${rest#?}
		done
		;;
	*)
		text=${text%%[ "$tab"]#*}
		case $text in '#'*) text= ;; esac
		trim
		return
		;;
	esac
	text=$rest
	trim
	case $text in '' | '#'*) ;; *) wrong "$key: there is text after the closing quote" ;; esac
	text=$value
}

read_config() {
	known=" $(keys | tr '\n' ' ')$(foreign | tr '\n' ' ')"
	line_no=0 seen=' '
	while IFS= read -r text || [ -n "$text" ]; do
		line_no=$((line_no + 1))
		text=${text%"$cr"}
		trim
		case $text in '' | '#'*) continue ;; esac
		text=${text#export[ "$tab"]}
		trim
		key=${text%%=*}
		case $text in *=*) ;; *) wrong "this is not a line KEY=value" ;; esac
		case $key in '' | *[!A-Za-z0-9_]*) wrong "no KEY before the = (no blanks around it)" ;; esac
		case $known in
		*" $key "*) ;;
		*)
			hint=$(nearest "$key")
			wrong "unknown key $key${hint:+; is $hint meant?} (see $me --help)"
			;;
		esac
		case $seen in *" $key "*) wrong "$key is set a second time" ;; esac
		seen="$seen$key "
		unquote "${text#*=}"
		# The environment wins; empty counts as unset.
		eval "[ -n \"\${$key-}\" ]" || export "$key=$text"
	done
}

# A URL with such a parameter opens what it points to.
signature='[?&](sig|X-Amz-Signature)='

# A file that others can read must hold no password.
check_secrecy() {
	secrets=$(keys_with secret | sed 's/ $//; s/ /|/g')
	grep -qE "^[^#]*(password=|://[^/@]*:[^/@]*@|$signature|($secrets)=)" "$config" || return 0
	if [ -n "$(find -L "$config" -perm /044)" ]; then
		echo "$me: warning: $config holds a secret and others may read it: chmod 600 $config" >&2
	fi
}

# What systemd's LoadCredential= brings is a file named after its key.
take_credentials() {
	[ -n "${CREDENTIALS_DIRECTORY-}" ] || return 0
	for name in $for_alerts $for_report $for_restore; do
		[ -f "$CREDENTIALS_DIRECTORY/$name" ] || continue
		eval "[ -n \"\${$name-}\${${name}_FILE-}\" ]" ||
			export "${name}_FILE=$CREDENTIALS_DIRECTORY/$name"
	done
}

# The tools tell the same way.
history_in_database() {
	case $HISTORY in
	postgresql://* | postgres://*) true ;;
	/* | .*) false ;;
	*dbname*=* | *service*=*) true ;;
	*) false ;;
	esac
}

# What no tool checks, for no tool reads it.
check_values() {
	[ -n "${LABEL-}" ] || die "$config: LABEL is missing: the database's name in reports, such as LABEL=shop"
	[ -n "${BACKUP_SOURCE-}" ] ||
		die "$config: BACKUP_SOURCE is missing: where the backups are, such as BACKUP_SOURCE=/var/backups/shop"
	case $LABEL in
	.* | *[!A-Za-z0-9._-]*)
		die "LABEL \"$LABEL\" cannot be a file name: take letters, digits, \".\", \"_\" and \"-\""
		;;
	esac
	case ${DEPTH:=full} in
	full | data) ;;
	# Here no restore can be the proof.
	inspect) export DEADMAN_PROOF="${DEADMAN_PROOF:-dump-complete}" ;;
	*) die "DEPTH=$DEPTH is not known: take full, data or inspect" ;;
	esac
	case ${VERIFY_REPOSITORY-} in
	'' | 0 | no | false) VERIFY_REPOSITORY= ;;
	1 | yes | true) ;;
	*) die "VERIFY_REPOSITORY=$VERIFY_REPOSITORY: take yes or no" ;;
	esac
	case ${INTEGRITY-} in
	'' | 0 | no | false) INTEGRITY= ;;
	1 | yes | true | deep) ;;
	*) die "INTEGRITY=$INTEGRITY: take yes, deep or no" ;;
	esac
}

# Where things are remembered, and the room to work.
choose_places() {
	state=
	if [ "$(id -u)" -eq 0 ]; then
		state=/var/lib/backup-probes
	elif [ -n "${XDG_STATE_HOME:-${HOME-}}" ]; then
		state=${XDG_STATE_HOME:-$HOME/.local/state}/backup-probes
	elif [ -z "${HISTORY-}" ] || [ -z "${WORK_DIR-}" ]; then
		die "HOME is not set: set HISTORY and WORK_DIR"
	fi
	: "${HISTORY:=$state/$LABEL.jsonl}" "${WORK_DIR:=$state/work}"
	if history_in_database; then
		memory=${state:-$WORK_DIR}
	else
		memory=$(dirname "$HISTORY")
	fi
	: "${READINGS:=$memory/$LABEL.readings.jsonl}" "${WAL_LEDGER:=$memory/$LABEL.wal-ledger}"
}

load_config() {
	[ -e "$config" ] || die "$config: no such file"
	[ -f "$config" ] || [ -p "$config" ] || die "$config: not a file"
	[ -r "$config" ] || die "$config: permission denied"
	read_config <"$config"
	check_secrecy
	take_credentials
	check_values
	choose_places
	export LABEL BACKUP_SOURCE HISTORY WORK_DIR DEPTH READINGS WAL_LEDGER VERIFY_REPOSITORY INTEGRITY
}

# What may be seen of the value in $1: of a URL neither the password nor the signature.
presentable() {
	case $1 in
	*://*) printf '%s\n' "$1" | sed -E "s,(://[^/@:]*):[^/@]*@,\1@,; /$signature/s/[?].*/?(not shown)/" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

show_config() {
	withheld=" $(keys_with 'secret|hidden')"
	for key in $known; do
		eval "text=\${$key-}"
		[ -n "$text" ] || continue
		case $withheld in *" $key "*) text='(set; not shown)' ;; esac
		[ "$key" != HISTORY ] || ! history_in_database || text='(a database; not shown)'
		printf '%s=%s\n' "$key" "$(presentable "$text")"
	done
}
