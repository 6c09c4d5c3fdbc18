#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The exchange in a box under test: what its members see, what napd counts. Prints TAP.
#
#   tests/live/exchange.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

metric() { # TEXT that /metrics must hold
	in_ns nap curl -sf http://127.0.0.1:9473/metrics >"$WORK/metrics" && grep -q "$1" "$WORK/metrics"
}

healthy() { in_ns nap curl -sf http://127.0.0.1:9473/healthz; }

neighbour_is() { # ADDRESS STATE
	napctl show neighbours | tee /dev/stderr | awk -v a="$1" '$2 == a' | has "$2"
}

spoof_is_dropped() {
	ip -n "$X-alpha-host" addr add 203.0.113.99/32 dev lo
	in_ns alpha-host ping -c 2 -i 0.1 -W 1 -q -I 203.0.113.99 203.0.113.130 && return 1
	counted alpha source-check
}

link_follows() {
	ip -n "$X-beta" link set nap down
	within 2 port_is beta down || return 1
	in_ns alpha-host ping -c 1 -W 1 -q 203.0.113.66
	counted alpha link-down || return 1
	ip -n "$X-beta" link set nap up
	ip -n "$X-beta" route add default via 198.51.100.3
	ports_up && pings alpha-host 203.0.113.66
}

killed_hard() {
	kill -9 "$(napd_pid)"
	napd_gone "$(napd_pid)"
	napd_start && ports_up && pings alpha-host 203.0.113.66
}

reload_refuses() {
	cp "$WORK/napd.yaml" "$WORK/good.yaml"
	sed -i 's/mtu: 1500/mtu: 99999/' "$WORK/napd.yaml"
	napctl reload
	[ $? = 2 ] || return 1
	pings alpha-host 203.0.113.66 || return 1
	cp "$WORK/good.yaml" "$WORK/napd.yaml"
}

reload_applies() {
	printf '  - {prefix: 192.0.2.0/24, blackhole: true}\n' >"$WORK/route"
	sed -i "/^routes:/r $WORK/route" "$WORK/napd.yaml"
	napctl reload && napctl show routes 192.0.2.0/24 | grep blackhole || return 1
	in_ns alpha-host ping -c 1 -W 1 -q 192.0.2.1
	counted alpha blackhole && pings alpha-host 203.0.113.66
}

read_only() {
	"$BUILD/napctl" -s "$WORK/napd-ro.sock" show version || return 1
	! "$BUILD/napctl" -s "$WORK/napd-ro.sock" reload
}

hostile_clients() { # a napd that answers others while these do nothing, or say nonsense
	local i
	for i in $(seq 20); do
		python3 -c "
import socket, time
s = socket.socket(socket.AF_UNIX); s.connect('$WORK/napd.sock'); s.send(b'{\"argv\": [' * $i); time.sleep(2)" &
	done
	sleep 0.2
	head -c 200000 /dev/zero | timeout 2 python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect('$WORK/napd.sock')
try: s.sendall(sys.stdin.buffer.read()); s.recv(10)
except OSError: pass"
	timeout 2 "$BUILD/napctl" -s "$WORK/napd.sock" show version
}

ends_cleanly() {
	kill -TERM "$(napd_pid)"
	napd_gone "$(napd_pid)" && [ ! -e "$WORK/napd.sock" ] && tail -1 "$WORK/napd.log" | grep stopped
}

begin "${1:-build}"
traffic
check "a router that was asked for is learned" neighbour_is 198.51.100.4 reachable
sleep 0.3
for i in 0 1 2; do
	check "the kernel and napd count the same for ${ISPS[i]}" kernel_agrees $i
done
check "a spoofing host is dropped" spoof_is_dropped
check "a link down is seen, its traffic dropped, and it comes back" link_follows
check "metrics count by port" metric 'napd_port_receive_packets_total{port="alpha"} [1-9]'
check "metrics count by pair of members" metric 'napd_member_traffic_packets_total{from="Alpha",to="Beta",family="ipv4"} [1-9]'
check "every reason is there from the start" metric 'napd_port_dropped_packets_total{port="gamma",reason="internal"} 0'
check "healthz is well" healthy
check "a wrong configuration changes nothing" reload_refuses
check "a reload applies" reload_applies
check "the read-only socket shows and does not change" read_only
check "slow and hostile clients delay nobody" hostile_clients
check "kill -9 and start again" killed_hard
sleep 0.5
check "every packet is accounted for" within 3 conserved
check "SIGTERM ends it cleanly" ends_cleanly
end
