#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Host access: TAPs of ports, real BGP (FRR) over one of them, floods and a restart meanwhile. Prints TAP.
#
#   tests/live/host.sh BUILD_FOLDER
#
# NAPD_LISTEN_SECONDS: how long members listen for what the host must not send them (default 15).
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1

if [ ! -c /dev/net/tun ]; then
	echo "1..0 # SKIP this machine has no /dev/net/tun"
	exit 0
fi
# shellcheck source=/dev/null
. tests/live/check.sh

FRR=/usr/lib/frr
LISTEN=${NAPD_LISTEN_SECONDS:-15}

# ---- the exchange, with TAPs, under the stand-in for systemd's store of descriptors ----

eval "plain_$(declare -f exchange_config)"
exchange_config() {
	plain_exchange_config | sed '/source-check-action: drop/a\    tap: true' |
		sed 's|\[198.51.100.3/31, |&"2001:db8:64:1b::1/64", |'
}

napd_start() {
	mkdir -p "$WORK/store"
	# members listen from before the TAPs are there: a fresh interface says most
	listen
	(exec ip netns exec "$X-nap" tests/live/fdstore.py "$WORK/store" -- \
		"$BUILD/napd" run -c "$WORK/napd.yaml") >>"$WORK/napd.log" 2>&1 &
	echo $! >"$WORK/napd.pid"
	within 10 napctl show version
}

# ---- FRR ----

frr_start() { # NAMESPACE DAEMON
	local dir=$WORK/frr-$1
	in_ns "$1" "$FRR/$2" -d -u frr -g frr -i "$dir/$2.pid" -z "$dir/zserv.api" --vty_socket "$dir" \
		-f "$dir/$2.conf" --log "file:$dir/$2.log" >/dev/null 2>&1
}

frr_up() { # NAMESPACE; bgpd.conf is standard input
	local dir=$WORK/frr-$1
	mkdir -p "$dir"
	echo "hostname $1" >"$dir/zebra.conf"
	cat >"$dir/bgpd.conf"
	chmod 711 "$WORK"
	chown -R frr:frr "$dir"
	frr_start "$1" zebra && sleep 0.5 && frr_start "$1" bgpd
}

bgp_conf() { # ASN ROUTER_ID PEER4 PEER6 PEER_ASN PREFIX4 PREFIX6
	cat <<END
router bgp $1
 bgp router-id $2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor $3 remote-as $5
 neighbor $3 timers 2 6
 neighbor $3 timers connect 1
 neighbor $4 remote-as $5
 neighbor $4 timers 2 6
 neighbor $4 timers connect 1
 address-family ipv4 unicast
  network $6
  no neighbor $4 activate
 exit-address-family
 address-family ipv6 unicast
  network $7
  neighbor $4 activate
 exit-address-family
END
}

vtysh() { # NAMESPACE COMMAND
	in_ns "$1" vtysh --vty_socket "$WORK/frr-$1" -c "$2"
}

# How often the two sessions of napd's side were lost; fails while one is not established.
sessions() {
	vtysh nap 'show bgp neighbors json' | python3 -c '
import json, sys
peers = json.load(sys.stdin)
states = {name: p.get("bgpState") for name, p in peers.items()}
assert len(peers) == 2 and set(states.values()) == {"Established"}, states
print(sum(p["connectionsDropped"] for p in peers.values()))'
}

never_lost() { # LOST_BEFORE
	local lost
	lost=$(sessions) && echo "lost $lost, before $1" && [ "$lost" = "$1" ]
}

routes_came() {
	vtysh nap 'show bgp ipv4 unicast' | grep 203.0.113.0/26 &&
		vtysh nap 'show bgp ipv6 unicast' | grep 2001:db8:a::/48 &&
		vtysh alpha 'show bgp ipv4 unicast' | grep 192.0.2.0/24
}

# ---- checks ----

interface_is_the_port() {
	local said
	said=$(ip -n "$X-nap" -d addr show dev alpha)
	echo "$said"
	grep -q "link/ether $(port_mac alpha)" <<<"$said" && grep -q 'mtu 1500' <<<"$said" &&
		grep -q 'inet 198.51.100.1/31' <<<"$said" && grep -q 'inet6 2001:db8:64:a::1/127' <<<"$said" &&
		grep -q 'inet6 fe80:' <<<"$said" && grep -q LOWER_UP <<<"$said" && ! grep -q tentative <<<"$said" &&
		[ "$(grep -c inet <<<"$said")" = 3 ]
}

port_mac() { # PORT: of its device
	in_ns nap cat "/sys/class/net/ve-$1/address"
}

one_answer() { # ADDRESS
	in_ns alpha-host ping -c 20 -i 0.05 -W 2 -q "$1" | tee /dev/stderr | has '20 received, 0%'
}

# The kernel knows the port's addresses, too: it must keep quiet on the interface that napd reads.
one_arp_answer() {
	in_ns alpha python3 -c '
import select, socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)); s.bind(("nap", 0))
mac = s.getsockname()[4]
ours, theirs = bytes([198, 51, 100, 0]), bytes([198, 51, 100, 1])
s.send(b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + ours + bytes(6) + theirs + bytes(18))
answers, end = 0, time.time() + 1
while time.time() < end:
    if select.select([s], [], [], 0.1)[0]:
        answers += s.recv(100)[20:22] == b"\0\2"
print(answers)
exit(answers != 1)'
}

host_hops() { # EXPECTED TRACEROUTE_ARGUMENT...
	local expected=$1
	shift
	in_ns nap traceroute -n -q 1 -w 2 "$@" | tee /dev/stderr |
		awk 'NR > 1 { print $2 }' | tr '\n' ' ' | has -x "$expected "
}

carrier_follows() {
	ip -n "$X-gamma" link set nap down
	within 3 carrier gamma 0 || return 1
	ip -n "$X-gamma" link set nap up
	ip -n "$X-gamma" route add default via 198.51.100.5
	within 3 carrier gamma 1
}

carrier() { # PORT VALUE
	[ "$(in_ns nap cat "/sys/class/net/$1/carrier")" = "$2" ]
}

reload_removes_and_adds() {
	cp "$WORK/napd.yaml" "$WORK/with.yaml"
	awk '/name: gamma/ { g = 1 } g && /tap: true/ { sub("true", "false"); g = 0 } { print }' \
		"$WORK/with.yaml" >"$WORK/napd.yaml"
	napctl reload && sleep 0.3 || return 1
	! ip -n "$X-nap" link show dev gamma 2>/dev/null || return 1
	! grep tap-gamma "$WORK/store/store" || return 1
	cp "$WORK/with.yaml" "$WORK/napd.yaml"
	napctl reload && sleep 0.3 && ip -n "$X-nap" link show dev gamma && grep tap-gamma "$WORK/store/store" &&
		pings nap 198.51.100.4
}

restart() { # SIGNAL
	local before
	before=$(napd_process)
	kill "-$1" "$(napd_pid)"
	within 15 restarted "$before" && ports_up && sleep 7 # longer than the hold time
}

restarted() { # PROCESS before
	[ "$(napd_process)" != "$1" ] && napctl show version
}

napd_process() {
	ip netns pids "$X-nap" | while read -r pid; do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != napd ] || echo "$pid"
	done
}

flood() { # SECONDS
	in_ns alpha tests/live/blast.py nap "$(port_mac alpha)" "$1" 3000 arp scan ttl icmp udp
}

listen() {
	local isp
	for isp in "${ISPS[@]}"; do
		in_ns "$isp" tests/live/listen.py nap "$LISTEN" >"$WORK/heard-$isp" 2>&1 &
	done
}

# The last line of each listener says what it found; nothing at all is a listener that heard nothing.
nothing_forbidden() {
	local isp
	for isp in "${ISPS[@]}"; do
		within "$LISTEN" grep 'frames heard' "$WORK/heard-$isp"
		cat "$WORK/heard-$isp"
		grep -q ': [1-9][0-9]* frames heard, 0 forbidden$' "$WORK/heard-$isp" || return 1
	done
}

ended() {
	local pid
	for pid in "$WORK"/frr-*/*.pid; do kill "$(cat "$pid")" 2>/dev/null; done
	exchange_down
}

begin "${1:-build}"
trap ended EXIT
bgp_conf 64500 198.51.100.1 198.51.100.0 2001:db8:64:a:: 64501 192.0.2.0/24 2001:db8:ffff::/48 | frr_up nap
bgp_conf 64501 198.51.100.0 198.51.100.1 2001:db8:64:a::1 64500 203.0.113.0/26 2001:db8:a::/48 | frr_up alpha
check "a TAP has its port's name, MAC, MTU and addresses, and no other" interface_is_the_port
check "ping of a member's router" pings nap 198.51.100.0
check "ping6 of it" pings nap 2001:db8:64:a::
check "ping of a router that is asked for" pings nap 198.51.100.4
check "ping6 of it" pings nap 2001:db8:64:c::
check "BGP over IPv4 and IPv6" within 30 sessions
check "routes of both families came over it" within 10 routes_came
check "ping beyond the router, by a route of BGP" within 5 pings nap 203.0.113.2 -I 198.51.100.1
check "traceroute" host_hops "198.51.100.0 203.0.113.2" -s 198.51.100.1 203.0.113.2
check "members ping napd still by its workers, and get one answer" one_answer 198.51.100.1
check "over IPv6 too" one_answer 2001:db8:64:a::1
check "ARP is answered once" one_arp_answer
lost=$(sessions) || lost=none
check "the carrier follows the link" carrier_follows
check "a reload removes a TAP and adds it" reload_removes_and_adds
check "BGP over another TAP stayed up" never_lost "$lost"
check "nothing of the host reached a member that must not, in $LISTEN s" nothing_forbidden
check "though the host tried" [ "$(counter alpha host_unwanted)" -gt 0 ]
check "ARP storm, ND scan, TTL 1, ICMP and UDP floods" flood 10
check "BGP stayed up" never_lost "$lost"
check "floods of one class were policed" counted alpha punt-policed
check "a restart of napd" restart HUP
check "BGP stayed up" never_lost "$lost"
check "kill -9 and start again" restart USR1
check "BGP stayed up" never_lost "$lost"
check "ping of a member's router after that" within 5 pings nap 198.51.100.0
check "metrics count" [ "$(metric_value 'napd_port_host_unwanted_packets_total{port="alpha"}')" -gt 0 ]
check "every packet is accounted for" within 3 conserved
[ "$FAILED" = 0 ] || tail -20 "$WORK/napd.log" | sed 's/^/# napd: /'
end
