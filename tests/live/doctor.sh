#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# napd doctor on this machine: bare, prepared by scripts/host-setup, and put back. Prints TAP.
#
#   tests/live/doctor.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

BUILD=$(realpath "${1:-build}")
WORK=$(mktemp -d "/tmp/$X-XXXXXX")
export NAPD_HOST_STATE=$WORK/state
NEED=64 # MB

undone() {
	set +e
	[ ! -s "$NAPD_HOST_STATE" ] || scripts/host-setup --undo --yes >/dev/null
	exchange_down
}

# The line of LEVEL that the doctor says of CHECK, or exit status 1 without one.
says() { # LEVEL CHECK WORDS
	{ in_ns nap "$BUILD/napd" doctor -c "$WORK/napd.yaml" || true; } | tee /dev/stderr |
		grep "^$1  *$2 .*$3"
}

status_is() { # STATUS
	local status=0
	in_ns nap "$BUILD/napd" doctor -c "$WORK/napd.yaml" >"$WORK/said" || status=$?
	cat "$WORK/said"
	[ "$status" = "$1" ]
}

json_agrees() {
	{ in_ns nap "$BUILD/napd" doctor -c "$WORK/napd.yaml" --json || true; } | python3 -c '
import json, sys
said = json.load(sys.stdin)
print(said)
assert said["status"] == "error"
assert [f["level"] for f in said["findings"] if f["check"] == "hugepages"] == ["error"]
assert all(f["mend"] for f in said["findings"] if f["level"] != "ok")'
}

nobody_to_ask() {
	! scripts/host-setup --hugepages "${NEED}M" </dev/null && [ ! -e "$NAPD_HOST_STATE" ] &&
		grep -x 'HugePages_Total: *0' /proc/meminfo
}

start_points_to_it() {
	local said
	said=$(in_ns nap "$BUILD/napd" run -c "$WORK/napd.yaml" 2>&1) && return 1
	echo "$said"
	grep 'napd doctor' <<<"$said"
}

if [ "$(awk '/^HugePages_Total:/ { print $2 }' /proc/meminfo)" != 0 ]; then
	rm -r "$WORK"
	echo "1..0 # SKIP this machine has hugepages already"
	exit 0
fi
trap undone EXIT
quiet_ns nap
no_ipv6 nap
ip link add ve-a netns "$X-nap" type veth peer name ve-b netns "$X-nap"
for i in ve-a ve-b; do ip -n "$X-nap" link set "$i" up; done
in_ns nap ethtool -K ve-a gro off
cat >"$WORK/napd.yaml" <<END
dataplane: {memory: ${NEED}M, hugepages: required}
ports:
  - name: pa
    device: "net_af_packet0,iface=ve-a"
    addresses: [198.51.100.1/31]
members: []
control: {socket: $WORK/napd.sock, readonly-socket: $WORK/napd-ro.sock}
END
check "a bare machine lacks hugepages" says error hugepages "0 MB are reserved, $NEED MB"
check "exit status 1" status_is 1
check "as JSON" json_agrees
check "a start that fails points to the doctor" start_points_to_it
check "host-setup without --yes and without anybody to ask does nothing" \
	nobody_to_ask
check "host-setup reserves them" scripts/host-setup --yes --hugepages "${NEED}M"
check "the doctor finds them" says ok hugepages "$NEED MB are free"
check "exit status 0" status_is 0
check "it is put back" scripts/host-setup --undo --yes
# another process of this machine may hold some of them still
check "and they are missing again" says error hugepages "[0-9]* MB are reserved, $NEED MB"
in_ns nap ethtool -K ve-a gro on
check "GRO on an interface that napd reads" says warning interface "ve-a merges"
in_ns nap ethtool -K ve-a gro off
ip -n "$X-nap" link set ve-a down
check "an interface that is down" says error interface "ve-a is down"
ip -n "$X-nap" link del ve-a
check "an interface that is not there" says error interface "there is no interface ve-a"
end
