#!/bin/sh
# The Debian package: built, linted, installed, used, removed and purged.
# sanitizers: no, it tests packaging
# time limit: 600 s
. "${0%/*}/lib.sh"

# build DIR: makes the packages in DIR.
build() {
	mkdir -p "$1/src"
	(cd "$ROOT" && tar cf - --exclude=./.git --exclude=./build .) | tar xf - -C "$1/src"
	(cd "$1/src" && dpkg-buildpackage -b -us -uc -j2) >"$SCRATCH/log/build" 2>&1 || {
		tail -n 30 "$SCRATCH/log/build"
		return 1
	}
}

builds() {
	[ -n "${PACKAGE-}" ] || skip "optional: takes minutes and needs debhelper and lintian; PACKAGE=1 runs it"
	build package
	expect_status 0 lintian --allow-root --fail-on error,warning package/*.changes
	expect_not_out '^[EW]:'
}
t "it builds, and lintian finds no error and no warning" builds

same_again() {
	[ -n "${PACKAGE-}" ] || skip "optional: PACKAGE=1 runs it"
	umask 027
	TZ=Asia/Tokyo LC_ALL=C build elsewhere/again
	for package in package/*.deb; do
		cmp "$package" "elsewhere/again/${package##*/}"
	done
}
t "built elsewhere, later and by others it is the same, byte for byte" same_again

in_root() { chroot "$SCRATCH/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

lives() {
	[ -n "${PACKAGE-}" ] || skip "optional: PACKAGE=1 runs it"
	overlay_root
	mount -t proc proc root/proc
	mount --bind /dev root/dev
	rm -rf root/var/lib/backup-probes root/etc/backup-probes
	cp package/backup-probes_*.deb root/tmp
	in_root dpkg -i /tmp/backup-probes_0.1.0_amd64.deb >"$OUT" 2>&1
	[ "$(in_root stat -c %U:%a /var/lib/backup-probes)" = backup-probes:751 ]
	expect_status 2 in_root /usr/lib/nagios/plugins/check_backup_last_run --history /var/lib/backup-probes/
	expect_out "never verified"
	mkdir -p root/srv/shop
	echo '-- PostgreSQL database dump complete' >root/srv/shop/shop.sql
	printf 'LABEL=shop\nBACKUP_SOURCE=/srv/shop\n' >root/etc/backup-probes/shop.conf
	expect_status 0 in_root verify-backup --check-config /etc/backup-probes/shop.conf
	# The job runs as its own user, from where it was installed.
	got=0
	in_root setpriv --reuid=backup-probes --regid=backup-probes --clear-groups \
		env XDG_STATE_HOME=/var/lib verify-backup /etc/backup-probes/shop.conf >"$OUT" 2>&1 || got=$?
	[ $got -eq 2 ] || say_failed "status $got"
	expect_status 2 in_root /usr/lib/nagios/plugins/check_backup_last_run --history /var/lib/backup-probes/ --label shop
	expect_out '^CHECK-LAST-RUN CRITICAL - '
	in_root dpkg -r backup-probes >"$OUT" 2>&1
	[ -s root/var/lib/backup-probes/shop.jsonl ]
	expect_no_file root/usr/bin/verify-backup
	in_root dpkg -P backup-probes >"$OUT" 2>&1
	expect_no_file root/var/lib/backup-probes
	not in_root getent passwd backup-probes
}
t "installed it works as its own user; its history outlives it until it is purged" lives
umount -l root/proc root/dev 2>/dev/null || true
overlay_end
