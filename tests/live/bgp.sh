# SPDX-License-Identifier: BSD-3-Clause
# What is true of BGP with three ISPs whichever daemon of the exchange speaks it: routes, and packets while they
# change. Sourced after check.sh and daemons.sh by a test that says
#
#   SOURCE       by which napd has the routes: fpm or kernel
#   established  a function: the sessions of the exchange's daemon are up
#
# shellcheck shell=bash disable=SC2153

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

route_goes() { # ADDRESS PATTERN: as napctl says, of SOURCE
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

healthy() { [ "$(in_ns nap curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9473/healthz)" = 200 ]; }

# What is sent from a member's host is dropped for a reason.
drops_from() { # NAME REASON ADDRESS
	in_ns "$1-host" ping -c 1 -W 0.2 -q "$3" || true
	counted "$1" "$2"
}

learned() {
	route_goes 203.0.113.2 "$SOURCE, 198.51.100.0%alpha" && route_goes 203.0.113.66 "$SOURCE, 198.51.100.2%beta" &&
		route_goes 2001:db8:a::2 "$SOURCE, .*%alpha" && route_goes 2001:db8:c::2 "$SOURCE, .*%gamma"
}

# IPv6 next hops, link-local ones too, of IPv4 prefixes; the interface says which port they are on.
over_ipv6() {
	route_goes 203.0.113.130 "$SOURCE, [0-9a-f]*:.*%gamma"
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

# ---- while packets are on their way ----

# Pings, every 5 ms, while a command is run and for a moment after: napd drops none at gamma, where they come in.
# Those that are still under way when they are stopped are no loss: fewer than a tenth of a second of them.
LOST_MOST=20
steady() { # ADDRESS... -- COMMAND...: from gamma's host
	local to pids=() rc=0 before
	before=$(counter gamma drops)
	while [ "$1" != -- ]; do
		to=$1
		(exec ip netns exec "$X-gamma-host" ping -i 0.005 -q "$to") >"$WORK/steady-${to//:/_}" 2>&1 &
		pids+=($!)
		shift
	done
	shift
	sleep 0.2
	"$@" || rc=1
	sleep 0.3
	kill -INT "${pids[@]}"
	wait "${pids[@]}"
	awk -v most=$LOST_MOST '/transmitted/ { print; n++; if ($1 - $4 >= most || $4 < 50) bad = 1 } END { exit bad || !n }' \
		"$WORK"/steady-* || rc=1
	rm -f "$WORK"/steady-*
	echo "gamma's drops before: $before, and now: $(counter gamma drops)"
	[ "$before" = "$(counter gamma drops)" ] && return $rc
}

beta_and_back() { # alpha's path to 198.18.0.0/24 gets longer than beta's, and shorter again
	route_goes 198.18.0.1 "$SOURCE, 198.51.100.0%alpha" || return 1
	echo 'if net = 198.18.0.0/24 then { bgp_path.prepend(64501); bgp_path.prepend(64501); }' >"$WORK/alpha.out"
	birdc alpha configure && within 5 route_goes 198.18.0.1 "$SOURCE, 198.51.100.2%beta" || return 1
	: >"$WORK/alpha.out"
	birdc alpha configure && within 5 route_goes 198.18.0.1 "$SOURCE, 198.51.100.0%alpha"
}

withdrawn() { # alpha has it no more
	sed -i /198.18/d "$WORK/alpha.own4"
	birdc alpha configure && within 5 route_goes 198.18.0.1 "$SOURCE, 198.51.100.2%beta"
}

session_lost() { # and returns; what only alpha has is unreachable meanwhile
	birdc alpha disable nap4 && within 5 no_route 203.0.113.2 && route_goes 2001:db8:a::2 '%alpha' || return 1
	within 5 drops_from beta no-route 203.0.113.2 && birdc alpha enable nap4 && within 15 route_goes 203.0.113.2 '%alpha'
}

# alpha's BIRD dies; the exchange keeps its routes for the restart time (RFC 4724), and all goes on.
graceful_restart() {
	kill -9 "$(cat "$WORK/alpha.bird.pid")"
	sleep 1
	! established && route_goes 203.0.113.2 '%alpha' && bird_up alpha 0 -R && within 15 established && route_goes 203.0.113.2 '%alpha'
}

# A member has an address of its own dropped: it announces it with community 65535:666.
blackhole_by_community() {
	echo 'route 203.0.113.77/32 blackhole { bgp_community.add((65535,666)); };' >>"$WORK/beta.own4"
	birdc beta configure && within 5 route_goes 203.0.113.77 "$SOURCE, blackhole" || return 1
	within 5 drops_from alpha blackhole 203.0.113.77 || return 1
	echo 'route 2001:db8:b::77/128 blackhole { bgp_community.add((65535,666)); };' >>"$WORK/beta.own6"
	birdc beta configure && within 5 route_goes 2001:db8:b::77 "$SOURCE, blackhole" || return 1
	sed -i /203.0.113.77/d "$WORK/beta.own4"
	sed -i /b::77/d "$WORK/beta.own6"
	birdc beta configure && within 5 route_goes 203.0.113.77 "$SOURCE, 198.51.100.2%beta"
}

# A port's TAP loses its carrier with napd, and BGP with it; all of it comes again.
napd_killed() {
	kill -9 "$(napd_pid)"
	napd_gone "$(napd_pid)"
	napd_start && ports_up && within 30 established && within 10 learned && within 10 over_ipv6 &&
		within 15 everybody_reaches_everybody
}

