#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads the MRT samples of the shared data with napd's parser and compares with what bgpdump
printed of them; the samples of which there is no such text must be read or refused as listed here.

usage: mrt_samples.py MRT-PRINT FOLDER
"""
import gzip
import ipaddress
import os
import re
import socket
import subprocess
import sys

# Samples of which bgpdump makes something all the same.
REFUSED = {
    'updates.nlri_mask_trailing_bits.gz': '88: a prefix is cut off',  # its last octet is half a /11
}
# What is refused, and why. All else must be read; how many lines at least.
SAMPLES = {
    'bird-mrtdump_bgp': 3, 'bird-mrtdump_rib': 3, 'bird6-mrtdump_bgp': 3, 'bird6-mrtdump_rib': 3,
    'bird6_bgp': 3, 'bird_bgp': 3, 'openbgpd_bgp': 3, 'openbgpd_rib_table': 3,
    'openbgpd_rib_table-mp': 'unsupported', 'openbgpd_rib_table-v2': 3, 'quagga_bgp': 3,
    'quagga_rib': 3,
}


def as_path(text):
    """Length as RFC 4271 9.1.2.2 counts it, and the first AS, of a path as bgpdump writes it."""
    text = re.sub(r'\([^)]*\)|\[[^]]*\]', ' ', text)  # confederations
    members = re.findall(r'\{[^}]*\}|\d+', text)
    first = members[0] if members and members[0].isdigit() else '0'
    return str(len(members)), first


def address(text):
    """As inet_ntop() writes it, whichever way bgpdump did."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_ntop(family, socket.inet_pton(family, text))


def prefix(text):
    return str(ipaddress.ip_network(text))


def reduced(line):
    """What mrt-print says of the path of a line of bgpdump -m; None where it must say nothing."""
    f = line.split('|')
    kind = f[2]
    f[3] = address(f[3])
    if kind != 'STATE':
        f[5] = prefix(f[5])
    if kind == 'STATE':
        return '|'.join(['STATE', f[1], f[3], f[4], f[5], f[6]])
    if kind == 'W':
        return '|'.join(['W', f[1], f[3], f[4], f[5], '0'])
    path_id = '0'
    if f[0].endswith('_AP'):
        path_id = f.pop(6)
    length, first = as_path(f[6])
    hop, pref, med = f[8], f[9], f[10]
    if hop == '255.255.255.255':  # how bgpdump says that it does not know
        hop = '?'
    else:
        hop = address(hop)
    # bgpdump writes 0 where there is no LOCAL_PREF
    return '|'.join([kind, f[1], f[3], f[4], f[5], path_id, length, first, f[7], hop,
                     '100' if pref == '0' else pref, med])


def read(program, path):
    done = subprocess.run([program, path], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def without_unknown(got, expected):
    """Where bgpdump does not know the next hop, ours is not compared."""
    out = []
    for mine, theirs in zip(got, expected):
        if '|?|' in theirs:
            f = mine.split('|')
            f[9] = '?'
            mine = '|'.join(f)
        out.append(mine)
    return out


def compare(program, folder, name):
    with gzip.open('%s/test_expect/%s.bgp.gz' % (folder, name), 'rt') as file:
        expected = [reduced(line.rstrip('\n')) for line in file]
    code, got, stderr = read(program, '%s/test_data/%s' % (folder, name))
    if name in REFUSED:
        return None if REFUSED[name] in stderr else 'was not refused: %s' % stderr
    if code != 0:
        return 'refused: %s' % stderr.strip()
    got = without_unknown(got, expected)
    if sorted(got) == sorted(expected):
        return None
    only = sorted(set(got) - set(expected))[:3], sorted(set(expected) - set(got))[:3]
    return '%d lines, expected %d; ours only: %s; theirs only: %s' % (
        (len(got), len(expected)) + only)


def examine(program, folder, name, wanted):
    code, got, stderr = read(program, '%s/%s' % (folder, name))
    if isinstance(wanted, str):
        return None if code == 2 and wanted in stderr else 'was not refused: %d %s' % (code, stderr)
    if code != 0:
        return 'refused: %s' % stderr.strip()
    return None if len(got) >= wanted else 'only %d lines' % len(got)


def main():
    program, folder = sys.argv[1:]
    if not os.path.isdir(folder):
        print('1..0 # SKIP there is no %s' % folder)
        return 0
    bgpdump, mrtparse = folder + '/bgpdump', folder + '/mrtparse'
    names = sorted(os.listdir(bgpdump + '/test_data'))
    results = [(name, compare(program, bgpdump, name)) for name in names]
    results += [(name, examine(program, mrtparse, name, wanted))
                for name, wanted in SAMPLES.items()]
    print('1..%d' % len(results))
    for number, (name, why) in enumerate(results, 1):
        print('%s %d - %s%s' % ('not ok' if why else 'ok', number, name, '\n# %s' % why if why else ''))
    return any(why for _, why in results)


if __name__ == '__main__':
    sys.exit(main())
