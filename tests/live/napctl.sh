#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# napctl with a running napd: every command, its exit status, sockets, what happened since. Prints TAP.
#
#   tests/live/napctl.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

exits() { # STATUS WORD...
	local expected=$1 status=0
	shift
	napctl "$@" >"$WORK/said" 2>"$WORK/error" || status=$?
	cat "$WORK/said" "$WORK/error"
	[ "$status" = "$expected" ]
}

# Every command that shows, as people and programs get it: a table of 80 columns, one document.
SHOWS=("ports" "port alpha" "members" "member Alpha" "neighbours" "neighbors" "routes" "route 203.0.113.66"
	"drops" "drops --port alpha --last 5" "matrix" "workers" "tables" "events" "version" "reload"
	"ports --since 5s" "port alpha --since 1m" "members --since 1h" "member Beta --since 10s" "drops --since 5m"
	"matrix --since 1m" "workers --since 30s" "events --since 5m --last 3")

shows_all() {
	local words
	for words in "${SHOWS[@]}"; do
		# shellcheck disable=SC2086
		napctl show $words >"$WORK/text" || { echo "$words" && return 1; }
		# shellcheck disable=SC2086
		napctl --json show $words | python3 -m json.tool >/dev/null || { echo "$words: no JSON" && return 1; }
		case $words in "drops --port"*) continue ;; esac # lines of their own length
		[ "$(wc -L <"$WORK/text")" -le 80 ] || { echo "$words: wider than 80" && cat "$WORK/text" && return 1; }
	done
}

statuses() {
	exits 0 show route 203.0.113.66 && exits 1 show route 192.0.2.77 || return 1
	exits 0 show route 198.51.100.1 && exits 1 show route 224.0.0.5 && exits 1 show route ::1 || return 1
	exits 1 show route fe80::77 || return 1
	has '^ipv6-scope: ' <"$WORK/said" || return 1
	exits 2 show nonsense && exits 2 show ports extra && exits 2 show port nobody || return 1
	exits 2 show ports --since && exits 2 show ports --since 5x && exits 2 show ports --since 2d || return 1
	exits 2 show events --last 0 && exits 2 show tables --since 5s || return 1
	[ "$(wc -l <"$WORK/error")" = 1 ] || return 1
	exits 2 && exits 2 --nonsense && exits 2 --watch reload || return 1
	exits 0 --help && exits 0 show ports --help && exits 0 --version || return 1
	"$BUILD/napctl" -s /nonexistent/napd.sock show ports
	[ $? = 1 ]
}

socket_modes() {
	[ "$(stat -c %a "$WORK/napd.sock")" = 660 ] && [ "$(stat -c %a "$WORK/napd-ro.sock")" = 666 ] || return 1
	# the read-only one shows, and changes nothing
	local words
	for words in reload confirm "port alpha disable" "clear neighbour 198.51.100.4" "workers rebalance" "fib audit"; do
		# shellcheck disable=SC2086
		"$BUILD/napctl" -s "$WORK/napd-ro.sock" $words
		[ $? = 1 ] || return 1
	done
	"$BUILD/napctl" -s "$WORK/napd-ro.sock" show ports
}

# A hundred clients on each socket that ask a byte a time: whoever asks at once is served, and they are
# told why they are not.
slow_clients() {
	python3 - "$BUILD/napctl" "$WORK" <<'END'
import socket, subprocess, sys, time
napctl, work = sys.argv[1:]
held = []
for _ in range(100):
    for name in ("napd-ro.sock", "napd.sock"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(f"{work}/{name}")
        s.send(b"{")
        held.append(s)
    if len(held) % 20 == 0:
        time.sleep(0.01)
for name in ("napd.sock", "napd-ro.sock"):
    subprocess.run([napctl, "-s", f"{work}/{name}", "show", "version"], check=True, timeout=3)
held[0].settimeout(3)
assert b"too many clients" in held[0].recv(1000)
END
	napctl show events --last 9 | has 'clients at once' || return 1
	# and napctl says so, whichever end was faster
	python3 - "$BUILD/napctl" "$WORK/busy.sock" <<'END'
import socket, subprocess, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[2])
server.listen(1)
asking = subprocess.Popen([sys.argv[1], "-s", sys.argv[2], "show", "version"], stderr=subprocess.PIPE)
s, _ = server.accept()
s.send(b'{"status":1,"error":"too many clients at once; try again"}\n')
s.close()
said = asking.communicate(timeout=3)[1]
assert asking.returncode == 1 and b"too many clients" in said, said
END
}

json_of() { # PYTHON-EXPRESSION of d WORD...
	local expression=$1
	shift
	napctl --json "$@" | python3 -c "
import json, sys
d = json.load(sys.stdin)
print(d if len(json.dumps(d)) < 800 else '')
sys.exit(not ($expression))"
}

# 200 packets each way, then silence: they are in the last minute and not in the last two seconds.
since_counts() {
	in_ns alpha-host ping -c 200 -i 0.005 -W 1 -q 203.0.113.66 | has ' 0% packet loss' || return 1
	# what the last second had is in its sample
	within 2 json_of 'd["forwarded"] >= 200 and d["rx_packets_per_s"] > 0 and d["since_s"] <= 61' \
		show port alpha --since 1m || return 1
	within 2 json_of '[m for m in d if m["member"] == "Alpha"][0]["sent_packets"] >= 200' show members --since 1m || return 1
	within 2 json_of '[r for r in d if (r["from"], r["to"], r["family"]) == ("Alpha", "Beta", "ipv4")][0]["packets"] >= 200' \
		show matrix --since 1m || return 1
	json_of 'd[0]["packets_per_s"] > 0 and d[0]["bits_per_s"] > 0 and d[0]["since_s"] <= 61' show matrix --since 1m || return 1
	within 2 json_of 'd[0]["received"] >= 400 and d[0]["received_per_s"] > 0 and d[0]["busy_ns"] > 0' \
		show workers --since 1m || return 1
	json_of 'd[0]["node"] in (0, None) and 0 <= d[0]["busy_percent"] <= 100 and d[0]["received"] >= 400' show workers || return 1
	in_ns alpha-host ping -c 20 -i 0.005 -W 1 -q 192.0.2.77 # no route
	within 2 json_of '[r for r in d["drops"] if r["reason"] == "no-route"][0]["packets"] == 20' show drops --since 1m || return 1
	sleep 3.2
	json_of 'd == []' show matrix --since 2s || return 1
	json_of 'd[0]["received_per_s"] <= 5' show workers --since 2s || return 1
	json_of 'd["forwarded"] <= 2 and 1.9 < d["since_s"] < 3.3' show port alpha --since 2s || return 1
	json_of 'd["drops"] == []' show drops --since 2s || return 1
	json_of 'd["forwarded"] >= 200 and d["drops"]["no-route"] == 20' show port alpha --since 1h
}

# What a day's view says is what a minute's says and what the counters say, while all is younger.
since_agrees() {
	python3 - "$(napctl --json show port alpha --since 5m)" "$(napctl --json show port alpha --since 20h)" \
		"$(napctl --json show port alpha)" <<'END'
import json, sys
fine, coarse, ever = map(json.loads, sys.argv[1:])
for key in ("rx_packets", "rx_bytes", "forwarded", "consumed"):
    assert fine[key] == coarse[key] == ever[key], (key, fine[key], coarse[key], ever[key])
END
}

watches() {
	local status=0
	timeout -s INT 2.5 "$BUILD/napctl" -s "$WORK/napd.sock" show ports --watch >"$WORK/watch" || status=$?
	cat "$WORK/watch"
	[ "$(grep -c 'In packet/s' "$WORK/watch")" -ge 2 ] && [ "$status" = 124 ] || return 1
	timeout -s INT 0.5 "$BUILD/napctl" -s "$WORK/napd.sock" show matrix --watch >"$WORK/watch"
	has 'bit/s' <"$WORK/watch" || return 1
	timeout -s INT --preserve-status 0.5 "$BUILD/napctl" -s "$WORK/napd.sock" show version --watch
	[ $? = 130 ]
}

events() {
	ip -n "$X-beta" link set nap down
	within 2 port_is beta down || return 1
	ip -n "$X-beta" link set nap up
	ip -n "$X-beta" route add default via 198.51.100.3
	ports_up || return 1
	napctl show events --since 1m | tee /dev/stderr | has 'port: beta is down' || return 1
	json_of 'd[-1]["text"] == "beta is up" and d[-1]["module"] == "port" and len(d) == 1' show events --last 1 || return 1
	napctl show events | has ' run: .*ready'
}

# One port's flapping silences no other, and where it ended is said.
flaps() {
	local _
	for _ in $(seq 12); do
		ip -n "$X-alpha" link set nap down
		within 2 port_is alpha down || return 1
		ip -n "$X-alpha" link set nap up
		within 2 port_is alpha up || return 1
	done
	napctl port alpha disable
	ip -n "$X-gamma" link set nap down
	within 2 port_is gamma down || return 1
	json_of 'd[-1]["text"] == "gamma is down" and d[-1]["level"] == "warning"' show events --last 1 || return 1
	within 6 eval "napctl show events | tr -s ' \\n' ' ' | has 'alpha is down, after [1-9][0-9]* more changes* in 5 s'" || return 1
	napctl port alpha enable
	ip -n "$X-gamma" link set nap up
	ip -n "$X-alpha" route replace default via 198.51.100.1
	ip -n "$X-gamma" route replace default via 198.51.100.5
	ports_up
}

begin "${1:-build}"
check "every command shows, in 80 columns and as one document" shows_all
check "exit status" statuses
check "sockets' modes, and what is for whom" socket_modes
check "slow clients keep nobody out" slow_clients
check "what was counted since" since_counts
check "seconds and minutes agree" within 3 since_agrees
check "--watch, until Ctrl-C" watches
check "the last events" events
check "a port that flaps silences no other" flaps
check "every packet is accounted for" within 3 conserved
end
