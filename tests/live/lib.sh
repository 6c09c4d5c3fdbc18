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

# Debian's own python3 starts ten times as fast as one of pyenv.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
ISPS=(alpha beta gamma)
X="napx$$"          # prefix of everything made here
WORK=               # folder of configuration, sockets and logs
BUILD=              # where napd and napctl are
MTU=(1500 1500 1500) # of each ISP's link
# What each ISP's link is: veth (af_packet on one end), tap (the kernel's end is the ISP's), or
# virtio (virtio-user to the vhost-user port of a napd that is the ISP's router).
KIND=(veth veth veth)

say() { printf '\n== %s\n' "$*"; }

# grep -q that reads to the end. One that stops at the first match has whoever still writes to it die of
# SIGPIPE, and with pipefail the match is a failure, now and then.
has() { # GREP_ARGUMENT...
	local text
	text=$(cat)
	grep -q "$@" <<<"$text"
}

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
	for ns in /tmp/napx*; do
		pid=${ns#/tmp/napx}
		pid=${pid%%-*}
		[ ! -d "$ns" ] || [ -d "/proc/$pid" ] || rm -rf "$ns"
	done
}

quiet_ns() { # NAMESPACE
	ip netns add "$X-$1"
	# what the kernel says of its own is said at once, and then no more
	in_ns "$1" sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0 \
		net.ipv6.conf.{all,default}.router_solicitations=0 \
		net.ipv6.conf.{all,default}.mldv2_unsolicited_report_interval=10
	ip -n "$X-$1" link set lo up
}

# The kernel says nothing of its own on interfaces that are napd's.
no_ipv6() { # NAMESPACE
	in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
}

# Kernel senders must finish their checksums: nobody behind a DPDK device does it for them.
plain_frames() { # NAMESPACE INTERFACE
	in_ns "$1" ethtool -K "$2" tx off sg off gso off tso off gro off rx off >/dev/null 2>&1 ||
		in_ns "$1" ethtool -K "$2" tx off gso off tso off gro off >/dev/null
}

letter() { printf '%x' $((10 + $1)); } # INDEX: as in its addresses

# The interface of an ISP's router towards napd is there, called nap.
isp_attach() { # NAME INDEX MTU
	local name=$1 i=$2 letter
	letter=$(letter "$i")
	ip -n "$X-$name" link set nap mtu "$3" address "02:00:00:00:0$letter:01"
	ip -n "$X-$name" addr add "198.51.100.$((2 * i))/31" dev nap
	ip -n "$X-$name" addr add "2001:db8:64:$letter::/127" dev nap
	ip -n "$X-$name" link set nap up
	plain_frames "$name" nap
	ip -n "$X-$name" route add default via "198.51.100.$((2 * i + 1))"
	ip -n "$X-$name" -6 route add default via "2001:db8:64:$letter::1"
}

# Between an ISP's router and its host.
isp_lan() { # NAME INDEX MTU KIND
	local name=$1 i=$2 host=$1-host letter
	letter=$(letter "$i")
	ip link add lan netns "$X-$name" mtu "$3" type veth peer name lan netns "$X-$host"
	ip -n "$X-$host" link set lan mtu "$3"
	if [ "$4" != virtio ]; then
		ip -n "$X-$name" addr add "203.0.113.$((64 * i + 1))/26" dev lan
		ip -n "$X-$name" addr add "2001:db8:$letter::1/64" dev lan
		in_ns "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	fi
	ip -n "$X-$host" addr add "203.0.113.$((64 * i + 2))/26" dev lan
	ip -n "$X-$host" addr add "2001:db8:$letter::2/64" dev lan
	for ns in "$name" "$host"; do
		ip -n "$X-$ns" link set lan up
		plain_frames "$ns" lan
	done
	ip -n "$X-$host" route add default via "203.0.113.$((64 * i + 1))"
	ip -n "$X-$host" -6 route add default via "2001:db8:$letter::1"
}

isp_up() { # NAME INDEX MTU KIND
	local name=$1
	quiet_ns "$name"
	quiet_ns "$name-host"
	[ "$4" != virtio ] || no_ipv6 "$name"
	isp_lan "$@"
	case $4 in
	veth)
		ip link add "ve-$name" netns "$X-nap" mtu "$3" type veth peer name nap netns "$X-$name"
		ip -n "$X-nap" link set "ve-$name" up
		plain_frames nap "ve-$name"
		isp_attach "$@"
		;;
	virtio) router_start "$@" ;;
	esac
}

# What a restart of napd leaves to do: a new TAP goes to its ISP.
isp_return() { # NAME INDEX MTU KIND
	[ "$4" = tap ] || return 0
	ip -n "$X-nap" link set "ve-$1" netns "$X-$1" name nap
	isp_attach "$@"
}

# An ISP whose router is a napd as well.
router_config() { # NAME INDEX MTU
	local i=$2 letter
	letter=$(letter "$i")
	cat <<END
exchange: {name: $1, asn: $((64501 + i))}
dataplane: {memory: 128M, hugepages: never}
ports:
  - name: nap
    device: "net_vhost0,iface=$WORK/$1.vhost,queues=1"
    mac: "02:00:00:00:0$letter:01"
    mtu: $3
    addresses: [198.51.100.$((2 * i))/31, "2001:db8:64:$letter::/127"]
  - name: lan
    device: "net_af_packet0,iface=lan"
    mtu: $3
    addresses: [203.0.113.$((64 * i + 1))/26, "2001:db8:$letter::1/64"]
members: []
routes:
  - {prefix: 0.0.0.0/0, via: [198.51.100.$((2 * i + 1))]}
  - {prefix: "::/0", via: ["2001:db8:64:$letter::1"]}
control: {socket: $WORK/$1.sock, readonly-socket: $WORK/$1-ro.sock}
END
}

router_start() { # NAME INDEX MTU
	router_config "$@" >"$WORK/$1.yaml"
	napd_start_as "$1" "$1"
}

isp_device() { # NAME INDEX KIND
	case $3 in
	veth) echo "net_af_packet$2,iface=ve-$1" ;;
	tap) echo "net_tap$2,iface=ve-$1" ;;
	virtio) echo "net_virtio_user$2,path=$WORK/$1.vhost,queues=1" ;;
	esac
}

isp_port() { # NAME INDEX MTU
	local letter
	letter=$(letter "$2")
	cat <<END
  - name: $1
    device: "$(isp_device "$1" "$2" "${KIND[$2]}")"
    mtu: $3
    addresses: [198.51.100.$((2 * $2 + 1))/31, "2001:db8:64:$letter::1/127"]
    source-check-action: drop
END
}

# The member behind a port; gamma's router is not listed by MAC: it is asked for.
isp_member() { # NAME INDEX
	local letter mac=
	letter=$(letter "$2")
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
	printf 'dataplane: {memory: 256M, hugepages: never}\nports:\n'
	for i in 0 1 2; do isp_port "${ISPS[i]}" "$i" "${MTU[i]}"; done
	printf 'members:\n'
	for i in 0 1 2; do isp_member "${ISPS[i]}" "$i"; done
	printf 'routes:\n'
	for i in 0 1 2; do
		letter=$(letter "$i")
		printf '  - {prefix: 203.0.113.%d/26, via: [198.51.100.%d]}\n' $((64 * i)) $((2 * i))
		printf '  - {prefix: "2001:db8:%s::/48", via: ["2001:db8:64:%s::"]}\n' "$letter" "$letter"
	done
	printf 'control: {socket: %s/napd.sock, readonly-socket: %s/napd-ro.sock}\n' "$WORK" "$WORK"
}

exchange_up() { # BUILD_FOLDER
	local i
	BUILD=$1
	exchange_sweep
	WORK=$(mktemp -d "/tmp/$X-XXXXXX")
	trap exchange_down EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	quiet_ns nap
	no_ipv6 nap
	for i in 0 1 2; do isp_up "${ISPS[i]}" "$i" "${MTU[i]}" "${KIND[i]}"; done
	exchange_config >"$WORK/napd.yaml"
	napd_start && ports_up
}

# A kernel interface that a driver just took may need a moment for its carrier.
ports_up() {
	for _ in $(seq 50); do
		if ! napctl show ports | awk 'NR > 1 { print $2 }' | has -v up; then return 0; fi
		sleep 0.1
	done
	napctl show ports >&2
	return 1
}

napctl() { napctl_of napd "$@"; }

napctl_of() { # NAME COMMAND...
	local name=$1
	shift
	"$BUILD/napctl" -s "$WORK/$name.sock" "$@"
}

napd_start() {
	local i
	napd_start_as nap napd || return 1
	for i in 0 1 2; do isp_return "${ISPS[i]}" "$i" "${MTU[i]}" "${KIND[i]}"; done
}

# A napd of WORK/NAME.yaml; its log, socket and PID are WORK/NAME.log and so on.
napd_start_as() { # NAMESPACE NAME
	(exec ip netns exec "$X-$1" "$BUILD/napd" run -c "$WORK/$2.yaml") >>"$WORK/$2.log" 2>&1 &
	echo $! >"$WORK/$2.pid"
	for _ in $(seq 100); do
		if [ -S "$WORK/$2.sock" ] && napctl_of "$2" show version >/dev/null 2>&1; then return 0; fi
		kill -0 "$(cat "$WORK/$2.pid")" 2>/dev/null || break
		sleep 0.1
	done
	echo "napd did not start:" >&2
	cat "$WORK/$2.log" >&2
	return 1
}
