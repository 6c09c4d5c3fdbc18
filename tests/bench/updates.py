# SPDX-License-Identifier: BSD-3-Clause
"""Writes MRT files for measuring churn: a dump of routes.txt (RFC 6396, TABLE_DUMP_V2) by one peer, and
what that peer then announces anew, so many prefixes a second, each time over another next hop."""
import ipaddress
import random
import struct

START_S = 1
PEER, PEER_AS = "198.18.0.2", 64512
EACH = 50          # prefixes of a message: such as share their path


class Routes:
    """routes.txt as octets: prefixes by family, and the next hops that there are."""

    def __init__(self, path):
        self.prefixes = {4: [], 6: []}     # (length and octets, number of the next hop)
        self.hops = {4: [], 6: []}
        numbers = {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                prefix, hop = line.rstrip().split(" via ")
                family = 6 if ":" in prefix else 4
                if hop not in numbers:
                    numbers[hop] = len(self.hops[family])
                    self.hops[family].append(ipaddress.ip_address(hop).packed)
                self.prefixes[family].append((packed(prefix, family), numbers[hop]))


def packed(prefix, family):
    """As BGP writes it. ipaddress takes its time with a million of them."""
    address, _, length = prefix.partition("/")
    octets = (int(length) + 7) // 8
    if family == 4:
        data = bytes(map(int, address.split(".")))
    else:
        data = ipaddress.IPv6Address(address).packed
    return bytes([int(length)]) + data[:octets]


def attributes(hop, prefixes=None):
    """Of an announcement by IPv4, or, with MP_REACH_NLRI, of IPv6 prefixes; of a dump without."""
    data = b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01" + struct.pack(">I", PEER_AS)
    if len(hop) == 4:
        return data + b"\x40\x03\x04" + hop
    value = bytes([16]) + hop
    if prefixes is not None:
        value = struct.pack(">HB", 2, 1) + value + b"\0" + prefixes
    return data + struct.pack(">BBH", 0x90, 14, len(value)) + value


def write_dump(routes, path):
    """Every route once."""
    peer = bytes(map(int, PEER.split(".")))
    table = peer + struct.pack(">HHB", 0, 1, 2) + peer + peer + struct.pack(">I", PEER_AS)
    with open(path, "wb") as file:
        file.write(struct.pack(">IHHI", START_S, 13, 1, len(table)) + table)
        for family, subtype in ((4, 2), (6, 4)):
            entries = []
            for hop in routes.hops[family]:
                data = attributes(hop)
                entries.append(struct.pack(">HHIH", 1, 0, START_S, len(data)) + data)
            for number, (prefix, hop) in enumerate(routes.prefixes[family]):
                body = prefix + entries[hop]
                file.write(struct.pack(">IHHII", START_S, 13, subtype, 4 + len(body), number) + body)


def message(time_us, body):
    """A BGP4MP_ET record of an UPDATE."""
    peer = bytes(map(int, PEER.split(".")))
    body = struct.pack(">IIHH", PEER_AS, 64500, 0, 1) + peer + bytes(4) + b"\xff" * 16 + \
        struct.pack(">HB", 19 + len(body), 2) + body
    return struct.pack(">IHHII", START_S + time_us // 1000000, 17, 4, 4 + len(body),
                       time_us % 1000000) + body


def write_updates(routes, path, rate, seconds, seed):
    """So many prefixes a second, drawn from all, over a next hop that is drawn too."""
    chance = random.Random(seed)
    families = [4] * len(routes.prefixes[4]) + [6] * len(routes.prefixes[6])
    with open(path, "wb") as file:
        for number in range(int(rate * seconds / EACH)):
            family = chance.choice(families)
            some = chance.choices(routes.prefixes[family], k=EACH)
            prefixes = b"".join(prefix for prefix, _ in some)
            hop = chance.choice(routes.hops[family])
            data = attributes(hop, prefixes if family == 6 else None)
            body = struct.pack(">HH", 0, len(data)) + data + (prefixes if family == 4 else b"")
            file.write(message(number * EACH * 1000000 // rate, body))
