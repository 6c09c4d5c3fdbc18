#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What napctl says of tables, of a napd whose devices lead nowhere: a small dump, and the full table
# where the shared data is. Prints TAP, a line a check. Needs root, else says that it was skipped.
#
#   tests/live/tables.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

full=${NAPD_SHARED:-../shared}/data/tables/full-2026/rib.lonap-like.5pct.mrt.gz
BUILD=$(realpath "${1:-build}")
WORK=$(mktemp -d /tmp/napx$$-XXXXXX)
trap exchange_down EXIT
exchange_sweep
quiet_ns nap

ctl() { "$BUILD/napctl" -s "$WORK/napd.sock" "$@"; }

configure() { # LINE...
	cat >"$WORK/napd.yaml" <<END
dataplane: {workers: 1, memory: 64M, hugepages: never}
ports:
  - {name: pa, device: net_null0, mac: "02:00:00:00:00:01", addresses: [198.51.100.1/24, "2001:db8:64::1/64"]}
  - {name: pb, device: net_null1, mac: "02:00:00:00:00:02", addresses: [5.57.83.254/22, "2001:7f8:17::ffff:fffe/64"]}
members:
  - {name: Alpha, asn: 64501, port: pa, routers: [{mac: "02:00:00:00:0a:01", addresses: [198.51.100.2]}]}
  - {name: Beta, asn: 64502, port: pa, routers: [{mac: "02:00:00:00:0b:01", addresses: [198.51.100.3]}]}
routes:
  - {prefix: 203.0.113.0/24, via: [198.51.100.3]}
control: {socket: $WORK/napd.sock, readonly-socket: $WORK/napd-ro.sock}
END
	printf '%s\n' "$@" >>"$WORK/napd.yaml"
}

# Four prefixes: one that a static route outdoes, one by two members, one IPv6, one inside another.
write_dump() {
	PYTHONPATH=tests/packets python3 - "$WORK/rib.mrt" <<'END'
import sys
import mrt
mrt.write(sys.argv[1], [
    'peer alpha as=64501 id=192.0.2.1 address=198.51.100.2',
    'peer beta as=64502 id=192.0.2.2 address=198.51.100.3',
    'rib 203.0.113.0/24 alpha(via=198.51.100.2)',
    'rib 198.18.0.0/15 alpha(via=198.51.100.2 path=1) beta(via=198.51.100.3 path=1,2)',
    'rib 198.18.7.0/24 beta(via=198.51.100.3)',
    'rib 2001:db8:a::/48 beta(via=2001:db8:64::2)'], 1)
END
}

lists() { # WORDS... = PREFIX...: exactly these, in order
	local words=()
	while [ "$1" != = ]; do
		words+=("$1")
		shift
	done
	shift
	ctl show routes "${words[@]}" | tee /dev/stderr | awk '{ print $1 }' | diff - <(printf '%s\n' "$@")
}

refuses() { # WORDS...
	! ctl "$@" && { ctl "$@" || [ $? = 2 ]; }
}

losers() {
	ctl show route 203.0.113.7 | tee /dev/stderr | has '^not used: mrt, 198.51.100.2%pa'
	ctl --json show route 203.0.113.7 | has '"losing"'
}

whole_table() {
	configure "tables: {mrt: [$(realpath "$full")]}"
	napd_stop
	napd_start_as nap napd || return 1
	[ "$(ctl show routes source mrt | wc -l)" = 53012 ] || return 1
	ctl --json show routes | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) == 53017'
	ctl show tables | tee /dev/stderr | has -E '^mrt +44,961 +44,961 +8,051 +8,051$'
	ctl fib audit | tee /dev/stderr | has '53,0.* prefixes looked up, 0 differences'
}

reader_goes() { # it says nothing of it
	{ ctl show routes 2>"$WORK/err" || true; } | head -1 | grep . && [ ! -s "$WORK/err" ]
}

write_dump
configure "tables: {mrt: [rib.mrt]}"
check "napd starts with a dump" napd_start_as nap napd
check "a prefix" lists 198.18.0.0/15 = 198.18.0.0/15
check "longer ones" lists 198.18.0.0/15 longer = 198.18.0.0/15 198.18.7.0/24
check "shorter ones" lists 198.18.7.0/24 shorter = 198.18.0.0/15 198.18.7.0/24
check "of a source" lists source mrt = 198.18.0.0/15 198.18.7.0/24 2001:db8:a::/48
check "of a member" lists member Alpha = 198.18.0.0/15
check "by a next hop" lists via 198.51.100.3 = 198.18.7.0/24 203.0.113.0/24
check "all that was asked for counts" lists 198.18.0.0/15 longer via 198.51.100.3 = 198.18.7.0/24
check "a source that is not" refuses show routes source bgp
check "a member that is not" refuses show routes member Delta
check "words that mean nothing" refuses show routes 10.0.0.0/8 sideways
check "losing routes are told" losers
check "the FIB is as the RIB" ctl fib audit
if [ -r "$full" ]; then
	check "fifty thousand routes, listed and audited" whole_table
	check "a reader that has seen enough" reader_goes
fi
end
