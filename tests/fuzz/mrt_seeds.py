#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes tests/fuzz/corpus/mrt from the MRT files of the packet cases, and some of its own."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKETS = os.path.join(HERE, '..', 'packets')
sys.path.insert(0, PACKETS)

import case as cases  # noqa: E402
import mrt  # noqa: E402

OWN = {
    'peers-only': ['peer a address=192.0.2.1', 'rib 10.0.0.0/8 a(via=198.51.100.6)', 'cut 48'],
    'many-attributes': [
        'peer a address=192.0.2.1', 'rib 10.0.0.0/8 a(via=198.51.100.6 med=1 pref=200 '
        'path=1{2,3} hex=c0080400010002c0110600020000ffff)'],
    'confederation': ['peer a address=192.0.2.1', 'rib 10.0.0.0/8 a(via=198.51.100.6 hex=400206030100000001)'],
    'as4-path': ['peer a address=192.0.2.1', 'update 1 a announce=10.0.0.0/8 via=198.51.100.6 as2 path=23456,5 '
                 'hex=c0110a02020001000100000005'],
}


def main():
    folder = os.path.join(HERE, 'corpus', 'mrt')
    os.makedirs(folder, exist_ok=True)
    seeds = {}
    for name in ('rib', 'updates'):
        for number, case in enumerate(cases.read(os.path.join(PACKETS, name + '.cases'))):
            for file, lines in case.mrt.items():
                seeds['%s-%02d-%s' % (name, number, file)] = lines
    seeds.update(OWN)
    for name, lines in seeds.items():
        mrt.write(os.path.join(folder, name), lines, 1)


if __name__ == '__main__':
    main()
