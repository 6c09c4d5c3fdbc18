#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every reason to drop a packet is some case's claim, or excused by a test that covers it."""
import os
import re
import sys

import case as cases

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LEAST_CASES = 150


def reasons():
    with open(os.path.join(ROOT, 'dataplane', 'pipeline.def'), encoding='utf-8') as file:
        return re.findall(r'^DROP\(\w+, "([a-z0-9-]+)"', file.read(), re.M)


def excuses():
    """REASON FILE TEST: a unit test in FILE called TEST covers REASON instead; or REASON undecided."""
    found = {}
    with open(os.path.join(HERE, 'excused'), encoding='utf-8') as file:
        for line in file:
            words = line.split('#')[0].split()
            if words:
                found[words[0]] = words[1:]
    return found


def decided(reason):
    """The file of the dataplane that drops packets for reason, or None."""
    name = 'DROP_' + reason.upper().replace('-', '_')
    for folder, _, files in os.walk(os.path.join(ROOT, 'dataplane')):
        for file in files:
            if file.endswith(('.c', '.h')):
                with open(os.path.join(folder, file), encoding='utf-8') as text:
                    if re.search(r'\b%s\b' % name, text.read()):
                        return file
    return None


def main():
    covered, count, problems = set(), 0, []
    for name in sorted(os.listdir(HERE)):
        if name.endswith('.cases'):
            for case in cases.read(os.path.join(HERE, name)):
                count += 1
                for run in case.runs:
                    covered |= {words[1].partition('@')[0] for words, _, _ in run.lines
                                if words[0] == 'drop'}
    excused = excuses()
    for reason in reasons():
        if reason in covered and reason in excused:
            problems.append('%s has a case and needs no excuse' % reason)
        elif reason not in covered and reason not in excused:
            problems.append('%s: no case drops a packet for it' % reason)
    for reason in (covered | set(excused)) - set(reasons()):
        problems.append('%s is no reason of dataplane/pipeline.def' % reason)
    for reason, words in excused.items():
        if words == ['undecided']:
            if decided(reason):
                problems.append('%s is decided by %s, but has no case' % (reason, decided(reason)))
            continue
        path, test = words
        try:
            with open(os.path.join(ROOT, path), encoding='utf-8') as file:
                if not re.search(r'\b%s\b' % re.escape(test), file.read()):
                    problems.append('%s: %s has no test called %s' % (reason, path, test))
        except OSError as error:
            problems.append('%s: %s' % (reason, error))
    if count < LEAST_CASES:
        problems.append('only %d cases' % count)
    print('1..1')
    print('%sok 1 - every reason to drop has a case, or a test that excuses it' % (
        'not ' if problems else ''))
    for problem in problems:
        print('# %s' % problem)
    print('# %d reasons, %d excused, %d cases' % (len(reasons()), len(excused), count))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
