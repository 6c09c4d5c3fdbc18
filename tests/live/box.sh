#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# scripts/exchange as people run it: the tour shows what it promises, and nothing of it stays, not
# after Ctrl-C either; what kill -9 leaves behind the next one sweeps away. Prints TAP.
#
#   tests/live/box.sh [BUILD_FOLDER]    the tour itself uses build
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

# The tour in the background, in a session of its own as in a terminal; TOUR is its PID.
tour() {
	: >"$WORK/tour"
	setsid env --default-signal=INT scripts/exchange >"$WORK/tour" 2>&1 </dev/null &
	TOUR=$!
}

shows() { # TEXT
	grep -q "$1" "$WORK/tour" || { tail -20 "$WORK/tour" && return 1; }
}

# Namespaces and folders of a tour, whose names hold its PID.
remains() {
	ip netns list | grep "^napx$TOUR-" || true
	find /tmp -maxdepth 1 -name "napx$TOUR-*"
}

nothing_remains() {
	remains
	[ -z "$(remains)" ]
}

something_remains() { [ -n "$(remains)" ]; }

gone() { ! kill -0 "$TOUR" 2>/dev/null; }

# What every exchange does before it builds its own.
swept() { exchange_sweep; }

WORK=$(mktemp -d "/tmp/$X-XXXXXX")
trap exchange_down EXIT
tour
check "the tour ends" within 60 gone
check "with the last drops" shows 'napctl show drops'
check "ping across" shows ' 0% packet loss'
check "traceroute shows napd" shows ' 198.51.100.1 '
check "iperf3's result" shows 'receiver'
check "the spoofing host" shows 'source-check'
check "the matrix" shows 'Beta'
check "neighbours" shows 'reachable'
check "nothing remains" nothing_remains
tour
check "another one begins" within 30 shows 'traceroute'
kill -INT -- "-$TOUR"
check "Ctrl-C ends it" within 10 gone
check "nothing remains of it" nothing_remains
tour
check "a third one begins" within 30 shows 'ping across'
kill -KILL "$TOUR"
check "kill -9 leaves things behind" something_remains
check "which the next one sweeps" swept
check "nothing remains then" nothing_remains
end
