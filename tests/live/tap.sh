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

# What fails for ever is tried less and less, though each try changes interfaces of the kernel.
backs_off() {
	cat >"$WORK/large.yaml" <<END
dataplane: {memory: 128M, hugepages: never}
ports: [{name: large, device: "net_tap9,iface=ve-large", mtu: 1505, tap: true, addresses: [192.0.2.1/31]}]
metrics: {listen: "127.0.0.1:9474"}
control: {socket: $WORK/large.sock, readonly-socket: $WORK/large-ro.sock}
END
	napd_start_as nap large || return 1
	sleep 6
	napctl_of large show port large >"$WORK/said"
	kill "$(cat "$WORK/large.pid")" && napd_gone "$(cat "$WORK/large.pid")" || return 1
	ip -n "$X-nap" link del large
	cat "$WORK/said"
	[ "$(awk '$1 == "tries" { print $2 }' "$WORK/said")" -le 5 ] && has 'next_try_s  *[1-9]' <"$WORK/said" || return 1
	has 'error .*mtu 1505 is more than the 1504 that the device can; give its ports less' <"$WORK/said" || return 1
	[ "$(grep -c 'mtu 1505' "$WORK/large.log")" = 1 ]
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
check "a device that fails for ever is tried less and less" backs_off
sleep 0.3
check "every packet is still accounted for" within 3 conserved
end
