#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# BGP updates played into the tables of a running napd whose devices lead nowhere: napctl load. Prints
# TAP, a line a check. Needs root, else says that it was skipped.
#
#   tests/live/load.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

BUILD=$(realpath "${1:-build}")
WORK=$(mktemp -d /tmp/napx$$-XXXXXX)
trap exchange_down EXIT
exchange_sweep
quiet_ns nap

ctl() { "$BUILD/napctl" -s "$WORK/napd.sock" "$@"; }

configure() {
	cat >"$WORK/napd.yaml" <<END
dataplane: {workers: 1, memory: 64M, hugepages: never}
ports:
  - {name: pa, device: net_null0, mac: "02:00:00:00:00:01", addresses: [198.51.100.1/24, "2001:db8:64::1/64"]}
members:
  - {name: Alpha, asn: 64501, port: pa, routers: [{mac: "02:00:00:00:0a:01", addresses: [198.51.100.2]}]}
  - {name: Beta, asn: 64502, port: pa, routers: [{mac: "02:00:00:00:0b:01", addresses: [198.51.100.3]}]}
tables: {mrt: [rib.mrt]}
control: {socket: $WORK/napd.sock, readonly-socket: $WORK/napd-ro.sock}
END
}

write() { # FILE LINE...
	local file=$1
	shift
	PYTHONPATH=tests/packets python3 -c 'import sys, mrt; mrt.write(sys.argv[1], sys.argv[2:], 1)' \
		"$WORK/$file" 'peer alpha as=64501 id=192.0.2.1 address=198.51.100.2' \
		'peer beta as=64502 id=192.0.2.2 address=198.51.100.3' "$@"
}

write_files() {
	write rib.mrt \
		'rib 198.18.0.0/15 alpha(via=198.51.100.2 path=1) beta(via=198.51.100.3 path=1,2)' \
		'rib 198.18.7.0/24 beta(via=198.51.100.3)' 'rib 2001:db8:a::/48 beta(via=2001:db8:64::2)'
	write changes.mrt.gz 'update 0 alpha withdraw=198.18.0.0/15' \
		'update 0 beta withdraw=198.18.7.0/24' \
		'update 0 alpha announce=203.0.113.0/24 via=198.51.100.2' \
		'update 60 alpha announce=2001:db8:b::/48 via=2001:db8:64::2'
	write again.mrt 'update 0 alpha announce=198.18.0.0/15 via=198.51.100.2 path=1'
	write hours.mrt 'update 0 alpha announce=203.0.113.128/25 via=198.51.100.2' \
		'update 7200 alpha withdraw=203.0.113.128/25'
	write torn.mrt 'update 0 alpha announce=198.18.9.0/24 via=198.51.100.2' \
		'update 0 alpha announce=198.18.10.0/24 via=198.51.100.2' 'cut 1'
}

leads() { # ADDRESS HOP
	{ ctl show route "$1" || true; } | tee /dev/stderr | has ", $2%pa"
}
nowhere() { ! ctl show route "$1"; }

says() { # STATUS PATTERN WORDS...
	local status=$1 pattern=$2 said rc=0
	shift 2
	said=$(ctl "$@" 2>&1) || rc=$?
	echo "$rc: $said"
	[ $rc = "$status" ] && has -E "$pattern" <<<"$said"
}

state() { # STATE MESSAGES
	ctl --json show tables | tee /dev/stderr | python3 -c '
import json, sys
load = json.load(sys.stdin)["load"]
assert [load["state"], load["messages"]] == [sys.argv[1], int(sys.argv[2])], load' "$@"
}

# Files are named as the shell that asks sees them.
from_here() { (cd "$WORK" && "$BUILD/napctl" -s napd.sock load updates changes.mrt.gz --speed max); }

as_changed() {
	leads 198.18.9.1 198.51.100.3 && leads 198.18.7.1 198.51.100.3 &&
		leads 203.0.113.1 198.51.100.2 && leads 2001:db8:b::1 2001:db8:64::2
}
reloads() { ctl reload && ctl show reload | has applied; }

read_only() {
	! "$BUILD/napctl" -s "$WORK/napd-ro.sock" load updates "$WORK/hours.mrt" 2>&1 | tee /dev/stderr | has 'message'
}

ends_while_playing() {
	ctl load updates "$WORK/hours.mrt" && napd_stop && ! grep -E 'rror|anitizer' "$WORK/napd.log"
}

write_files
configure
check "napd starts with a dump" napd_start_as nap napd
check "the best path of the dump" leads 198.18.9.1 198.51.100.2
check "a file that is cut off is refused, with its place" \
	says 2 "$WORK/torn.mrt: offset [0-9]+: " load updates "$WORK/torn.mrt"
check "a file that is not there" says 2 'missing.mrt: .*No such file' load updates "$WORK/missing.mrt"
check "a dump is no file of updates" says 2 'record of a table' load updates "$WORK/rib.mrt"
check "a speed that means nothing" says 2 'speed takes max' load updates "$WORK/hours.mrt" --speed fast
check "not over the read-only socket" read_only
check "nothing has changed" leads 198.18.9.1 198.51.100.2
check "a minute of updates, as fast as can be" from_here
check "all of it is played" within 5 state over 4
check "the dump's other path takes over, and routes come and go" within 5 as_changed
check "a reload keeps what was played" reloads
check "it is kept" as_changed
check "the next file goes on from there" says 0 '1 messages' load updates "$WORK/again.mrt"
check "the better path is back" within 5 leads 198.18.9.1 198.51.100.2
check "all of it is played" within 5 state over 1
check "hours of updates, at their times" says 0 '2 messages of 7200 s' load updates "$WORK/hours.mrt"
check "the first is in force, the second is waited for" within 5 state playing 1
check "people see it" says 0 'hours.mrt: playing, 1 of 2 messages' show tables
check "one at a time" says 1 'hours.mrt is at work' load updates "$WORK/again.mrt"
check "it goes on over a reload" reloads
check "it still plays" state playing 1
check "it is stopped" says 0 'stopped after 1 of 2' load stop
check "routes stay" leads 203.0.113.129 198.51.100.2
check "nothing is left to stop" says 1 'nothing is loaded' load stop
check "hours again" says 0 '2 messages' load updates "$WORK/hours.mrt"
write rib.mrt 'rib 198.18.0.0/15 beta(via=198.51.100.3)'
check "another dump comes by a reload" reloads
check "which ends what was played upon the former" within 5 state stopped 1
check "and counts alone" leads 198.18.9.1 198.51.100.3
check "what updates brought is gone" nowhere 203.0.113.129
check "the FIB is as the RIB" ctl fib audit
touch "$WORK/rib.mrt"
check "a dump that nobody has loaded is no ground to play on" says 1 'napctl reload first' load updates "$WORK/hours.mrt"
check "after a reload it is" reloads
check "napd ends in the midst of it" ends_while_playing
end
