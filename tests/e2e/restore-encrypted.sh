#!/bin/sh
# restore-to-temp: backups that gpg, age and openssl encrypted; wrong keys, damage, cuts.
# sanitizers: no, tests/unit/test_crypt.c and the fuzz targets go through the parsers
. "${0%/*}/lib.sh"
need jq gpg gpg-agent age openssl zstd gzip python3
need_pg

# shellcheck disable=SC2089,SC2090  # the quotes belong to it
PASSPHRASE="correct horse, battery \"staple\" é"

# age asks for a passphrase on a terminal only.
age_passphrase() {
	python3 - "$PASSPHRASE" "$1" "$2" <<-'PY'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp('age', ['age', '-p', '-o', sys.argv[3], sys.argv[2]])
		for _ in range(2):
		    while b':' not in os.read(fd, 1000):
		        pass
		    os.write(fd, sys.argv[1].encode() + b'\n')
		try:
		    while os.read(fd, 1000):
		        pass
		except OSError:
		    pass
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}

make_keys() {
	printf '%s\n' "$PASSPHRASE" >passphrase
	echo 'something else' >wrong
	age-keygen -o age.key 2>/dev/null
	age-keygen -o other.key 2>/dev/null
	export GNUPGHOME="$SCRATCH/g"
	mkdir -m 700 "$GNUPGHOME"
	gpg -q --batch --passphrase-fd 3 --pinentry-mode loopback --quick-gen-key shop rsa2048 encr never \
		3<passphrase
	gpg -q --batch --passphrase-fd 3 --pinentry-mode loopback --armor --export-secret-keys shop \
		3<passphrase >gpg.key
	chmod 600 passphrase wrong ./*.key
}

# Also something that is not compressed well, so that damage has a place.
make_dumps() {
	SHOP="host=$PG_SOCKET user=postgres dbname=shop"
	sql "$SHOP" "CREATE TABLE orders (id int PRIMARY KEY, note text);
		INSERT INTO orders SELECT g, md5(g::text) || md5((g + 7)::text) FROM generate_series(1, 4000) g"
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc -f custom.dump
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp -f plain.sql
	age=$(age-keygen -y age.key)
	gpg_e="gpg -q --batch --trust-model always --pinentry-mode loopback"
	$gpg_e --passphrase-fd 3 -c -o custom.dump.gpg custom.dump 3<passphrase
	zstd -qc plain.sql | $gpg_e -e -r shop >plain.sql.zst.gpg
	age -r "$age" -o custom.dump.age custom.dump
	age -r "$age" plain.sql | gzip >plain.sql.age.gz
	age_passphrase custom.dump pass.dump.age
	gzip -c plain.sql | openssl enc -aes-256-cbc -pbkdf2 -pass file:passphrase -out plain.sql.gz.enc
	openssl enc -aes-256-cbc -md md5 -pass file:passphrase -in custom.dump -out legacy.dump.enc
	gpgconf --kill gpg-agent
	unset GNUPGHOME
}

start_server() {
	pg_start
	sql 'CREATE DATABASE shop'
}

prepare start_server
prepare make_keys
prepare make_dumps
gpgconf --homedir "$SCRATCH/g" --kill gpg-agent

# Neither text of a secret is in what was written, and no file of ours has it.
expect_no_secret() {
	! grep -qF -e 'battery' -e 'AGE-SECRET-KEY' "$OUT" "$ERR" || say_failed "a secret shows"
	expect_nothing_left
}

cat >probe <<'EOS'
#!/bin/sh
cat
n=$("$PG_BIN/psql" -XqAt -c 'SELECT count(*) FROM orders') || exit 3
printf '{"record":"check","tool":"probe","check":"contents","status":"ok","summary":"%s orders"}\n' "$n"
[ "$n" = 4000 ] || exit 2
EOS
chmod 755 probe
export PG_BIN

# restores FILE ENCRYPTION [OPTION...]
restores() {
	file=$1 encryption=$2
	shift 2
	expect_status 0 restore-to-temp --records --require-encryption --backup "$file" "$@" -- \
		"$SCRATCH/probe"
	expect_check backup-encryption ok
	expect_check backup-complete ok
	expect_check contents ok
	expect_records "any(.[]; .check == \"backup-format\" and .encryption == \"$encryption\")"
	expect_records 'any(.[]; .check == "restore-time" and
		any(.metrics[]; .name | test("^decrypt_(along_)?seconds$")))'
	expect_no_secret
}
t "gpg, by passphrase" restores custom.dump.gpg gpg --decrypt-passphrase-file passphrase
t "gpg, by a secret key with a passphrase, around zstd" restores plain.sql.zst.gpg gpg \
	--decrypt-key-file gpg.key --decrypt-passphrase-file passphrase
t "age, by identity" restores custom.dump.age age --decrypt-key-file age.key
t "age inside gzip" restores plain.sql.age.gz age --decrypt-key-file age.key
t "age, by passphrase" restores pass.dump.age age --decrypt-passphrase-file passphrase
t "openssl enc with PBKDF2, around gzip" restores plain.sql.gz.enc openssl \
	--decrypt-passphrase-file passphrase

from_environment() {
	DECRYPT_PASSPHRASE=$PASSPHRASE
	# shellcheck disable=SC2090
	export DECRYPT_PASSPHRASE
	restores legacy.dump.enc openssl
	expect_out 'openssl enc cannot tell whether'
	cat >show <<-'EOS'
		#!/bin/sh
		cat >/dev/null
		env | grep -q DECRYPT && exit 2
		tr '\0' '\n' </proc/$PPID/environ | grep -q battery && exit 2
		echo '{"record":"check","tool":"show","check":"unseen","status":"ok","summary":"unseen"}'
	EOS
	chmod 755 show
	expect_status 0 restore-to-temp --records --backup legacy.dump.enc -- ./show
	expect_check unseen ok
}
t "openssl enc as it was before PBKDF2; the secret in the environment, where COMMAND does not see it" \
	from_environment

required() {
	expect_status 2 restore-to-temp --records --backup custom.dump --require-encryption
	expect_check backup-encryption critical
	expect_check restore ok
	REQUIRE_ENCRYPTION=yes expect_status 2 restore-to-temp --records --backup plain.sql
	expect_check backup-encryption critical
}
t "a plain backup where encryption is required is critical" required

# locked FILE WORDS [OPTION...]: it could not be looked into.
locked() {
	file=$1 words=$2
	shift 2
	expect_status 3 restore-to-temp --records --backup "$file" "$@"
	expect_check backup-format unknown
	expect_out "$words"
	expect_no_secret
}
wrong_keys() {
	locked custom.dump.gpg 'the passphrase is wrong' --decrypt-passphrase-file wrong
	locked plain.sql.zst.gpg 'the passphrase is wrong' --decrypt-key-file gpg.key \
		--decrypt-passphrase-file wrong
	locked plain.sql.zst.gpg 'which is not in the given key file' --decrypt-key-file age.key
	locked custom.dump.age 'it is not for the given key' --decrypt-key-file other.key
	locked plain.sql.age.gz 'it is not for the given key' --decrypt-key-file other.key
	locked plain.sql.gz.enc 'this format does not tell which' --decrypt-passphrase-file wrong
	locked pass.dump.age 'name its file as DECRYPT_PASSPHRASE_FILE' --decrypt-key-file age.key
	for f in custom.dump.gpg custom.dump.age plain.sql.gz.enc; do
		locked "$f" 'give the key with DECRYPT_PASSPHRASE_FILE or DECRYPT_KEY_FILE'
	done
	expect_status 3 restore-to-temp --records --backup custom.dump.age --decrypt-key-file nowhere.key
	expect_out 'nowhere.key'
}
t "a wrong key, or none, is unknown, and says which is asked for" wrong_keys

# inspected FILE OPTION...: without a server.
inspected() {
	file=$1
	shift
	expect_status 0 inspect-dump --records "$file" "$@"
	expect_records 'any(.[]; .check == "dump-rows" and .observed == 4000)'
	expect_check dump-complete ok
	expect_no_secret
}
without_a_server() {
	inspected custom.dump.gpg --decrypt-passphrase-file passphrase
	inspected plain.sql.zst.gpg --decrypt-key-file gpg.key --decrypt-passphrase-file passphrase
	inspected plain.sql.age.gz --decrypt-key-file age.key
	inspected legacy.dump.enc --decrypt-passphrase-file passphrase
	expect_status 3 inspect-dump --records custom.dump.gpg --decrypt-passphrase-file wrong
	expect_out 'the passphrase is wrong'
	expect_status 3 inspect-dump --records custom.dump.age
	expect_out 'DECRYPT_KEY_FILE'
	expect_status 3 inspect-dump --records custom.dump.age --decrypt-key-file nowhere.key
	expect_out 'nowhere.key'
	# Stopped while gpg has the key: what it had is gone.
	mkfifo slow
	(cat custom.dump.gpg && sleep 30) >slow &
	feeder=$!
	inspect-dump --records custom.dump.gpg slow --decrypt-passphrase-file passphrase >"$OUT" 2>"$ERR" &
	pid=$!
	wait_for 20 grep -q '"event":"begin"' "$OUT"
	kill -s TERM $pid
	wait $pid || true
	kill $feeder
	wait $feeder || true
	expect_nothing_left
}
t "inspect-dump takes the same keys, and leaves nothing of them" without_a_server

# flip FILE AT: as "damaged"; cut FILE BYTES: as "damaged".
flip() {
	python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[2])] ^= 1
open("damaged", "wb").write(b)' "$1" "$2"
}
cut_off() { head -c "$2" "$1" >damaged; }

# bad WORDS [OPTION...]
bad() {
	words=$1
	shift
	expect_status 2 restore-to-temp --records --backup damaged "$@"
	expect_out "$words"
	expect_no_secret
}
middle() { echo $(($(wc -c <"$1") / 2)); }
damage() {
	flip custom.dump.age "$(middle custom.dump.age)"
	bad 'damaged: the age data .*a chunk was changed' --decrypt-key-file age.key
	flip custom.dump.gpg "$(middle custom.dump.gpg)"
	bad 'damaged: the gpg data is wrong' --decrypt-passphrase-file passphrase
	flip plain.sql.gz.enc "$(middle plain.sql.gz.enc)"
	bad 'damaged: the gzip data is wrong' --decrypt-passphrase-file passphrase
}
cuts() {
	cut_off custom.dump.age "$(middle custom.dump.age)"
	bad 'truncated: it ends in the middle of a chunk' --decrypt-key-file age.key
	cut_off plain.sql.age.gz "$(middle plain.sql.age.gz)"
	bad 'truncated' --decrypt-key-file age.key
	cut_off custom.dump.gpg "$(middle custom.dump.gpg)"
	bad 'truncated: it ends within (a packet|its header)' --decrypt-passphrase-file passphrase
	cut_off plain.sql.gz.enc "$(($(middle plain.sql.gz.enc) / 16 * 16))"
	bad 'its last block does not end as it must: cut there|truncated' \
		--decrypt-passphrase-file passphrase
	cut_off plain.sql.gz.enc "$(($(middle plain.sql.gz.enc) / 16 * 16 + 5))"
	bad 'truncated: it ends within a block' --decrypt-passphrase-file passphrase
}
t "a flipped bit is critical, as damaged" damage
t "a container that was cut off is critical, as truncated" cuts

bomb_inside() {
	{ echo 'SELECT 1;' && head -c 100M /dev/zero | tr '\0' ' '; } | zstd -q | age -r "$(age-keygen -y age.key)" >bomb
	expect_status 3 restore-to-temp --records --backup bomb --decrypt-key-file age.key --max-unpacked 10MB
	expect_out 'raise MAX_UNPACKED'
}
t "the limits hold for what is encrypted too" bomb_inside

# What a listing knows is the name; what was fetched is told by its first bytes.
records_say() {
	expect_status 0 list-backups --records .
	expect_records 'map(select(.name == "custom.dump.age"))[0].encryption == "age"'
	expect_records 'map(select(.name == "custom.dump"))[0].encryption == null'
	mkdir fetched
	cp custom.dump.gpg fetched/shop.dump
	expect_status 0 fetch-latest --records fetched
	expect_records 'map(select(.record == "backup"))[0].encryption == "gpg"'
	cp custom.dump fetched/shop.dump
	expect_status 0 fetch-latest --records fetched
	expect_records 'map(select(.record == "backup"))[0].encryption == "none"'
}
t "records say how a backup is encrypted" records_say
