#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Reloads of a running exchange: what changed is applied, and nothing else notices. Prints TAP.
#
#   tests/live/reload.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

# The exchange with its ports and members in an order (of 0 1 2); the routes of those that are there.
write_config() { # ORDER [LINE-OF-PORTS...]
	local order=$1 i letter
	shift
	printf 'exchange: {name: box, asn: 64500}\n'
	printf 'dataplane: {memory: 256M, hugepages: never}\nports:\n'
	for i in $order; do isp_port "${ISPS[i]}" "$i" "${MTU[i]}"; done
	for i in "$@"; do printf '  - %s\n' "$i"; done
	printf 'members:\n'
	for i in $order; do isp_member "${ISPS[i]}" "$i"; done
	printf 'routes:\n'
	for i in $order; do
		letter=$(printf '%x' $((10 + i)))
		printf '  - {prefix: 203.0.113.%d/26, via: [198.51.100.%d]}\n' $((64 * i)) $((2 * i))
		printf '  - {prefix: "2001:db8:%s::/48", via: ["2001:db8:64:%s::"]}\n' "$letter" "$letter"
	done
	printf 'control: {socket: %s/napd.sock, readonly-socket: %s/napd-ro.sock}\n' "$WORK" "$WORK"
}

reload_with() { # write_config's arguments
	write_config "$@" >"$WORK/napd.yaml"
	napctl reload
}

# COUNT pings, one every millisecond, of which every answer must come.
ping_all() { # NAMESPACE ADDRESS COUNT
	in_ns "$1" ping -c "$3" -i 0.001 -W 1 -q "$2" | tee /dev/stderr |
		grep -q "^$3 packets transmitted, $3 received"
}

cell() { # FROM TO
	napctl --json show matrix | python3 -c "
import json, sys
print(sum(c['packets'] for c in json.load(sys.stdin)
          if (c['from'], c['to'], c['family']) == ('$1', '$2', 'ipv4')))"
}

# Counters of ports and cells of the matrix, at rest, as lines.
picture() {
	local name
	for name in alpha beta; do
		echo "$name $(counter "$name" rx_packets) $(counter "$name" tx_packets) $(counter "$name" forwarded)"
	done
	echo "$(cell Alpha Beta) $(cell Beta Alpha) $(cell Alpha Alpha) $(cell Beta Beta)"
}

order_keeps_counters() {
	local before after
	ping_all alpha-host 203.0.113.66 200 || return 1
	before=$(picture)
	reload_with "2 1 0" || return 1
	after=$(picture)
	printf '%s\n--\n%s\n' "$before" "$after"
	[ "$before" = "$after" ] && [ "$(cell Alpha Beta)" -ge 200 ] || return 1
	ping_all alpha-host 203.0.113.66 100 || return 1
	[ "$(cell Alpha Beta)" = $(($(sed -n '3s/ .*//p' <<<"$before") + 100)) ]
}

gone_and_back() {
	local before
	before=$(picture)
	reload_with "2 1" && ! napctl show port alpha || return 1
	napctl --json show matrix | grep -q Alpha && return 1
	reload_with "2 0 1" && ports_up || return 1
	[ "$(counter alpha rx_packets)" -ge "$(sed -n '1s/^alpha \([0-9]*\) .*/\1/p' <<<"$before")" ] &&
		[ "$(cell Alpha Beta)" -ge 300 ] && ping_all alpha-host 203.0.113.66 50
}

# Another port and member on the device of one that left: nothing of it is theirs.
newcomer_begins_at_zero() {
	write_config "1 2" | sed "s/^members:/  - {name: delta, device: \"net_af_packet0,iface=ve-alpha\", \
addresses: [198.51.100.1\/31]}\n&\n  - {name: Delta, port: delta, routers: [{addresses: [198.51.100.0]}]}/; \
s/^routes:/&\n  - {prefix: 203.0.113.0\/26, via: [198.51.100.0]}/" >"$WORK/napd.yaml"
	napctl reload && ports_up || return 1
	[ "$(cell Delta Beta)" = 0 ] && [ "$(counter delta tx_packets)" -lt 20 ] || return 1
	in_ns alpha-host ping -c 2 -i 0.1 -W 1 -q 203.0.113.66 >/dev/null
	ping_all alpha-host 203.0.113.66 100 || return 1
	[ "$(cell Delta Beta)" -ge 100 ] && [ "$(cell Delta Beta)" -le 102 ]
}

begin "${1:-build}"
check "ports and members in another order keep counters and matrix" order_keeps_counters
check "a port and member that return find their counters" gone_and_back
check "newcomers begin at zero" newcomer_begins_at_zero
sleep 0.3
check "every packet is accounted for" conserved
end
