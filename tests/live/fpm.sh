#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Routes from FRR: bgpd, zebra and staticd beside napd, BGP with three ISPs (BIRD) through the ports' TAPs, and
# what becomes of packets when sessions and daemons come and go. Prints TAP.
#
#   tests/live/fpm.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1

if [ ! -c /dev/net/tun ]; then
	echo "1..0 # SKIP this machine has no /dev/net/tun"
	exit 0
fi
# shellcheck source=/dev/null
. tests/live/check.sh
# shellcheck source=/dev/null
. tests/live/frr.sh

without_routes 'fpm: {stale-time: 60}'
eval "routeless_$(declare -f exchange_config)"
exchange_config() { routeless_exchange_config | sed 's|prefixes: \[|&198.18.0.0/24, |'; }

# 198.18.0.1 is behind alpha and behind beta; alpha's path is the shorter one.
anycast() {
	local i name
	for i in 0 1; do
		name=${ISPS[i]}
		ip -n "$X-$name-host" addr add 198.18.0.1/32 dev lo
		ip -n "$X-$name" route add 198.18.0.0/24 via "203.0.113.$((64 * i + 2))"
		printf 'route 203.0.113.%d/26 blackhole;\nroute 198.18.0.0/24 blackhole;\n' $((64 * i)) >"$WORK/$name.own4"
	done
	echo 'if net = 198.18.0.0/24 then bgp_path.prepend(64502);' >"$WORK/beta.out"
}

# ---- what is there ----

route_goes() { # ADDRESS PATTERN: as napctl says, of FRR
	{ napctl show route "$1" || true; } | tee /dev/stderr | has "$2"
}

no_route() { # ADDRESS
	route_goes "$1" '^no-route'
}

of_feed() { # KEY: of the feed in napctl show tables
	napctl --json show tables | python3 -c "import json, sys; print(json.load(sys.stdin)['feeds'][0]['$1'])"
}

feed_is() { # KEY VALUE
	local value
	value=$(of_feed "$1") && echo "$1: $value" && [ "$value" = "$2" ]
}

some_stale() { [ "$(of_feed stale)" -gt 0 ]; }

healthy() { [ "$(in_ns nap curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9473/healthz)" = 200 ]; }

# What is sent from a member's host is dropped for a reason.
drops_from() { # NAME REASON ADDRESS
	in_ns "$1-host" ping -c 1 -W 0.2 -q "$3" || true
	counted "$1" "$2"
}

learned() {
	route_goes 203.0.113.2 'fpm, 198.51.100.0%alpha' && route_goes 203.0.113.66 'fpm, 198.51.100.2%beta' &&
		route_goes 2001:db8:a::2 'fpm, .*%alpha' && route_goes 2001:db8:c::2 'fpm, .*%gamma'
}

# IPv6 next hops, link-local ones too, of IPv4 prefixes; the interface says which port they are on.
over_ipv6() {
	route_goes 203.0.113.130 'fpm, [0-9a-f]*:.*%gamma'
}

everybody_reaches_everybody() {
	pings alpha-host 203.0.113.66 && pings beta-host 203.0.113.130 && pings gamma-host 203.0.113.2 &&
		pings alpha-host 2001:db8:b::2 && pings beta-host 2001:db8:c::2 && pings gamma-host 2001:db8:a::2
}

# Each member hears of the others' prefixes over its own link's address of the exchange.
own_next_hops() {
	birdc alpha show route 203.0.113.64/26 all | tee /dev/stderr | has 'next_hop: 198.51.100.1$' &&
		birdc beta show route 203.0.113.0/26 all | tee /dev/stderr | has 'next_hop: 198.51.100.3$' &&
		birdc alpha show route 2001:db8:b::/48 all | tee /dev/stderr | has 'next_hop: 2001:db8:64:a::1' &&
		birdc gamma show route 203.0.113.0/26 all | tee /dev/stderr | has 'next_hop: 2001:db8:64:c::1'
}

metrics_say() { # UP STALE: some or none
	local stale=none
	[ "$(metric_value 'napd_routes_stale{source="fpm"}')" = 0 ] || stale=some
	[ "$(metric_value 'napd_feed_up{source="fpm"}')" = "$1" ] && [ $stale = "$2" ]
}

# ---- while packets are on their way ----

# Pings in both families, every 5 ms, while a command is run and for a moment after. The last ones may still
# be under way when they are stopped.
LOST_MOST=2
steady() { # NAMESPACE ADDRESS... -- COMMAND...
	local ns=$1 to pids=() rc=0
	shift
	while [ "$1" != -- ]; do
		to=$1
		(exec ip netns exec "$X-$ns" ping -i 0.005 -q "$to") >"$WORK/steady-${to//:/_}" 2>&1 &
		pids+=($!)
		shift
	done
	shift
	sleep 0.2
	"$@" || rc=1
	sleep 0.3
	kill -INT "${pids[@]}"
	wait "${pids[@]}"
	awk -v most=$LOST_MOST '/transmitted/ { print; n++; if ($1 - $4 > most || $4 < 50) bad = 1 } END { exit bad || !n }' \
		"$WORK"/steady-* || rc=1
	rm -f "$WORK"/steady-*
	return $rc
}

beta_and_back() { # alpha's path to 198.18.0.0/24 gets longer than beta's, and shorter again
	route_goes 198.18.0.1 'fpm, 198.51.100.0%alpha' || return 1
	echo 'if net = 198.18.0.0/24 then { bgp_path.prepend(64501); bgp_path.prepend(64501); }' >"$WORK/alpha.out"
	birdc alpha configure && within 5 route_goes 198.18.0.1 'fpm, 198.51.100.2%beta' || return 1
	: >"$WORK/alpha.out"
	birdc alpha configure && within 5 route_goes 198.18.0.1 'fpm, 198.51.100.0%alpha'
}

withdrawn() { # alpha has it no more
	sed -i /198.18/d "$WORK/alpha.own4"
	birdc alpha configure && within 5 route_goes 198.18.0.1 'fpm, 198.51.100.2%beta'
}

session_lost() { # and returns; what only alpha has is unreachable meanwhile
	birdc alpha disable nap4 && within 5 no_route 203.0.113.2 && route_goes 2001:db8:a::2 '%alpha' || return 1
	within 5 drops_from beta no-route 203.0.113.2 && birdc alpha enable nap4 && within 15 route_goes 203.0.113.2 '%alpha'
}

# alpha's BIRD dies; bgpd keeps its routes for the restart time (RFC 4724), and all goes on.
graceful_restart() {
	kill -9 "$(cat "$WORK/alpha.bird.pid")"
	sleep 1
	! established && route_goes 203.0.113.2 '%alpha' && bird_up alpha 0 -R && within 15 established && route_goes 203.0.113.2 '%alpha'
}

# All of FRR restarts, as watchfrr does when zebra dies (bgpd tells a new zebra nothing of its own accord). What is
# withdrawn meanwhile is not told again, and goes: but not before the others are there.
zebra_killed() {
	frr_kill nap zebra 9
	sed -i /198.18/d "$WORK/beta.own4"
	birdc beta configure
	within 3 feed_is state down && within 3 some_stale && route_goes 203.0.113.66 '(stale)' &&
		route_goes 198.18.0.1 '(stale)' && metrics_say 0 some || return 1
	frr_kill nap bgpd 9
	frr_start nap zebra -M dplane_fpm_nl && frr_start nap bgpd && within 10 feed_is state up &&
		within 40 feed_is stale 0 && learned && no_route 198.18.0.1 && metrics_say 1 none
}

# zebra takes the routes of a bgpd that died; those of staticd, and the configuration's, are not touched.
bgpd_killed() {
	frr_kill nap bgpd 9
	within 5 no_route 203.0.113.66 && route_goes 192.0.2.66 'fpm, blackhole' && frr_start nap bgpd &&
		within 20 established && within 5 learned
}

# Somebody deletes a port's TAP: it is made anew with another index, and BGP and its routes come back over it.
tap_deleted() {
	ip -n "$X-nap" link del beta
	within 5 grep 'beta was deleted; it is made anew' "$WORK/napd.log" && within 30 established &&
		within 10 learned && within 10 pings alpha-host 203.0.113.66
}

# A port's TAP loses its carrier with napd, and BGP with it; all of it comes again.
napd_killed() {
	kill -9 "$(napd_pid)"
	napd_gone "$(napd_pid)"
	napd_start && ports_up && within 30 established && within 10 learned && within 10 over_ipv6 &&
		within 15 everybody_reaches_everybody
}

blackholes() {
	vtysh nap 'configure terminal' 'ip route 192.0.2.128/25 reject' 'ipv6 route 2001:db8:dead::/48 blackhole'
	within 3 route_goes 192.0.2.66 'fpm, blackhole' && within 3 route_goes 192.0.2.129 'fpm, unreachable' &&
		within 3 route_goes 2001:db8:dead::1 'fpm, blackhole'
}

# A member has an address of its own dropped: it announces it with community 65535:666.
blackhole_by_community() {
	echo 'route 203.0.113.77/32 blackhole { bgp_community.add((65535,666)); };' >>"$WORK/beta.own4"
	birdc beta configure && within 5 route_goes 203.0.113.77 'fpm, blackhole' || return 1
	within 5 drops_from alpha blackhole 203.0.113.77 || return 1
	echo 'route 2001:db8:b::77/128 blackhole { bgp_community.add((65535,666)); };' >>"$WORK/beta.own6"
	birdc beta configure && within 5 route_goes 2001:db8:b::77 'fpm, blackhole' || return 1
	sed -i /203.0.113.77/d "$WORK/beta.own4"
	sed -i /b::77/d "$WORK/beta.own6"
	birdc beta configure && within 5 route_goes 203.0.113.77 'fpm, 198.51.100.2%beta'
}

# Reloads: another port, another table and back, and without the feed.
reloaded() {
	sed -i 's/stale-time: 60/stale-time: 50/' "$WORK/napd.yaml"
	napctl reload && learned && feed_is state up && feed_is stale 0
}

all_acknowledged() { [ "$(of_feed acknowledged)" -ge 8 ]; }

# FRR 8.4 reads acknowledgements, and nothing else comes of it; others ask for them.
acknowledged() {
	sed -i 's/stale-time: 50/&, acknowledge: true/' "$WORK/napd.yaml"
	napctl reload && within 10 feed_is state up && within 10 learned &&
		within 5 all_acknowledged && feed_is state up && within 10 feed_is stale 0
}

feed_goes_and_returns() {
	cp "$WORK/napd.yaml" "$WORK/with.yaml"
	sed -i '/^tables:/d; s/^    mtu: 1500/&\n    tap: true/' "$WORK/napd.yaml"
	napctl reload && within 5 no_route 203.0.113.66 || return 1
	cp "$WORK/with.yaml" "$WORK/napd.yaml"
	napctl reload && within 10 learned
}

# Whoever else connects replaces nobody, and what is no FPM is turned away.
strangers() {
	in_ns nap python3 -c '
import socket, time
idle = socket.create_connection(("127.0.0.1", 2620))
http = socket.create_connection(("127.0.0.1", 2620))
http.sendall(b"GET / HTTP/1.0\r\n\r\n")
try:
    assert http.recv(1) == b"", "still there"
except ConnectionResetError:
    pass' && feed_is state up && feed_is losses "$1"
}

# A frame whose message is longer than it: its sender takes zebra's place, is understood no further and closed. zebra
# comes back by itself, and nothing was lost meanwhile.
rubbish() {
	in_ns nap python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", 2620))
s.sendall(bytes.fromhex("01010014") + (200).to_bytes(4, "little") + bytes(12))
assert s.recv(1) == b""' && grep 'in the frame at byte 0 of what it sent; the connection is closed' "$WORK/napd.log" &&
		within 10 feed_is state up && within 15 feed_is stale 0 && learned
}

# Without a descriptor a connection waits, in one line of the log a second; those there are go on.
out_of_descriptors() {
	local most
	most=$(prlimit --pid "$(napd_pid)" --nofile --noheadings -o SOFT)
	prlimit --pid "$(napd_pid)" --nofile=8:
	in_ns nap python3 -c '
import socket, time
s = socket.create_connection(("127.0.0.1", 2620))
time.sleep(1.5)'
	prlimit --pid "$(napd_pid)" --nofile="${most// /}:"
	within 3 feed_is state up && ! grep 'was deleted' "$WORK/napd.log" && [ "$(grep -c 'a connection waits: Too many open files' "$WORK/napd.log")" -le 2 ] &&
		grep 'a connection waits: Too many open files' "$WORK/napd.log"
}

ended() {
	frr_down
	exchange_down
}

begin "${1:-build}"
trap ended EXIT
check "before its routes are there, napd is not healthy" eval '! healthy'
anycast
for i in 0 1 2; do bird_up "${ISPS[i]}" "$i"; done
exchange_frr
check "BGP sessions of both families with three ISPs are up" within 30 established
check "their routes are napd's" within 10 learned
check "IPv4 over IPv6 (RFC 8950)" within 5 over_ipv6
check "everybody reaches everybody" within 5 everybody_reaches_everybody
check "each member is told its own next hop" within 5 own_next_hops
check "napd is healthy" within 10 healthy
check "blackhole and unreachable" blackholes
check "a blackhole by community" blackhole_by_community
UNAFFECTED=(203.0.113.66 2001:db8:b::2)
check "a best path changes, and back: no packet is lost" steady gamma-host 198.18.0.1 "${UNAFFECTED[@]}" -- beta_and_back
check "a path is withdrawn, another takes over: no packet is lost" \
	steady gamma-host 198.18.0.1 "${UNAFFECTED[@]}" -- withdrawn
check "a session is lost: its routes go, others are not touched" steady gamma-host "${UNAFFECTED[@]}" -- session_lost
check "graceful restart: no packet is lost" steady gamma-host 203.0.113.2 "${UNAFFECTED[@]}" -- graceful_restart
check "strangers replace nobody" strangers "$(of_feed losses)"
check "out of descriptors: no packet is lost" steady gamma-host 203.0.113.2 "${UNAFFECTED[@]}" -- out_of_descriptors
check "what cannot be understood is closed, and zebra returns: no packet is lost" \
	steady gamma-host 203.0.113.2 "${UNAFFECTED[@]}" -- rubbish
check "a reload changes nothing of it" steady gamma-host 203.0.113.2 "${UNAFFECTED[@]}" -- reloaded
check "zebra is killed, FRR restarts: stale meanwhile, no packet is lost" \
	steady gamma-host 203.0.113.2 "${UNAFFECTED[@]}" -- zebra_killed
check "bgpd is killed and returns" bgpd_killed
check "routes in force are acknowledged, and FRR 8.4 is not disturbed: no packet is lost" \
	steady gamma-host 203.0.113.2 "${UNAFFECTED[@]}" -- acknowledged
check "without the feed its routes go; they return with it" feed_goes_and_returns
check "a TAP that is deleted is made anew" tap_deleted
check "napd is killed and returns" napd_killed
check "every packet is accounted for" within 5 conserved
end
