# SPDX-License-Identifier: BSD-3-Clause
"""Instructions a packet of a running napd by function, by single steps of its worker (bench-steps):
exact, AVX-512 included, on any machine."""
import bisect
import os
import subprocess

STEPS = 250000
ENTRY = "pipeline_run"  # once a burst
BURST = 64              # a source that always has frames fills every one


def mappings(pid):
    """What a process has mapped: first address, end, file."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split()
            first, end = (int(x, 16) for x in fields[0].split("-"))
            found.append((first, end, fields[5] if len(fields) > 5 else "?"))
    return found


def functions(binary, base):
    """Where the functions of a binary are in a process, in order, and their names."""
    lines = subprocess.run(["nm", "-n", binary], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    pairs = [(int(f[0], 16) + base, f[2]) for f in map(str.split, lines)
             if len(f) == 3 and f[1] in "tT"]
    return [p[0] for p in pairs], [p[1] for p in pairs]


def by_function(pid, thread, binary, program):
    """Instructions a packet by function of binary, elsewhere by library; {} if none was seen."""
    maps, path = mappings(pid), os.path.realpath(binary)
    starts, names = functions(binary, min(m[0] for m in maps if m[2] == path))
    entry = starts[names.index(ENTRY)]
    lines = subprocess.run([program, thread, str(STEPS), f"{entry:x}"], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    counts, bursts = {}, 0
    for line in lines:
        at, count = int(line.split()[0], 16), int(line.split()[1])
        file = next((m[2] for m in maps if m[0] <= at < m[1]), "?")
        name = os.path.basename(file)
        if file == path:
            name = names[bisect.bisect_right(starts, at) - 1]
        counts[name] = counts.get(name, 0) + count
        if at == entry:
            bursts = count
    return {name: count / bursts / BURST for name, count in counts.items()} if bursts else {}
