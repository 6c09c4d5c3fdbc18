#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A warm start: napd dies or ends, nobody tells it any route, and it forwards by those that it kept; what is stale
# is told again or goes; a file that cannot be used changes nothing. Prints TAP.
#
#   tests/live/warm.sh BUILD_FOLDER
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
without_routes 'kernel: {table: 100, stale-time: 4}'
established() { false; }
# shellcheck source=/dev/null
. tests/live/bgp.sh

# As BIRD would. The kernel forgets them with the TAPs.
install() {
	in_ns nap ip route replace 203.0.113.0/26 table 100 via 198.51.100.0 && in_ns nap ip route replace 203.0.113.64/26 table 100 \
		nexthop via 198.51.100.2 weight 2 nexthop via 198.51.100.4 && in_ns nap ip route replace blackhole 198.18.1.0/24 table 100 &&
		in_ns nap ip route replace 203.0.113.128/26 table 100 via inet6 2001:db8:64:c:: dev gamma metric 32 &&
		in_ns nap ip -6 route replace 2001:db8:a::/48 table 100 via 2001:db8:64:a:: &&
		in_ns nap ip -6 route replace 2001:db8:b::/48 table 100 via 2001:db8:64:b::
}

of_kept() { # KEY of show tables' kept
	napctl --json show tables | python3 -c "import json, sys; print(json.load(sys.stdin)['kept']['$1'])"
}

kept_is() { # KEY VALUE
	local value
	value=$(of_kept "$1") && echo "$1: $value" && [ "$value" = "$2" ]
}

told_and_kept() {
	install && within 3 feed_is used 6 && within 5 kept_is routes 6 && [ "$(metric_value napd_kept_routes)" = 6 ] && [ -s "$WORK/kept" ]
}

# The kernel forgets its routes with the TAPs that they lead over; and those that lead nowhere, for good measure.
flushed() {
	in_ns nap ip route flush table 100
	in_ns nap ip -6 route flush table 100 || true
}

killed() {
	kill -9 "$(napd_pid)"
	napd_gone "$(napd_pid)"
	flushed
	cp "$WORK/kept" "$WORK/kept.good"
}

warm() {
	route_goes 203.0.113.2 'kernel, 198.51.100.0%alpha (stale)' && route_goes 203.0.113.66 '198.51.100.2%beta.*198.51.100.4%gamma.* (stale)' &&
		route_goes 203.0.113.130 'kernel, 2001:db8:64:c::%gamma.* (stale)' && route_goes 198.18.1.1 'kernel, blackhole (stale)' &&
		feed_is stale 6 && [ "$(metric_value 'napd_routes_stale{source="kernel"}')" = 6 ] && kept_is restored 6 && kept_is left_out 0
}

# Some are told again, and are stale no longer, whatever their metric; a deletion is one at once.
some_again() {
	in_ns nap ip route replace 203.0.113.0/26 table 100 via 198.51.100.0 metric 77 && within 2 route_goes 203.0.113.2 'kernel, 198.51.100.0%alpha$' &&
		feed_is stale 5 && in_ns nap ip route replace 203.0.113.64/26 table 100 via 198.51.100.2 metric 9 &&
		within 2 route_goes 203.0.113.66 'kernel, 198.51.100.2%beta$' && in_ns nap ip route del 203.0.113.64/26 table 100 metric 9 &&
		within 2 no_route 203.0.113.66 && feed_is stale 4
}

# What nobody told goes after stale-time and five quiet seconds; what was told stays.
swept() {
	within 15 feed_is stale 0 && no_route 198.18.1.1 && no_route 2001:db8:b::2 && route_goes 203.0.113.2 'kernel, 198.51.100.0%alpha$'
}

# In good order, at once after a change.
ended_and_back() {
	in_ns nap ip route replace 198.18.3.0/24 table 100 via 198.51.100.2
	within 2 route_goes 198.18.3.1 '%beta$' && napd_stop && flushed && napd_start && ports_up && route_goes 198.18.3.1 'kernel, 198.51.100.2%beta.* (stale)'
}

# All that was kept is told again: then the kernel is believed at once as ever, whatever share of it goes.
believed_again() {
	in_ns nap ip route replace 203.0.113.0/26 table 100 via 198.51.100.0 metric 77 && in_ns nap ip route replace 198.18.3.0/24 table 100 via 198.51.100.2 &&
		within 3 feed_is stale 0 && in_ns nap ip link set alpha down && within 2 no_route 203.0.113.2 && route_goes 198.18.3.1 '%beta$' &&
		in_ns nap ip link set alpha up
}

# Gamma is gone from the configuration; its routes are left out, and napd says so.
without_a_port() {
	napd_stop
	flushed
	cp "$WORK/kept.good" "$WORK/kept"
	cp "$WORK/napd.yaml" "$WORK/whole.yaml"
	sed -i 's/name: gamma$/name: delta/; s/port: gamma$/port: delta/' "$WORK/napd.yaml"
	napd_start_as nap napd && within 5 kept_is restored 5 && kept_is left_out 1 && grep '1 routes are left out' "$WORK/napd.log" &&
		no_route 203.0.113.130
}

unusable() { # PATTERN: what napd says of the file
	napd_start && ports_up && grep "$1" "$WORK/napd.log" && no_route 203.0.113.2 && kept_is restored 0
}

damaged() {
	napd_stop
	flushed
	cp "$WORK/whole.yaml" "$WORK/napd.yaml"
	: >"$WORK/napd.log"
	python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[60] ^= 4
open(sys.argv[2], "wb").write(data)' "$WORK/kept.good" "$WORK/kept"
	unusable 'kept: byte 12: damaged: the checksum is wrong; napd starts without the routes kept there'
}

# A folder that cannot be written: a warning, and the file that is there stays in force.
unwritable() {
	mkdir "$WORK/kept.new"
	in_ns nap ip route replace 198.18.4.0/24 table 100 via 198.51.100.2
	within 5 kept_is failing True && grep 'kept.new: Is a directory; the routes in force are not kept there' "$WORK/napd.log" &&
		[ "$(metric_value napd_kept_failing)" = 1 ] && rmdir "$WORK/kept.new" && within 5 kept_is failing False
}

begin "${1:-build}"
check "routes of the kernel are kept" told_and_kept
killed
napd_start && ports_up
check "after a crash they are in force, and stale" warm
check "packets go by them" within 5 pings beta-host 203.0.113.2
check "IPv6 too" within 5 pings beta-host 2001:db8:a::2
check "what is told again is stale no longer" some_again
check "the rest goes" swept
check "an end in good order keeps what changed last" ended_and_back
check "told again in full, an interface takes its routes at once" believed_again
check "a port that is gone: its routes are left out" without_a_port
check "a damaged file is reported and ignored" damaged
check "where nothing can be written, napd says so and goes on" unwritable
check "every packet is accounted for" within 5 conserved
end
