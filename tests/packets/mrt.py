# SPDX-License-Identifier: BSD-3-Clause
"""Writes MRT files for packet cases from their lines, from RFC 6396, 8050 and 4271; shares nothing
with napd. See "Tables" in docs/testing.md for the notation.
"""
import bz2
import gzip
import ipaddress
import lzma
import struct

from packet import NotationError

DEFAULT_AS = 64501
ORIGINS = {'igp': 0, 'egp': 1, 'incomplete': 2}


def packed(address):
    return ipaddress.ip_address(address).packed


def prefix_bytes(text, dirty=0):
    network = ipaddress.ip_network(text)
    data = bytearray(network.network_address.packed[:(network.prefixlen + 7) // 8])
    if dirty:
        data[-1] |= dirty
    return bytes([network.prefixlen]) + bytes(data)


def attribute(flags, kind, value):
    if len(value) > 255:
        return struct.pack('>BBH', flags | 0x10, kind, len(value)) + value
    return bytes([flags, kind, len(value)]) + value


def as_path(text, width):
    """64501,64510,{64511,64512}: a sequence, and sets in braces."""
    out, sequence = b'', []

    def flush():
        nonlocal sequence
        data = b''
        if sequence:
            data = bytes([2, len(sequence)]) + b''.join(x.to_bytes(width, 'big') for x in sequence)
        sequence = []
        return data

    for part in text.replace('{', ' {').replace('}', '} ').split():
        if part[0] == '{':
            members = [int(x) for x in part[1:-1].split(',')]
            out += flush() + bytes([1, len(members)])
            out += b''.join(x.to_bytes(width, 'big') for x in members)
        else:
            sequence += [int(x) for x in part.split(',') if x]
    return out + flush()


def attributes(keys, dump, width=4, prefixes=()):
    """Path attributes; MP_REACH_NLRI where a next hop or a prefix is IPv6, shortened in dumps."""
    out = attribute(0x40, 1, bytes([ORIGINS[keys.get('origin', 'igp')]]))
    out += attribute(0x40, 2, as_path(keys.get('path', str(DEFAULT_AS)), width))
    hops = [packed(x) for x in keys['via'].split('+')] if 'via' in keys else []
    multi = bool(hops) and (len(hops[0]) == 16 or any(':' in p for p in prefixes))
    if hops and not multi:
        out += attribute(0x40, 3, hops[0])
    if 'med' in keys:
        out += attribute(0x80, 4, struct.pack('>I', int(keys['med'])))
    if 'pref' in keys:
        out += attribute(0x40, 5, struct.pack('>I', int(keys['pref'])))
    if multi:
        hop = b''.join(hops)
        value = bytes([len(hop)]) + hop
        if not dump or 'whole' in keys:
            family = 2 if any(':' in p for p in prefixes) else 1
            value = struct.pack('>HB', family, 1) + value + b'\0'
            value += b''.join(prefix_bytes(p) for p in prefixes)
        out += attribute(0x80, 14, value)
    if 'hex' in keys:
        out += bytes.fromhex(keys['hex'])
    return out


def parse_keys(text):
    """a=b c=d: as a dictionary; a word without = stands for itself."""
    return {word.split('=', 1)[0]: word.split('=', 1)[-1] for word in text.split()}


class File:
    """One file: its records in the order of its lines."""

    def __init__(self, start_s):
        self.start_s, self.peers, self.data, self.sequence = start_s, [], b'', 0
        self.table_written = False

    def record(self, kind, subtype, body, time_s=0, microseconds=None):
        if microseconds is not None:
            body = struct.pack('>I', microseconds) + body
        self.data += struct.pack('>IHHI', self.start_s + time_s, kind, subtype, len(body)) + body

    def peer_table(self):
        body = packed('192.0.2.255') + struct.pack('>H', 4) + b'view'
        body += struct.pack('>H', len(self.peers))
        for peer in self.peers:
            address = packed(peer['address'])
            body += bytes([2 | (len(address) == 16)]) + packed(peer['id']) + address
            body += struct.pack('>I', int(peer['as']))
        self.record(13, 1, body)
        self.table_written = True

    def index(self, name):
        for i, peer in enumerate(self.peers):
            if peer['name'] == name:
                return i
        raise NotationError('no such peer: %s' % name)

    def line(self, text):
        verb, _, rest = text.partition(' ')
        getattr(self, 'line_' + verb)(rest)

    def line_peer(self, text):
        """peer NAME as= id= address="""
        name, _, rest = text.partition(' ')
        self.peers.append({'as': str(DEFAULT_AS), 'id': '192.0.2.1', 'name': name,
                           **parse_keys(rest)})

    def line_rib(self, text):
        """rib PREFIX [addpath] [generic] [dirty=N] PEER(KEYS)...: a record of TABLE_DUMP_V2"""
        if not self.table_written:
            self.peer_table()
        head, _, entries = text.partition('(')
        words = head.split()
        prefix, last = words[0], words.pop()
        keys = parse_keys(' '.join(words[1:]))
        ipv6, add_path = ':' in prefix, 'addpath' in keys
        body, count = b'', 0
        for entry in (last + '(' + entries).split(')')[:-1]:
            name, _, said = entry.partition('(')
            said = parse_keys(said)
            data = attributes(said, True, 4, [prefix])
            body += struct.pack('>HI', self.index(name.strip()), self.start_s)
            body += struct.pack('>I', int(said.get('id', 1))) if add_path else b''
            body += struct.pack('>H', len(data)) + data
            count += 1
        start = struct.pack('>I', self.sequence)
        self.sequence += 1
        if 'generic' in keys:
            subtype = 12 if add_path else 6
            start += struct.pack('>HB', 2 if ipv6 else 1, 1)
        else:
            subtype = (10 if ipv6 else 8) if add_path else (4 if ipv6 else 2)
        start += prefix_bytes(prefix, int(keys.get('dirty', 0)))
        self.record(13, subtype, start + struct.pack('>H', count) + body)

    def line_old(self, text):
        """old PREFIX PEER(KEYS): a record of TABLE_DUMP"""
        prefix, name, said = text.partition('(')[0].split() + [text.partition('(')[2].rstrip(')')]
        network, peer = ipaddress.ip_network(prefix), self.peers[self.index(name)]
        data = attributes({**parse_keys(said), 'whole': ''}, True, 2, [prefix])
        body = struct.pack('>HH', 0, self.sequence) + network.network_address.packed
        body += bytes([network.prefixlen, 1]) + struct.pack('>I', self.start_s)
        body += packed(peer['address']) + struct.pack('>H', int(peer['as']))
        self.sequence += 1
        self.record(12, network.version // 4 if network.version == 4 else 2,
                    body + struct.pack('>H', len(data)) + data)

    def session(self, name, as4=True):
        peer = self.peers[self.index(name)]
        address = packed(peer['address'])
        form = '>IIHH' if as4 else '>HHHH'
        return struct.pack(form, int(peer['as']), 64500, 0, 2 if len(address) == 16 else 1) + \
            address + bytes(len(address))

    def line_update(self, text):
        """update SECONDS PEER [announce=P,P] [withdraw=P,P] [as2] [addpath=N] KEYS"""
        time, name, rest = (text + ' ').split(' ', 2)
        keys = parse_keys(rest)
        announce = [p for p in keys.get('announce', '').split(',') if p]
        withdraw = [p for p in keys.get('withdraw', '').split(',') if p]
        width, ident = (2 if 'as2' in keys else 4), b''
        if 'addpath' in keys:
            ident = struct.pack('>I', int(keys['addpath']))
        gone = b''.join(ident + prefix_bytes(p) for p in withdraw if ':' not in p)
        six = [p for p in withdraw if ':' in p]
        data = attributes(keys, False, width, announce) if announce else b''
        if six:
            value = struct.pack('>HB', 2, 1) + b''.join(ident + prefix_bytes(p) for p in six)
            data += attribute(0x80, 15, value)
        multi = bool(announce) and ':' in keys['via']
        plain = b'' if multi else b''.join(ident + prefix_bytes(p) for p in announce)
        body = struct.pack('>H', len(gone)) + gone + struct.pack('>H', len(data)) + data + plain
        self.message(time, name, 2, body, width == 4, bool(ident))

    def message(self, time, name, kind, body, as4=True, add_path=False):
        body = b'\xff' * 16 + struct.pack('>HB', 19 + len(body), kind) + body
        seconds, _, part = time.partition('.')
        subtype = (9 if as4 else 8) if add_path else (4 if as4 else 1)
        self.record(17 if part else 16, subtype, self.session(name, as4) + body, int(seconds),
                    int(part.ljust(6, '0')) if part else None)

    def line_open(self, text):
        """open SECONDS PEER ID"""
        time, name, ident = text.split()
        self.message(time, name, 1, struct.pack('>BHH', 4, 23456, 180) + packed(ident) + b'\0')

    def line_state(self, text):
        """state SECONDS PEER OLD NEW"""
        time, name, old, new = text.split()
        self.record(16, 5, self.session(name) + struct.pack('>HH', int(old), int(new)), int(time))

    def line_hex(self, text):
        self.data += bytes.fromhex(text)

    def line_raw(self, text):
        """raw TYPE SUBTYPE HEX: a record"""
        kind, subtype, body = (text + ' ').split(' ', 2)
        self.record(int(kind), int(subtype), bytes.fromhex(body.strip()))

    def line_cut(self, text):
        """cut N: without its last bytes"""
        self.data = self.data[:-int(text)]


def write(path, lines, start_s):
    """A file of lines; its name says how it is packed, torn.NAME tears what was packed."""
    file = File(start_s)
    for line in lines:
        file.line(line)
    data = file.data
    for ending, pack in (('.gz', gzip.compress), ('.bz2', bz2.compress), ('.xz', lzma.compress)):
        if path.endswith(ending):
            half = len(data) // 2 if 'twice' in path else 0
            data = (pack(data[:half]) if half else b'') + pack(data[half:])
    if 'torn' in path:
        data = data[:-12]
    with open(path, 'wb') as out:
        out.write(data)
