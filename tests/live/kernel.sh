#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Routes from a table of the kernel: whatever `ip route` and `ip nexthop` can put there, over the ports' TAPs,
# and what the kernel deletes without a word. Prints TAP.
#
#   tests/live/kernel.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1

if [ ! -c /dev/net/tun ]; then
	echo "1..0 # SKIP this machine has no /dev/net/tun"
	exit 0
fi
# shellcheck source=/dev/null
. tests/live/check.sh

# No routes but the kernel's.
eval "plain_$(declare -f exchange_config)"
exchange_config() {
	plain_exchange_config | sed '/^routes:/,/^control:/{/^control:/!d}'
	printf 'tables: {kernel: {table: 100}, kept: {file: %s/kept, every: 1}}\n' "$WORK"
}

route() { in_ns nap ip route "$1" table 100 "${@:2}"; }
route6() { in_ns nap ip -6 route "$1" table 100 "${@:2}"; }
object() { in_ns nap ip nexthop "$@"; }

goes() { # ADDRESS PATTERN: as napctl says
	{ napctl show route "$1" || true; } | tee /dev/stderr | has -e "$2"
}

via() { # ADDRESS HOP...: by these next hops and no others, as HOP or HOP*WEIGHT
	local to=$1
	shift
	{ napctl --json show route "$to" || true; } | python3 -c '
import json, sys
said = {h["address"] + "%" + h["port"]: h.get("weight", 1) for h in json.load(sys.stdin).get("via", [])}
meant = {h.split("*")[0]: int((h + "*1").split("*")[1]) for h in sys.argv[1:]}
print(said)
sys.exit(said != meant)' "$@"
}

of_feed() { # KEY: of the feed in napctl show tables
	napctl --json show tables | python3 -c "import json, sys; print(json.load(sys.stdin)['feeds'][0]['$1'])"
}

feed_is() { # KEY VALUE
	local value
	value=$(of_feed "$1") && echo "$1: $value" && [ "$value" = "$2" ]
}

healthy() { [ "$(in_ns nap curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9473/healthz)" = 200 ]; }

followed() { within 5 feed_is state up && feed_is loaded True && healthy && [ "$(metric_value 'napd_feed_up{source="kernel"}')" = 1 ]; }

static_routes() {
	route add 203.0.113.0/26 via 198.51.100.0 && route add 203.0.113.64/26 via 198.51.100.2 &&
		route6 add 2001:db8:a::/48 via 2001:db8:64:a:: && route6 add 2001:db8:b::/48 via 2001:db8:64:b:: &&
		within 2 via 203.0.113.2 198.51.100.0%alpha && within 2 via 2001:db8:b::2 2001:db8:64:b::%beta
}

over_ipv6() {
	route add 203.0.113.128/26 via inet6 2001:db8:64:c:: dev gamma && route6 add 2001:db8:c::/48 via 2001:db8:64:c:: &&
		within 2 via 203.0.113.130 2001:db8:64:c::%gamma
}

across() { pings alpha-host "$1" && pings alpha-host "$2"; }

weights() {
	route add 198.18.0.0/24 nexthop via 198.51.100.0 weight 3 nexthop via 198.51.100.2 weight 1
	route6 add 2001:db8:1::/48 nexthop via 2001:db8:64:a:: nexthop via 2001:db8:64:b:: weight 2
	within 2 via 198.18.0.1 198.51.100.0%alpha*3 198.51.100.2%beta &&
		within 2 via 2001:db8:1::1 2001:db8:64:a::%alpha 2001:db8:64:b::%beta*2
}

# Of IPv6 the kernel tells of a next hop that goes, not of those that stay; and of one that is added, all.
hop_by_hop() {
	route6 del 2001:db8:1::/48 via 2001:db8:64:a:: && within 2 via 2001:db8:1::1 2001:db8:64:b::%beta || return 1
	route6 append 2001:db8:1::/48 via 2001:db8:64:c:: &&
		within 2 via 2001:db8:1::1 2001:db8:64:b::%beta*2 2001:db8:64:c::%gamma && route6 del 2001:db8:1::/48 &&
		within 2 goes 2001:db8:1::1 '^no-route'
}

objects() {
	object add id 1 via 198.51.100.0 dev alpha && object add id 2 via 198.51.100.2 dev beta &&
		object add id 3 via 2001:db8:64:c:: dev gamma && object add id 10 group 1/2,5 && object add id 4 blackhole || return 1
	route add 198.18.1.0/24 nhid 10 && route add 198.18.2.0/24 nhid 3 && route add 198.18.3.0/24 nhid 4 &&
		within 2 via 198.18.1.1 198.51.100.0%alpha 198.51.100.2%beta*5 && within 2 via 198.18.2.1 2001:db8:64:c::%gamma &&
		within 2 goes 198.18.3.1 '^blackhole' || return 1
	object replace id 10 group 2 && within 2 via 198.18.1.1 198.51.100.2%beta
}

object_takes_routes() {
	object del id 3 && within 2 goes 198.18.2.1 '^no-route'
}

without_next_hop() {
	route add blackhole 198.18.4.0/24 && route add unreachable 198.18.5.0/24 && route6 add prohibit 2001:db8:5::/48 &&
		within 2 goes 198.18.4.1 '^blackhole' && within 2 goes 198.18.5.1 '^unreachable' && within 2 goes 2001:db8:5::1 '^prohibited'
}

lower_metric() {
	route add 198.18.6.0/24 via 198.51.100.0 metric 20 && route add 198.18.6.0/24 via 198.51.100.2 metric 10 &&
		within 2 via 198.18.6.1 198.51.100.2%beta && route del 198.18.6.0/24 metric 10 && within 2 via 198.18.6.1 198.51.100.0%alpha
}

replaced() {
	route replace 198.18.6.0/24 via 198.51.100.2 metric 20 && within 2 via 198.18.6.1 198.51.100.2%beta
}

# The host's management interface is no port, and its routes are none of the exchange's.
foreign() {
	in_ns nap ip link add mgmt type veth peer name mgmt-peer && in_ns nap ip addr add 192.0.2.2/24 dev mgmt && in_ns nap ip link set mgmt up &&
		in_ns nap ip route add default via 192.0.2.1 && route add 198.18.7.0/24 via 192.0.2.1 &&
		within 2 feed_is foreign 1 && goes 198.18.7.1 '^no-route' && goes 192.0.2.130 '^no-route'
}

# More at once than the socket holds, while nobody reads it.
overflow() { # ROUTES
	local losses
	losses=$(of_feed losses)
	kill -STOP "$(napd_pid)"
	python3 -c '
import sys
for i in range(int(sys.argv[1])):
    print(f"route add 100.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255}/32 via 198.51.100.{i % 2 * 2} table 100")
print("route del 198.18.6.0/24 metric 20 table 100")' "$1" | in_ns nap ip -batch -
	kill -CONT "$(napd_pid)"
	within 20 more_losses_than "$losses" && within 20 feed_is state up && within 20 feed_is stale 0 &&
		within 5 goes 198.18.6.1 '^no-route' && via 100.64.0.1 198.51.100.2%beta && via "100.$((64 + (($1 - 1) >> 16))).$((($1 - 1) >> 8 & 255)).$((($1 - 1) & 255))" \
		"198.51.100.$(((($1 - 1) % 2) * 2))%$([ $(((($1) - 1) % 2)) = 0 ] && echo alpha || echo beta)" &&
		has_log 'more changes came than could be read'
}

more_losses_than() { [ "$(of_feed losses)" -gt "$1" ]; }
has_log() { grep -F "$1" "$WORK/napd.log" | tail -1 | has .; }

flushed() {
	in_ns nap ip route flush table 100 to root 100.64.0.0/10
	within 10 goes 100.64.0.1 '^no-route' && within 2 via 203.0.113.2 198.51.100.0%alpha
}

# Down, an interface loses its routes, and the kernel says nothing of those of IPv4.
interface_down() {
	in_ns nap ip link set alpha down
	within 5 goes 203.0.113.2 '^no-route' && within 5 goes 2001:db8:a::2 '^no-route' && via 203.0.113.66 198.51.100.2%beta
}

interface_back() {
	in_ns nap ip link set alpha up
	within 5 eval "in_ns nap ip route get 198.51.100.0 | has 'dev alpha'" || return 1
	route add 203.0.113.0/26 via 198.51.100.0 && within 5 via 203.0.113.2 198.51.100.0%alpha && pings beta-host 203.0.113.2
}

other_table() {
	in_ns nap ip route add 203.0.113.0/26 via 198.51.100.2 table 101
	sed -i 's/table: 100/table: 101/' "$WORK/napd.yaml"
	napctl reload && within 5 via 203.0.113.2 198.51.100.2%beta && within 5 goes 203.0.113.66 '^no-route'
}

back_and_none() {
	sed -i 's/table: 101/table: 100/' "$WORK/napd.yaml"
	napctl reload && within 5 via 203.0.113.2 198.51.100.0%alpha && within 5 via 203.0.113.66 198.51.100.2%beta || return 1
	sed -i '/^tables:/d; s|^control:|routes: [{prefix: 203.0.113.64/26, via: [198.51.100.2]}]\n&|' "$WORK/napd.yaml"
	napctl reload && within 5 goes 203.0.113.2 '^no-route' && goes 203.0.113.66 static
}

begin "${1:-build}"
check "an empty table is followed" followed
check "routes of both families" static_routes
check "IPv4 over an IPv6 next hop" over_ipv6
check "packets go by them" within 5 across 203.0.113.66 2001:db8:b::2
check "over IPv6, too" within 5 across 203.0.113.130 2001:db8:c::2
check "several next hops, with weights" weights
check "a next hop of several comes or goes" hop_by_hop
check "next-hop objects and groups" objects
check "an object takes its routes with it" object_takes_routes
check "blackhole, unreachable and prohibit" without_next_hop
check "the lowest metric wins" lower_metric
check "a route is replaced" replaced
check "routes over interfaces that are no port's are none of its business" foreign
check "messages that were lost are made up for" overflow 120000
check "a hundred thousand routes go" flushed
check "routes that an interface takes with it" interface_down
check "and come back with it" interface_back
check "another table, by a reload" other_table
check "back again; and then no feed any more" back_and_none
check "every packet is accounted for" within 5 conserved
end
