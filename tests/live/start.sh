#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# How napd run begins and ends: signals at any time, files that cannot be read, what is configured wrongly
# or is another napd's. No traffic. Prints TAP.
#
#   tests/live/start.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

config() { # NAME INTERFACE: WORK/NAME.yaml
	cat >"$WORK/$1.yaml" <<END
exchange: {name: $1, asn: 64500}
dataplane: {memory: 64M, hugepages: never}
ports:
  - {name: pa, device: "net_af_packet0,iface=$2", tap: true, addresses: [198.51.100.1/31]}
metrics: {listen: "127.0.0.1:${3:-9473}"}
control: {socket: $WORK/$1.sock, readonly-socket: $WORK/$1-ro.sock}
END
}

# A start that ends by itself, or is ended after SECONDS; what it said is in WORK/said.
start_fails() { # STATUS NAME TEXT
	local status=0
	in_ns nap timeout 10 "$BUILD/napd" run -c "$WORK/$2.yaml" >"$WORK/said" 2>&1 || status=$?
	cat "$WORK/said"
	[ "$status" = "$1" ] && has "$3" <"$WORK/said"
}

running() { napctl_of "$1" show version; }

catches_term() { # PID, of a napd
	[ "$(cat "/proc/$1/comm")" = napd ] && (( 0x$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status") & 0x4000 ))
}

# A napd of WORK/NAME.yaml, up to where its main() has begun; PID.
begin_run() { # NAME
	(exec ip netns exec "$X-nap" "$BUILD/napd" run -c "$WORK/$1.yaml") >"$WORK/said" 2>&1 &
	PID=$!
	# the loader of some 130 libraries may take a while before
	within 5 catches_term "$PID"
}

ends() { # PID: with 0, and within seconds
	for _ in $(seq 30); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	wait "$1"
}

# But for TAPs, which outlive a napd so that BGP over them does.
nothing_is_left() { [ -z "$(ls "$WORK"/*.sock 2>/dev/null)" ]; }

# Moments of a start, which takes about half a second.
ended_early() {
	local after
	for after in 0 0.02 0.05 0.1 0.15 0.2 0.25 0.3 0.4; do
		begin_run a || return 1
		sleep $after
		kill -TERM "$PID"
		echo "after $after s:"
		ends "$PID" || { echo "ended with $?" && cat "$WORK/said" && return 1; }
		nothing_is_left || { cat "$WORK/said" && return 1; }
	done
}

reloaded_early() {
	local after
	for after in 0 0.05 0.15 0.3; do
		begin_run a || return 1
		sleep $after
		kill -HUP "$PID"
		within 10 running a || return 1
		within 5 grep 'reload: reloaded' "$WORK/said" || { cat "$WORK/said" && return 1; }
		kill -TERM "$PID"
		ends "$PID" || return 1
	done
}

# In place of the file there is a pipe that nobody writes to; what is in force stays, and napd ends.
pipe_for_a_file() {
	begin_run a && within 5 running a || return 1
	mv "$WORK/a.yaml" "$WORK/kept"
	mkfifo "$WORK/a.yaml"
	kill -HUP "$PID"
	within 3 grep 'a.yaml: not a regular file' "$WORK/said" || { cat "$WORK/said" && return 1; }
	kill -TERM "$PID"
	ends "$PID" || return 1
	rm "$WORK/a.yaml"
	mv "$WORK/kept" "$WORK/a.yaml"
	# what is said last is true
	tail -1 "$WORK/said" | has 'run: stopped$'
}

# Frames that two forwarded would all arrive twice; the second takes the interface over when it is free.
second_napd() {
	local first
	config b va 9474
	begin_run a && within 5 running a || return 1
	first=$PID
	within 5 port_of a up || return 1
	begin_run b && within 5 grep 'net_af_packet0,iface=va: another napd has it; it is tried again' "$WORK/said" || return 1
	port_of b down && port_of a up || return 1
	kill -TERM "$first"
	ends "$first" && within 20 port_of b up || return 1
	kill -TERM "$PID"
	ends "$PID"
}

port_of() { # NAME STATE: of its only port
	napctl_of "$1" show ports | has "^pa *$2"
}

has_mac() { # ADDRESS
	ip -n "$X-nap" link show va | has "link/ether $1 "
}

# A reload that takes `mac` out again returns to the interface's own, and so does the end.
own_mac() {
	local own
	own=$(ip netns exec "$X-nap" cat /sys/class/net/va/address)
	cp "$WORK/a.yaml" "$WORK/kept"
	sed -i 's/{name: pa,/{name: pa, mac: "02:4e:41:00:00:07",/' "$WORK/a.yaml"
	begin_run a && within 5 has_mac 02:4e:41:00:00:07 && within 5 running a || return 1
	mv "$WORK/kept" "$WORK/a.yaml"
	kill -HUP "$PID"
	within 5 has_mac "$own" || return 1
	kill -TERM "$PID"
	ends "$PID" && has_mac "$own"
}

# The host is not as the file says: told with its place, by check too; errors end a start in our words alone.
wrong_for_the_host() {
	sed "s|^control: {|control: {group: no-such-group, |; s|^dataplane: {|dataplane: {cores: 0-1023, |" "$WORK/a.yaml" >"$WORK/b.yaml"
	"$BUILD/napd" check -c "$WORK/b.yaml" 2>"$WORK/said" || return 1
	cat "$WORK/said"
	[ "$(grep -cE 'b.yaml:[26]:[0-9]+: warning: (dataplane.cores: CPU [0-9,-]+ is not there|control.group: there is no group)' "$WORK/said")" = 2 ] || return 1
	sed 's/{name: pa,/{name: pa, mtu: 1,/' "$WORK/a.yaml" >"$WORK/b.yaml"
	start_fails 2 b 'b.yaml:4:[0-9]*: ports\[0\].mtu: 1 is not' && [ "$(wc -l <"$WORK/said")" = 1 ]
}

BUILD=$(realpath "${1:-build}")
exchange_sweep
WORK=$(mktemp -d "/tmp/$X-XXXXXX")
trap exchange_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
quiet_ns nap
quiet_ns far
no_ipv6 nap
ip link add va netns "$X-nap" type veth peer name va netns "$X-far"
ip -n "$X-nap" link set va up
ip -n "$X-far" link set va up
config a va
check "SIGTERM at any time of a start ends it, with 0 and nothing left" ended_early
check "SIGHUP during a start is a reload after it" reloaded_early
check "a pipe in place of the configuration is refused, and keeps nothing from ending" pipe_for_a_file
check "a second napd leaves the first one's interface alone" second_napd
check "without a configured MAC a port has its interface's own again" own_mac
check "what the host is not is told with its place" wrong_for_the_host
end
