# SPDX-License-Identifier: BSD-3-Clause
# An exchange in network namespaces: three ISPs with a host behind each, napd between them.
# Sourced by scripts/exchange and the live tests; all of it is taken down again on exit.
#
#   alpha  198.51.100.0/31   2001:db8:64:a::/127   host 203.0.113.2    2001:db8:a::2
#   beta   198.51.100.2/31   2001:db8:64:b::/127   host 203.0.113.66   2001:db8:b::2
#   gamma  198.51.100.4/31   2001:db8:64:c::/127   host 203.0.113.130  2001:db8:c::2
#
# The even address is the ISP's router, the odd one napd's.
# shellcheck shell=bash

ISPS=(alpha beta gamma)
X="napx$$"          # prefix of everything made here
WORK=               # folder of configuration, sockets and logs
BUILD=              # where napd and napctl are
MTU=(1500 1500 1500) # of each ISP's link

say() { printf '\n== %s\n' "$*"; }

in_ns() { # NAMESPACE COMMAND...
	local ns=$1
	shift
	ip netns exec "$X-$ns" "$@"
}

ns_kill() { # NAMESPACE, with everything that runs in it
	ip netns pids "$1" 2>/dev/null | xargs -r kill -9 2>/dev/null
	ip netns del "$1"
}

# In a file, for tests that start it again run in subshells.
napd_pid() { cat "$WORK/napd.pid" 2>/dev/null; }

# It need not be a child of this shell, so it is not waited for by wait.
napd_gone() {
	for _ in $(seq 60); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

napd_stop() {
	local pid
	pid=$(napd_pid) || return 0
	kill "$pid" 2>/dev/null
	napd_gone "$pid" || kill -9 "$pid" 2>/dev/null
	rm -f "$WORK/napd.pid"
}

exchange_down() {
	local ns
	set +e # whatever fails on the way, the rest is taken down too
	napd_stop
	for ns in $(ip netns list 2>/dev/null | awk -v x="$X-" 'index($1, x) == 1 { print $1 }'); do
		ns_kill "$ns"
	done
	[ -z "$WORK" ] || rm -rf "$WORK"
	WORK=
}

# Take down what an earlier run that was killed hard has left behind.
exchange_sweep() {
	local ns pid
	for ns in $(ip netns list 2>/dev/null | awk '/^napx[0-9]+-/ { print $1 }'); do
		pid=${ns#napx}
		pid=${pid%%-*}
		[ -d "/proc/$pid" ] || ns_kill "$ns"
	done
}

quiet_ns() { # NAMESPACE
	ip netns add "$X-$1"
	in_ns "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip -n "$X-$1" link set lo up
}

# Kernel senders must finish their checksums: nobody behind a DPDK device does it for them.
plain_frames() { # NAMESPACE INTERFACE
	in_ns "$1" ethtool -K "$2" tx off sg off gso off tso off gro off rx off >/dev/null 2>&1 ||
		in_ns "$1" ethtool -K "$2" tx off gso off tso off gro off >/dev/null
}

isp_up() { # NAME INDEX MTU
	local name=$1 i=$2 mtu=$3 letter host=$1-host ns
	letter=$(printf '%x' $((10 + i)))
	quiet_ns "$name"
	quiet_ns "$host"
	ip link add "ve-$name" netns "$X-nap" mtu "$mtu" type veth peer name nap netns "$X-$name"
	ip link add lan netns "$X-$name" mtu "$mtu" type veth peer name lan netns "$X-$host"
	ip -n "$X-$name" link set nap mtu "$mtu" address "02:00:00:00:0$letter:01"
	ip -n "$X-$host" link set lan mtu "$mtu"
	ip -n "$X-$name" addr add "198.51.100.$((2 * i))/31" dev nap
	ip -n "$X-$name" addr add "2001:db8:64:$letter::/127" dev nap
	ip -n "$X-$name" addr add "203.0.113.$((64 * i + 1))/26" dev lan
	ip -n "$X-$name" addr add "2001:db8:$letter::1/64" dev lan
	in_ns "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$X-$host" addr add "203.0.113.$((64 * i + 2))/26" dev lan
	ip -n "$X-$host" addr add "2001:db8:$letter::2/64" dev lan
	for ns in "$name" "$host"; do ip -n "$X-$ns" link set lan up; done
	ip -n "$X-$name" link set nap up
	ip -n "$X-nap" link set "ve-$name" up
	plain_frames "$name" nap
	plain_frames "$name" lan
	plain_frames "$host" lan
	plain_frames nap "ve-$name"
	ip -n "$X-$name" route add default via "198.51.100.$((2 * i + 1))"
	ip -n "$X-$name" -6 route add default via "2001:db8:64:$letter::1"
	ip -n "$X-$host" route add default via "203.0.113.$((64 * i + 1))"
	ip -n "$X-$host" -6 route add default via "2001:db8:$letter::1"
}

isp_port() { # NAME INDEX MTU
	local letter
	letter=$(printf '%x' $((10 + $2)))
	cat <<END
  - name: $1
    device: "net_af_packet$2,iface=ve-$1"
    mtu: $3
    addresses: [198.51.100.$((2 * $2 + 1))/31, "2001:db8:64:$letter::1/127"]
    source-check-action: drop
END
}

# The member behind a port; gamma's router is not listed by MAC: it is asked for.
isp_member() { # NAME INDEX
	local letter mac=
	letter=$(printf '%x' $((10 + $2)))
	[ "$1" = gamma ] || mac="mac: \"02:00:00:00:0$letter:01\", "
	cat <<END
  - name: ${1^}
    asn: $((64501 + $2))
    port: $1
    routers: [{${mac}addresses: [198.51.100.$((2 * $2)), "2001:db8:64:$letter::"]}]
    prefixes: [203.0.113.$((64 * $2))/26, "2001:db8:$letter::/48"]
END
}

exchange_config() {
	local i letter
	printf 'exchange: {name: box, asn: 64500}\n'
	printf 'dataplane: {memory: 256M}\nports:\n'
	for i in 0 1 2; do isp_port "${ISPS[i]}" "$i" "${MTU[i]}"; done
	printf 'members:\n'
	for i in 0 1 2; do isp_member "${ISPS[i]}" "$i"; done
	printf 'routes:\n'
	for i in 0 1 2; do
		letter=$(printf '%x' $((10 + i)))
		printf '  - {prefix: 203.0.113.%d/26, via: [198.51.100.%d]}\n' $((64 * i)) $((2 * i))
		printf '  - {prefix: "2001:db8:%s::/48", via: ["2001:db8:64:%s::"]}\n' "$letter" "$letter"
	done
	printf 'control: {socket: %s/napd.sock, readonly-socket: %s/napd-ro.sock}\n' "$WORK" "$WORK"
}

exchange_up() { # BUILD_FOLDER
	local i
	BUILD=$1
	exchange_sweep
	WORK=$(mktemp -d /tmp/napd-exchange-XXXXXX)
	trap exchange_down EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	quiet_ns nap
	in_ns nap sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	for i in 0 1 2; do isp_up "${ISPS[i]}" "$i" "${MTU[i]}"; done
	exchange_config >"$WORK/napd.yaml"
	napd_start && ports_up
}

# A kernel interface that a driver just took may need a moment for its carrier.
ports_up() {
	for _ in $(seq 50); do
		if ! napctl show ports | awk 'NR > 1 { print $2 }' | grep -qv up; then return 0; fi
		sleep 0.1
	done
	napctl show ports >&2
	return 1
}

napctl() { "$BUILD/napctl" -s "$WORK/napd.sock" "$@"; }

napd_start() {
	(exec ip netns exec "$X-nap" "$BUILD/napd" run -c "$WORK/napd.yaml") >>"$WORK/napd.log" 2>&1 &
	echo $! >"$WORK/napd.pid"
	for _ in $(seq 100); do
		if [ -S "$WORK/napd.sock" ] && napctl show version >/dev/null 2>&1; then return 0; fi
		kill -0 "$(napd_pid)" 2>/dev/null || break
		sleep 0.1
	done
	echo "napd did not start:" >&2
	cat "$WORK/napd.log" >&2
	return 1
}
