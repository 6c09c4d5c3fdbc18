# SPDX-License-Identifier: BSD-3-Clause
"""Capture files: writes the kinds that replay reads, reads the kind that it writes."""
import gzip
import struct

NANO, MICRO = 0xA1B23C4D, 0xA1B2C3D4


def write(path, records, kind='pcap'):
    """
    records: (time in ns, bytes held, length on the wire). kind: words of pcap, pcapng, us,
    big (byte order), gz, joined by '-'.
    """
    words = kind.split('-')
    data = pcapng(records, words) if 'pcapng' in words else pcap(records, words)
    if 'torn' in words:
        data = data[:-5]
    opener = gzip.open if 'gz' in words else open
    with opener(path, 'wb') as out:
        out.write(data)


def pcap(records, words):
    order = '>' if 'big' in words else '<'
    magic, unit = (MICRO, 1000) if 'us' in words else (NANO, 1)
    data = struct.pack(order + 'IHHiIII', magic, 2, 4, 0, 0, 262144, 1)
    for time, held, wire in records:
        data += struct.pack(order + 'IIII', time // 10**9, time % 10**9 // unit, len(held), wire)
        data += held
    return data


def pcapng(records, words):
    order = '>' if 'big' in words else '<'
    unit = 1000 if 'us' in words else 1

    def block(kind, body):
        size = len(body) + 12
        return struct.pack(order + 'II', kind, size) + body + struct.pack(order + 'I', size)

    options = b'' if 'us' in words else struct.pack(order + 'HHBxxxHH', 9, 1, 9, 0, 0)
    data = block(0x0A0D0D0A, struct.pack(order + 'IHHq', 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack(order + 'HHI', 1, 0, 0) + options)
    for time, held, wire in records:
        time //= unit
        head = struct.pack(order + 'IIIII', 0, time >> 32, time & 0xFFFFFFFF, len(held), wire)
        data += block(6, head + held.ljust((len(held) + 3) // 4 * 4, b'\0'))
    return data


def read(path):
    """Records of a nanosecond pcap in this machine's order, as replay must write it."""
    with open(path, 'rb') as file:
        data = file.read()
    magic, major, minor, _, _, _, link = struct.unpack('<IHHiIII', data[:24])
    if (magic, major, minor, link) != (NANO, 2, 4, 1):
        raise ValueError('%s is no nanosecond Ethernet pcap' % path)
    records, at = [], 24
    while at < len(data):
        seconds, nanoseconds, held, wire = struct.unpack('<IIII', data[at:at + 16])
        if at + 16 + held > len(data):
            raise ValueError('%s is torn' % path)
        records.append((seconds * 10**9 + nanoseconds, data[at + 16:at + 16 + held], wire))
        at += 16 + held
    return records
