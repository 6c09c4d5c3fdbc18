# SPDX-License-Identifier: BSD-3-Clause
"""The packet builder: frames from one-line descriptions, written from the RFCs in plain Python.

It shares nothing with napd, so that what both agree on is likely right. docs/testing.md
describes the notation.
"""
import ipaddress
import re
import shlex
import struct

ETHERTYPE_IP4, ETHERTYPE_ARP, ETHERTYPE_IP6, ETHERTYPE_VLAN = 0x0800, 0x0806, 0x86DD, 0x8100
PROTOCOL = {'icmp': 1, 'ip': 4, 'tcp': 6, 'udp': 17, 'ip6': 41, 'rt': 43, 'frag6': 44,
            'icmp6': 58, 'dstopt': 60, 'hbh': 0, 'ns': 58, 'na': 58, 'rs': 58, 'ra': 58,
            'redirect': 58}
ND = {'rs': 133, 'ra': 134, 'ns': 135, 'na': 136, 'redirect': 137}
ETHERNET_MIN = 60


class NotationError(Exception):
    """The description itself is wrong."""


def fold(data):
    """One's complement sum of 16-bit words (RFC 1071), odd bytes padded with zero."""
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    """The Internet checksum of data, whose checksum field is zero or left out."""
    return 0xFFFF - fold(data)


def mac(text):
    text = {'broadcast': 'ff:ff:ff:ff:ff:ff', 'zero': '00:00:00:00:00:00'}.get(text, text)
    raw = bytes(int(part, 16) for part in text.split(':'))
    if len(raw) != 6:
        raise NotationError('%s is no MAC address' % text)
    return raw


def pattern(size):
    """Payload that shows where it was moved or cut: every byte tells its place."""
    return bytes((i * 7 + (i >> 8)) & 0xFF for i in range(size))


def number(text):
    return int(text, 0)


class Layer:
    """name(positional words, key=value words)"""

    def __init__(self, name, words):
        self.name, self.words, self.keys = name, [], {}
        for word in words:
            key, equals, value = word.partition('=')
            if equals and re.fullmatch('[a-z0-9-]+', key):
                self.keys[key] = value
            else:
                self.words.append(word)

    def take(self, key, default=None):
        return self.keys.pop(key, default)

    def take_number(self, key, default):
        value = self.keys.pop(key, None)
        return default if value is None else number(value)

    def flag(self, word):
        if word in self.words:
            self.words.remove(word)
            return 1
        return 0

    def pair(self, default):
        """The word A>B; either side may be left out."""
        for word in self.words:
            if '>' in word:
                self.words.remove(word)
                left, _, right = word.partition('>')
                return left or default[0], right or default[1]
        return default

    def done(self):
        if self.words or self.keys:
            raise NotationError('%s(...): unknown: %s' % (
                self.name, ' '.join(self.words + list(self.keys))))


def parse(text):
    """Layers and finishing touches (cut=, pad=, trail=, snap=) of a description."""
    layers, touches = [], []
    position = 0
    token = re.compile(r'\s*(?:([a-z0-9]+)\(([^)]*)\)|"([^"]*)"|([a-z]+)=(\S+)|(notag))')
    while position < len(text.rstrip()):
        match = token.match(text, position)
        if not match:
            raise NotationError('cannot read: %s' % text[position:])
        position = match.end()
        if match.group(1):
            words = shlex.split(match.group(2).replace(',', ' '))
            layers.append(Layer(match.group(1), words))
        elif match.group(3) is not None:
            layers.append(Layer('hex', [match.group(3).encode().hex()]))
        elif match.group(6):
            layers.append(Layer('notag', []))
        else:
            touches.append((match.group(4), match.group(5)))
    return layers, touches


class Builder:
    """Builds frames; names are resolved by the configuration that a case runs under."""

    def __init__(self, addresses4=None, addresses6=None, resolve_mac=mac):
        self.default4 = addresses4 or ('203.0.113.5', '198.18.1.1')
        self.default6 = addresses6 or ('2001:db8:a::5', '2001:db8:b::1')
        self.resolve_mac = resolve_mac
        self.sender = None  # who sends the frame that is being built

    def frame(self, text, source, destination, vlan=0):
        """
        The bytes of a description and how many of them a capture holds. source and
        destination are the MAC names of a frame that does not say eth(...).
        """
        layers, touches = parse(text)
        tags = any(layer.name in ('vlan', 'notag') for layer in layers)
        layers = [layer for layer in layers if layer.name != 'notag']
        eth = layers.pop(0) if layers and layers[0].name == 'eth' else Layer('eth', [])
        if layers and layers[0].name == 'raw':
            raw = bytes.fromhex(''.join(layers[0].words))
            return self.finish(raw, touches)
        if vlan and not tags:
            layers.insert(0, Layer('vlan', [str(vlan)]))
        names = eth.pair((source, None))
        names = (eth.take('src', names[0]),
                 eth.take('dst', names[1]) or self.group(layers, destination))
        self.sender = names[0]
        header = self.resolve_mac(names[1]) + self.resolve_mac(names[0])
        kind = eth.take('type')
        kind = number(kind) if kind else self.ethertype(layers)
        eth.done()
        payload = self.build(self.sized(layers, text))
        return self.finish(header + struct.pack('!H', kind) + payload, touches)

    @staticmethod
    def group(layers, destination):
        """Neighbour discovery to a group and ARP requests are sent to the group's MAC."""
        names = [layer.name for layer in layers]
        for layer in layers:
            if layer.name == 'arp' and 'request' in layer.words:
                return 'broadcast'
            if layer.name == 'ip6' and set(names) & (set(ND) | {'mld'}):
                where = [w.partition('>')[2] for w in layer.words if '>' in w] or ['']
                where = layer.keys.get('dst', where[0])
                if not where and 'ns' in names:
                    target = layers[names.index('ns')].words[0]
                    where = str(solicited_node(target))
                if where and ipaddress.IPv6Address(where).is_multicast:
                    packed = ipaddress.IPv6Address(where).packed
                    return '33:33:' + ':'.join('%02x' % b for b in packed[12:])
        return destination

    @staticmethod
    def finish(frame, touches):
        held = None
        for key, value in touches:
            if key == 'cut':
                frame = frame[:int(value)]
            elif key == 'pad':
                frame = frame.ljust(int(value), b'\0')
            elif key == 'trail':
                frame += bytes.fromhex(value[2:]) if value.startswith('0x') else b'\xee' * int(value)
            elif key == 'snap':
                held = int(value)
            else:
                raise NotationError('unknown: %s=' % key)
        return frame, len(frame) if held is None else held

    def sized(self, layers, text):
        """ip(size=N): payload is added so that the IP packet has N bytes."""
        for at, layer in enumerate(layers):
            size = layer.take('size')
            if size:
                bare, _ = parse(text)
                while bare[0].name in ('eth', 'vlan', 'notag'):
                    bare.pop(0)
                offset = at - sum(1 for x in layers if x.name == 'vlan')
                bare[offset].keys.pop('size')
                missing = int(size) - len(self.build(bare[offset:]))
                if missing < 0:
                    raise NotationError('size=%s is too small by %d' % (size, -missing))
                layers.append(Layer('bytes', [str(missing)]))
        return layers

    @staticmethod
    def ethertype(layers):
        kinds = {'ip': ETHERTYPE_IP4, 'ip6': ETHERTYPE_IP6, 'arp': ETHERTYPE_ARP}
        for layer in layers:
            if layer.name == 'vlan':
                return number(layer.take('type', '0x8100'))
            return kinds.get(layer.name, 0x88B5)
        return 0x88B5

    def build(self, layers, pseudo=None):
        if not layers:
            return b''
        layer, rest = layers[0], layers[1:]
        maker = getattr(self, 'make_' + layer.name, None)
        if not maker:
            raise NotationError('no such layer: %s' % layer.name)
        return maker(layer, rest, pseudo)

    # ---- layers: each returns its bytes and those of everything inside it ----

    def make_vlan(self, layer, rest, pseudo):
        identifier = number(layer.words.pop(0)) if layer.words else 0
        tag = layer.take_number('pcp', 0) << 13 | layer.take_number('dei', 0) << 12 | identifier
        inner = layer.take('inner')
        payload = self.build(rest, pseudo)
        layer.done()
        return struct.pack('!HH', tag, number(inner) if inner else self.ethertype(rest)) + payload

    def make_ip(self, layer, rest, _):
        source, destination = layer.pair(self.default4)
        source, destination = layer.take('src', source), layer.take('dst', destination)
        source, destination = (ipaddress.IPv4Address(a).packed for a in (source, destination))
        options = bytes.fromhex(layer.take('opt', ''))
        options = options.ljust((len(options) + 3) // 4 * 4, b'\0')
        protocol = layer.take_number('proto', PROTOCOL.get(rest[0].name, 253) if rest else 253)
        payload = self.build(rest, (source, destination, PROTOCOL.get(rest[0].name, 253)
                                    if rest else 253))
        length = 20 + len(options) + len(payload)
        offset = layer.take_number('off', 0)
        if offset % 8:
            raise NotationError('off=%d is no multiple of 8' % offset)
        offset = offset // 8 | layer.flag('df') << 14 | layer.flag('mf') << 13
        offset |= layer.flag('evil') << 15
        version = layer.take_number('ver', 4)
        words = layer.take_number('ihl', 5 + len(options) // 4)
        header = struct.pack('!BBHHHBBH4s4s', version << 4 | words, layer.take_number('tos', 0),
                             layer.take_number('len', length), layer.take_number('id', 1), offset,
                             layer.take_number('ttl', 64), protocol, 0, source,
                             destination) + options
        right = checksum(header[:max(words, 5) * 4])
        wrong = layer.take('sum')
        right = number(wrong) if wrong and wrong[0] not in '+' else right + int(wrong or 0)
        layer.done()
        return header[:10] + struct.pack('!H', right & 0xFFFF) + header[12:] + payload

    def make_ip6(self, layer, rest, _):
        nd = rest and rest[0].name in ND
        default = self.default6
        if nd and rest[0].name == 'ns':
            default = default[0], str(solicited_node(rest[0].words[0]))
        source, destination = layer.pair(default)
        source, destination = layer.take('src', source), layer.take('dst', destination)
        source, destination = (ipaddress.IPv6Address(a).packed for a in (source, destination))
        header = layer.take_number('nh', self.next_header(rest))
        payload = self.build(rest, (source, destination, self.upper(rest)))
        first = layer.take_number('ver', 6) << 28 | layer.take_number('tc', 0) << 20
        first |= layer.take_number('flow', 0)
        made = struct.pack('!IHBB', first, layer.take_number('plen', len(payload)), header,
                           layer.take_number('hlim', 255 if nd else 64))
        layer.done()
        return made + source + destination + payload

    @staticmethod
    def next_header(rest):
        if not rest:
            return 59
        return 58 if rest[0].name == 'mld' else PROTOCOL.get(rest[0].name, 253)

    @staticmethod
    def upper(rest):
        for layer in rest:
            if layer.name not in ('hbh', 'rt', 'frag6', 'dstopt'):
                return 58 if layer.name == 'mld' else PROTOCOL.get(layer.name, 253)
        return 59

    def make_hbh(self, layer, rest, pseudo):
        """Hop-by-hop or destination options: content in hex, a router alert by default."""
        content = bytes.fromhex(layer.words.pop(0) if layer.words else '050200000100')
        words = layer.take_number('len', (2 + len(content) + 7) // 8 - 1)
        following = layer.take_number('nh', self.next_header(rest))
        layer.done()
        content = content.ljust(((2 + len(content) + 7) // 8) * 8 - 2, b'\0')
        return struct.pack('!BB', following, words) + content + self.build(rest, pseudo)

    def make_dstopt(self, layer, rest, pseudo):
        if not layer.words:
            layer.words.append('010400000000')
        return self.make_hbh(layer, rest, pseudo)

    def make_rt(self, layer, rest, pseudo):
        if not layer.words:
            layer.words.append('000000000000')
        return self.make_hbh(layer, rest, pseudo)

    def make_frag6(self, layer, rest, pseudo):
        offset = layer.take_number('off', 0) | layer.flag('mf')
        identifier = layer.take_number('id', 1)
        layer.done()
        return struct.pack('!BBHI', self.next_header(rest), 0, offset,
                           identifier) + self.build(rest, pseudo)

    @staticmethod
    def transport_sum(data, pseudo, at, wrong):
        """Writes the checksum at offset at, over the pseudo header of either family."""
        source, destination, protocol = pseudo or (b'', b'', 0)
        if not pseudo:
            head = b''
        elif len(source) == 16:
            head = source + destination + struct.pack('!IxxxB', len(data), protocol)
        else:
            head = source + destination + struct.pack('!xBH', protocol, len(data))
        right = checksum(head + data)
        if protocol == 17 and right == 0:
            right = 0xFFFF
        value = number(wrong) if wrong and wrong[0] != '+' else right + int(wrong or 0)
        return data[:at] + struct.pack('!H', value & 0xFFFF) + data[at + 2:]

    def make_udp(self, layer, rest, pseudo):
        source, destination = layer.pair(('1000', '53'))
        payload = self.build(rest)
        length = layer.take_number('len', 8 + len(payload))
        wrong = layer.take('sum')
        layer.done()
        data = struct.pack('!HHHH', int(source), int(destination), length, 0) + payload
        return self.transport_sum(data, pseudo, 6, wrong)

    def make_tcp(self, layer, rest, pseudo):
        source, destination = layer.pair(('1000', '80'))
        flags = layer.take_number('flags', 0x10)
        wrong = layer.take('sum')
        data = struct.pack('!HHIIBBHHH', int(source), int(destination),
                           layer.take_number('seq', 1), layer.take_number('ack', 0), 0x50, flags,
                           0x2000, 0, 0) + self.build(rest)
        layer.done()
        return self.transport_sum(data, pseudo, 16, wrong)

    def control(self, layer, rest, default):
        """Type/code, four bytes, payload: the common shape of ICMP and ICMPv6."""
        kind = layer.words.pop(0) if layer.words else default
        kind, _, code = kind.partition('/')
        mtu = layer.take('mtu')
        if mtu:
            middle = struct.pack('!I', int(mtu))
        else:
            middle = struct.pack('!HH', layer.take_number('id', 0), layer.take_number('seq', 0))
        middle = bytes.fromhex(layer.take('rest', middle.hex()))
        return struct.pack('!BBH', int(kind), int(code or 0), 0) + middle + self.build(rest)

    def make_icmp(self, layer, rest, _):
        data = self.control(layer, rest, '8/0')
        wrong = layer.take('sum')
        layer.done()
        return self.transport_sum(data, None, 2, wrong)

    def make_icmp6(self, layer, rest, pseudo):
        data = self.control(layer, rest, '128/0')
        wrong = layer.take('sum')
        layer.done()
        return self.transport_sum(data, pseudo, 2, wrong)

    def make_mld(self, layer, rest, pseudo):
        kind = layer.take_number('type', 131)
        group = ipaddress.IPv6Address(layer.words.pop(0) if layer.words else 'ff02::fb').packed
        if kind == 143:
            body = struct.pack('!HHBBH', 0, 1, 4, 0, 0) + group
        else:
            body = b'\0' * 4 + group
        layer.done()
        return self.transport_sum(struct.pack('!BBH', kind, 0, 0) + body + self.build(rest),
                                  pseudo, 2, None)

    def neighbour(self, layer, pseudo, body):
        for key, kind in (('slla', 1), ('tlla', 2)):
            value = layer.take(key)
            if value:
                body += bytes([kind, 1]) + self.resolve_mac(value)
        body += bytes.fromhex(layer.take('opts', ''))
        kept = layer.take('keep')
        data = struct.pack('!BBH', ND[layer.name], layer.take_number('code', 0), 0) + body
        wrong = layer.take('sum')
        layer.done()
        data = data[:int(kept)] if kept else data
        return self.transport_sum(data, pseudo, 2, wrong)

    def make_ns(self, layer, _, pseudo):
        target = ipaddress.IPv6Address(layer.words.pop(0)).packed
        return self.neighbour(layer, pseudo, b'\0' * 4 + target)

    def make_na(self, layer, _, pseudo):
        target = ipaddress.IPv6Address(layer.words.pop(0)).packed
        flags = layer.flag('r') << 31 | layer.flag('s') << 30 | layer.flag('o') << 29
        return self.neighbour(layer, pseudo, struct.pack('!I', flags) + target)

    def make_rs(self, layer, _, pseudo):
        return self.neighbour(layer, pseudo, b'\0' * 4)

    def make_ra(self, layer, _, pseudo):
        return self.neighbour(layer, pseudo, struct.pack('!BBHII', 64, 0, 1800, 0, 0))

    def make_redirect(self, layer, _, pseudo):
        return self.neighbour(layer, pseudo, b'\0' * 4 + ipaddress.IPv6Address(
            layer.words.pop(0)).packed + ipaddress.IPv6Address(layer.words.pop(0)).packed)

    def make_arp(self, layer, rest, _):
        operation = 2 if layer.flag('reply') else 1
        layer.flag('request')
        sender, target = layer.pair((None, None))
        data = struct.pack('!HHBBH', layer.take_number('htype', 1),
                           layer.take_number('ptype', 0x0800), layer.take_number('hlen', 6),
                           layer.take_number('plen', 4), layer.take_number('op', operation))
        data += self.resolve_mac(layer.take('sha', self.sender)) + ipaddress.IPv4Address(sender).packed
        data += self.resolve_mac(layer.take('tha', 'zero')) + ipaddress.IPv4Address(target).packed
        layer.done()
        return data + self.build(rest)

    def make_hex(self, layer, rest, pseudo):
        return bytes.fromhex(''.join(layer.words)) + self.build(rest, pseudo)

    def make_bytes(self, layer, rest, pseudo):
        start = layer.take_number('from', 0)
        return pattern(start + int(layer.words[0]))[start:] + self.build(rest, pseudo)


def solicited_node(address):
    low = ipaddress.IPv6Address(address).packed[13:]
    return ipaddress.IPv6Address(bytes.fromhex('ff0200000000000000000001ff') + low)
