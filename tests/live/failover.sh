#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A member on two ports: its traffic is shared by both, and goes on by one when the other is lost.
# Packets of a paced stream are counted one by one. Prints TAP.
#
#   tests/live/failover.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

# Beta's second link, 198.51.100.6/31 and 2001:db8:64:d::/127.
second_link() {
	ip link add ve-beta2 netns "$X-nap" type veth peer name nap2 netns "$X-beta"
	ip -n "$X-nap" link set ve-beta2 up
	ip -n "$X-beta" link set nap2 address 02:00:00:00:0d:01
	ip -n "$X-beta" addr add 198.51.100.6/31 dev nap2
	ip -n "$X-beta" addr add 2001:db8:64:d::/127 dev nap2
	ip -n "$X-beta" link set nap2 up
	plain_frames beta nap2
	plain_frames nap ve-beta2
}

# The port, the router and the second next hop come by a reload.
second_port() {
	second_link
	sed -i -e 's|^members:|  - {name: beta-2, device: "net_af_packet3,iface=ve-beta2", source-check-action: drop, addresses: [198.51.100.7/31, "2001:db8:64:d::1/127"]}\n&|' \
		-e 's|^    routers: \[{mac: "02:00:00:00:0b:01"|    routers: [{port: beta-2, mac: "02:00:00:00:0d:01", addresses: [198.51.100.6, "2001:db8:64:d::"]}, {mac: "02:00:00:00:0b:01"|' \
		-e 's|via: \[198.51.100.2\]|via: [198.51.100.2, 198.51.100.6]|' \
		-e 's|via: \["2001:db8:64:b::"\]|via: ["2001:db8:64:b::", "2001:db8:64:d::"]|' "$WORK/napd.yaml"
	napctl reload && ports_up
}

# A stream of 2,000 packets a second in 64 flows, while a command is run in the midst of
# it; nothing may be lost over a longer time than LIMIT.
streamed() { # LIMIT_MS COMMAND...
	local limit=$1
	shift
	stream_to "203.0.113.66 2001:db8:b::2" "$@" &&
		python3 tests/live/stream.py judge "$WORK/sent" "$WORK/received" "$limit"
}

stream_to() { # ADDRESSES COMMAND...
	local addresses receiver sender
	read -ra addresses <<<"$1"
	shift
	rm -f "$WORK/sent" "$WORK/received"
	stream beta-host receive "$WORK/received" &
	receiver=$!
	within 5 eval 'in_ns beta-host ss -lun | has :5000' || return 1
	stream alpha-host send "$WORK/sent" 1.2 2000 "${addresses[@]}" &
	sender=$!
	sleep 0.5
	"$@" || return 1
	wait $sender || return 1
	sleep 0.2
	kill "$receiver"
	wait "$receiver"
}

stream() { # NAMESPACE ARGUMENT...; in the background only
	local ns=$1
	shift
	exec ip netns exec "$X-$ns" python3 tests/live/stream.py "$@"
}

# Both ports carry a good part of the flows.
shared() {
	local one two
	one=$(counter beta tx_packets) two=$(counter beta-2 tx_packets)
	streamed 0 true || return 1
	one=$(($(counter beta tx_packets) - one)) two=$(($(counter beta-2 tx_packets) - two))
	echo "beta $one, beta-2 $two"
	[ $one -gt 500 ] && [ $two -gt 500 ]
}

# All of it by the port that is left.
by_one() { # LOST LEFT
	local before
	before=$(counter "$1" tx_packets)
	streamed 0 true || return 1
	echo "$1 sent $before, then $(counter "$1" tx_packets)"
	[ "$(counter "$1" tx_packets)" = "$before" ]
}

peer() { ip -n "$X-beta" link set nap "$1"; }
own() { ip -n "$X-nap" link set ve-beta2 "$1"; }

# The Internet's table, all of it over both ports, and two prefixes of ours in its midst.
full_table() {
	{
		zcat "$table" | tr -d "\r" | awk '{ print $1, "via", /:/ ? "2001:db8:64:b::,2001:db8:64:d::" : "198.51.100.2,198.51.100.6" }'
		echo "192.0.2.0/24 via 198.51.100.2,198.51.100.6"
		echo "2001:db8:ffff::/48 via 2001:db8:64:b::,2001:db8:64:d::"
	} >"$WORK/routes.txt"
	ip -n "$X-beta-host" addr add 192.0.2.66/32 dev lan
	ip -n "$X-beta-host" addr add 2001:db8:ffff::2/128 dev lan
	ip -n "$X-beta" route add 192.0.2.66/32 via 203.0.113.66
	ip -n "$X-beta" -6 route add 2001:db8:ffff::2/128 via 2001:db8:b::2
	echo "tables: {file: [routes.txt]}" >>"$WORK/napd.yaml"
	napctl reload && napctl show tables | tee /dev/stderr | has -E '^file +90[0-9],[0-9]+ '
}

# The link of one port goes, while packets go to the prefixes of ours by both: from the link event to the
# last packet that was sent to the dead port and lost.
lose_link() {
	local watcher
	rm -f "$WORK/lost"*
	stream nap watch "$WORK/lost" ve-beta &
	watcher=$!
	within 5 [ -e "$WORK/lost.ready" ] || return 1
	stream_to "192.0.2.66 2001:db8:ffff::2" peer down || return 1
	kill $watcher 2>/dev/null
	wait $watcher
	python3 tests/live/stream.py late "$WORK/sent" "$WORK/received" "$WORK/lost" >>"$WORK/late"
	peer up
	within 5 ports_up
}

# Three times; the middle one counts, for this machine may have other things to do.
converges() {
	: >"$WORK/late"
	lose_link && lose_link && lose_link || return 1
	echo "milliseconds from the link event to the last packet to the dead port: $(xargs <"$WORK/late")"
	sort -n "$WORK/late" | awk 'NR == 2 { exit !($1 <= 10) }'
}

table=${NAPD_SHARED:-../shared}/data/tables/full-2026/prefixes.txt.gz
begin "${1:-build}"
check "a second port for beta comes by a reload" second_port
in_ns alpha-host ping -c 1 -W 1 -q 203.0.113.66 >/dev/null || true
check "both ports share the flows, and nothing is lost" shared
check "the other end of one goes down: no more than 50 ms are lost" streamed 50 peer down
check "that is seen" port_is beta down
check "all goes by the other" by_one beta beta-2
check "it comes back, and nothing is lost" streamed 0 peer up
check "the other port's own interface goes down: no more than 50 ms are lost" streamed 50 own down
check "it comes back" streamed 50 own up
within 5 ports_up
check "an interface is deleted: no more than 50 ms are lost" streamed 50 ip -n "$X-nap" link del ve-beta2
check "that is said" grep -q 'net_af_packet3,iface=ve-beta2 has vanished' "$WORK/napd.log"
check "it is made again and found" streamed 50 second_link
check "its port is up again" within 5 ports_up
check "both share once more" shared
if [ -r "$table" ]; then
	check "a full table over both ports" full_table
	check "one port down: at most 10 ms later the last packet leaves by it" converges
	sed 's/^/# /' "$WORK/late"
fi
sleep 0.3
check "every packet is accounted for" within 3 conserved
end
