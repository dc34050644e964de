#!/bin/sh
# ci/systemd and ci/cron: read by systemd's and cron's own programs, and run by them.
# sanitizers: no, it tests unit files; the tools that they run have tests of their own
. "${0%/*}/lib.sh"
# shellcheck source=tests/servers/alerts.sh
. "$ROOT/tests/servers/alerts.sh"
need systemd-analyze make

units=$SCRATCH/units
mkdir -p "$units" bin
sed "s,/usr/local/bin/verify-backup,$ROOT/ci/verify-backup," "$ROOT/ci/systemd/verify-backup@.service" \
	>"$units/verify-backup@.service"
cp "$ROOT"/ci/systemd/*.timer "$ROOT"/ci/systemd/*failed* "$units"

verified() {
	cp "$units/verify-backup@.timer" "$units/verify-backup@shop.timer"
	expect_status 0 systemd-analyze verify --man=no "$units/verify-backup@.service" \
		"$units/verify-backup-failed@.service" "$units/verify-backup@shop.timer"
	expect_silent
	expect_status 0 systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' "$units/verify-backup@.timer")"
	# Exposure 10 is none of it; the temporary server's namespaces keep it from being lower.
	expect_status 0 systemd-analyze security --offline=yes --threshold=40 "$units/verify-backup@.service"
}
t "systemd takes the units without a word, and finds them hardened" verified

# --- a systemd of our own ----------------------------------------------------------------------------

# A systemd of our own over this machine's files.
boot() {
	overlay_root
	# Nothing of this machine's own is to start.
	rm -rf root/etc/systemd/system root/etc/cron.d
	mkdir -p root/etc/systemd/system/test.target.wants root/etc/cron.d root/srv/shop root/etc/backup-probes
	printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' >root/etc/systemd/system/test.target
}

# shellcheck disable=SC2016  # expanded in there
in_there='
	mount --make-rprivate /
	cd "$1" && mount -t proc proc proc && mount -t sysfs sysfs sys && mount -t cgroup2 cgroup2 sys/fs/cgroup &&
		mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs tmp && mount -t tmpfs tmpfs dev || exit
	for node in null zero full random urandom tty; do
		: >dev/$node
		mount --bind /dev/$node dev/$node
	done
	ln -s /proc/self/fd dev/fd
	ln -s pts/ptmx dev/ptmx
	mkdir dev/pts dev/shm dev/mqueue dev/hugepages old && mount -t devpts -o newinstance devpts dev/pts &&
		mount -t tmpfs tmpfs dev/shm && pivot_root . old && umount -l /old && mount --make-rshared /
	exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system \
		--unit=test.target --show-status=0 --log-level=err'

# in_machine COMMAND...: inside that system.
in_machine() {
	nsenter --target "$machine" --mount --pid --uts --ipc --root --wd "$@"
}

install_there() {
	make -s -C "$ROOT" install PREFIX=/usr/local DESTDIR="$SCRATCH/root" >/dev/null
	cp "$ROOT"/ci/systemd/* root/etc/systemd/system
	cp "$ROOT/ci/cron/backup-probes" root/etc/cron.d
	chroot root useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin backup-probes
	mkdir -p root/etc/systemd/system/verify-backup@shop.service.d
	printf '[Service]\nLoadCredential=WEBHOOK_URL:/etc/backup-probes/webhook\n' \
		>root/etc/systemd/system/verify-backup@shop.service.d/secrets.conf
	echo "$ALERT_URL/hook" >root/etc/backup-probes/webhook
	chmod 600 root/etc/backup-probes/webhook
	printf 'LABEL=shop\nBACKUP_SOURCE=/srv/shop\nALERT_WHEN=always\n' >root/etc/backup-probes/shop.conf
	printf 'LABEL=none\nBACKUP_SOURCE=/srv/none\n' >root/etc/backup-probes/none.conf
	sql 'CREATE TABLE t AS SELECT generate_series(1, 10) AS i'
	"$PG_BIN/pg_dump" -d "$PG_DSN" >root/srv/shop/shop.sql
	chmod -R a+rX root/srv root/usr/local
}

booted() {
	boot
	install_there
	unshare --mount --pid --uts --ipc --cgroup --fork --kill-child sh -c "$in_there" sh "$SCRATCH/root" \
		>"$SCRATCH/log/systemd" 2>&1 &
	started $! KILL
	machine=
	wait_for 10 sh -c "pgrep -P $! >machine"
	machine=$(cat machine)
	wait_for 30 in_machine systemctl is-active test.target

	# The backup is good; without production nothing is compared, which is a warning.
	in_machine systemctl start verify-backup@shop.service || {
		in_machine journalctl -o cat -u verify-backup@shop.service
		return 1
	}
	in_machine journalctl -o cat -u verify-backup@shop.service >"$OUT"
	expect_not_out "write error"
	expect_out 'restored without an error'
	in_machine cat /var/lib/backup-probes/shop.jsonl >shop.jsonl
	jq -e '.status == "warning" and .verified' shop.jsonl
	sealed=ok
	plain_users_can_seal || sealed=warning # this test runs in a chroot
	jq -e --arg sealed $sealed '.checks | any(.check == "isolation" and .status == $sealed)' shop.jsonl
	expect_alerts 'any(.accepted and .path == "/hook")'
	[ "$(in_machine stat -c %U:%a /var/lib/backup-probes)" = backup-probes:751 ]

	# No such directory: the unit fails, and says so by its OnFailure.
	not in_machine systemctl start verify-backup@none.service
	wait_for 10 in_machine sh -c 'journalctl -o cat -u verify-backup-failed@none.service | grep -q "none failed"'

	in_machine systemctl start verify-backup@shop.timer
	in_machine systemctl list-timers --all >"$OUT"
	expect_out 'verify-backup@shop.timer'
}
alerts_start
pg_start
t "a real systemd runs the service as its own user, sealed, with credentials" booted
overlay_end

cron_line() {
	# Debian's cron: six fields of time and user, no "%" in the command, a newline at the end.
	grep -vE '^(#|$|[A-Z_]+=)' "$ROOT/ci/cron/backup-probes" >lines
	[ "$(wc -l <lines)" -eq 1 ]
	not grep -q % lines
	[ "$(tail -c 1 "$ROOT/ci/cron/backup-probes" | od -An -c | tr -d ' ')" = '\n' ]
	command=$(cut -d ' ' -f 6- lines | sed 's/^ *[^ ]* *//')
	mkdir -p etc
	printf 'LABEL=shop\nBACKUP_SOURCE=%s/none\nHISTORY=%s/cron.jsonl\nWORK_DIR=%s/cron\n' "$SCRATCH" "$SCRATCH" "$SCRATCH" >etc/shop.conf
	command=$(echo "$command" | sed "s,/etc/backup-probes,$SCRATCH/etc,")
	# What cron would mail: nothing of a good run, the report of a bad one.
	expect_status 0 env -i PATH="$BIN:$ROOT/ci:/usr/bin:/bin" XDG_STATE_HOME="$SCRATCH/state" /bin/sh -c "$command"
	expect_out 'UNKNOWN.*'
}
t "cron's line mails what is wrong" cron_line
