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
. tests/live/daemons.sh

# shellcheck disable=SC2034 # of bgp.sh
SOURCE=fpm
without_routes 'fpm: {stale-time: 60}'
established() { frr_established; }
# shellcheck source=/dev/null
. tests/live/bgp.sh

some_stale() { [ "$(of_feed stale)" -gt 0 ]; }

metrics_say() { # UP STALE: some or none
	local stale=none
	[ "$(metric_value 'napd_routes_stale{source="fpm"}')" = 0 ] || stale=some
	[ "$(metric_value 'napd_feed_up{source="fpm"}')" = "$1" ] && [ $stale = "$2" ]
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

blackholes() {
	vtysh nap 'configure terminal' 'ip route 192.0.2.128/25 reject' 'ipv6 route 2001:db8:dead::/48 blackhole'
	within 3 route_goes 192.0.2.66 'fpm, blackhole' && within 3 route_goes 192.0.2.129 'fpm, unreachable' &&
		within 3 route_goes 2001:db8:dead::1 'fpm, blackhole'
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
check "a best path changes, and back: no packet is lost" steady 198.18.0.1 "${UNAFFECTED[@]}" -- beta_and_back
check "a path is withdrawn, another takes over: no packet is lost" \
	steady 198.18.0.1 "${UNAFFECTED[@]}" -- withdrawn
check "a session is lost: its routes go, others are not touched" steady "${UNAFFECTED[@]}" -- session_lost
check "graceful restart: no packet is lost" steady 203.0.113.2 "${UNAFFECTED[@]}" -- graceful_restart
check "strangers replace nobody" strangers "$(of_feed losses)"
check "out of descriptors: no packet is lost" steady 203.0.113.2 "${UNAFFECTED[@]}" -- out_of_descriptors
check "what cannot be understood is closed, and zebra returns: no packet is lost" \
	steady 203.0.113.2 "${UNAFFECTED[@]}" -- rubbish
check "a reload changes nothing of it" steady 203.0.113.2 "${UNAFFECTED[@]}" -- reloaded
check "zebra is killed, FRR restarts: stale meanwhile, no packet is lost" \
	steady 203.0.113.2 "${UNAFFECTED[@]}" -- zebra_killed
check "bgpd is killed and returns" bgpd_killed
check "routes in force are acknowledged, and FRR 8.4 is not disturbed: no packet is lost" \
	steady 203.0.113.2 "${UNAFFECTED[@]}" -- acknowledged
check "without the feed its routes go; they return with it" feed_goes_and_returns
check "a TAP that is deleted is made anew" tap_deleted
check "napd is killed and returns" napd_killed
check "every packet is accounted for" within 5 conserved
end
