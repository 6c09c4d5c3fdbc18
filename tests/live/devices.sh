#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Devices that cannot do what is wanted, or are not there: the others go on, the error says what
# to do, and once it is mended the port comes up by itself. Prints TAP.
#
#   tests/live/devices.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

said() { # TEXT in napd's log
	grep -F "$1" "$WORK/napd.log" >/dev/null || { grep error "$WORK/napd.log" && return 1; }
}

shown() { # TEXT that napctl show ports says
	napctl show ports | tee /dev/stderr | tr -s ' \n' ' ' | has -F "$1"
}

# Three ports that fail, each in its way, beside those that work.
broken_ports() {
	ip -n "$X-nap" link add small mtu 1500 type veth peer name large
	ip -n "$X-nap" link add link small name narrow type macvlan
	ip -n "$X-nap" link set small up
	ip -n "$X-nap" link set large up
	ip -n "$X-nap" link set narrow up
	cat >"$WORK/ports" <<END
  - {name: tap, device: "net_tap8,iface=jumbo", mtu: 9600, addresses: [192.0.2.1/31]}
  - {name: narrow, device: "net_af_packet8,iface=narrow", mtu: 9000, addresses: [192.0.2.3/31]}
  - {name: later, device: "net_af_packet9,iface=later", addresses: [192.0.2.5/31]}
  - {name: nonsense, device: "net_nonsense0", addresses: [192.0.2.7/31]}
END
	sed -i "/^ports:/r $WORK/ports" "$WORK/napd.yaml"
	napd_stop
	napd_start
}

ping_the_later() {
	ip -n "$X-nap" link add later type veth peer name nap9 netns "$X-gamma"
	ip -n "$X-nap" link set later up
	plain_frames nap later
	plain_frames gamma nap9
	ip -n "$X-gamma" addr add 192.0.2.4/31 dev nap9
	ip -n "$X-gamma" link set nap9 up
	within 5 port_is later up && within 3 pings gamma 192.0.2.5
}

# More than the ring holds while nobody reads it: what the kernel dropped is counted, to the frame.
missed_is_counted() {
	local before
	before=$(metric_value 'napd_port_receive_missed_packets_total{port="alpha"}')
	pings alpha-host 203.0.113.66 || return 1
	kill -STOP "$(napd_pid)"
	in_ns alpha-host python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(4000):
    s.sendto(bytes(100), ("203.0.113.66", 9))'
	kill -CONT "$(napd_pid)"
	sleep 0.3
	echo "missed: $before, then $(metric_value 'napd_port_receive_missed_packets_total{port="alpha"}')"
	[ "$(metric_value 'napd_port_receive_missed_packets_total{port="alpha"}')" -gt $((before + 1000)) ] &&
		kernel_agrees 0
}

# A stream with a kill -9 and a start in its midst; what is lost is lost within two seconds.
killed_hard() {
	(exec ip netns exec "$X-beta-host" python3 tests/live/stream.py receive "$WORK/received") &
	local receiver=$! sender
	within 5 eval 'in_ns beta-host ss -lun | has :5000' || return 1
	(exec ip netns exec "$X-alpha-host" python3 tests/live/stream.py send "$WORK/sent" 4 1000 203.0.113.66) &
	sender=$!
	sleep 0.6
	kill -9 "$(napd_pid)"
	napd_start || return 1
	wait $sender || return 1
	sleep 0.2
	kill $receiver
	wait $receiver
	python3 tests/live/stream.py judge "$WORK/sent" "$WORK/received" 2000
}

# It ends before it touches a device, and the first one does not notice.
second_napd() {
	local log=$WORK/second.log
	in_ns nap timeout 20 "$BUILD/napd" run -c "$WORK/napd.yaml" >"$log" 2>&1
	[ $? = 1 ] || { cat "$log"; return 1; }
	cat "$log"
	grep -q 'another napd answers there' "$log" && ! grep -q 'error device:\|info device:\|info port:' "$log" &&
		pings alpha-host 203.0.113.66
}

# No file, shared memory or socket of EAL's by napd's name, for all the kill -9.
nothing_left() {
	local left
	left=$(find /dev/shm /run/dpdk /dev/hugepages "${XDG_RUNTIME_DIR:-/run}/dpdk" -maxdepth 2 -name "napd$KILLED*" 2>/dev/null)
	echo "$left"
	[ -z "$left" ]
}

begin "${1:-build}"
check "what the device could not take is counted as missed, to the frame" missed_is_counted
check "ports that fail come beside others" broken_ports
check "an MTU too large for a driver: both numbers are told" said 'net_tap8,iface=jumbo: mtu 9600 is more than the 1504 that the device can'
check "an MTU too large for an interface: both numbers are told" said 'mtu 9000 does not fit interface narrow, whose MTU is 1500'
check "an interface that is not there is told" said 'net_af_packet9,iface=later: there is no interface later here'
check "a driver that does not exist is told" said 'net_nonsense0: DPDK cannot make this device'
check "napctl shows why" shown "later: there is no interface later here"
check "the others go on" pings alpha-host 203.0.113.66
check "the interface is made, and its port comes up" ping_the_later
ip -n "$X-nap" link set small mtu 9000
check "the interface can do more, and its port comes up" within 5 port_is narrow up
KILLED=$(napd_pid)
check "a second napd, by mistake, opens no device" second_napd
check "kill -9, and forwarding again within 2 s" killed_hard
check "nothing is left behind" nothing_left
sleep 0.3
check "every packet is accounted for" within 3 conserved
end
