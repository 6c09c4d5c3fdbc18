#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The rules of the house, checked over every file git knows: house.py TOP; prints TAP."""
import os
import re
import shutil
import subprocess
import sys

TOP = sys.argv[1]
FUNCTION_LINES_MAX = 100
CLANG_FORMAT_MAJOR = "14"


class Skip(Exception):
    """The check cannot be made here; its text says why."""


def run(*command):
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)


def tracked():
    """Paths of the project: what git tracks, or in an exported tree whatever is there."""
    listing = run("git", "-c", "safe.directory=*", "ls-files", "-z")
    if listing.returncode == 0:
        return [p for p in listing.stdout.split("\0") if p and os.path.exists(os.path.join(TOP, p))]
    paths = []
    for folder, below, names in os.walk(TOP):
        below[:] = [b for b in below if not b.startswith((".", "build"))]
        paths += [os.path.relpath(os.path.join(folder, name), TOP) for name in names]
    return paths


PATHS = sorted(tracked())
SOURCES = [p for p in PATHS if p.endswith((".c", ".h"))]


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def includes(path):
    """(line number, name) of every header included by name of the project's own."""
    for number, line in enumerate(text(path).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match:
            yield number, match.group(1)


def resolve(path, name):
    """The folders of the project in which an included name could be found."""
    roots = [os.path.dirname(path), "dataplane", "dataplane/api", "control"]
    found = {os.path.normpath(os.path.join(root, name)) for root in roots}
    return {p for p in found if p in PATHS}


def dataplane_never_includes_control():
    for path in SOURCES:
        if path.startswith("dataplane/"):
            for number, name in includes(path):
                hits = resolve(path, name)
                if hits and all(hit.startswith("control/") for hit in hits):
                    yield f"{path}:{number}: includes {name} of control/"


def control_includes_only_the_dataplane_api():
    for path in SOURCES:
        if path.startswith("control/"):
            for number, name in includes(path):
                hits = resolve(path, name)
                if hits and not any(h.startswith(("control/", "dataplane/api/")) for h in hits):
                    yield f"{path}:{number}: includes {name}, which is not in dataplane/api/"


def functions(path):
    """(first line, lines) of every function: from its signature to the brace in column 0."""
    lines = text(path).splitlines()
    start = 0
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            while start > 0 and lines[start - 1].strip() and lines[start - 1][0] not in "#/}*":
                start -= 1
        elif line == "}" and start:
            yield start + 1, number - start + 1
            start = 0


def no_function_over_100_lines():
    for path in SOURCES:
        for first, count in functions(path):
            if count > FUNCTION_LINES_MAX:
                yield f"{path}:{first}: a function of {count} lines"


def clang_format_clean():
    tool = shutil.which("clang-format")
    version = re.search(r"version (\d+)", run(tool, "--version").stdout) if tool else None
    if not version or version.group(1) != CLANG_FORMAT_MAJOR:
        raise Skip(f"needs clang-format {CLANG_FORMAT_MAJOR}; others format differently")
    result = run(tool, "--dry-run", "--Werror", *SOURCES)
    if result.returncode:
        hits = re.findall(r"^(\S+?:\d+):\d+: error", result.stderr, re.MULTILINE)
        for path in sorted({hit.split(":")[0] for hit in hits}):
            yield f"{path}: run clang-format -i {path}"


def every_file_names_its_licence():
    for path in PATHS:
        code = path.endswith((".c", ".h", ".py")) or text(path).startswith("#!")
        if code and "SPDX-License-Identifier: BSD-3-Clause" not in text(path)[:400]:
            yield f"{path}: no SPDX-License-Identifier"


def every_source_opens_with_what_it_owns():
    for path in SOURCES:
        body = re.sub(r"^(//|/\*).*SPDX.*\n", "", text(path)).lstrip("\n")
        if not body.startswith("/*"):
            yield f"{path}: no opening sentence"


def nothing_is_left_unfinished():
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    for path in PATHS:
        if path.endswith((".c", ".h", ".def", ".py", ".build")) or path.startswith("scripts/"):
            for number, line in enumerate(text(path).splitlines(), 1):
                if words.search(line):
                    yield f"{path}:{number}: {line.strip()}"


def scripts_are_shellcheck_clean():
    if not shutil.which("shellcheck"):
        raise Skip("needs shellcheck")
    scripts = [p for p in PATHS if text(p).startswith("#!/usr/bin/env bash")]
    for path in scripts:
        if "set -euo pipefail" not in text(path):
            yield f"{path}: no set -euo pipefail"
    result = run("shellcheck", "-f", "gcc", *scripts)
    yield from result.stdout.splitlines()


def no_pipe_ends_early():
    # With pipefail a reader that stops at its match fails now and then: its writer dies of SIGPIPE.
    for path in PATHS:
        if text(path).startswith("#!/usr/bin/env bash") or path.startswith("tests/live/"):
            for number, line in enumerate(text(path).splitlines(), 1):
                if re.search(r"\|\s*grep -\w*q", line):
                    yield f"{path}:{number}: {line.strip()}: use has of tests/live/lib.sh"


def packages_are_documented():
    listed = set(run("scripts/packages").stdout.split())
    documented = set(re.findall(r"^\| `([a-z0-9.+-]+)`", text("docs/dependencies.md"), re.MULTILINE))
    for name in sorted(listed ^ documented):
        where = "docs/dependencies.md" if name in listed else "scripts/packages"
        yield f"{name} is missing in {where}"


CHECKS = [
    dataplane_never_includes_control,
    control_includes_only_the_dataplane_api,
    no_function_over_100_lines,
    clang_format_clean,
    every_file_names_its_licence,
    every_source_opens_with_what_it_owns,
    nothing_is_left_unfinished,
    scripts_are_shellcheck_clean,
    no_pipe_ends_early,
    packages_are_documented,
]


def main():
    failed = 0
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        name = check.__name__.replace("_", " ")
        try:
            problems = list(check())
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}")
            continue
        print(("not ok" if problems else "ok") + f" {number} - {name}")
        for problem in problems:
            print(f"# {problem}")
            print(f"{name}: {problem}", file=sys.stderr)
        failed += bool(problems)
    sys.exit(1 if failed else 0)


main()
