#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ports of one device by their VLANs: a trunk between napd and another napd, which is the router of
# beta (VLAN 100) and gamma (VLAN 200). Prints TAP.
#
#   tests/live/vlan.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

# Alpha is as ever. The others' hosts are behind one router, on a port each.
topology() {
	local host
	quiet_ns nap
	no_ipv6 nap
	isp_up alpha 0 1500 veth
	quiet_ns trunk
	no_ipv6 trunk
	ip link add trunk netns "$X-nap" type veth peer name trunk netns "$X-trunk"
	for host in nap trunk; do
		ip -n "$X-$host" link set trunk up
		plain_frames "$host" trunk
	done
	for i in 1 2; do
		host=${ISPS[i]}-host
		quiet_ns "$host"
		ip link add "${ISPS[i]}" netns "$X-trunk" type veth peer name lan netns "$X-$host"
		ip -n "$X-trunk" link set "${ISPS[i]}" up
		ip -n "$X-$host" link set lan up
		plain_frames trunk "${ISPS[i]}"
		plain_frames "$host" lan
		ip -n "$X-$host" addr add "203.0.113.$((64 * i + 2))/26" dev lan
		ip -n "$X-$host" addr add "2001:db8:$(letter $i)::2/64" dev lan
		ip -n "$X-$host" route add default via "203.0.113.$((64 * i + 1))"
		ip -n "$X-$host" -6 route add default via "2001:db8:$(letter $i)::1"
	done
}

# A port on the trunk: NAME VLAN ADDRESSES.
trunk_port() {
	printf '  - {name: %s, device: "net_af_packet8,iface=trunk", vlan: %s, addresses: [%s]}\n' "$@"
}

napd_yaml() {
	cat <<END
exchange: {name: box, asn: 64500}
dataplane: {memory: 256M, hugepages: never}
ports:
$(isp_port alpha 0 1500)
  - {name: native, device: "net_af_packet8,iface=trunk", addresses: [192.0.2.1/31]}
$(trunk_port beta 100 '198.51.100.3/31, "2001:db8:64:b::1/127"')
$(trunk_port gamma 200 '198.51.100.5/31, "2001:db8:64:c::1/127"')
members:
$(isp_member alpha 0)
  - {name: Beta, port: beta, routers: [{addresses: [198.51.100.2, "2001:db8:64:b::"]}]}
  - {name: Gamma, port: gamma, routers: [{addresses: [198.51.100.4, "2001:db8:64:c::"]}]}
routes:
  - {prefix: 203.0.113.0/26, via: [198.51.100.0]}
  - {prefix: "2001:db8:a::/48", via: ["2001:db8:64:a::"]}
  - {prefix: 203.0.113.64/26, via: [198.51.100.2]}
  - {prefix: "2001:db8:b::/48", via: ["2001:db8:64:b::"]}
  - {prefix: 203.0.113.128/26, via: [198.51.100.4]}
  - {prefix: "2001:db8:c::/48", via: ["2001:db8:64:c::"]}
control: {socket: $WORK/napd.sock, readonly-socket: $WORK/napd-ro.sock}
END
}

# What goes back to alpha goes by VLAN 100 (IPv4) and 200 (IPv6), wherever it comes from.
router_yaml() {
	cat <<END
exchange: {name: trunk, asn: 64502}
dataplane: {memory: 128M, hugepages: never}
ports:
$(trunk_port t100 100 '198.51.100.2/31, "2001:db8:64:b::/127"')
$(trunk_port t200 200 '198.51.100.4/31, "2001:db8:64:c::/127"')
  - {name: lan-b, device: "net_af_packet1,iface=beta", addresses: [203.0.113.65/26, "2001:db8:b::1/64"]}
  - {name: lan-g, device: "net_af_packet2,iface=gamma", addresses: [203.0.113.129/26, "2001:db8:c::1/64"]}
members: []
routes:
  - {prefix: 203.0.113.0/26, via: [198.51.100.3]}
  - {prefix: "2001:db8:a::/48", via: ["2001:db8:64:c::1"]}
control: {socket: $WORK/trunk.sock, readonly-socket: $WORK/trunk-ro.sock}
END
}

counter_of() { # NAME PORT KEY
	napctl_of "$1" --json show port "$2" |
		python3 -c "import json, sys; print(json.load(sys.stdin)['$3'])"
}

# COMMAND's packets left and came by these ports of napd, in the tag of each: the other end counts
# the same.
by_vlan() { # OUT IN COMMAND...
	local out=$1 in=$2 o i
	shift 2
	o=$(counter "$out" tx_packets) i=$(counter "$in" rx_packets)
	"$@" || return 1
	o=$(($(counter "$out" tx_packets) - o)) i=$(($(counter "$in" rx_packets) - i))
	echo "out by $out: $o, in by $in: $i"
	[ $o -ge 3 ] && [ $i -ge 3 ]
}

both_ends() { # PORT PORT_OF_THE_ROUTER: sent and received of the one, received and sent of the other
	echo "$(counter "$1" tx_packets) $(counter "$1" rx_packets)" \
		"$(counter_of trunk "$2" rx_packets) $(counter_of trunk "$2" tx_packets)"
}

# Two looks in a row are the same: no packet came between the first counter and the last.
still() { # FILE PORT PORT_OF_THE_ROUTER
	both_ends "$2" "$3" >"$1" && [ "$(both_ends "$2" "$3")" = "$(cat "$1")" ]
}

same_growth() { # PORT PORT_OF_THE_ROUTER
	still "$WORK/after" "$@" && paste -d' ' "$WORK/before" "$WORK/after" | tee /dev/stderr |
		awk '{ exit !($5 - $1 == $7 - $3 && $6 - $2 == $8 - $4 && $5 - $1 > 200) }'
}

# What a port sends the other receives, packet by packet; before that there was other traffic.
ends_agree() { # PORT PORT_OF_THE_ROUTER HOST ADDRESS
	within 5 still "$WORK/before" "$1" "$2" && udp "$3" alpha-host "$4" || return 1
	within 5 same_growth "$1" "$2"
}

# Frames of a tag that no port has are dropped, and counted on the untagged port. (A tag of 0x88a8
# cannot be told from one of 0x8100 here: the kernel takes it off, and the driver puts a 0x8100 on.)
unknown_tag() {
	local before
	before=$(drops native l2-vlan)
	in_ns trunk python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("trunk", 0))
for tag in b"\x81\x00\x01\x2c", b"\x81\x00\x00\xc9":
    s.send(b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02" + tag + b"\x08\x00" + bytes(46))'
	within 2 eval "[ \"\$(drops native l2-vlan)\" = $((before + 2)) ]"
}

# shellcheck disable=SC2034 # lib.sh reads it
BUILD=$(realpath "${1:-build}")
WORK=$(mktemp -d "/tmp/$X-XXXXXX")
trap exchange_down EXIT
topology
napd_yaml >"$WORK/napd.yaml"
router_yaml >"$WORK/trunk.yaml"
check "napd starts with three ports on one device" napd_start_as nap napd
check "the router on the other end too" napd_start_as trunk trunk
check "their ports are up" within 5 ports_up
for to in 203.0.113.66 2001:db8:b::2 203.0.113.130 2001:db8:c::2; do
	check "ping $to" within 5 pings alpha-host $to
done
check "beta by its VLAN, both ways" by_vlan beta beta pings alpha-host 203.0.113.66
check "gamma by its VLAN, and back by another" by_vlan gamma beta pings alpha-host 203.0.113.130
check "gamma over IPv6 by its VLAN, both ways" by_vlan gamma gamma pings alpha-host 2001:db8:c::2
check "frames of the MTU, and a tag" pings alpha-host 203.0.113.66 -s 1472 -M 'do'
check "IPv6 frames of the MTU, and a tag" pings alpha-host 2001:db8:c::2 -s 1452 -M 'do'
check "traceroute passes both" hops "203.0.113.1 198.51.100.1 198.51.100.2 203.0.113.66" 203.0.113.66
check "TCP in one VLAN" tcp beta-host alpha-host 203.0.113.66
check "TCP over IPv6 in the other" tcp gamma-host alpha-host 2001:db8:c::2
check "unknown tags are dropped" unknown_tag
sleep 0.3
check "every packet is accounted for" within 3 conserved
check "on the other end too" within 3 conserved trunk trunk
check "both ends of VLAN 100 count the same" ends_agree beta t100 beta-host 203.0.113.66
check "both ends of VLAN 200 count the same" ends_agree gamma t200 gamma-host 2001:db8:c::2
end
