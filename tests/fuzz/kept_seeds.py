#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes tests/fuzz/corpus/kept: files of a warm start, and their bodies without a header."""
import ipaddress
import os
import struct
import zlib

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus', 'kept')
FPM, KERNEL = 6, 7
BLACKHOLE, UNREACHABLE, PROHIBIT, FIRST = 0, 1, 2, 3


def target(*hops):
    body = bytes([1, len(hops)])
    for port, weight, address in hops:
        address = ipaddress.ip_address(address)
        body += struct.pack('>HIB', port, weight, address.version) + address.packed
    return body


def route(source, prefix, to):
    prefix = ipaddress.ip_network(prefix)
    address = prefix.network_address.packed[:(prefix.prefixlen + 7) // 8]
    return bytes([2, source, prefix.version, prefix.prefixlen]) + address + struct.pack('>I', to)


def body(ports, routes, *records):
    names = b''.join(bytes([len(p)]) + p.encode() for p in ports)
    return struct.pack('>H', len(ports)) + names + struct.pack('>Q', routes) + b''.join(records)


def whole(data):
    summed = struct.pack('>Q', len(data)) + data
    return b'napdkept' + struct.pack('>II', 1, zlib.crc32(summed)) + summed


def main():
    mixed = body(['pa', 'pb'], 6, target((0, 1, '192.0.2.1')), route(FPM, '10.0.0.0/8', FIRST),
                 target((0, 2, '192.0.2.1'), (1, 256, 'fe80::1')), route(KERNEL, '0.0.0.0/0', FIRST + 1),
                 route(KERNEL, '2001:db8::/33', FIRST), route(FPM, '2001:db8::1/128', BLACKHOLE),
                 route(FPM, '203.0.113.0/25', UNREACHABLE), route(KERNEL, '::/0', PROHIBIT))
    wide = body(['p'], 1, target(*[(0, n + 1, f'2001:db8::{n}') for n in range(64)]), route(FPM, '198.51.100.7/32', FIRST))
    heavy = body(['pa'], 1, target((0, 65535, '192.0.2.1'), (0, 1, '192.0.2.2')), route(FPM, '198.51.100.0/24', FIRST))
    seeds = {'heavy': heavy, 'empty': body([], 0), 'mixed': mixed, 'wide': wide, 'whole': whole(mixed), 'cut': mixed[:-3],
             'unknown-target': body(['p'], 1, route(FPM, '10.0.0.0/8', FIRST)), 'false-sum': whole(mixed)[:-1] + b'\7'}
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in seeds.items():
        with open(os.path.join(FOLDER, name), 'wb') as out:
            out.write(data)


main()
