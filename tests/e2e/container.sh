#!/bin/sh
# ci/Containerfile: its steps taken in roots of a bare Debian, and what comes out is used.
# sanitizers: no, it tests packaging
# time limit: 3600 s
. "${0%/*}/lib.sh"

wanted() {
	[ -n "${CONTAINER-}" ] || skip "optional: takes minutes and needs debootstrap; CONTAINER=1 runs it"
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# What Debian has not comes from PGDG: here a repository like it, with a PostgreSQL 99 that is none.
pgdg() {
	mkdir -p p/DEBIAN p/usr/lib/postgresql/99/bin base/srv/pgdg/dists/bookworm-pgdg/main/binary-amd64 keys
	chmod 700 keys
	printf 'Package: postgresql-99\nVersion: 99\nArchitecture: all\nMaintainer: n <n@example.org>\nDescription: n\n' \
		>p/DEBIAN/control
	dpkg-deb --root-owner-group -b p base/srv/pgdg/postgresql-99.deb
	(
		cd base/srv/pgdg
		dpkg-scanpackages -m . >dists/bookworm-pgdg/main/binary-amd64/Packages
		cd dists/bookworm-pgdg
		printf 'Suite: bookworm-pgdg\nComponents: main\nArchitectures: amd64 all\nDate: %s\nSHA256:\n' "$(date -Ru)"
		file=main/binary-amd64/Packages
		echo " $(sha256sum <$file | cut -d ' ' -f 1) $(wc -c <$file) $file"
	) >Release
	sign="gpg --homedir keys --batch --quiet"
	$sign --passphrase '' --quick-generate-key pgdg ed25519 sign
	$sign --clearsign -o base/srv/pgdg/dists/bookworm-pgdg/InRelease Release
	$sign --armor --export >base/srv/pgdg/key.asc
	gpgconf --homedir keys --kill gpg-agent
}

build() {
	"$ROOT/tests/servers/image" "$ROOT/ci/Containerfile" "$ROOT" base . PG_MAJORS='15 99' LOCALES='en_US.UTF-8 de_DE.UTF-8' \
		APT_SOURCES='deb http://deb.debian.org/debian bookworm main\n' SOURCE_DATE_EPOCH="$epoch" \
		PGDG=file:///srv/pgdg PGDG_KEY=/srv/pgdg/key.asc >"$SCRATCH/log/image" 2>&1 || {
		tail -n 30 "$SCRATCH/log/image"
		return 1
	}
}

# inside ROOT FIND-EXPRESSION...: all in it but what a runtime puts there, and the repository.
inside() {
	root=$1
	shift
	(cd "$root" && find . \( -path ./srv -o -path ./dev -o -path ./proc -o -path ./etc/hosts -o -path ./etc/resolv.conf \) \
		-prune -o "$@")
}

# list ROOT: all that is in it.
list() {
	inside "$1" -printf '%p %y %m %U:%G %t %l\n' | sort
	inside "$1" -type f -print0 | (cd "$1" && sort -z | xargs -0 sha256sum)
}

epoch=$(date -d "$(sed -n 's/^ -- .*>  //p' "$ROOT/debian/changelog")" +%s)
built() {
	wanted
	debootstrap --variant=minbase bookworm base http://deb.debian.org/debian >"$SCRATCH/log/debootstrap"
	pgdg
	build
	image=image.stage
	[ -x $image/usr/lib/postgresql/15/bin/initdb ]
	[ -d $image/usr/lib/postgresql/99/bin ]
	grep -q '^deb \[signed-by=/srv/pgdg/key.asc\] file:///srv/pgdg bookworm-pgdg main$' $image/etc/apt/sources.list.d/pgdg.list
	chroot $image locale -a >"$OUT"
	expect_out '^de_DE.UTF-8$'
	# Nothing of the way there: no key, no package list, no log, no compiler.
	[ -z "$(cd $image && find etc/ssl/private var/lib/apt/lists var/log var/cache/apt tmp -mindepth 1)" ]
	not grep -rlE 'PRIVATE KEY' $image/etc $image/var $image/root
	expect_no_file $image/usr/bin/gcc
	expect_no_file $image/out
	expect_no_file $image/src
	[ -z "$(inside $image -newermt "@$epoch" ! -type d -print)" ]
	echo "$(du -sm --exclude=srv $image | cut -f 1) MB, of which $(du -sm --exclude=srv base | cut -f 1) MB are the base"
}
t "its steps make an image with the majors and locales asked for, and nothing of the way there" built

again() {
	wanted
	list image.stage >first
	mv image.stage first.stage
	build
	list image.stage >second
	expect_same first second
}
t "a second build makes the same image, byte for byte" again

on_a_node() {
	wanted
	expect_status 0 env -u BP_SCRATCH IMAGE="$SCRATCH/first.stage" "$E2E/kubernetes.sh"
	expect_not_out '^not ok'
	expect_out '^ok - a node runs it'
	expect_out '^ok - a bad backup fails the Job'
}
t "the image does on a node what the manifests promise" on_a_node
