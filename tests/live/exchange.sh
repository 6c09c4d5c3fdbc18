#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The exchange in a box under test: what its members see, what napd counts. Prints TAP.
#
#   tests/live/exchange.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP network namespaces need root"
	exit 0
fi
if ! unshare -n true 2>/dev/null; then
	echo "1..0 # SKIP this machine makes no network namespaces"
	exit 0
fi
# shellcheck source=/dev/null
. tests/live/lib.sh

N=0
FAILED=0

check() { # NAME COMMAND...
	local name=$1 said
	shift
	N=$((N + 1))
	if said=$("$@" 2>&1); then
		echo "ok $N - $name"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $N - $name"
		printf '%s\n' "$said" | tail -15 | sed 's/^/# /'
	fi
}

pings() { # NAMESPACE ADDRESS OPTION...
	local ns=$1 to=$2
	shift 2
	in_ns "$ns" ping -c 3 -i 0.1 -W 2 -q "$@" "$to" | tee /dev/stderr | grep -q ' 0% packet loss'
}

# Every port: received = forwarded + consumed + dropped + pending, once traffic is at rest.
conserved() {
	napctl --json show ports | python3 -c '
import json, sys
for p in json.load(sys.stdin):
    left = p["rx_packets"] - p["pending"] - p["forwarded"] - p["consumed"] - sum(p["drops"].values())
    assert left == 0, (p["port"], left)'
}

counted() { # PORT REASON: at least one drop
	napctl --json show port "$1" | python3 -c "
import json, sys
sys.exit(json.load(sys.stdin)['drops'].get('$2', 0) == 0)"
}

hops() { # EXPECTED TRACEROUTE_ARGUMENT...
	local expected=$1
	shift
	in_ns alpha-host traceroute -n -q 1 -w 2 "$@" | tee /dev/stderr |
		awk 'NR > 1 { print $2 }' | tr '\n' ' ' | grep -qx "$expected "
}

tcp() { # SERVER_NAMESPACE CLIENT_NAMESPACE ADDRESS
	in_ns "$1" iperf3 -s -1 -D >/dev/null
	sleep 0.3
	in_ns "$2" iperf3 -c "$3" -t 1 -J | python3 -c '
import json, sys
rate = json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"]
print(rate)
sys.exit(rate < 10e6)'
}

no_bad_checksums() {
	local ns
	for ns in alpha-host beta-host gamma-host; do
		in_ns "$ns" cat /proc/net/snmp | awk '
			/^Tcp:/ && !t { for (i = 1; i <= NF; i++) if ($i == "InCsumErrors") t = i; next }
			/^Tcp:/ { if ($t > 0) { print "TCP checksums", $t; exit 1 } }' || return 1
	done
}

metric() { # TEXT that /metrics must hold
	in_ns nap curl -sf http://127.0.0.1:9473/metrics >"$WORK/metrics" && grep -q "$1" "$WORK/metrics"
}

healthy() { in_ns nap curl -sf http://127.0.0.1:9473/healthz; }

neighbour_is() { # ADDRESS STATE
	napctl show neighbours | tee /dev/stderr | awk -v a="$1" '$2 == a' | grep -q "$2"
}

spoof_is_dropped() {
	ip -n "$X-alpha-host" addr add 203.0.113.99/32 dev lo
	in_ns alpha-host ping -c 2 -i 0.1 -W 1 -q -I 203.0.113.99 203.0.113.130 && return 1
	counted alpha source-check
}

link_follows() {
	ip -n "$X-beta" link set nap down
	for _ in $(seq 20); do
		napctl show ports | grep -q '^beta *down' && break
		sleep 0.1
	done
	napctl show ports | grep '^beta *down' || return 1
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

exchange_up "$(realpath "${1:-build}")" || { echo "not ok 1 - napd starts"; echo 1..1; exit 1; }
check "ping across" pings alpha-host 203.0.113.66
check "ping6 across" pings alpha-host 2001:db8:b::2
check "a router without a listed MAC is asked for" pings alpha-host 203.0.113.130
check "it is learned" neighbour_is 198.51.100.4 reachable
check "ping6 to it" pings alpha-host 2001:db8:c::2
check "frames of exactly the MTU" pings alpha-host 203.0.113.66 -s 1472 -M 'do'
check "fragments of larger ones" pings alpha-host 203.0.113.66 -s 4000
check "IPv6 fragments" pings alpha-host 2001:db8:b::2 -s 4000
check "ping of napd itself" pings alpha-host 198.51.100.1
check "ping6 of napd itself" pings alpha-host 2001:db8:64:a::1
check "traceroute shows napd as a hop" hops "203.0.113.1 198.51.100.1 198.51.100.2 203.0.113.66" 203.0.113.66
check "traceroute to napd ends at it" hops "203.0.113.1 198.51.100.1" 198.51.100.1
check "TCP at speed" tcp gamma-host beta-host 203.0.113.130
check "TCP at speed over IPv6" tcp gamma-host beta-host 2001:db8:c::2
check "no bad checksum on the way" no_bad_checksums
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
check "every packet is accounted for" conserved
check "SIGTERM ends it cleanly" ends_cleanly
echo "1..$N"
[ $FAILED = 0 ]
