#!/bin/sh
# fetch-latest --signature-keyring: detached signatures of backups and of their digests.
. "${0%/*}/lib.sh"
need jq gpg gpgv

NAME=shop.dump
mkdir root
head -c 300000 /dev/urandom >"root/$NAME"
# key NAME: makes it, exports it as NAME.pub and, armored, as NAME.asc.
key() {
	gpg -q --batch --passphrase '' --pinentry-mode loopback --quick-gen-key "$1 <$1@example.com>" ed25519 sign never
	gpg -q --export "$1" >"$1.pub"
	gpg -q --armor --export "$1" >"$1.asc"
}
keys() {
	GNUPGHOME=$SCRATCH/g
	export GNUPGHOME
	mkdir -m 700 "$GNUPGHOME"
	key jane && key joe
}
prepare keys
# sign KEY FILE [OPTION...]
sign() {
	k=$1 f=$2
	shift 2
	gpg -q --batch --yes --local-user "$k" "$@" --detach-sign "$f"
}
fetch() { fetch-latest --records --copy --dir work "$@" root; }

good() {
	sign jane "root/$NAME"
	for keys in jane.pub jane.asc; do
		expect_status 0 fetch --signature-keyring "$keys"
		expect_says backup-download ok 'signed by jane <jane@example.com> \\(key [0-9A-F]{16}\\)'
	done
	expect_file "work/$NAME.sig"
	SIGNATURE_KEYRING=jane.pub expect_status 0 fetch-latest --records root
	expect_says backup-download ok 'signed by jane .*used where it is'
	sign jane "root/$NAME" --armor
	rm "root/$NAME.sig"
	expect_status 0 fetch --signature-keyring jane.pub
	expect_says backup-download ok 'signed by jane'
	expect_nothing_left
}
t "a good signature is told, with its key, from armored keys too" good

unknown() {
	expect_status 1 fetch --signature-keyring joe.pub
	expect_says backup-download warning "$NAME.asc is by the key [0-9A-F]{16}, which is not in the keyring"
	echo 'no signature' >"root/$NAME.asc"
	expect_status 1 fetch --signature-keyring jane.pub
	expect_says backup-download warning 'holds no signature'
	rm "root/$NAME.asc"
	expect_status 1 fetch --signature-keyring jane.pub
	expect_says backup-download warning 'no signature is there of it'
	expect_status 0 fetch
	expect_status 3 fetch --signature-keyring nowhere
	expect_err 'nowhere: No such file'
	sign jane "root/$NAME"
	echo 'no keys' >rubbish
	expect_status 1 fetch --signature-keyring rubbish
	echo '-----BEGIN rubbish' >rubbish
	expect_status 3 fetch --signature-keyring rubbish
	expect_nothing_left
}
t "another's signature, none, or none that is one, is a warning; keys that cannot be read are unknown" unknown

bad() {
	rm -rf work
	head -c 300000 /dev/urandom >"root/$NAME"
	expect_status 2 fetch --signature-keyring jane.pub
	expect_says backup-download critical "$NAME.sig, by the key [0-9A-F]{16} of jane <jane@example.com>, is not its signature"
	[ -z "$(ls -A work)" ]
	rm "root/$NAME.sig"
	expect_nothing_left
}
t "a signature of other bytes is critical, names the key, and nothing is kept" bad

digests() {
	(cd root && sha256sum "$NAME" >SHA256SUMS)
	sign jane root/SHA256SUMS --armor
	expect_status 0 fetch --signature-keyring jane.pub
	expect_says backup-download ok 'agrees with SHA256SUMS, signed by jane'
	mv root/SHA256SUMS "root/$NAME.sha256"
	mv root/SHA256SUMS.asc "root/$NAME.sha256.asc"
	expect_status 0 fetch --signature-keyring jane.pub
	expect_says backup-download ok "agrees with $NAME.sha256, signed by jane"
	expect_file "work/$NAME.sha256.asc"
	# Signed, but it says nothing of this one.
	sha256sum jane.pub >root/SHA256SUMS
	rm "root/$NAME.sha256" "root/$NAME.sha256.asc"
	sign jane root/SHA256SUMS
	expect_status 1 fetch --signature-keyring jane.pub
	expect_says backup-download warning 'no signature is there of all of it'
	echo "$(sha256sum "root/$NAME" | cut -d ' ' -f 1)  $NAME" >root/SHA256SUMS
	expect_status 2 fetch --signature-keyring jane.pub
	expect_says backup-download critical 'SHA256SUMS.sig, by the key .* is not its signature'
	rm root/SHA256SUMS*
}
t "signed digests vouch for what was compared with them, and for nothing else" digests

trees() {
	rm "root/$NAME"
	mkdir root/d
	echo toc >root/d/toc.dat
	echo data >root/d/3001.dat
	(cd root/d && sha256sum ./*.dat >SHA256SUMS)
	sign jane root/d/SHA256SUMS
	expect_status 0 fetch --signature-keyring jane.pub
	expect_says backup-download ok 'agrees with SHA256SUMS, signed by jane'
	echo more >root/d/3002.dat
	expect_status 1 fetch --signature-keyring jane.pub
	expect_says backup-download warning 'no signature is there of all of it'
}
t "of a directory every file must be in the signed list" trees
gpgconf --homedir "$SCRATCH/g" --kill gpg-agent
