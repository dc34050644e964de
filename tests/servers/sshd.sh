# shellcheck shell=sh
# Sourced after tests/e2e/lib.sh: a real sshd on loopback. Needs root.

# sshd_start: makes the directory ssh with the keys host, key, locked (its password is "open sesame") and
# stranger (which may not in), and known, which knows the server. Sets SSH_PORT and SSHD (its process).
sshd_start() {
	mkdir -p ssh /run/sshd
	for key in host key stranger; do ssh-keygen -q -t ed25519 -N '' -f ssh/$key; done
	ssh-keygen -q -t ed25519 -N 'open sesame' -f ssh/locked
	cat ssh/key.pub ssh/locked.pub >ssh/authorized
	SSH_PORT=$(free_port)
	cat >ssh/config <<-CONF
		Port $SSH_PORT
		ListenAddress 127.0.0.1
		HostKey $PWD/ssh/host
		PidFile $PWD/ssh/pid
		AuthorizedKeysFile $PWD/ssh/authorized
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PermitRootLogin yes
		MaxStartups 100
		Subsystem sftp internal-sftp
	CONF
	# From OpenSSH 9.8 on failures are held against an address, here everybody's.
	if /usr/sbin/sshd -t -f ssh/config -o PerSourcePenalties=no 2>/dev/null; then
		echo 'PerSourcePenalties no' >>ssh/config
	fi
	/usr/sbin/sshd -D -e -f ssh/config 2>ssh/log &
	SSHD=$!
	started $SSHD
	wait_for 10 ssh-keyscan -p "$SSH_PORT" 127.0.0.1
	ssh_known host "$SSH_PORT" >ssh/known
}

# ssh_known KEY PORT: the line of known_hosts that says KEY is the server's at PORT.
ssh_known() { echo "[127.0.0.1]:$2 $(cut -d ' ' -f 1,2 "ssh/$1.pub")"; }
