#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes tests/fuzz/corpus/fpm: streams of every kind of message that FRR and the kernel send."""
import ipaddress
import os
import struct

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus', 'fpm')
NEWROUTE, DELROUTE, NEWNEXTHOP, DELNEXTHOP = 24, 25, 104, 105
DST, OIF, GATEWAY, PRIORITY, MULTIPATH, TABLE, VIA, NH_ID = 1, 4, 5, 6, 9, 15, 18, 30


def packed(text):
    return ipaddress.ip_address(text).packed


def attribute(kind, value):
    data = struct.pack('=HH', 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def number(kind, value):
    return attribute(kind, struct.pack('=I', value))


def message(kind, body):
    return struct.pack('=IHHII', 16 + len(body), kind, 0x501, 0, 1) + body


def frame(*messages):
    data = b''.join(messages)
    return struct.pack('>BBH', 1, 1, 4 + len(data)) + data


def route(prefix, *attributes, gone=False, kind=1, table=254):
    network = ipaddress.ip_network(prefix)
    body = struct.pack('=BBBBBBBBI', 2 if network.version == 4 else 10, network.prefixlen, 0, 0,
                       table, 186, 0, kind, 0)
    body += attribute(DST, network.network_address.packed) + number(PRIORITY, 20)
    return message(DELROUTE if gone else NEWROUTE, body + b''.join(attributes))


def hop(address, interface=3):
    return attribute(GATEWAY, packed(address)) + number(OIF, interface)


def next_hop(ident, address=None, interface=3, gone=False, group=(), blackhole=False):
    body = struct.pack('=BBBBI', 10 if address and ':' in address else 2, 0, 0, 0, 0)
    body += number(1, ident)
    if group:
        body += attribute(2, b''.join(struct.pack('=IBBH', i, w - 1, 0, 0) for i, w in group))
    if address:
        body += number(5, interface) + attribute(6, packed(address))
    if blackhole:
        body += attribute(4, b'')
    return message(DELNEXTHOP if gone else NEWNEXTHOP, body)


def multipath(*hops):
    data = b''
    for address, interface, weight in hops:
        inner = attribute(GATEWAY, packed(address))
        data += struct.pack('=HBBI', 8 + len(inner), 0, weight - 1, interface) + inner
    return attribute(MULTIPATH, data)


def main():
    change = frame(route('10.0.0.0/8', gone=True), route('10.0.0.0/8', hop('192.0.2.3')))
    via6 = attribute(VIA, struct.pack('=H', 10) + packed('fe80::1')) + number(OIF, 3)
    seeds = {
        'route': frame(route('10.0.0.0/8', hop('192.0.2.2'))),
        'change': frame(route('10.0.0.0/8', hop('192.0.2.2'))) + change,
        'ipv6': frame(route('2001:db8:7::/48', hop('fe80::1'))),
        'multipath': frame(route('10.0.0.0/8', multipath(('192.0.2.2', 3, 1), ('203.0.113.2', 5, 9)))),
        'kinds': b''.join(frame(route('10.%d.0.0/16' % k, kind=k)) for k in range(12)),
        'via': frame(route('10.0.0.0/8', via6)),
        'table': frame(route('10.0.0.0/8', number(TABLE, 300), hop('192.0.2.2'), table=0)),
        'objects': frame(next_hop(7, '192.0.2.2')) + frame(route('10.0.0.0/8', number(NH_ID, 7))) +
        frame(next_hop(7, '192.0.2.3')) + frame(next_hop(7, gone=True)),
        'groups': frame(next_hop(9, group=((7, 1), (8, 3)))) +
        frame(route('10.0.0.0/8', number(NH_ID, 9))) + frame(next_hop(7, '192.0.2.2')) +
        frame(next_hop(8, '203.0.113.2', 5)) + frame(next_hop(8, gone=True)) +
        frame(next_hop(9, group=((8, 2),))),
        'itself': frame(next_hop(9, group=((9, 1),))) + frame(route('10.0.0.0/8', number(NH_ID, 9))) +
        frame(next_hop(9, gone=True)),
        'itself-again': frame(next_hop(9, group=((9, 1), (9, 2)))) * 2,
        'blackhole': frame(next_hop(4, blackhole=True)) + frame(route('10.0.0.0/8', number(NH_ID, 4))),
        'link-local': frame(route('fe80::/64', number(OIF, 3))),
        'torn': change[:-3],
        'lying': change[:8] + b'\xff' + change[9:],
        'negative': frame(b'\x87' * 80),
        'not-netlink': b'\x01\x02\x00\x08abcd',
    }
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in seeds.items():
        with open(os.path.join(FOLDER, name), 'wb') as out:
            out.write(data)


if __name__ == '__main__':
    main()
