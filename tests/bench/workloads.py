# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: traffic, and how napd is configured for it. Addresses are those set aside for
benchmarks (RFC 2544, RFC 5180); tests/bench/input.c knows them too."""
import dataclasses
import subprocess


@dataclasses.dataclass
class Workload:
    """Traffic and configuration; one line of the table."""

    name: str
    text: str
    traffic: tuple = ()            # arguments of bench-input
    compact: int = 1               # of net_synth; 0: whole frames, as every mixture needs
    ports: int = 4
    members: int = 4
    checks: bool = True            # MAC lock and source check
    drops: float = 0.0             # the share that is meant to be dropped
    polled: bool = False           # exporters asked ten times a second
    churn: int = 0                 # route changes a second
    missing: str = ""              # why it cannot be measured yet


@dataclasses.dataclass
class Size:
    """Of the tables."""

    routes4: int = 1000000
    routes6: int = 200000


WORKLOADS = [
    Workload("ipv4-random", "IPv4, destinations uniform over the prefixes"),
    Workload("ipv4-hot", "IPv4, 1,000 destinations", ("--destinations", "hot")),
    Workload("ipv4-sources", "IPv4 random, sources over 4,000 prefixes a port",
             ("--from", "spread"), compact=2),
    Workload("ipv4-bare", "IPv4 random, no source check, no MAC lock", checks=False),
    Workload("ipv6-random", "IPv6, destinations uniform over the prefixes", ("--ipv6", "100")),
    Workload("ipv6-hot", "IPv6, 1,000 destinations", ("--ipv6", "100", "--destinations", "hot")),
    Workload("mixed-random", "75 % IPv4, 25 % IPv6, random", ("--ipv6", "25"), compact=0),
    Workload("imix", "64, 576 and 1,500 bytes, 7:4:1, IPv4 random", ("--length", "0"), compact=0),
    Workload("ipv4-1518", "1,514 bytes (1,518 with FCS), IPv4 random", ("--length", "1514")),
    Workload("pair", "everything between one pair of members", ("--pair", "1"),
             ports=2),
    Workload("members-64", "64 members, all routers send", ("--from", "members"), compact=0,
             members=64),
    Workload("drops-1", "IPv4 random, 1 % without a route", ("--drops", "1"), drops=0.01),
    Workload("exporters", "IPv4 random, metrics and napctl asked 10 times a second", polled=True),
    Workload("churn-10k", "IPv4 random, 10,000 route changes a second", churn=10000),
    Workload("churn-100k", "IPv4 random, 100,000 route changes a second", churn=100000),
    Workload("rules-10k", "IPv4 random, 10,000 access rules", missing="there are no rules yet"),
]


def hops(workload):
    """Next hops in all: 16 routers a port."""
    return 16 * workload.ports


def table_arguments(workload, size):
    return ["--ports", str(workload.ports), "--hops", str(hops(workload)),
            "--routes4", str(size.routes4), "--routes6", str(size.routes6)]


def write_tables(workload, size, program, folder):
    """routes.txt and sources.txt for so many ports."""
    subprocess.run([program, *table_arguments(workload, size), "--routes", f"{folder}/routes.txt",
                    "--sources", f"{folder}/sources.txt"], check=True)


def write_captures(workload, size, frames, program, folder):
    """One capture a port, p0.pcap and on."""
    subprocess.run([program, *table_arguments(workload, size), "--frames", str(frames),
                    *workload.traffic, "--captures", folder], check=True)


def sources_by_hop(folder):
    prefixes = {}
    with open(f"{folder}/sources.txt", encoding="utf-8") as file:
        for line in file:
            hop, prefix = line.split()
            prefixes.setdefault(int(hop), []).append(prefix)
    return prefixes


def router(port, number):
    """A line of routers: number counts the routers of a port."""
    return (f"      - {{mac: \"02:5f:00:00:{port:02x}:{number:02x}\", addresses: "
            f"[198.18.{port}.{number + 2}, \"2001:2:0:{port:x}::{number + 2:x}\"]}}\n")


def members_yaml(workload, folder):
    """Members share the 16 routers of each port evenly."""
    sources = sources_by_hop(folder) if workload.checks else {}
    each = hops(workload) // workload.members
    text = "members:\n"
    for member in range(workload.members):
        port, first = member % workload.ports, member // workload.ports * each
        text += (f"  - name: Member {member}\n    asn: {64512 + member}\n    port: p{port}\n"
                 "    routers:\n")
        prefixes = []
        for number in range(first, first + each):
            text += router(port, number)
            prefixes += sources.get(number * workload.ports + port, [])
        if prefixes:
            text += "    prefixes:\n" + "".join(f"      - \"{p}\"\n" for p in prefixes)
    return text


def napd_yaml(workload, rig, folder):
    """Everything an exchange needs is on, unless the workload says otherwise."""
    eal = "".join(f"\"{word}\", " for word in rig.eal_arguments())
    lock = "true" if workload.checks else "false"
    check = "prefixes" if workload.checks else "none"
    text = ("exchange: {name: bench, asn: 64500}\n"
            f"dataplane: {{workers: {len(rig.cores)}, cores: \"{','.join(map(str, rig.cores))}\", "
            f"idle: poll, memory: {rig.megabytes}M, hugepages: {'required' if rig.hugepages else 'never'}, "
            f"eal: [{eal}]}}\n"
            "ports:\n")
    for port, device in enumerate(rig.devices()):
        text += (f"  - {{name: p{port}, device: \"{device}\", mac: \"02:5e:00:00:00:{port:02x}\", "
                 f"queues: {len(rig.cores)}, mac-lock: {lock}, source-check: {check}, "
                 "source-check-action: drop, "
                 f"addresses: [198.18.{port}.1/24, \"2001:2:0:{port:x}::1/64\"]}}\n")
    tables = f"mrt: [{folder}/rib.mrt]" if workload.churn else f"file: [{folder}/routes.txt]"
    return text + members_yaml(workload, folder) + f"tables: {{{tables}}}\n"
