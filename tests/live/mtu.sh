#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Jumbo frames between two members, and path MTU discovery towards a third, whose link carries
# less. Prints TAP.
#
#   tests/live/mtu.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh
# shellcheck disable=SC2034 # lib.sh reads it
MTU=(9000 1400 9000)

# A ping that is too large is told so by napd, with the MTU, and the kernel remembers it.
learns_mtu() { # FAMILY DESTINATION NAPD
	local said
	said=$(in_ns alpha-host ping "-$1" -c 2 -i 0.2 -W 1 -M 'do' -s 2000 "$2" 2>&1 || true)
	echo "$said"
	grep -q "From $3 .*\(mtu = 1400\|mtu=1400\)" <<<"$said" || return 1
	in_ns alpha-host ip "-$1" route get "$2" | tee /dev/stderr | has 'mtu 1400'
}

forget_mtu() {
	in_ns alpha-host ip route flush cache
	in_ns alpha-host ip -6 route flush cache
}

# TCP starts with segments of 8,960 bytes, is told, and goes on with smaller ones.
tcp_adapts() { # ADDRESS
	local before after
	before=$(drops alpha mtu-exceeded)
	tcp beta-host alpha-host "$1" || return 1
	after=$(drops alpha mtu-exceeded)
	echo "mtu-exceeded: $before, then $after"
	[ "$after" -gt "$before" ]
}

# Segments as long as the link allows: at least 7,000 bytes a packet on average.
large_segments() { # ADDRESS
	local packets bytes
	packets=$(counter gamma tx_packets) bytes=$(counter gamma tx_bytes)
	tcp gamma-host alpha-host "$1" || return 1
	packets=$(($(counter gamma tx_packets) - packets)) bytes=$(($(counter gamma tx_bytes) - bytes))
	echo "$bytes bytes in $packets packets"
	[ $((bytes / packets)) -gt 7000 ]
}

begin "${1:-build}"
# behind the narrow link all is wide again: TCP's ends know nothing of it
ip -n "$X-beta" link set lan mtu 9000
ip -n "$X-beta-host" link set lan mtu 9000
in_ns alpha-host ping -c 1 -W 1 -q 203.0.113.130 >/dev/null || true
in_ns alpha-host ping -c 1 -W 1 -q 2001:db8:c::2 >/dev/null || true
check "a jumbo frame of exactly 9,000 bytes" pings alpha-host 203.0.113.130 -s 8972 -M 'do'
check "IPv6 of 9,000 bytes" pings alpha-host 2001:db8:c::2 -s 8952 -M 'do'
check "fragments of 9,000 bytes" pings alpha-host 203.0.113.130 -s 30000
check "IPv6 fragments of 9,000 bytes" pings alpha-host 2001:db8:c::2 -s 30000
check "ping of napd itself with 9,000 bytes" pings alpha-host 198.51.100.1 -s 8972 -M 'do'
check "jumbo frames without DF leave in fragments" pings alpha-host 203.0.113.66 -s 4000 -M dont
check "path MTU discovery" learns_mtu 4 203.0.113.66 198.51.100.1
check "path MTU discovery over IPv6" learns_mtu 6 2001:db8:b::2 2001:db8:64:a::1
check "then pings of the path's MTU pass" pings alpha-host 203.0.113.66 -s 1372 -M 'do'
check "and over IPv6" pings alpha-host 2001:db8:b::2 -s 1352 -M 'do'
forget_mtu
check "TCP adapts" tcp_adapts 203.0.113.66
check "TCP over IPv6 adapts" tcp_adapts 2001:db8:b::2
check "TCP in jumbo frames" large_segments 203.0.113.130
check "TCP over IPv6 in jumbo frames" large_segments 2001:db8:c::2
check "UDP in jumbo frames" udp gamma-host alpha-host 203.0.113.130 -l 8000
check "no bad checksum on the way" no_bad_checksums
sleep 0.3
check "every packet is accounted for" within 3 conserved
for i in 0 1 2; do
	check "the kernel and napd count the same for ${ISPS[i]}" kernel_agrees $i
done
end
