#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Instructions a packet of the packet path, by callgrind, held against those that are committed;
started by scripts/guard. Counted is what a worker does from receive to transmit, without the
replay's own queues. Valgrind has no AVX-512, so the scalar and the AVX2 path are counted."""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

import workloads

HERE = os.path.dirname(os.path.abspath(__file__))
COMMITTED = os.path.join(HERE, "instructions.json")
NAMES = ("ipv4-random", "ipv4-hot", "ipv4-sources", "ipv4-bare", "ipv6-random", "ipv6-hot",
         "mixed-random", "drops-1")
PATHS = ("scalar", "avx2")
FRAMES = 4096
ALLOWED = 1.03


class Replayed:
    """Devices that a replay does not open; what workloads.napd_yaml asks of a rig."""

    cores = [0]
    megabytes = 512
    hugepages = False

    @staticmethod
    def eal_arguments():
        return []

    @staticmethod
    def devices():
        return (f"net_null{port}" for port in range(4))


def prepare(workload, build, folder):
    size = workloads.Size(20000, 5000)
    program = f"{build}/tests/bench/bench-input"
    workloads.write_tables(workload, size, program, folder)
    workloads.write_captures(workload, size, FRAMES, program, folder)
    with open(f"{folder}/napd.yaml", "w", encoding="utf-8") as file:
        file.write(workloads.napd_yaml(workload, Replayed, folder))


def inclusive(profile):
    """Instructions below the worker's receive, and of those the replay's queues."""
    text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no",
                           "--threshold=100", profile],
                          capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+) .*:(worker_receive|run_receive|depart) \[", line)
        if match:
            found[match.group(2)] = int(match.group(1).replace(",", ""))
    missing = {"worker_receive", "run_receive", "depart"} - set(found)
    if missing:
        sys.exit(f"scripts/guard: callgrind saw no {', '.join(sorted(missing))}; renamed?")
    return found["worker_receive"] - found["run_receive"] - found["depart"]


def count(workload, path, build, folder):
    """Instructions a packet. Every packet must have had the fate that the workload means."""
    profile = f"{folder}/callgrind.{path}"
    report = subprocess.run(
        ["valgrind", "--tool=callgrind", "--toggle-collect=worker_receive", "--quiet",
         f"--callgrind-out-file={profile}", f"{build}/napd", "replay", "-c",
         f"{folder}/napd.yaml", "--in", f"p0={folder}/p0.pcap", "--json"],
        env={**os.environ, "NAPD_CPU": path}, capture_output=True, text=True, check=False)
    if report.returncode != 0:
        sys.exit(f"scripts/guard: {workload.name}: {report.stderr.strip()}")
    packets = json.loads(report.stdout)["packets"]
    dropped = packets["dropped"] / packets["received"]
    if packets["received"] != FRAMES or abs(dropped - workload.drops) > 0.005:
        sys.exit(f"scripts/guard: {workload.name}: {dropped:.1%} of {packets['received']} dropped")
    return inclusive(profile) / FRAMES


def measure(build, jobs):
    figures = {}
    with tempfile.TemporaryDirectory() as top, \
            concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {}
        for workload in (w for w in workloads.WORKLOADS if w.name in NAMES):
            folder = f"{top}/{workload.name}"
            os.mkdir(folder)
            prepare(workload, build, folder)
            for path in PATHS:
                waiting[workload.name, path] = pool.submit(count, workload, path, build, folder)
        for (name, path), figure in waiting.items():
            figures.setdefault(name, {})[path] = round(figure.result(), 1)
    return figures


def compare(figures, committed):
    """Prints one line each; whether none has grown too much."""
    good = True
    for name, by_path in figures.items():
        for path, now in by_path.items():
            was = committed.get(name, {}).get(path)
            if was is None:
                verdict, good = "no figure is committed", False
            elif now > was * ALLOWED:
                verdict, good = "MORE than 3 % above", False
            elif now < was / ALLOWED:
                verdict = "better: commit the new figure"
            else:
                verdict = "ok"
            print(f"{name:<14} {path:<7} {now:7.1f} instructions a packet, committed "
                  f"{was if was is not None else '-'}: {verdict}")
    return good


def main():
    parser = argparse.ArgumentParser(prog="scripts/guard", description="Counts the packet path's "
                                     "instructions a packet and compares with tests/bench/instructions.json.")
    parser.add_argument("--update", action="store_true",
                        help="write the figures; the commit says why they changed")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    figures = measure(options.build, options.jobs)
    if options.update:
        with open(COMMITTED, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")
    with open(COMMITTED, encoding="utf-8") as file:
        return 0 if compare(figures, json.load(file)) else 1


if __name__ == "__main__":
    sys.exit(main())
