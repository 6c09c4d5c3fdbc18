#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A port on virtio-user, whose vhost-user end is a port of another napd, the ISP's router. Prints TAP.
#
#   tests/live/virtio.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh
# shellcheck disable=SC2034 # lib.sh reads it
KIND=(virtio veth veth)

# The two ends of the link agree: nothing is lost between them.
ends_agree() {
	local theirs
	theirs=$(napctl_of alpha --json show port nap | python3 -c '
import json, sys
p = json.load(sys.stdin)
print(p["tx_packets"], p["rx_packets"])')
	echo "alpha: sent and received $theirs; napd: received $(counter alpha rx_packets), sent $(counter alpha tx_packets)"
	[ "$theirs" = "$(counter alpha rx_packets) $(counter alpha tx_packets)" ]
}

# The other end is killed: the port is down, others go on; when it is back, so is the port.
peer_dies_and_returns() {
	kill -9 "$(cat "$WORK/alpha.pid")"
	within 3 port_is alpha down && within 2 pings gamma-host 203.0.113.66 || return 1
	router_start alpha 0 1500 && within 10 ports_up && within 5 pings alpha-host 203.0.113.66
}

killed_hard() {
	kill -9 "$(napd_pid)"
	napd_gone "$(napd_pid)"
	napd_start && ports_up && within 5 pings alpha-host 203.0.113.66
}

begin "${1:-build}"
traffic
sleep 0.3
check "every packet is accounted for" within 3 conserved
check "and in the other napd" within 3 conserved alpha alpha
check "both ends of the link count the same" within 5 ends_agree
check "the other end dies and returns" peer_dies_and_returns
check "kill -9 and start again" killed_hard
sleep 0.3
check "every packet is still accounted for" within 3 conserved
end
