#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Neighbours of a running exchange: found, lost, moved, many, hostile. Prints TAP.
#
#   tests/live/neighbours.sh BUILD_FOLDER
#
# Beyond what lib.sh sets up: beta's router has two listed MACs, gamma's port has subnets
# 198.18.0.0/22 and 2001:db8:64:99::/64 with many neighbours, none of them listed.
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1

# shellcheck source=/dev/null
. tests/live/check.sh

TOOL=$PWD/tests/live/neighbours.py
MANY=1000
export NAPD_TEST_NEIGHBOUR_S=20 # refreshed six seconds before

# Both families' addresses on gamma's link, and the configuration that fits.
exchange_config() {
	local i letter
	printf 'exchange: {name: box, asn: 64500}\ndataplane: {memory: 256M, hugepages: never}\nports:\n'
	for i in 0 1; do isp_port "${ISPS[i]}" "$i" "${MTU[i]}"; done
	isp_port gamma 2 1500 | sed 's|addresses: \[|&198.18.0.1/22, "2001:db8:64:99::1/64", |'
	printf 'members:\n'
	isp_member alpha 0
	isp_member beta 1 | sed 's/mac: "\([^"]*\):01"/mac: ["\1:01", "\1:02"]/'
	isp_member gamma 2
	printf 'routes:\n'
	for i in 0 1 2; do
		letter=$(letter "$i")
		printf '  - {prefix: 203.0.113.%d/26, via: [198.51.100.%d]}\n' $((64 * i)) $((2 * i))
		printf '  - {prefix: "2001:db8:%s::/48", via: ["2001:db8:64:%s::"]}\n' "$letter" "$letter"
	done
	printf 'control: {socket: %s/napd.sock, readonly-socket: %s/napd-ro.sock}\n' "$WORK" "$WORK"
}

many_addresses() {
	local i
	for ((i = 2; i < MANY + 2; i++)); do
		echo "addr add 198.18.$((i / 256)).$((i % 256))/32 dev nap"
	done | ip -n "$X-gamma" -batch -
	for ((i = 2; i < MANY + 2; i++)); do
		printf 'addr add 2001:db8:64:99::%x/64 dev nap nodad\n' "$i"
	done | ip -n "$X-gamma" -6 -batch -
	ip -n "$X-gamma" route add 198.18.0.0/22 dev nap
}

neighbour() { # ADDRESS KEY
	napctl --json show neighbours | python3 -c "
import json, sys
print(next((n['$2'] for n in json.load(sys.stdin) if n['address'] == '$1'), 'unknown'))"
}

is() { # VALUE COMMAND...
	local expected=$1
	shift
	[ "$("$@" | tee /dev/stderr)" = "$expected" ]
}

first_packets_arrive() {
	napctl clear neighbour 198.51.100.4 || true
	napctl clear neighbour 2001:db8:64:c:: || true
	pings alpha-host 203.0.113.130 && pings alpha-host 2001:db8:c::2 || return 1
	is reachable neighbour 198.51.100.4 state && is reachable neighbour 2001:db8:64:c:: state &&
		is Gamma neighbour 198.51.100.4 member
}

cleared() {
	napctl clear neighbors 198.51.100.4 2>/dev/null && return 1 # the plural is no command
	napctl clear neighbor 198.51.100.4 && is unknown neighbour 198.51.100.4 state || return 1
	napctl clear neighbour 198.51.100.0 # listed
	[ $? = 1 ] || return 1
	napctl clear neighbour nobody
	[ $? = 2 ] && pings gamma-host 203.0.113.2
}

unanswered() { # SECONDS ADDRESS WHAT-IS-SAID
	local said
	said=$(in_ns alpha-host ping -c 1 -W "$1" "$2") && return 1
	grep "$3" <<<"$said"
}

failure_is_told() {
	unanswered 6 198.18.3.254 'Host Unreachable' && unanswered 6 2001:db8:64:99::dead 'Address unreachable' || return 1
	# and the next one at once
	unanswered 1 198.18.3.254 'Host Unreachable' && is failed neighbour 198.18.3.254 state
}

swap_is_followed() {
	pings alpha-host 203.0.113.66 && is 02:00:00:00:0b:01 neighbour 198.51.100.2 mac || return 1
	sleep 1.1
	in_ns beta sysctl -qw net.ipv4.conf.nap.arp_notify=1 net.ipv6.conf.nap.ndisc_notify=1
	ip -n "$X-beta" link set nap address 02:00:00:00:0b:02
	ip -n "$X-beta" -6 addr flush scope link dev nap
	within 3 is 02:00:00:00:0b:02 neighbour 198.51.100.2 mac && pings alpha-host 203.0.113.66 || return 1
	[ "$(counter beta neighbour_moves)" -ge 1 ] && grep -q 'has moved from 02:00:00:00:0b:01' "$WORK/napd.log"
}

imposters_are_refused() {
	in_ns beta "$TOOL" claim nap 198.51.100.2 02:00:00:00:66:66
	within 2 [ "$(counter beta neighbours_refused)" -ge 1 ] &&
		is 02:00:00:00:0b:02 neighbour 198.51.100.2 mac && pings alpha-host 203.0.113.66
}

move_is_followed() {
	in_ns gamma sysctl -qw net.ipv4.conf.nap.arp_notify=1 net.ipv6.conf.nap.ndisc_notify=1
	ip -n "$X-gamma" link set nap address 02:00:00:00:0c:77
	within 3 is 02:00:00:00:0c:77 neighbour 198.51.100.4 mac && pings alpha-host 203.0.113.130 &&
		[ "$(counter gamma neighbour_moves)" -ge 1 ]
}

many_neighbours() { # FIRST PREFIX FAMILY
	is "$MANY" in_ns alpha-host "$TOOL" ping-all "$1" "$MANY" || return 1
	[ "$(napctl --json show neighbours | grep -c "\"$2")" -ge "$MANY" ] || return 1
	in_ns nap curl -sf http://127.0.0.1:9473/metrics |
		awk -v family="\"$3\"" '/^napd_neighbours/ && index($0, family) { n += $2 } END { print n; exit n < 1000 }'
}

# Nobody else notices a storm of ARP on one port and a scan of a /64 behind another.
storms_disturb_nobody() {
	local storm scan lost=0
	in_ns gamma "$TOOL" storm nap 198.18.0.1 5 3000 >"$WORK/storm" &
	storm=$!
	in_ns alpha-host "$TOOL" scan 2001:db8:64:99::/64 5 3000 >"$WORK/scan" &
	scan=$!
	sleep 1
	in_ns beta-host ping -c 1500 -i 0.002 -W 2 -q 203.0.113.2 | tee /dev/stderr | has ' 0% packet loss' || lost=1
	pings gamma-host 203.0.113.66 || lost=1
	[[ $(neighbour 198.51.100.4 state) =~ reachable|probe ]] || lost=1
	wait $storm $scan
	cat "$WORK/storm" "$WORK/scan"
	[ "$(cat "$WORK/scan")" -gt 5000 ] && [ "$(cat "$WORK/storm")" -gt 5000 ] || return 1
	[ "$(counter gamma neighbours_limited)" -gt 0 ] || return 1
	# questions for inventions stay below their rate
	[ "$(napctl --json show neighbours | grep -c 2001:db8:64:99::10:)" -le 512 ] && [ $lost = 0 ]
}

duplicates_are_told() {
	ip -n "$X-gamma" addr add 198.51.100.5/32 dev lo
	ip -n "$X-gamma" addr add 2001:db8:64:c::1/128 dev lo nodad
	ip -n "$X-gamma" link set nap down
	within 3 is down counter gamma link || return 1
	ip -n "$X-gamma" link set nap up
	within 5 grep -q 'uses 198.51.100.5, which is the exchange' "$WORK/napd.log" || return 1
	napctl show port gamma | tee /dev/stderr | has '198.51.100.5 *duplicate, used too by 02:00:00:00:0c:77' || return 1
	[ "$(counter gamma conflicts)" -ge 1 ] || return 1
	ip -n "$X-gamma" addr del 198.51.100.5/32 dev lo
	ip -n "$X-gamma" addr del 2001:db8:64:c::1/128 dev lo
	ip -n "$X-gamma" -6 addr add 2001:db8:64:c::/127 dev nap nodad 2>/dev/null || true
	ip -n "$X-gamma" route replace default via 198.51.100.5
	pings alpha-host 203.0.113.130 # the exchange keeps using its address
}

probed_and_announced() { # as gamma's router saw it at link up
	awk '$2 == "198.51.100.5" && $1 == "probe" { probed = 1 }
		$2 == "198.51.100.5" && $1 == "announcement" && probed { found = 1 }
		{ print }
		END { exit !found }' "$WORK/arp"
}

refreshed() {
	within 15 grep -q '^unicast 198.51.100.4' "$WORK/arp" &&
		within 2 is reachable neighbour 198.51.100.4 state
}

begin "${1:-build}"
in_ns gamma "$TOOL" sniff nap "$WORK/arp" &
disown
many_addresses
check "the first packets to a neighbour that is not known arrive" first_packets_arrive
check "a neighbour is cleared, and asked for again" cleared
check "a neighbour that does not answer is told to senders" failure_is_told
check "a router swap between two listed MACs is followed" swap_is_followed
check "a MAC that is not listed does not speak for a listed router" imposters_are_refused
check "a neighbour that moves is followed" move_is_followed
check "a thousand neighbours" many_neighbours 198.18.0.2 198.18 ipv4
check "and a thousand of IPv6" many_neighbours 2001:db8:64:99::2 2001:db8:64:99 ipv6
check "an ARP storm and a scan of a /64 disturb nobody" storms_disturb_nobody
check "somebody else's use of an own address is told, and nothing given up" duplicates_are_told
check "own addresses are probed, then announced" within 4 probed_and_announced
check "neighbours are refreshed by unicast questions" refreshed
check "every packet is accounted for" within 3 conserved
end
