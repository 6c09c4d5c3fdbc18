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

# Counters of ports and cells of the matrix, as lines: of transit only, for the exchange
# announces itself and asks for neighbours when it likes.
picture() {
	local name
	for name in alpha beta; do
		echo "$name $(counter "$name" forwarded) forwarded"
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
	napctl --json show matrix | has Alpha && return 1
	reload_with "2 0 1" && ports_up || return 1
	[ "$(counter alpha forwarded)" -ge "$(sed -n '1s/^alpha \([0-9]*\) .*/\1/p' <<<"$before")" ] &&
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

# ---- under traffic ----

SENDERS=

traffic_start() { # numbered packets from alpha's host to beta's, and back
	rm -f "$WORK"/sent-* "$WORK"/came-*
	ip netns exec "$X-beta-host" tests/live/numbered.py receive 9999 "$WORK/came-alpha" &
	SENDERS="$!"
	ip netns exec "$X-alpha-host" tests/live/numbered.py receive 9999 "$WORK/came-beta" &
	SENDERS="$SENDERS $!"
	sleep 0.3
	ip netns exec "$X-alpha-host" tests/live/numbered.py send 203.0.113.66 9999 2000 "$WORK/sent-alpha" &
	SENDERS="$! $SENDERS"
	ip netns exec "$X-beta-host" tests/live/numbered.py send 203.0.113.2 9999 2000 "$WORK/sent-beta" &
	SENDERS="$! $SENDERS"
	sleep 0.3
}

# Every packet came. Says how many.
traffic_end() {
	local pids from
	read -r -a pids <<<"$SENDERS"
	kill "${pids[0]}" "${pids[1]}"
	wait "${pids[0]}" "${pids[1]}"
	sleep 0.3
	kill "${pids[2]}" "${pids[3]}"
	wait "${pids[2]}" "${pids[3]}"
	for from in alpha beta; do
		echo "from $from: $(cat "$WORK/sent-$from") sent, $(cat "$WORK/came-$from") came"
	done
	for from in alpha beta; do
		[ "$(cat "$WORK/sent-$from")" -gt 500 ] || return 1
		cmp -s "$WORK/sent-$from" "$WORK/came-$from" || return 1
	done
}

# A port more on alpha's device, and addresses, members and routes that come and go with it.
VLAN_PORT='{name: alpha7, device: "net_af_packet0,iface=ve-alpha", vlan: 7, addresses: [192.0.2.129/30]}'

hundred_reloads() {
	local i status=0
	traffic_start
	for i in $(seq 25); do
		reload_with "0 1 2" >/dev/null || status=1
		reload_with "2 1 0" "$VLAN_PORT" >/dev/null || status=1
		reload_with "1 0" >/dev/null || status=1
		MTU[2]=$((1400 + i))
		reload_with "0 2 1" "$VLAN_PORT" >/dev/null || status=1
	done
	MTU[2]=1500
	traffic_end && [ $status = 0 ]
}

tagged_ping() { # COUNT
	local mac
	mac=$(in_ns nap cat /sys/class/net/ve-alpha/address)
	in_ns alpha "$PWD/tests/live/tagged.py" nap 7 192.0.2.130 192.0.2.129 "$mac" "$1"
}

vlan_port_comes_and_goes() {
	local status=0
	reload_with "0 1 2" && ports_up || return 1
	traffic_start
	reload_with "0 1 2" "$VLAN_PORT" >"$WORK/said" && ports_up || status=1
	cat "$WORK/said"
	grep -q '^+ port alpha7' "$WORK/said" && ! grep -q '^device' "$WORK/said" || status=1
	tagged_ping 20 || status=1
	[ "$(counter alpha7 consumed)" = 20 ] || status=1
	reload_with "0 1 2" || status=1
	tagged_ping 1 && status=1
	traffic_end && [ $status = 0 ]
}

# gamma's device has to restart for larger frames; nobody else notices.
other_devices_go_on() {
	local status=0
	traffic_start
	MTU[2]=1280
	reload_with "0 1 2" >"$WORK/said" || status=1
	grep -q '^~ port gamma: mtu' "$WORK/said" && ! grep -q '^device' "$WORK/said" || status=1
	write_config "0 1 2" | sed 's/net_af_packet2,/&framecnt=1024,/' >"$WORK/napd.yaml"
	napctl reload | tee "$WORK/said" || status=1
	grep -q '^device net_af_packet2,.* opens' "$WORK/said" || status=1
	ports_up || status=1
	MTU[2]=1500
	reload_with "0 1 2" && ports_up || status=1
	traffic_end && [ $status = 0 ]
}

signal_reloads() {
	write_config "0 2" >"$WORK/napd.yaml"
	kill -HUP "$(napd_pid)"
	for _ in $(seq 50); do
		napctl show port beta 2>/dev/null || { reload_with "0 1 2" && ports_up; return; }
		sleep 0.1
	done
	return 1
}

# ---- looking before, and taking back ----

check_changes_nothing() {
	write_config "0 2" >"$WORK/napd.yaml"
	napctl reload --check | tee "$WORK/said"
	grep -q '^- port beta' "$WORK/said" && grep -q '^- member Beta' "$WORK/said" &&
		grep -q '^- route 203.0.113.64/26: via 198.51.100.2$' "$WORK/said" &&
		grep -q '^device net_af_packet1,iface=ve-beta closes' "$WORK/said" || return 1
	ping_all alpha-host 203.0.113.66 50 || return 1
	napctl --json reload --check | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert not d["applied"] and not d["problems"], d
assert {"kind": "port", "name": "beta", "change": "removed"}.items() <= d["changes"][0].items(), d'
	write_config "2 1 0" >"$WORK/napd.yaml"
	napctl reload --check | grep -x 'nothing changes in the configuration'
}

invalid_is_refused() {
	local said
	write_config "0 1 2" | sed 's/mtu: 1500/mtu: 99999/' >"$WORK/napd.yaml"
	for said in "reload" "reload --check"; do
		# shellcheck disable=SC2086
		napctl $said >"$WORK/said" 2>&1 && return 1
		cat "$WORK/said"
		grep -q 'napd.yaml:6:10: ports\[0\].mtu: 99999 is not in 1280..9600' "$WORK/said" || return 1
	done
	write_config "0 1 2" | sed 's/mtu: 1500/mtu: 9000/' >"$WORK/napd.yaml"
	napctl reload >"$WORK/said" 2>&1 && return 1
	grep 'mtu 9000 is more than the 1500 that packet buffers' "$WORK/said" || return 1
	napctl show reload | grep 'refused' || return 1
	ping_all alpha-host 203.0.113.66 50
}

unconfirmed_is_rolled_back() {
	local before
	before=$(picture)
	write_config "0 2" >"$WORK/napd.yaml"
	napctl reload --confirm 2s | grep 'rolled back in 2 s' || return 1
	napctl show reload | grep 'napctl confirm' || return 1
	napctl show port beta && return 1
	for _ in $(seq 60); do
		napctl show port beta >/dev/null 2>&1 && break
		sleep 0.1
	done
	ports_up && ping_all alpha-host 203.0.113.66 50 || return 1
	[ "$(cell Alpha Beta)" -ge "$(sed -n '3s/ .*//p' <<<"$before")" ] || return 1
	napctl confirm && return 1
	grep 'nobody confirmed it' "$WORK/napd.log"
}

confirmed_stays() {
	write_config "1 2" >"$WORK/napd.yaml"
	napctl reload --confirm 1s && napctl confirm | grep confirmed || return 1
	sleep 2
	napctl show port alpha && return 1
	reload_with "0 1 2" && ports_up
}

operator_overrules() {
	napctl port beta disable | grep 'over reloads' || return 1
	in_ns alpha-host ping -c 1 -W 1 -q 203.0.113.66 && return 1
	reload_with "1 0 2" || return 1
	napctl show ports | grep '^beta *disabled' || return 1
	napctl --json show port beta | grep '"overruled": true' || return 1
	napctl port beta enable && ports_up && ping_all alpha-host 203.0.113.66 50 || return 1
	napctl --json show port beta | grep '"overruled": false' && ! napctl port nobody enable
}

# Two MACs are listed: the new router is found without a word to napd.
router_swap() {
	write_config "0 1 2" | sed 's/mac: "02:00:00:00:0b:01"/mac: ["02:00:00:00:0b:01", "02:00:00:00:0b:02"]/' \
		>"$WORK/napd.yaml"
	napctl reload && napctl --json show member Beta | grep -i '"02:00:00:00:0b:02"' || return 1
	in_ns alpha-host ping -c 3 -i 0.2 -W 1 -q 203.0.113.66
	ping_all alpha-host 203.0.113.66 50 || return 1
	in_ns beta sysctl -qw net.ipv4.conf.nap.arp_notify=1
	ip -n "$X-beta" link set nap down
	ip -n "$X-beta" link set nap address 02:00:00:00:0b:02
	ip -n "$X-beta" link set nap up
	ip -n "$X-beta" route add default via 198.51.100.3
	ports_up && in_ns alpha-host ping -c 5 -i 0.2 -W 1 -q 203.0.113.66
	ping_all alpha-host 203.0.113.66 50 || return 1
	napctl show neighbours | grep -i '198.51.100.2 .*02:00:00:00:0b:02'
}

# What was learned is there right after a reload, and not asked for again.
learned_survive() {
	in_ns alpha-host ping -c 3 -i 0.2 -W 1 -q 203.0.113.130
	napctl show neighbours | grep '198.51.100.4 .*reachable' || return 1
	write_config "2 0 1" | sed 's/description: .*//' >"$WORK/napd.yaml"
	napctl reload && ping_all alpha-host 203.0.113.130 50
}

begin "${1:-build}"
check "ports and members in another order keep counters and matrix" order_keeps_counters
check "a port and member that return find their counters" gone_and_back
check "newcomers begin at zero" newcomer_begins_at_zero
check "the exchange as it was" reload_with "0 1 2"
check "100 reloads lose no packet of ports that do not change" hundred_reloads
check "a VLAN port of a device in use comes and goes, and loses nothing" vlan_port_comes_and_goes
check "what another device needs is its own affair" other_devices_go_on
check "SIGHUP reloads" signal_reloads
check "reload --check shows what would change, and changes nothing" check_changes_nothing
check "an invalid file changes nothing and says why" invalid_is_refused
check "what was learned of neighbours survives" learned_survive
check "a confirm that does not come rolls back" unconfirmed_is_rolled_back
check "a confirmed reload stays" confirmed_stays
check "a port is disabled at run time, over reloads" operator_overrules
check "a router is swapped without touching the configuration" router_swap
sleep 0.3
check "every packet is accounted for" within 3 conserved
end
