#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The bundled exchange on pcap devices, from files to files: what leaves is, frame by frame, what
# replay says of the same captures, and the counters are too. Prints TAP.
#
#   tests/live/pcap.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

demo=$PWD/docs/examples/demo-exchange
ports=(aurora borealis cinema delta evergreen-1 evergreen-2 foxtrot)

# The demo's configuration without what goes by time, for live all comes at once: its policer, and
# a limit of ICMP errors that its captures stay below.
timeless_config() {
	sed -e '/rate-limit:/d' -e 's/^    mac: .*/&\n    icmp-burst: 100000/' "$demo/napd.yaml"
	echo 'dataplane: {memory: 256M, hugepages: never}'
	echo "control: {socket: $WORK/napd.sock, readonly-socket: $WORK/napd-ro.sock}"
}

# Every PCI device as a pcap device; delta's has foxtrot's frames too, on a queue of their own.
pcap_config() {
	timeless_config | awk -v demo="$demo" -v out="$WORK" '
		/^  - name:/ { port = $3 }
		/^    device:/ {
			if (!($2 in number)) {
				number[$2] = n++
				input[$2] = "rx_pcap=" demo "/" port ".pcap"
				if (port == "delta") input[$2] = input[$2] ",rx_pcap=" demo "/foxtrot.pcap"
				output[$2] = out "/" port ".pcap"
			}
			printf "    device: \"net_pcap%d,%s,tx_pcap=%s\"\n", number[$2], input[$2], output[$2]
			if (port == "delta" || port == "foxtrot") print "    queues: 2"
			next
		}
		{ print }'
}

all_read() {
	[ "$(napctl --json show ports | python3 -c '
import json, sys
print(sum(p["rx_packets"] for p in json.load(sys.stdin)))')" = "$expected" ]
}

# Per port: packets, bytes and every reason.
counters_agree() {
	napctl --json show ports | python3 -c "
import json, sys
said = json.load(open('$WORK/replay.json'))['ports']
live = json.load(sys.stdin)
assert [p['port'] for p in live] == list(said), (live, said)
for p in live:
    want = said[p['port']]
    for key in 'rx_packets', 'rx_bytes':
        assert p[key] == want[key], (p['port'], key, p[key], want[key])
    got = {k: v for k, v in p['drops'].items() if v}
    assert got == want['drops'], (p['port'], got, want['drops'])"
}

matrix_agrees() {
	napctl --json show matrix | python3 -c "
import json, sys
key = lambda c: (c['from'], c['to'], c['family'])
cells = lambda l: sorted((key(c), c['packets'], c['bytes']) for c in l if c['packets'])
live, said = cells(json.load(sys.stdin)), cells(json.load(open('$WORK/replay.json'))['matrix'])
assert live == said and said, (live, said)"
}

files_agree() { # LIVE_CAPTURE REPLAY_CAPTURE...
	python3 tests/live/same_frames.py "$@"
}

WORK=$(mktemp -d "/tmp/$X-XXXXXX")
trap exchange_down EXIT
BUILD=$(realpath "${1:-build}")
quiet_ns nap
inputs=()
for port in "${ports[@]}"; do inputs+=(--in "$port=$demo/$port.pcap"); done
timeless_config >"$WORK/replay.yaml"
"$BUILD/napd" replay -c "$WORK/replay.yaml" "${inputs[@]}" --json --out "$WORK/replay" >"$WORK/replay.json"
expected=$(python3 -c "import json; print(json.load(open('$WORK/replay.json'))['packets']['received'])")
pcap_config >"$WORK/napd.yaml"
check "napd starts on pcap devices" napd_start_as nap napd
check "all frames of all files are read" within 10 all_read
sleep 0.3
check "every packet is accounted for" within 3 conserved
check "every port counts what replay counts, reason by reason" counters_agree
check "and every pair of members" matrix_agrees
check "SIGTERM writes the files out" napd_stop
for port in aurora borealis cinema evergreen-1 evergreen-2; do
	check "what left $port is what replay says, frame by frame" files_agree "$WORK/$port.pcap" "$WORK/replay/$port.pcap"
done
check "what left two ports by one device too" files_agree "$WORK/delta.pcap" "$WORK/replay/delta.pcap" "$WORK/replay/foxtrot.pcap"
end
