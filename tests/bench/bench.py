#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures napd beside dpdk-testpmd; started by scripts/bench, which builds what is needed."""
import argparse
import dataclasses
import datetime
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import plot
import steps
import updates
import workloads
from contenders import Failed, Napd, Testpmd

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(TOP, "docs", "performance.md")
WARM_SECONDS = 0.15


@dataclasses.dataclass
class Rig:
    """Devices without a wire: what comes in, and from which driver."""

    pmd: str                # path of the driver's library, "" for net_pcap
    template: str
    folder: str
    cores: list
    megabytes: int = 512
    hugepages: bool = False
    ports: int = 4
    compact: int = 1

    def eal_arguments(self):
        return ["-d", self.pmd] if self.pmd else []

    def devices(self):
        for port in range(self.ports):
            yield self.template.format(port=port, capture=f"{self.folder}/p{port}.pcap",
                                       compact=self.compact)


# ---- one measurement ----

class Counters:
    """Hardware counters by thread, where the machine has them."""

    EVENTS = ("cycles", "instructions", "cache-misses")

    def __init__(self):
        self.available = self.probe()

    @classmethod
    def probe(cls):
        try:
            result = subprocess.run(["perf", "stat", "-x,", "-e", ",".join(cls.EVENTS), "true"],
                                    capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return False
        return result.returncode == 0 and "not supported" not in result.stderr \
            and "not counted" not in result.stderr

    def start(self, threads, seconds):
        """Counts for so long, in the background."""
        if not self.available:
            return None
        return subprocess.Popen(
            ["perf", "stat", "-x,", "-e", ",".join(self.EVENTS + ("task-clock",)),
             "-t", ",".join(threads), "--", "sleep", f"{seconds:.3f}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def finish(perf):
        """Events a nanosecond of the threads' own time."""
        if not perf:
            return {}
        values = {}
        for line in perf.communicate()[1].splitlines():
            fields = line.split(",")
            if len(fields) > 2 and fields[0].replace(".", "").isdigit():
                values[fields[2].split(":")[0]] = float(fields[0])
        clock = values.pop("task-clock", 0) * 1e6
        return {name: value / clock for name, value in values.items()} if clock else {}


class Polling(threading.Thread):
    """Asks napd for everything ten times a second, as many dashboards would together."""

    def __init__(self, napd):
        super().__init__(daemon=True)
        self.napd = napd
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            self.napd.scrape()
            for what in ("ports", "members", "matrix", "drops", "workers"):
                self.napd.show(what)


class Churn:
    """Route changes, so many a second: a file of updates for each round."""

    def __init__(self, rate, folder, rounds):
        self.rate = rate
        self.files = [f"{folder}/churn-{number}.mrt" for number in range(rounds)]

    def prepare(self, routes, seconds):
        updates.write_dump(routes, os.path.dirname(self.files[0]) + "/rib.mrt")
        for number, path in enumerate(self.files):
            updates.write_updates(routes, path, self.rate, seconds, number)

    def judge(self, napd, changes, took):
        if changes < 0.9 * self.rate * took:
            raise Failed(f"{napd.name}: {changes / took:.0f} routes were changed a second, and not "
                         f"{self.rate}")


def slice_of(contender, seconds, counters, polled, churn=None, number=0):
    """One turn of one contender; the others stand still meanwhile."""
    contender.go_on()
    polling = Polling(contender) if polled and isinstance(contender, Napd) else None
    if polling:
        polling.start()
    if not isinstance(contender, Napd):
        churn = None
    if churn:
        contender.load(churn.files[number])
    time.sleep(WARM_SECONDS)
    perf = counters.start(contender.workers(), seconds)
    changes = contender.changes() if churn else 0
    began, packets, busy = time.monotonic(), contender.received(), contender.worker_seconds()
    time.sleep(seconds)
    took = time.monotonic() - began
    packets, busy = contender.received() - packets, contender.worker_seconds() - busy
    rates = counters.finish(perf)
    if churn:
        churn.judge(contender, contender.changes() - changes, took)
        contender.load_stop()
    if polling:
        polling.over.set()
        polling.join()
    contender.pause()
    if packets <= 0 or busy <= 0:
        raise Failed(f"{contender.name} received nothing: {contender.last_words()}")
    return {"ns": busy / packets * 1e9, "seconds": took, "share": busy / took, **rates}


def clock_ghz(program, core):
    return float(subprocess.run([program, str(core)], capture_output=True, text=True,
                                check=True).stdout)


def measure(contenders, options, rig, counters, polled, churn):
    """Rounds in turn; a list of slices for each, and the clock in each round."""
    slices = {c.name: [] for c in contenders}
    clocks = []
    for number in range(options.rounds):
        clocks.append(clock_ghz(options.clock, rig.cores[0]))
        # not always in the same order: nobody always follows the same
        turn = contenders[number % len(contenders):] + contenders[:number % len(contenders)]
        for contender in turn:
            slices[contender.name].append(slice_of(contender, options.seconds, counters, polled,
                                                   churn, number))
    return slices, clocks


# ---- making sense of it ----

def spread(values):
    """Median, and the quartiles that half of the rounds lie between."""
    if len(values) < 2:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high}


def summary(name, slices, clocks, workers):
    """Cycles by the counters where there are any, else by time and clock."""
    mine = slices[name]
    ghz = [s.get("cycles", clock) for s, clock in zip(mine, clocks)]
    row = {
        "cycles": spread([s["ns"] * g for s, g in zip(mine, ghz)]),
        "packets_per_second": spread([workers * 1e9 / s["ns"] for s in mine]),
        "cpu_share": spread([s["share"] / workers for s in mine]),
        "cycles_by": "counter" if "cycles" in mine[0] else "thread time x measured clock",
    }
    for event in ("instructions", "cache-misses"):
        row[event] = spread([s["ns"] * s[event] for s in mine]) if event in mine[0] else None
    reference = slices.get("testpmd mac")
    if reference:
        row["ratio_to_mac"] = spread([s["ns"] / r["ns"] for s, r in zip(mine, reference)])
    return row


def judge(napd, workload, before):
    """The traffic must have taken the way that the workload means."""
    after = napd.fates()
    grown = {k: v - before.get(k, 0) for k, v in after.items() if v > before.get(k, 0)}
    total = sum(grown.values())
    dropped = 1 - grown.get("forwarded", 0) / total
    if abs(dropped - workload.drops) > 0.005:
        raise Failed(f"{napd.name}, {workload.name}: {dropped:.1%} were dropped and not "
                     f"{workload.drops:.1%}: {grown}")
    return {k: v / total for k, v in grown.items()}


# ---- hugepages ----

class Hugepages:
    """Enough hugepages for all contenders at once: those that are free, else, for root, as many as
    the kernel gives, until the end."""

    PATH = "/sys/kernel/mm/hugepages/hugepages-2048kB/"

    def __init__(self, megabytes, wanted):
        self.before = None
        need = megabytes // 2
        self.enough = wanted and self.read("free_hugepages") >= need
        if not wanted or self.enough or os.geteuid() != 0:
            return
        self.before = self.read("nr_hugepages")
        self.write(self.before + need - self.read("free_hugepages"))
        self.enough = self.read("free_hugepages") >= need
        if not self.enough:
            self.give_back()

    def read(self, name):
        try:
            with open(self.PATH + name, encoding="ascii") as file:
                return int(file.read())
        except OSError:
            return 0

    def write(self, pages):
        try:
            with open(self.PATH + "nr_hugepages", "w", encoding="ascii") as file:
                file.write(str(pages))
        except OSError:
            pass

    def give_back(self):
        if self.before is not None:
            self.write(self.before)
            self.before = None


# ---- all of it ----

def prepare(workload, rig, size, options, made):
    """Tables and captures, once each."""
    for what, key, write in (
            ("tables", ("tables", workload.ports, dataclasses.astuple(size)),
             lambda: workloads.write_tables(workload, size, options.input, rig.folder)),
            ("captures", ("captures", workload.ports, workload.traffic, options.frames),
             lambda: workloads.write_captures(workload, size, options.frames, options.input,
                                              rig.folder))):
        if made.get(what) != key:
            write()
            made[what] = key


def run_workload(workload, rig, options, counters):
    """All contenders through one workload; what is printed and kept."""
    folder = rig.folder
    churn = Churn(workload.churn, folder, options.rounds) if workload.churn else None
    if churn:
        churn.prepare(updates.Routes(f"{folder}/routes.txt"), options.seconds + 2)
    text = workloads.napd_yaml(workload, rig, folder)
    napds = [Napd(name, binary, text, folder, rig) for name, binary in options.napd]
    contenders = napds + [Testpmd(mode, folder, rig) for mode in options.testpmd]
    started = []
    try:
        for contender in contenders:
            started.append(contender)
            contender.start()
            if churn and contender in napds:
                contender.load(churn.files[0])  # reads the dump too: not when it is measured
                contender.load_stop()
            contender.pause()
        before = {}
        for napd in napds:
            napd.go_on()
            before[napd.name] = napd.fates()
            napd.pause()
        slices, clocks = measure(contenders, options, rig, counters, workload.polled,
                                 churn)
        fates, functions = {}, {}
        for napd in napds:
            napd.go_on()
            fates[napd.name] = judge(napd, workload, before[napd.name])
            if options.instructions:
                functions[napd.name] = steps.by_function(napd.process.pid, napd.workers()[0],
                                                         napd.binary, options.steps)
            napd.pause()
    finally:
        for contender in started:
            contender.stop()
    stages = {n.name: n.stages(statistics.median(clocks)) for n in napds}
    return {
        "workload": workload.name, "text": workload.text, "rig": options.rig,
        "compact": rig.compact, "clock_ghz": spread(clocks),
        "contenders": {c.name: summary(c.name, slices, clocks, len(rig.cores))
                       for c in contenders},
        "fates": fates, "stages": stages, "instructions": functions,
    }


def cell(value, form):
    return "-" if value is None else form.format(**value)


def print_result(result):
    """A few lines for people."""
    print(f"\n{result['workload']}: {result['text']}  ({result['clock_ghz']['median']:.2f} GHz)")
    for name, row in result["contenders"].items():
        print(f"  {name:<14} {cell(row['cycles'], '{median:7.1f} cycles  {low:6.1f} ..{high:7.1f}')}"
              f"   {row['packets_per_second']['median'] / 1e6:6.2f} M/s"
              f"   {cell(row.get('ratio_to_mac'), '{median:5.2f} of mac  {low:.2f} .. {high:.2f}')}")
        if row["instructions"]:
            print(f"  {'':<14} {row['instructions']['median']:7.1f} instructions  "
                  f"{row['cache-misses']['median']:.3f} cache misses")
    for name, stages in result["stages"].items():
        for stage, cycles in stages.items():
            print(f"  {name:<14} {cycles:7.1f} in {stage}")
    for name, functions in result["instructions"].items():
        print(f"  {name:<14} {sum(functions.values()):7.1f} instructions, counted by single steps")
        for function, count in sorted(functions.items(), key=lambda item: -item[1]):
            if count >= 0.5:
                print(f"  {'':<14} {count:7.1f} in {function}")
    sys.stdout.flush()


def parse():
    names = [w.name for w in workloads.WORKLOADS]
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures napd beside dpdk-testpmd on the same devices.",
        epilog="Workloads: " + ", ".join(names))
    parser.add_argument("--workload", action="append", metavar="NAME", help="only these")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn (default 1)")
    parser.add_argument("--workers", type=int, default=1, help="worker cores (default 1)")
    parser.add_argument("--pmd", default="", help="library of a driver that is not DPDK's, such as "
                        "one that costs nothing; without it net_pcap plays captures for ever")
    parser.add_argument("--device", metavar="TEMPLATE", help="device string with {port}, {capture} "
                        "and {compact}; the default fits net_pcap, with --pmd net_synth")
    parser.add_argument("--frames", type=int, help="of the capture of a port")
    parser.add_argument("--napd", action="append", metavar="[NAME=]PATH",
                        help="measure this binary; several are measured side by side")
    parser.add_argument("--testpmd", default="io,mac", help="modes to measure (default io,mac)")
    parser.add_argument("--short", action="store_true",
                        help="a small table, few frames, two short rounds: does it work?")
    parser.add_argument("--no-hugepages", action="store_true",
                        help="small pages; by default free hugepages are used, and root reserves "
                        "some for as long as it takes")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the results into docs/performance.md and its picture")
    parser.add_argument("--stages", action="store_true", help="cycles by stage too, in a build that "
                        "reads the clock between them (some cycles more in all)")
    parser.add_argument("--instructions", action="store_true", help="instructions a packet by "
                        "function too, counted by single steps of a worker: needs no counters")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.workload or []:
        if name not in names:
            parser.error(f"no workload {name}; there are {', '.join(names)}")
    if options.stages and not options.napd:
        options.napd = [f"{options.build}-stages/napd"]
    if options.short:
        options.rounds, options.seconds = 2, 0.2
    options.rig = "pmd" if options.pmd else "net_pcap"
    options.frames = options.frames or (262144 if options.pmd else 4096)
    options.testpmd = [m for m in options.testpmd.split(",") if m]
    options.napd = [tuple(n.split("=", 1)) if "=" in n else (f"napd {i}" if i else "napd", n)
                    for i, n in enumerate(options.napd or [f"{options.build}/napd"])]
    options.input = f"{options.build}/tests/bench/bench-input"
    options.clock = f"{options.build}/tests/bench/bench-clock"
    options.steps = f"{options.build}/tests/bench/bench-steps"
    return options


def make_rig(options):
    cpus = sorted(os.sched_getaffinity(0))
    cores = cpus[1:] if len(cpus) > 1 else cpus
    if options.workers > len(cores):
        raise Failed(f"{options.workers} workers and a core for control want "
                     f"{options.workers + 1} CPUs; there are {len(cpus)}")
    template = options.device or (
        "net_synth{port},file={capture},compact={compact}" if options.pmd
        else "net_pcap{port},rx_pcap={capture},infinite_rx=1")
    folder = os.path.join(TOP, "build", "bench", "run")
    os.makedirs(folder, exist_ok=True)
    return Rig(os.path.abspath(options.pmd) if options.pmd else "", template, folder,
               cores[-options.workers:])


def cpu_path(flags):
    """The vector code that napd takes: see dataplane/cpu.c."""
    paths = {"scalar": set(), "avx2": {"avx2", "bmi1", "bmi2", "popcnt"},
             "avx512": {"avx2", "bmi1", "bmi2", "popcnt", "avx512f", "avx512bw", "avx512vl",
                        "avx512dq", "avx512_vpopcntdq"}}
    best, allowed = "scalar", os.environ.get("NAPD_CPU", "avx512")
    for path, needs in paths.items():
        if not needs <= flags:
            break
        best = path
        if path == allowed:
            break
    return best


def host():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        about = {l.split(":")[0].strip(): l.split(":")[1].strip() for l in file if ":" in l}
    model = f"{about.get('model name', '?')} (family {about.get('cpu family', '?')}, " \
        f"model {about.get('model', '?')})"
    commit = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"cpu": model, "path": cpu_path(set(about.get("flags", "").split())),
            "cpus": os.cpu_count(), "kernel": os.uname().release, "commit": commit,
            "date": datetime.date.today().isoformat()}


def run_all(options, rig, counters, document):
    """Every workload that was asked for, into document; one that fails does not spoil the others.
    Returns whether none did."""
    made, good = {}, True
    size = workloads.Size(20000, 5000) if options.short else workloads.Size()
    for workload in workloads.WORKLOADS:
        if options.workload and workload.name not in options.workload:
            continue
        if workload.missing:
            print(f"\n{workload.name}: not measured: {workload.missing}")
            document["not_measured"].append({"workload": workload.name, "why": workload.missing})
            continue
        rig.ports, rig.compact = workload.ports, workload.compact
        prepare(workload, rig, size, options, made)
        try:
            result = run_workload(workload, rig, options, counters)
        except Failed as why:
            print(f"\n{workload.name}: {why}", file=sys.stderr)
            document["not_measured"].append({"workload": workload.name, "why": str(why)})
            good = False
            continue
        document["results"].append(result)
        print_result(result)
    return good


def print_head(document):
    of = document["host"]
    print(f"{of['cpu']}, {of['path']} path, {of['commit']}; " +
          ("hardware counters" if of["counters"] else "no hardware counters: cycles are thread time "
           "x measured clock, instructions are not available") +
          ("; hugepages" if of["hugepages"] else "; small pages"))


def save(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(os.path.relpath(path))


def section(options, path):
    """Of docs/performance.md: one for each rig and vector code."""
    return f"bench {options.rig} {path}"


def write(document, options):
    """JSON and picture; the page that quotes them only if asked for."""
    folder = os.path.join(TOP, "build", "bench")
    print()
    save(f"{folder}/bench.json", json.dumps(document, indent=1))
    save(f"{folder}/bench.svg", plot.svg(document))
    if not options.write_docs:
        return
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    path = document["host"]["path"]
    picture = f"performance-{options.rig}-{path}.svg"
    inside = plot.table(document) + f"\n![cycles a packet]({picture})\n"
    save(PAGE, plot.replace_section(text, section(options, path), inside))
    save(os.path.join(TOP, "docs", picture), plot.svg(document))


def main():
    options = parse()
    counters = Counters()
    hugepages = None
    try:
        rig = make_rig(options)
        # DPDK rounds up generously, and tables of napd want some beside it
        hugepages = Hugepages(len(options.napd) * (2 * rig.megabytes + 512) +
                              len(options.testpmd) * (2 * rig.megabytes + 256),
                              not options.no_hugepages)
        rig.hugepages = hugepages.enough
        document = {"host": {**host(), "counters": counters.available, "hugepages": rig.hugepages},
                    "rig": options.rig, "rounds": options.rounds, "seconds": options.seconds,
                    "frames": options.frames, "workers": options.workers, "results": [],
                    "not_measured": []}
        if options.write_docs:
            plot.find_section(PAGE, section(options, document["host"]["path"]))
        print_head(document)
        good = run_all(options, rig, counters, document)
    except (Failed, plot.NoSection) as why:
        print(f"scripts/bench: {why}", file=sys.stderr)
        return 1
    finally:
        if hugepages:
            hugepages.give_back()
    if document["results"]:
        write(document, options)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
