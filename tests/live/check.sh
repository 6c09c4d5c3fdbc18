# SPDX-License-Identifier: BSD-3-Clause
# What live tests share beside the exchange in a box: checks as TAP, and the traffic that every
# kind of device has to carry. Source it first; it skips the test where it cannot run.
# shellcheck shell=bash

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP network namespaces need root"
	exit 0
fi
if ! unshare -n true 2>/dev/null; then
	echo "1..0 # SKIP this machine makes no network namespaces"
	exit 0
fi
# shellcheck source=/dev/null
. tests/live/lib.sh

N=0
FAILED=0

check() { # NAME COMMAND...
	local name=$1 said
	shift
	N=$((N + 1))
	if said=$("$@" 2>&1); then
		echo "ok $N - $name"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $N - $name"
		printf '%s\n' "$said" | tail -15 | sed 's/^/# /'
	fi
}

begin() { # BUILD_FOLDER: the exchange is up, or the test has failed
	exchange_up "$(realpath "$1")" && within 5 at_rest && return
	echo "not ok 1 - napd starts"
	echo 1..1
	exit 1
}

end() {
	echo "1..$N"
	[ $FAILED = 0 ]
}

# Try for SECONDS until a command succeeds.
within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { "$@"; return; }
		sleep 0.05
	done
}

pings() { # NAMESPACE ADDRESS OPTION...
	local ns=$1 to=$2
	shift 2
	in_ns "$ns" ping -c 3 -i 0.1 -W 2 -q "$@" "$to" | tee /dev/stderr | has ' 0% packet loss'
}

hops() { # EXPECTED TRACEROUTE_ARGUMENT...
	local expected=$1
	shift
	in_ns alpha-host traceroute -n -q 1 -w 2 "$@" | tee /dev/stderr |
		awk 'NR > 1 { print $2 }' | tr '\n' ' ' | has -x "$expected "
}

# Every port: received = forwarded + consumed + dropped + pending, once traffic is at rest; and the metric
# that watches over it says so.
conserved() { # [NAME of another napd and its NAMESPACE]
	napctl_of "${1:-napd}" --json show ports | python3 -c '
import json, sys
ports = json.load(sys.stdin)
assert ports
for p in ports:
    left = p["rx_packets"] - p["forwarded"] - p["consumed"] - p["pending"] - sum(p["drops"].values())
    assert left == 0, (p["port"], left)
    assert p["drops"].get("internal", 0) == 0'
	in_ns "${2:-nap}" curl -sf http://127.0.0.1:9473/metrics | tee /dev/stderr |
		grep -qx 'napd_accounting_error_packets 0'
}

counter() { # PORT KEY
	napctl --json show port "$1" | python3 -c "import json, sys; print(json.load(sys.stdin)['$2'])"
}

drops() { # PORT REASON
	napctl --json show port "$1" |
		python3 -c "import json, sys; print(json.load(sys.stdin)['drops'].get('$2', 0))"
}

counted() { # PORT REASON: at least one drop
	[ "$(drops "$1" "$2")" -gt 0 ]
}

port_is() { # PORT STATE
	napctl show ports | has "^$1 *$2"
}

metric_value() { # SAMPLE as /metrics writes it, up to the value
	in_ns nap curl -sf http://127.0.0.1:9473/metrics |
		awk -v name="$1" 'index($0, name " ") == 1 { print $NF; found = 1 } END { exit !found }'
}

iperf() { # SERVER_NAMESPACE CLIENT_NAMESPACE ADDRESS OPTION...: the report as JSON
	local server=$1 client=$2 to=$3
	shift 3
	in_ns "$server" iperf3 -s -1 -D >/dev/null
	within 5 eval "in_ns $server ss -ltn | has :5201"
	in_ns "$client" timeout 30 iperf3 -c "$to" -t 1 -J "$@"
}

# At least 10 Mbit/s, which no link here that works is below.
tcp() { # SERVER_NAMESPACE CLIENT_NAMESPACE ADDRESS OPTION...
	iperf "$@" | python3 -c '
import json, sys
rate = json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"]
print(rate)
sys.exit(rate < 10e6)'
}

# Datagrams that came to a namespace whose receiver was too slow for them, as it is beside heavy work.
unread() { # NAMESPACE
	in_ns "$1" cat /proc/net/snmp /proc/net/snmp6 | awk '
		/^Udp: [A-Z]/ { for (i = 1; i <= NF; i++) if ($i == "RcvbufErrors") c = i; next }
		/^Udp:/ { n += $c }
		/^Udp6RcvbufErrors/ { n += $2 }
		END { print n + 0 }'
}

# 20 Mbit/s paced, of which not a hundredth may be lost on the way.
udp() { # SERVER_NAMESPACE CLIENT_NAMESPACE ADDRESS OPTION...
	local before report
	before=$(unread "$1")
	report=$(iperf "$@" -u -b 20M) || return 1
	python3 -c '
import json, sys
sum = json.load(sys.stdin)["end"]["sum"]
lost = sum["lost_packets"] - int(sys.argv[1])
print(sum, "lost on the way:", lost)
sys.exit(sum["packets"] < 200 or lost * 100 > sum["packets"])' $(($(unread "$1") - before)) <<<"$report"
}

# Nobody behind napd has seen a wrong checksum, of any protocol.
no_bad_checksums() {
	local ns
	for ns in alpha-host beta-host gamma-host; do
		in_ns "$ns" cat /proc/net/snmp /proc/net/snmp6 | python3 -c '
import sys
names, seen = {}, 0
for line in sys.stdin:
    key, *words = line.split()
    if not key.endswith(":"):
        values = {key: int(words[0])}
    elif key not in names:
        names[key] = words
        continue
    else:
        values = {key + n: int(v) for n, v in zip(names.pop(key), words)}
    for name, value in values.items():
        if name.endswith("InCsumErrors"):
            seen += 1
            assert value == 0, (name, value)
assert seen >= 5, "the kernel counts no checksums"' || { echo "in $ns" && return 1; }
	done
}

# Frames that a kernel sent before napd listened: it counts them, napd could not.
EARLY=(0 0 0)

# The early frames are known once they are as many as a moment ago.
at_rest() {
	local before=("${EARLY[@]}") i
	for i in 0 1 2; do
		[ "${KIND[i]}" = veth ] || continue
		EARLY[i]=$(($(kernel_count "${ISPS[i]}" tx) - $(counter "${ISPS[i]}" rx_packets)))
	done
	sleep 0.1
	[ "${before[*]}" = "${EARLY[*]}" ]
}

kernel_count() { # NAMESPACE rx|tx: packets of its interface towards napd
	in_ns "$1" cat "/sys/class/net/nap/statistics/$2_packets"
}

kernel_counts() { echo "$(kernel_count "$1" tx) $(kernel_count "$1" rx)"; }

# What the kernel says went over an interface towards napd is what napd counts, or says that
# its device had no room for. Both sides ask for neighbours now and then, also while this reads:
# only counters that stood still meanwhile are compared.
kernel_agrees() { # INDEX of an ISP
	local port=${ISPS[$1]} before counts=moving received missed transmitted
	for _ in $(seq 20); do
		before=$(kernel_counts "$port")
		sleep 0.02
		received=$(counter "$port" rx_packets)
		missed=$(metric_value "napd_port_receive_missed_packets_total{port=\"$port\"}")
		transmitted=$(counter "$port" tx_packets)
		counts=$(kernel_counts "$port")
		[ "$before" != "$counts" ] || break
		counts=moving
	done
	echo "the kernel: sent and received $counts, ${EARLY[$1]} of it early; napd: received $received, missed $missed, sent $transmitted"
	[ "$counts" = "$((received + missed + EARLY[$1])) $transmitted" ]
}

# Between alpha's host and the others, by whatever devices they are on.
traffic() {
	check "ping across" pings alpha-host 203.0.113.66
	check "ping6 across" pings alpha-host 2001:db8:b::2
	check "ping to a router that is asked for" within 5 pings alpha-host 203.0.113.130
	check "ping6 to it" within 5 pings alpha-host 2001:db8:c::2
	check "one byte less than the MTU" pings alpha-host 203.0.113.66 -s 1471 -M 'do'
	check "exactly the MTU" pings alpha-host 203.0.113.66 -s 1472 -M 'do'
	check "one byte more, in fragments" pings alpha-host 203.0.113.66 -s 1473
	check "IPv6 of exactly the MTU" pings alpha-host 2001:db8:b::2 -s 1452 -M 'do'
	check "IPv6 of one byte more, in fragments" pings alpha-host 2001:db8:b::2 -s 1453
	check "large ones in many fragments" pings alpha-host 203.0.113.66 -s 8000
	check "IPv6 ones too" pings alpha-host 2001:db8:b::2 -s 8000
	check "ping of napd itself" pings alpha-host 198.51.100.1
	check "ping6 of napd itself" pings alpha-host 2001:db8:64:a::1
	check "traceroute shows napd as a hop" hops "203.0.113.1 198.51.100.1 198.51.100.2 203.0.113.66" 203.0.113.66
	check "traceroute to napd ends at it" hops "203.0.113.1 198.51.100.1" 198.51.100.1
	check "traceroute over IPv6" hops "2001:db8:a::1 2001:db8:64:a::1 2001:db8:64:b:: 2001:db8:b::2" -6 2001:db8:b::2
	check "traceroute over IPv6 to napd ends at it" hops "2001:db8:a::1 2001:db8:64:a::1" -6 2001:db8:64:a::1
	check "TCP at speed" tcp beta-host alpha-host 203.0.113.66
	check "TCP at speed over IPv6" tcp alpha-host gamma-host 2001:db8:a::2
	check "UDP" udp beta-host alpha-host 203.0.113.66
	check "UDP over IPv6" udp alpha-host beta-host 2001:db8:a::2
	check "no bad checksum on the way" no_bad_checksums
}
