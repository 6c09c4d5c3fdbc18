#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# napd as its systemd unit runs it: an ordinary user with three capabilities, readiness and watchdog
# told to the manager, the log for journald. Prints TAP.
#
#   tests/live/service.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh
# shellcheck disable=SC2034 # lib.sh reads it
KIND=(veth tap veth)

# What `meson install` puts where: each program that the unit starts is there.
installed_whole() {
	local root=$WORK/root program
	DESTDIR=$root meson install -C "$BUILD" --no-rebuild >"$WORK/install.log" || { cat "$WORK/install.log" && return 1; }
	sed -n 's/^Exec[A-Za-z]*=\([^ ]*\).*/\1/p' "$root/$LIB/systemd/system/napd.service" | sort -u | tee "$WORK/programs"
	[ "$(wc -l <"$WORK/programs")" = 2 ] || return 1
	while read -r program; do
		"$root$program" --version || return 1
	done <"$WORK/programs"
	cmp scripts/napd.sysusers "$root/$LIB/sysusers.d/napd.conf" && cmp scripts/napd.udev "$root/$LIB/udev/rules.d/60-napd.rules"
}

# With the programs where they are, as a unit that systemd can judge.
unit_is_valid() {
	sed "s|=/[^ ]*/bin/|=$BUILD/|; /^User=\|^Group=/d" "$UNIT" >"$WORK/napd.service"
	local said
	said=$(systemd-analyze verify "$WORK/napd.service" 2>&1 | grep -F "$WORK/napd.service\|napd.service:" || true)
	echo "$said"
	[ -z "$said" ]
}

unit_is_hardened() {
	systemd-analyze security --offline=true --threshold=30 --no-pager "$UNIT" 2>&1 | tail -1
	systemd-analyze security --offline=true --threshold=30 --no-pager "$UNIT" >/dev/null 2>&1
}

# An ordinary user with what the unit gives it: its capabilities, and none more to be had.
as_service() { # COMMAND...; in the background only
	local caps
	caps=$(sed -n 's/^AmbientCapabilities=//p' "$UNIT" | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')
	exec ip netns exec "$X-nap" setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
		--bounding-set="-all,$caps" --inh-caps="-all,$caps" --ambient-caps="-all,$caps" "$@"
}

# Writes what napd tells the service manager to WORK/told, a line a message.
manager() {
	exec python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777)
with open(sys.argv[2], "w", buffering=1) as f:
    while True:
        f.write(s.recv(4096).decode().replace("\n", " ") + "\n")' "$WORK/notify" "$WORK/told"
}

told() { grep -q "$1" "$WORK/told"; }

start_as_service() {
	napd_stop
	chmod 755 "$WORK"
	mkdir -p "$WORK/run"
	chown 65534 "$WORK/run"
	sed -i "s|$WORK/napd|$WORK/run/napd|g" "$WORK/napd.yaml"
	within 5 test -S "$WORK/notify"
	NOTIFY_SOCKET=$WORK/notify WATCHDOG_USEC=10000000 JOURNAL_STREAM=8:1 \
		as_service "$BUILD/napd" run -c "$WORK/napd.yaml" >"$WORK/service.log" 2>&1 &
	echo $! >"$WORK/napd.pid"
	within 10 told READY=1 || { cat "$WORK/service.log" && return 1; }
	ln -sf "$WORK/run/napd.sock" "$WORK/napd.sock"
	isp_return beta 1 1500 tap
	within 5 ports_up
}

really_unprivileged() {
	local status
	status=/proc/$(napd_pid)/status
	grep -E '^(Uid|Cap...|NoNewPrivs)' "$status"
	grep -q '^Uid:.65534.65534.65534.65534' "$status" && grep -q '^CapEff:.0000000000007000' "$status" &&
		grep -q '^CapBnd:.0000000000007000' "$status" && grep -q '^NoNewPrivs:.1' "$status"
}

log_is_journals() {
	head -3 "$WORK/service.log"
	grep -q '^<6>run: box: 3 ports' "$WORK/service.log"
}

watchdog_is_fed() {
	: >"$WORK/told"
	within 2 told WATCHDOG=1
}

# The one thread of the worker is stopped as a debugger would; control goes on, and does not lie.
stalled_worker() {
	local worker
	worker=$(grep -l worker /proc/"$(napd_pid)"/task/*/comm | sed -n 1p | cut -d/ -f5)
	echo "worker $worker of $(cat /proc/"$(napd_pid)"/task/*/comm | tr '\n' ' ')"
	python3 -c '
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
tid = int(sys.argv[1])
assert libc.ptrace(0x4206, tid, 0, 0) == 0 and libc.ptrace(0x4207, tid, 0, 0) == 0  # SEIZE, INTERRUPT
os.waitpid(tid, 0x40000000)
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.05)
assert libc.ptrace(17, tid, 0, 0) == 0' "$worker" "$WORK/stalled" >/dev/null 2>&1 &
	within 5 test -e "$WORK/stalled" || return 1
	within 5 unhealthy || return 1
	sleep 0.3
	: >"$WORK/told"
	sleep 0.5
	if told WATCHDOG=1; then return 1; fi
	rm "$WORK/stalled"
	within 3 healthy && within 2 told WATCHDOG=1 && pings alpha-host 203.0.113.66
}

healthy() { in_ns nap curl -sf http://127.0.0.1:9473/healthz; }
unhealthy() {
	in_ns nap curl -s http://127.0.0.1:9473/healthz | tee /dev/stderr | has 'a worker stands still'
}

reload_is_told() {
	kill -HUP "$(napd_pid)"
	within 3 told RELOADING=1 && within 3 told READY=1
}

stop_is_told() {
	kill -TERM "$(napd_pid)"
	within 3 told STOPPING=1 && napd_gone "$(napd_pid)"
}

begin "${1:-build}"
UNIT=$BUILD/scripts/napd.service
LIB=$(meson introspect --buildoptions "$BUILD" |
	python3 -c 'import json, sys; print([o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"][0] + "/lib")')
manager >/dev/null 2>&1 &
MANAGER=$!
check "it is installed with all that a service needs" installed_whole
if command -v systemd-analyze >/dev/null; then
	check "systemd has nothing to say against the unit" unit_is_valid
	check "its exposure is low" unit_is_hardened
else
	N=$((N + 1))
	echo "ok $N - systemd has nothing to say against the unit # SKIP systemd-analyze is not installed (package systemd)"
fi
check "an ordinary user starts it, and READY=1 is told" start_as_service
check "with three capabilities and no way to more" really_unprivileged
check "traffic passes af_packet" pings alpha-host 203.0.113.130
check "and TAP" within 3 pings alpha-host 203.0.113.66
check "the log carries journald's priorities" log_is_journals
check "the watchdog is fed" watchdog_is_fed
check "not while a worker stands still; healthz says so; then it is again" stalled_worker
check "a reload is told" reload_is_told
sleep 0.3
check "every packet is accounted for" within 3 conserved
check "the end is told" stop_is_told
kill "$MANAGER"
end
