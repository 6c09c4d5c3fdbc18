#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Routes from BIRD: beside napd, BGP with three ISPs (BIRD as well) through the ports' TAPs, its routes in a table of
# the kernel, and what becomes of packets when sessions and daemons come and go. Prints TAP.
#
#   tests/live/bird.sh BUILD_FOLDER
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
SOURCE=kernel
without_routes 'kernel: {table: 100}'
established() { bird_established; }
# shellcheck source=/dev/null
. tests/live/bgp.sh

metrics_say() { [ "$(metric_value 'napd_feed_up{source="kernel"}')" = 1 ] && [ "$(metric_value 'napd_routes_stale{source="kernel"}')" = 0 ]; }

# The exchange's BIRD dies. The kernel keeps its routes and the members keep theirs (RFC 4724) until it has all again.
bird_killed() {
	bird_kill nap 9
	learned && exchange_bird -R && within 20 established && learned && over_ipv6 && feed_is state up
}

# It ends and starts as in an upgrade: "persist" leaves the routes in the kernel; its members hear a notification and
# keep nothing.
bird_restarted() {
	bird_kill nap TERM
	learned && exchange_bird && within 20 established && within 5 learned && over_ipv6
}

ended() {
	birds_down
	exchange_down
}

begin "${1:-build}"
trap ended EXIT
check "an empty table is a loaded one" within 5 healthy
anycast
for i in 0 1 2; do bird_up "${ISPS[i]}" "$i"; done
exchange_bird
check "BGP sessions of both families with three ISPs are up" within 30 established
check "their routes are napd's" within 10 learned
check "IPv4 over IPv6 (RFC 8950)" within 5 over_ipv6
check "everybody reaches everybody" within 5 everybody_reaches_everybody
check "each member is told its own next hop" within 5 own_next_hops
check "metrics say so" within 5 metrics_say
check "a blackhole by community" blackhole_by_community
UNAFFECTED=(203.0.113.66 2001:db8:b::2)
check "a best path changes, and back: no packet is lost" steady 198.18.0.1 "${UNAFFECTED[@]}" -- beta_and_back
check "a path is withdrawn, another takes over: no packet is lost" \
	steady 198.18.0.1 "${UNAFFECTED[@]}" -- withdrawn
check "a session is lost: its routes go, others are not touched" steady "${UNAFFECTED[@]}" -- session_lost
check "graceful restart: no packet is lost" steady 203.0.113.2 "${UNAFFECTED[@]}" -- graceful_restart
check "the exchange's BIRD is killed and returns: no packet is lost" \
	steady 203.0.113.2 "${UNAFFECTED[@]}" -- bird_killed
check "it is restarted: its routes are there meanwhile" bird_restarted
check "napd is killed and returns" napd_killed
check "every packet is accounted for" within 5 conserved
end
