# SPDX-License-Identifier: BSD-3-Clause
"""What an exchange must make of a frame, by CONTRACT section 3 and the RFCs.

Every function takes the frame as received and returns whole frames as they must leave. The
cases say which of them applies; nothing here decides a packet's fate.
"""
import ipaddress
import struct

from packet import ETHERNET_MIN, ETHERTYPE_VLAN, NotationError, checksum

ERROR_QUOTE4 = 576 - 20 - 8
ERROR_QUOTE6 = 1280 - 40 - 8
TOS_CS6 = 0xC0


def l2_bytes(frame):
    return 18 if frame[12:14] == struct.pack('!H', ETHERTYPE_VLAN) else 14


def packet_of(frame):
    """The IP packet in a frame, without what Ethernet added behind it."""
    packet = frame[l2_bytes(frame):]
    if packet[0] >> 4 == 4:
        return packet[:struct.unpack('!H', packet[2:4])[0]]
    return packet[:40 + struct.unpack('!H', packet[4:6])[0]]


def ethernet(destination, source, vlan, ethertype, payload):
    tag = struct.pack('!HH', ETHERTYPE_VLAN, vlan) if vlan else b''
    frame = destination + source + tag + struct.pack('!H', ethertype) + payload
    return frame.ljust(ETHERNET_MIN, b'\0')


def with_checksum4(header):
    """An IPv4 header with its checksum computed anew."""
    header = header[:10] + b'\0\0' + header[12:]
    return header[:10] + struct.pack('!H', checksum(header)) + header[12:]


def routed(packet):
    """The packet one hop on."""
    if packet[0] >> 4 == 6:
        return packet[:7] + bytes([packet[7] - 1]) + packet[8:]
    size = (packet[0] & 15) * 4
    return with_checksum4(packet[:8] + bytes([packet[8] - 1]) + packet[9:size]) + packet[size:]


def copied_options(options):
    """The options that belong into every fragment (RFC 791: copy flag), padded with zeros."""
    kept, at = b'', 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1]
        if options[at] & 0x80:
            kept += options[at:at + size]
        at += size
    return kept.ljust((len(kept) + 3) // 4 * 4, b'\0')


def fragments(packet, mtu):
    """RFC 791 3.2, all pieces but the last as long as the first one's header allows."""
    size = (packet[0] & 15) * 4
    header, data = packet[:size], packet[size:]
    field = struct.unpack('!H', header[6:8])[0]
    step = (mtu - size) // 8 * 8
    pieces = []
    for at in range(0, len(data), step):
        piece = data[at:at + step]
        more = field & 0x2000 if at + step >= len(data) else 0x2000
        options = header[20:]
        if at and not field & 0x1FFF:
            options = copied_options(options)
        made = bytes([0x40 | (20 + len(options)) // 4]) + header[1:2]
        made += struct.pack('!H', 20 + len(options) + len(piece)) + header[4:6]
        made += struct.pack('!H', (field & 0xC000) | more | ((field & 0x1FFF) + at // 8))
        pieces.append(with_checksum4(made + header[8:20] + options) + piece)
    return pieces


def forward(frame, port, destination, mtu=None):
    """The frames that leave port towards the MAC destination; in pieces where mtu is given."""
    packet = routed(packet_of(frame))
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    pieces = fragments(packet, mtu) if mtu else [packet]
    return [ethernet(destination, port.mac, port.vlan, kind, piece) for piece in pieces]


def back(frame, port, ethertype, payload):
    """To the MAC that sent frame, out of the port it came in by."""
    return ethernet(frame[6:12], port.mac, port.vlan, ethertype, payload)


def ip4_packet(source, destination, tos, protocol, payload):
    header = struct.pack('!BBHHHBBH4s4s', 0x45, tos, 20 + len(payload), 0, 0, 64, protocol, 0,
                         source, destination)
    return with_checksum4(header) + payload


def ip6_packet(source, destination, traffic_class, hop_limit, payload):
    """An ICMPv6 packet; the checksum at offset 2 of payload is computed here."""
    pseudo = source + destination + struct.pack('!IxxxB', len(payload), 58)
    payload = payload[:2] + struct.pack('!H', checksum(pseudo + payload)) + payload[4:]
    head = struct.pack('!IHBB', 6 << 28 | traffic_class << 20, len(payload), 58, hop_limit)
    return head + source + destination + payload


def icmp_error(frame, port, source, kind, code, mtu=0):
    """An error about frame, from the address source (packed)."""
    packet = packet_of(frame)
    head = struct.pack('!BBHI', kind, code, 0, mtu)
    if packet[0] >> 4 == 4:
        body = head + packet[:ERROR_QUOTE4]
        body = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
        error = ip4_packet(source, packet[12:16], TOS_CS6, 1, body)
        return back(frame, port, 0x0800, error)
    return back(frame, port, 0x86DD,
                ip6_packet(source, packet[8:24], TOS_CS6, 64, head + packet[:ERROR_QUOTE6]))


def echo_reply(frame, port):
    packet = packet_of(frame)
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        body = b'\0\0\0\0' + packet[size + 4:]
        body = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
        reply = ip4_packet(packet[16:20], packet[12:16], packet[1] & 0xFC, 1, body)
        return back(frame, port, 0x0800, reply)
    body = bytes([129]) + packet[41:42] + b'\0\0' + packet[44:]
    traffic_class = struct.unpack('!H', packet[:2])[0] >> 4 & 0xFC
    return back(frame, port, 0x86DD, ip6_packet(packet[24:40], packet[8:24], traffic_class, 64, body))


def arp_payload(frame):
    return frame[l2_bytes(frame):]


def arp_reply(frame, port):
    asked = arp_payload(frame)
    reply = asked[:6] + b'\0\x02' + port.mac + asked[24:28] + asked[8:18]
    return back(frame, port, 0x0806, reply)


def arp_announcement(port, address):
    """RFC 5227 2.3: a broadcast request whose sender and target are the address."""
    packed = ipaddress.IPv4Address(address).packed
    body = b'\0\x01\x08\0\x06\x04\0\x01' + port.mac + packed + b'\0' * 6 + packed
    return ethernet(b'\xff' * 6, port.mac, port.vlan, 0x0806, body)


def neighbour_advertisement(frame, port, override=True):
    """RFC 4861 7.2.4: to who asked, or to all nodes where the asker has no address yet."""
    packet = packet_of(frame)
    target, asker = packet[48:64], packet[8:24]
    unspecified = asker == b'\0' * 16
    flags = 0x80 | (0 if unspecified else 0x40) | (0x20 if override else 0)
    if unspecified:
        asker = ipaddress.IPv6Address('ff02::1').packed
    body = struct.pack('!BBHBxxx', 136, 0, 0, flags) + target + b'\x02\x01' + port.mac
    return back(frame, port, 0x86DD, ip6_packet(target, asker, 0, 255, body))


def link_local(mac):
    """fe80::/64 with the modified EUI-64 of a MAC (RFC 4291 appendix A)."""
    host = bytes([mac[0] ^ 2]) + mac[1:3] + b'\xff\xfe' + mac[3:]
    return ipaddress.IPv6Address(b'\xfe\x80' + b'\0' * 6 + host)


def error_source(ports, port, family):
    """The address that an ICMP error about a packet received on port comes from."""
    for candidate in [port] + ports:
        for address in candidate.addresses:
            if address.version == family:
                return address.packed
    return ipaddress.IPv4Address('192.0.0.8').packed if family == 4 else port.link_local.packed


def family_of(frame):
    kind = struct.unpack('!H', frame[l2_bytes(frame) - 2:l2_bytes(frame)])[0]
    if kind not in (0x0800, 0x86DD):
        raise NotationError('only IP packets are forwarded or answered with errors')
    return 4 if kind == 0x0800 else 6
