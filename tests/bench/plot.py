# SPDX-License-Identifier: BSD-3-Clause
"""What a benchmark found, as a picture (SVG) and as a table for docs/performance.md."""
import re

COLOURS = {"testpmd io": "#b8c4d0", "testpmd mac": "#7f93a8", "napd": "#d9622b"}
BAR, GAP, LEFT, WIDTH, TOP = 13, 12, 130, 820, 44


def svg(document):
    """A bar a contender, a group a workload; the thin line holds the middle half of the rounds."""
    results = document["results"]
    most = max(row["cycles"]["high"] for r in results for row in r["contenders"].values())
    scale = (WIDTH - LEFT - 60) / most
    parts, y = [], TOP
    for result in results:
        contenders = result["contenders"]
        middle = y + len(contenders) * BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">'
                     f'{result["workload"]}</text>')
        for name, row in sorted(contenders.items(), key=lambda c: c[1]["cycles"]["median"]):
            cycles = row["cycles"]
            width = cycles["median"] * scale
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" '
                         f'fill="{COLOURS.get(name, "#4a4a4a")}"><title>{name}</title></rect>')
            parts.append(f'<line x1="{LEFT + cycles["low"] * scale:.1f}" '
                         f'x2="{LEFT + cycles["high"] * scale:.1f}" y1="{y + BAR / 2 - 1}" '
                         f'y2="{y + BAR / 2 - 1}" stroke="#222"/>')
            parts.append(f'<text x="{LEFT + max(width, cycles["high"] * scale) + 6:.1f}" '
                         f'y="{y + BAR - 3}">{cycles["median"]:.0f}</text>')
            y += BAR
        y += GAP
    legend = "".join(
        f'<rect x="{LEFT + 130 * i}" y="24" width="10" height="10" fill="{colour}"/>'
        f'<text x="{LEFT + 130 * i + 15}" y="33">{name}</text>'
        for i, (name, colour) in enumerate(COLOURS.items()))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
            'font-family="sans-serif" font-size="11">\n'
            f'<rect width="{WIDTH}" height="{y}" fill="white"/>\n'
            f'<text x="{LEFT}" y="15" font-size="13">Cycles a packet, one worker core</text>\n'
            + legend + "\n" + "\n".join(parts) + "\n</svg>\n")


def number(row, form="{median:.1f}"):
    return "-" if row is None else form.format(**row)


def table(document):
    """The results as Markdown, with where and how they were measured."""
    host = document["host"]
    rig = "a driver given by `--pmd`" if document["rig"] == "pmd" else "`net_pcap`"
    lines = [
        f"{host['cpu']}, {host['path']} path, kernel {host['kernel']}, {host['date']}, commit {host['commit']}; rig: {rig}; "
        f"{document['rounds']} interleaved rounds of {document['seconds']:g} s; "
        f"{'hugepages' if host['hugepages'] else 'small pages'}; "
        + ("hardware counters." if host["counters"] else
           "no hardware counters: cycles are the worker's own time x the clock measured in the same "
           "round, instructions and cache misses are not available."),
        "",
        "| workload | clock, GHz | testpmd io | testpmd mac | napd | half of the rounds | M packets/s | of mac |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in document["results"]:
        rows = result["contenders"]
        mine = rows["napd"]
        cycles = [number(rows[n]["cycles"]) if n in rows else "-"
                  for n in ("testpmd io", "testpmd mac")]
        lines.append(f"| {result['workload']}: {result['text']} "
                     f"| {number(result['clock_ghz'], '{median:.2f}')} | {cycles[0]} | {cycles[1]} "
                     f"| **{number(mine['cycles'])}** | {number(mine['cycles'], '{low:.1f} to {high:.1f}')} "
                     f"| {mine['packets_per_second']['median'] / 1e6:.1f} "
                     f"| {number(mine.get('ratio_to_mac'), '{median:.2f}')} |")
    for gap in document["not_measured"]:
        lines.append(f"\nNot measured: {gap['workload']}: {gap['why']}.")
    return "\n".join(lines) + "\n"


class NoSection(Exception):
    """A page has no place for what was measured."""


def section_pattern(name):
    return re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.S)


def find_section(page, name):
    """Said before hours of measuring, not after."""
    with open(page, encoding="utf-8") as file:
        if not section_pattern(name).search(file.read()):
            raise NoSection(f"{page} has no section {name}")


def replace_section(text, name, inside):
    """What stands between <!-- NAME --> and <!-- end --> made anew."""
    return section_pattern(name).sub(lambda m: m.group(1) + inside + m.group(2), text)
