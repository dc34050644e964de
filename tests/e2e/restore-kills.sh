#!/bin/sh
# restore-to-temp: kill -9 at random moments over the whole life of a run: nothing is left, and no
# verdict is wrong. KILLS (10) says how many; a longer run takes as long as its kills.
# time limit: 3000 s
# sanitizers: no, what is killed here is killed in restore-signals.sh too
. "${0%/*}/lib.sh"
need jq perl shuf
need_pg
KILLS=${KILLS:-10}

make_dumps() {
	shop_start
	sql "$SHOP" "CREATE TABLE users (id int PRIMARY KEY, email text);
		INSERT INTO users SELECT g, md5(g::text) FROM generate_series(1, 60000) g;
		CREATE TABLE logs AS SELECT * FROM users; CREATE INDEX ON logs (reverse(email));
		CREATE INDEX ON users (email)"
	"$PG_BIN/pg_dump" -d "$SHOP" -Fc -f dump0
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp | gzip >dump1
	"$PG_BIN/pg_dump" -d "$SHOP" -Ft -f dump2
	"$PG_BIN/pg_dump" -d "$SHOP" -Fp -f dump3
}

prepare make_dumps

cat >look <<'EOS'
#!/bin/sh
cat
n=$(psql -XqAt -c 'SELECT count(*) FROM users') || exit 3
status=critical
[ "$n" = 60000 ] && status=ok
echo "{\"record\":\"check\",\"check\":\"users\",\"subject\":\"\",\"status\":\"$status\",\"summary\":\"$n\"}"
EOS
chmod 755 look
PATH=$PG_BIN:$PATH

# All that is below a process, however deep; the watchdog is left out.
below() {
	for child in $(pgrep -P "$1"); do
		[ "$(cat "/proc/$child/comm" 2>/dev/null)" = watchdog ] || { echo "$child"; below "$child"; }
	done
}

victims() {
	watchdog=$(pgrep -P "$tool" -x watchdog)
	work=$(pgrep -P "$tool" | grep -vx "${watchdog:-none}" | head -n 1)
	case $1 in
	shell) echo "$shell" ;;
	tool) echo "$tool" ;;
	watchdog) echo "$watchdog" ;;
	work) echo "$work" ;;
	restorer) [ -z "$work" ] || pgrep -P "$work" | head -n 1 ;;
	postmaster) pgrep -x postgres | while read -r p; do
		case $(readlink "/proc/$p/cwd") in "$TMPDIR"/backup-probes-*) echo "$p" ;; esac
	done | head -n 1 ;;
	anybody) below "$tool" | shuf -n 1 ;;
	all) echo "$tool"; below "$tool" ;;
	esac
}

gone() {
	expect_nothing_left >/dev/null && [ "$(awk 'NR > 1 && $7 == 0' /proc/sysvipc/shm | wc -l)" -le "$segments" ] &&
		! kill -0 "$tool" 2>/dev/null
}

# The shell that runs the tool: its id, then the tool's, then the status it ended with.
begin() {
	rm -f tool status
	BACKUP=$1 perl -e 'setpgrp; exec "sh", "-c", q(restore-to-temp --records --backup "$BACKUP" -- ./look \
		>"$OUT" 2>"$ERR" & echo $! >tool; wait $!; echo $? >status)' </dev/null &
	shell=$!
	wait_for 5 test -s tool
	tool=$(cat tool)
}

# What the records say when nobody but us knows how the tool ended.
verdict() {
	emit_status=0
	emit-report --nagios --expect restore-to-temp <"$OUT" >"$SCRATCH/log/verdict" 2>&1 || emit_status=$?
}

# A backup that is good must not be called bad; and nothing is ok that did not come to its end.
judge() {
	verdict
	case $ended in
	0) [ $emit_status -eq 0 ] && expect_check restore ok && expect_check users ok ;;
	3) [ $emit_status -ge 2 ] && expect_records 'all(.status != "critical")' ;;
	137) [ $emit_status -ge 2 ] ;;
	none) expect_records 'all(.status != "critical")' && { [ $emit_status -ne 0 ] || expect_check users ok; } ;;
	*) false ;;
	esac || say_failed "wrong verdict: status $ended, of its records $emit_status: $(cat "$SCRATCH/log/verdict")"
}

strike() {
	segments=$(awk 'NR > 1 && $7 == 0' /proc/sysvipc/shm | wc -l)
	begin "$3"
	sleep "$2"
	struck=$(victims "$1" | tr '\n' ' ')
	# shellcheck disable=SC2086  # a list
	[ -z "${struck# }" ] || kill -s KILL $struck 2>/dev/null || true
	wait "$shell" 2>/dev/null || true
	ended=$(cat status 2>/dev/null || echo none)
	wait_for 20 gone || {
		ls -la "$TMPDIR"
		say_failed "left behind"
	}
	echo "$1 $ended" >>ends
	judge
}

export OUT ERR
life() {
	begin dump0
	wait "$shell"
	[ "$(cat status)" = 0 ]
	began=$(date +%s%N)
	begin dump1
	wait "$shell"
	ms=$((($(date +%s%N) - began) / 1000000))
	ended=$(cat status)
	judge
}

random_kills() {
	life
	bad=0
	for i in $(seq "$KILLS"); do
		who=$(shuf -n 1 -e shell tool watchdog work restorer postmaster anybody anybody all all)
		at=$(shuf -n 1 -i 0-$ms)
		file=dump$((i % 4))
		: >"$OUT"
		strike "$who" "$((at / 1000)).$(printf %03d $((at % 1000)))" $file || {
			echo "kill $i: $who after $at of $ms ms in dump $file ($struck)"
			cp "$OUT" "$TMPDIR/../bad-$i.jsonl"
			bad=$((bad + 1))
		}
	done
	sort ends | uniq -c
	# So many cannot all have come too late.
	if [ "$KILLS" -ge 100 ]; then
		grep -q ' 137$' ends
		grep -q ' 3$' ends
	fi
	[ $bad -eq 0 ] || say_failed "$bad of $KILLS kills left something behind or made a wrong verdict"
}
t "$KILLS kills at random moments leave nothing and no wrong verdict" random_kills
