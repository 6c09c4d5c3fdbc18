#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# /metrics and /healthz: every name that is promised, in a form that Prometheus likes, whoever else
# is connected. Prints TAP.
#
#   tests/live/metrics.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/live/check.sh

get() { in_ns nap curl -sf -m 2 "http://127.0.0.1:9473/$1"; }

# Names, labels and values of which dashboards are made.
complete() {
	get metrics | python3 -c '
import re, sys
promised = """
napd_port_receive_packets_total{port} napd_port_receive_bytes_total{port}
napd_port_transmit_packets_total{port} napd_port_transmit_bytes_total{port}
napd_port_dropped_packets_total{port,reason} napd_port_dropped_bytes_total{port,reason}
napd_port_receive_missed_packets_total{port} napd_port_receive_no_buffer_packets_total{port}
napd_port_receive_errors_total{port} napd_port_transmit_errors_total{port}
napd_port_up{port} napd_port_speed_bytes{port} napd_port_info{port,device,driver,description}
napd_member_info{member,asn,port}
napd_member_traffic_packets_total{from,to,family} napd_member_traffic_bytes_total{from,to,family}
napd_routes{family,source} napd_routes_capacity{family} napd_feed_up{source} napd_routes_stale{source} napd_neighbours{state,family}
napd_worker_busy_seconds_total{worker} napd_accounting_error_packets
napd_config_last_reload_successful napd_exchange_info napd_build_info""".split()
helps, types, seen, samples = set(), {}, {}, set()
for line in sys.stdin.read().splitlines():
    if line.startswith("# HELP "):
        helps.add(line.split()[2])
    elif line.startswith("# TYPE "):
        types[line.split()[2]] = line.split()[3]
    else:
        name, labels = re.match(r"(\w+)(?:\{(.*)\})? [-+0-9.e]+$", line).groups()
        seen.setdefault(name, set()).add(tuple(re.findall(r"(\w+)=\"", labels or "")))
        assert line.rsplit(" ", 1)[0] not in samples, "twice: " + line
        samples.add(line.rsplit(" ", 1)[0])
for promise in promised:
    name, labels = re.match(r"(\w+)(?:\{(.*)\})?", promise).groups()
    assert name in seen, "missing: " + name
    if labels:
        assert seen[name] == {tuple(labels.split(","))}, (name, seen[name])
for name in seen:
    assert name in helps and name in types, "no HELP or TYPE: " + name
    assert (types[name] == "counter") == name.endswith("_total"), name
print(len(seen), "families,", len(samples), "samples")'
}

routes_by_source() {
	[ "$(metric_value 'napd_routes{family="ipv4",source="static"}')" = 3 ] &&
		[ "$(metric_value 'napd_routes{family="ipv6",source="static"}')" = 3 ] &&
		[ "$(metric_value 'napd_routes{family="ipv4",source="connected"}')" = 3 ]
}

prometheus_likes_it() { get metrics | "$PROMTOOL" check metrics; }

# Clients that connect and say nothing, half a request, nonsense, too much, or never read.
hostile_clients() {
	in_ns nap timeout 20 python3 -c '
import socket, time, urllib.request
def client(data):
    s = socket.create_connection(("127.0.0.1", 9473))
    s.setblocking(False)
    try:
        s.send(data)
    except OSError:
        pass
    return s
held = [client(data) for data in
        (b"", b"GET /met", b"\xff\xfe\0\1" * 50, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100000,
         b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"GET /metrics HTTP/1.0\r\n\r\n" * 50)
        for _ in range(20)]
slowest = 0
for _ in range(10):
    start = time.monotonic()
    body = urllib.request.urlopen("http://127.0.0.1:9473/metrics", timeout=5).read()
    assert b"napd_port_up" in body
    slowest = max(slowest, time.monotonic() - start)
print("slowest", slowest)
assert slowest < 2' && pings alpha-host 203.0.113.66
}

# More connections than napd may have descriptors: it neither spins nor fills the log, and answers others.
many_clients() {
	local before after
	prlimit --pid "$(napd_pid)" --nofile=256:256
	before=$(stat -c %s "$WORK/napd.log")
	in_ns nap timeout 20 python3 -c '
import socket, time, urllib.request
held = []
for i in range(600):
    held.append(socket.create_connection(("127.0.0.1", 9473), timeout=5))
    if i % 20 == 0:
        time.sleep(0.01)
for _ in range(5):
    assert b"napd_port_up" in urllib.request.urlopen("http://127.0.0.1:9473/metrics", timeout=5).read()' || return 1
	after=$(stat -c %s "$WORK/napd.log")
	echo "the log grew by $((after - before)) bytes"
	[ $((after - before)) -lt 10000 ] && pings alpha-host 203.0.113.66
}

refuses() { # STATUS METHOD PATH
	in_ns nap curl -s -m 2 -o /dev/null -w '%{http_code}' -X "$2" "http://127.0.0.1:9473/$3"
	[ "$(in_ns nap curl -s -m 2 -o /dev/null -w '%{http_code}' -X "$2" "http://127.0.0.1:9473/$3")" = "$1" ]
}

# A page costs a worker nothing: its loops and packets are its own. Control renders it quickly.
renders_quickly() {
	local start end
	start=$(date +%s%N)
	for _ in $(seq 20); do get metrics >/dev/null; done
	end=$(date +%s%N)
	echo "$(((end - start) / 20000000)) ms a page"
	[ $((end - start)) -lt 4000000000 ]
}

begin "${1:-build}"
check "traffic to count" pings alpha-host 203.0.113.66
check "every name is there, with its labels, HELP and TYPE" complete
check "routes are counted by source" routes_by_source
if PROMTOOL=$(tests/live/promtool); then
	check "promtool finds nothing" prometheus_likes_it
else
	N=$((N + 1))
	echo "ok $N - promtool finds nothing # SKIP promtool (package prometheus) is neither installed nor to be had"
fi
check "healthz is well" get healthz
check "other pages are not found" refuses 404 GET nothing
check "nothing can be posted" refuses 501 POST metrics
check "hostile clients delay nobody" hostile_clients
check "nor do more than there are descriptors" many_clients
check "a page is quick" renders_quickly
sleep 0.3
check "every packet is accounted for" within 3 conserved
end
