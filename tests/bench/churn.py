#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whether packets are lost while routes change; started by scripts/bench-churn."""
import argparse
import dataclasses
import gzip
import json
import os
import subprocess
import sys
import threading
import time

import bench
import plot
import updates
import workloads
from contenders import Failed, Napd

TOP = bench.TOP
RING = 65536           # frames of a port that wait before one is missed
FRACTIONS = (0.97, 0.94, 0.9, 0.86, 0.82, 0.76, 0.7, 0.6, 0.5)
PACED = "net_synth{{port}},file={{capture}},compact={{compact}},rate={rate:.0f},ring={ring}"


class Watchers(threading.Thread):
    """Ask for /metrics and for the next part of `show routes` ten times a second."""

    def __init__(self, napd):
        super().__init__(daemon=True)
        self.napd, self.over = napd, threading.Event()
        self.asked, self.longest, self.next = 0, 0.0, None

    def run(self):
        due = time.monotonic()
        while not self.over.wait(max(0.0, due - time.monotonic())):
            due += 0.1
            began = time.monotonic()
            self.napd.scrape()
            answer = self.napd.ask("show", "routes", after=self.next)
            self.next = answer.get("next")
            self.asked += 1
            self.longest = max(self.longest, time.monotonic() - began)


def stolen(core):
    """Seconds for which the host has taken this CPU away."""
    with open("/proc/stat", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == f"cpu{core}":
                return int(words[8]) / os.sysconf("SC_CLK_TCK")
    return 0.0


def counts(napd):
    """Received, missed by the devices, and drops in all."""
    total = {"received": 0, "missed": 0, "dropped": 0}
    for name in (port["port"] for port in napd.show("ports")):
        port = napd.ask("show", "port", name)["json"]
        total["received"] += port["rx_packets"]
        total["missed"] += port["receive_missed"]
        total["dropped"] += sum(port["drops"].values())
    return total


def run(options, rig, rate, seconds, churn=""):
    """One run of napd at so many packets a second in all; 0: as many as it takes."""
    rig.template = PACED.format(rate=rate / rig.ports, ring=RING) if rate else options.unpaced
    napd = Napd("napd", options.napd, workloads.napd_yaml(options.workload, rig, rig.folder),
                rig.folder, rig)
    watchers = Watchers(napd) if churn else None
    try:
        napd.start()
        time.sleep(0.5)
        before, changes = counts(napd), napd.changes()
        taken = napd.waited() + stolen(rig.cores[0])
        began = time.monotonic()
        if watchers:
            watchers.start()
            napd.load(churn)
        reading = time.monotonic() - began
        time.sleep(seconds)
        changes = napd.changes() - changes
        if watchers:
            watchers.over.set()
            watchers.join()
            napd.load_stop()
        after, took = counts(napd), time.monotonic() - began
        taken = napd.waited() + stolen(rig.cores[0]) - taken
    finally:
        napd.stop()
    row = {key: after[key] - before[key] for key in after}
    row.update(seconds=took, offered=rate, rate=row["received"] / took,
               lost=row["missed"] + row["dropped"], changes=changes / max(took - reading, 0.1),
               taken=taken)
    if watchers:
        row.update(asked=watchers.asked, longest_answer=watchers.longest)
    return row


def sustained(options, rig):
    """The most that is forwarded without a loss, of the rates that are tried."""
    most = run(options, rig, 0, options.probe)["rate"]
    for fraction in FRACTIONS:
        row = run(options, rig, fraction * most, options.probe)
        print(f"  at {fraction * most / 1e6:6.2f} M/s ({fraction:.0%} of what an unpaced source gives) "
              f"{row['lost']} lost")
        if row["lost"] == 0:
            return fraction * most
    raise Failed("packets are lost at every rate: this machine is too busy")


def prepare(options, rig):
    """Table, traffic and updates."""
    size = workloads.Size(20000, 5000) if options.short else workloads.Size()
    arguments = workloads.table_arguments(options.workload, size)
    if not options.short and os.path.exists(options.table):
        with gzip.open(options.table) as packed, open(f"{rig.folder}/prefixes.txt", "wb") as plain:
            plain.write(packed.read())
        arguments += ["--prefixes", f"{rig.folder}/prefixes.txt"]
    subprocess.run([options.input, *arguments, "--routes", f"{rig.folder}/routes.txt", "--sources",
                    f"{rig.folder}/sources.txt", "--frames", str(options.frames), "--captures",
                    rig.folder], check=True)
    routes = updates.Routes(f"{rig.folder}/routes.txt")
    updates.write_dump(routes, f"{rig.folder}/rib.mrt")
    for number in range(options.rounds):
        updates.write_updates(routes, f"{rig.folder}/churn-{number}.mrt", options.changes,
                              options.seconds + 5, number)
    return {family: len(prefixes) for family, prefixes in routes.prefixes.items()}


def table(document):
    """For docs/performance.md."""
    host, rows = document["host"], document["rows"]
    lines = [f"{host['cpu']}, {host['cpus']} CPUs, {host['date']}, commit {host['commit']}; "
             f"{document['prefixes']['4']:,} IPv4 and {document['prefixes']['6']:,} IPv6 prefixes; "
             f"{document['sustained'] / 1e6:.1f} M packets/s are forwarded without a loss, offered "
             f"are nine tenths of it.", "",
             "| run | seconds | M packets/s | lost | of a million | changes/s | answers, longest | "
             "worker's CPU taken by others |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        asked = f"{row['asked']}, {row['longest_answer'] * 1e3:.0f} ms" if "asked" in row else "-"
        lines.append(f"| {row['run']} | {row['seconds']:.1f} | {row['rate'] / 1e6:.2f} | "
                     f"{row['lost']} | {row['lost'] * 1e6 / max(row['received'], 1):.1f} | "
                     f"{row['changes']:,.0f} | {asked} | {row['taken'] * 1e3:.0f} ms |")
    return "\n".join(lines) + "\n"


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/bench-churn", description="Whether packets are lost while routes change.")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a run (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="each with and without (default 3)")
    parser.add_argument("--changes", type=int, default=100000, help="a second (default 100,000)")
    parser.add_argument("--short", action="store_true",
                        help="a small table, two seconds, whatever is lost: does it work?")
    parser.add_argument("--no-hugepages", action="store_true")
    parser.add_argument("--napd", help="measure this binary")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the result into docs/performance.md")
    for name in ("build", "pmd", "table"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.probe, options.frames = 3.0, 262144
    if options.short:
        options.seconds, options.rounds, options.probe, options.frames = 2.0, 1, 0.3, 4096
    options.napd = options.napd or f"{options.build}/napd"
    options.input = f"{options.build}/tests/bench/bench-input"
    options.workload = dataclasses.replace(
        next(w for w in workloads.WORKLOADS if w.name == "churn-100k"), churn=options.changes)
    options.unpaced = "net_synth{port},file={capture},compact={compact}"
    options.workers, options.device = 1, None
    return options


def measure(options, rig):
    document = {"host": bench.host(), "changes": options.changes, "rows": []}
    document["prefixes"] = {str(k): n for k, n in prepare(options, rig).items()}
    if options.short:
        document["sustained"] = run(options, rig, 0, options.probe)["rate"] / 2
    else:
        document["sustained"] = sustained(options, rig)
    rate = 0.9 * document["sustained"]
    for number in range(options.rounds):
        for what, file in (("without", ""), ("with churn", f"{rig.folder}/churn-{number}.mrt")):
            row = {"run": what, **run(options, rig, rate, options.seconds, file)}
            document["rows"].append(row)
            print(f"{what:<11} {row['rate'] / 1e6:6.2f} M/s  {row['lost']} lost "
                  f"({row['missed']} missed, {row['dropped']} dropped)  {row['changes']:.0f} changes/s"
                  f"  {row['taken'] * 1e3:.0f} ms of the worker's CPU taken by others"
                  + (f"  {row['asked']} answers, longest {row['longest_answer'] * 1e3:.0f} ms"
                     if "asked" in row else ""), flush=True)
            if file and not options.short and row["changes"] < 0.9 * options.changes:
                raise Failed(f"{row['changes']:.0f} routes were changed a second, and not "
                             f"{options.changes}")
    return document


def main():
    options = parse()
    hugepages = None
    try:
        rig = bench.make_rig(options)
        hugepages = bench.Hugepages(2 * rig.megabytes + 1024, not options.no_hugepages)
        rig.hugepages = hugepages.enough
        document = measure(options, rig)
    except Failed as why:
        print(f"scripts/bench-churn: {why}", file=sys.stderr)
        return 1
    finally:
        if hugepages:
            hugepages.give_back()
    bench.save(os.path.join(TOP, "build", "bench", "churn.json"), json.dumps(document, indent=1))
    if options.write_docs:
        page = os.path.join(TOP, "docs", "performance.md")
        with open(page, encoding="utf-8") as file:
            text = file.read()
        bench.save(page, plot.replace_section(text, "churn", table(document)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
