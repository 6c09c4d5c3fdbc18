#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A worker never blocks: beta's link takes no more than a kilobyte a second, the ring of frames
# towards it fills up, and nobody else notices. Prints TAP.
#
#   tests/live/full.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

# What napd sends to beta waits, in the kernel, for a shaper on a device of no consequence; until
# it is let go each frame keeps its place in napd's transmit ring.
throttle() {
	ip -n "$X-beta" link add shaper type ifb
	ip -n "$X-beta" link set shaper up
	in_ns beta tc qdisc add dev shaper root tbf rate 8kbit burst 1600 limit 100000000
	in_ns beta tc qdisc add dev nap ingress
	in_ns beta tc filter add dev nap parent ffff: protocol all u32 match u32 0 0 \
		action mirred egress redirect dev shaper
}

release() {
	in_ns beta tc qdisc del dev nap ingress
	in_ns beta tc qdisc del dev shaper root
	ip -n "$X-beta" link del shaper
}

# More than the ring holds, by one sender that waits for nobody.
flood() {
	in_ns alpha-host python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(6000):
    s.sendto(bytes(1000), ("203.0.113.66", 9))'
}

ring_is_full() {
	flood
	echo "tx-full: $(drops alpha tx-full)"
	counted alpha tx-full
}

# The worker of all ports makes loops: a health check, and a hundred pings without a loss.
others_go_on() {
	in_ns nap curl -sf http://127.0.0.1:9473/healthz &&
		in_ns alpha-host ping -c 100 -i 0.005 -W 1 -q 203.0.113.130 | tee /dev/stderr |
		grep -q '100 received'
}

at_speed_meanwhile() {
	local before
	before=$(drops alpha tx-full)
	tcp gamma-host alpha-host 203.0.113.130 || return 1
	ring_is_full && [ "$(drops alpha tx-full)" -gt "$before" ]
}

begin "${1:-build}"
in_ns alpha-host ping -c 2 -i 0.2 -W 1 -q 203.0.113.130 >/dev/null || true
check "beta is there" pings alpha-host 203.0.113.66
check "its link can be throttled" throttle
check "the ring to it is full: packets are dropped as tx-full" ring_is_full
check "others go on" others_go_on
check "at speed, while the ring stays full" at_speed_meanwhile
check "every packet is accounted for" within 3 conserved
check "the throttle is let go" release
check "beta is there again" within 3 pings alpha-host 203.0.113.66
check "at speed too" tcp beta-host alpha-host 203.0.113.66
sleep 0.3
check "every packet is still accounted for" within 3 conserved
end
