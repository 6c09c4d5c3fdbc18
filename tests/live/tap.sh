#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The exchange on TAP devices, whose kernel ends live in the ISPs' namespaces. Prints TAP, the
# other one.
#
#   tests/live/tap.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh
# shellcheck disable=SC2034 # lib.sh reads it
KIND=(tap tap tap)

link_follows() {
	ip -n "$X-beta" link set nap down
	within 2 port_is beta down || return 1
	in_ns alpha-host ping -c 1 -W 1 -q 203.0.113.66
	counted alpha link-down || return 1
	ip -n "$X-beta" link set nap up
	ip -n "$X-beta" route add default via 198.51.100.3
	ip -n "$X-beta" -6 route add default via 2001:db8:64:b::1
	ports_up && pings alpha-host 203.0.113.66
}

# The interface is deleted under napd: the others go on, and a new one is made.
vanishes_and_returns() {
	ip -n "$X-beta" link del nap
	within 2 port_is beta down && within 2 pings gamma-host 203.0.113.2 || return 1
	grep -q 'net_tap1,iface=ve-beta has vanished' "$WORK/napd.log" || return 1
	within 5 isp_return beta 1 1500 tap || return 1
	ports_up && pings alpha-host 203.0.113.66
}

killed_hard() {
	kill -9 "$(napd_pid)"
	napd_gone "$(napd_pid)"
	napd_start && ports_up && pings alpha-host 203.0.113.66
}

begin "${1:-build}"
traffic
sleep 0.3
check "every packet is accounted for" within 3 conserved
for i in 0 1 2; do
	check "the kernel and napd count the same for ${ISPS[i]}" kernel_agrees $i
done
check "a link down is seen, its traffic dropped, and it comes back" link_follows
check "an interface that is deleted is made again, the others go on" vanishes_and_returns
check "kill -9 and start again" killed_hard
sleep 0.3
check "every packet is still accounted for" within 3 conserved
end
