# SPDX-License-Identifier: BSD-3-Clause
# Routing daemons in the exchange in a box: FRR or BIRD beside napd, and BIRD as the routers of its ISPs. Sourced
# after lib.sh.
# shellcheck shell=bash

FRR=/usr/lib/frr

# From now on the exchange's configuration has no routes but what a daemon tells.
without_routes() { # TABLES: as in napd.yaml
	TABLES=$1
	eval "plain_$(declare -f exchange_config)"
	# shellcheck disable=SC2317 # exchange_up calls it
	exchange_config() {
		plain_exchange_config | sed '/^routes:/,/^control:/{/^control:/!d}'
		printf 'tables: {kept: {file: %s/kept, every: 1}, %s}\n' "$WORK" "$TABLES"
	}
}

frr_start() { # NAMESPACE DAEMON OPTION...
	local ns=$1 daemon=$2 dir=$WORK/frr-$1
	shift 2
	in_ns "$ns" "$FRR/$daemon" -d -u frr -g frr -i "$dir/$daemon.pid" -z "$dir/zserv.api" --vty_socket "$dir" \
		-f "$dir/$daemon.conf" --log "file:$dir/$daemon.log" "$@" >/dev/null 2>&1
}

frr_folder() { # NAMESPACE: prints it; daemons find their configurations there
	mkdir -p "$WORK/frr-$1"
	chmod 711 "$WORK"
	chown frr:frr "$WORK/frr-$1"
	echo "$WORK/frr-$1"
}

vtysh() { # NAMESPACE COMMAND...: as if typed one after the other
	local ns=$1 arguments=() command
	shift
	for command in "$@"; do arguments+=(-c "$command"); done
	in_ns "$ns" vtysh --vty_socket "$WORK/frr-$ns" "${arguments[@]}"
}

frr_kill() { # NAMESPACE DAEMON SIGNAL
	local pid
	pid=$(cat "$WORK/frr-$1/$2.pid") && kill "-$3" "$pid" && napd_gone "$pid"
}

# ---- FRR beside napd: BGP to each ISP, routes to napd over FPM ----

# zebra, staticd and bgpd beside napd, configured as the recipe of docs/frr.md; only more hastily.
exchange_frr() {
	local dir
	dir=$(frr_folder nap)
	cp docs/examples/frr/*.conf "$dir"
	cat >>"$dir/bgpd.conf" <<END
router bgp 64500
 neighbor members4 timers 3 9
 neighbor members4 timers connect 1
 neighbor members6 timers 3 9
 neighbor members6 timers connect 1
END
	chown frr:frr "$dir"/*
	frr_start nap zebra -M dplane_fpm_nl && frr_start nap staticd && frr_start nap bgpd
}

# Each family's three sessions.
frr_established() {
	vtysh nap 'show bgp summary json' | python3 -c '
import json, sys
for family, peers in json.load(sys.stdin).items():
    for name, peer in peers.get("peers", {}).items():
        assert peer["state"] == "Established", (family, name, peer["state"])
    assert peers["peerCount"] == 3, (family, peers["peerCount"])'
}

frr_down() {
	local pid
	for pid in "$WORK"/frr-*/*.pid; do kill "$(cat "$pid")" 2>/dev/null; done
	true
}

# ---- BIRD beside napd: BGP to each ISP, routes to napd through a table of the kernel ----

# Configured as the recipe of docs/bird.md; only more hastily.
exchange_bird() { # OPTION of bird...
	sed '/^template bgp peer /a\
	hold time 9;\
	connect retry time 1;\
	connect delay time 1;\
	error wait time 1, 2;' docs/examples/bird/bird.conf >"$WORK/nap.bird.conf"
	bird_start nap "$@"
}

bird_established() {
	[ "$(birdc nap show protocols | awk '$2 == "BGP" && $NF == "Established"' | wc -l)" = 5 ]
}

# ---- the ISPs' routers: BIRD ----

# What an ISP announces: lines of BIRD's static protocol for either family in WORK/NAME.own4 and .own6, and
# what its filter does to them in WORK/NAME.out.
bird_config() { # NAME INDEX
	local name=$1 i=$2 letter asn=$((64501 + $2))
	letter=$(letter "$i")
	cat <<END
router id 198.51.100.$((2 * i));
log "$WORK/$name.bird.log" all;
protocol device { }
protocol static own4 {
	ipv4;
include "$WORK/$name.own4";
}
protocol static own6 {
	ipv6;
include "$WORK/$name.own6";
}
filter to_nap {
	if source != RTS_STATIC then reject;
include "$WORK/$name.out";
	accept;
}
template bgp nap {
	hold time 9;
	connect retry time 1;
	connect delay time 1;
	error wait time 1, 2;
	graceful restart on;
	graceful restart time 30;
}
END
	[ "$name" = gamma ] || cat <<END
protocol bgp nap4 from nap {
	local 198.51.100.$((2 * i)) as $asn;
	neighbor 198.51.100.$((2 * i + 1)) as 64500;
	ipv4 { import all; export filter to_nap; next hop self; };
}
END
	cat <<END
protocol bgp nap6 from nap {
	local 2001:db8:64:$letter:: as $asn;
	neighbor 2001:db8:64:$letter::1 as 64500;
	ipv6 { import all; export filter to_nap; next hop self; };
$([ "$name" != gamma ] || echo '	ipv4 { import all; export filter to_nap; next hop self; extended next hop on; };')
}
END
}

bird_up() { # NAME INDEX
	local letter
	letter=$(letter "$2")
	[ -e "$WORK/$1.own4" ] || echo "route 203.0.113.$((64 * $2))/26 blackhole;" >"$WORK/$1.own4"
	[ -e "$WORK/$1.own6" ] || echo "route 2001:db8:$letter::/48 blackhole;" >"$WORK/$1.own6"
	[ -e "$WORK/$1.out" ] || : >"$WORK/$1.out"
	bird_config "$@" >"$WORK/$1.bird.conf"
	bird_start "$1" "${@:3}"
}

bird_start() { # NAME OPTION...: by WORK/NAME.bird.conf
	in_ns "$1" bird -c "$WORK/$1.bird.conf" -s "$WORK/$1.ctl" -P "$WORK/$1.bird.pid" "${@:2}"
}

birds_down() {
	local pid
	for pid in "$WORK"/*.bird.pid; do kill "$(cat "$pid")" 2>/dev/null; done
	true
}

bird_kill() { # NAME SIGNAL
	local pid
	pid=$(cat "$WORK/$1.bird.pid") && kill "-$2" "$pid" && napd_gone "$pid"
}

birdc() { # NAME COMMAND...
	local name=$1
	shift
	command birdc -s "$WORK/$name.ctl" "$@"
}
