#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes tests/fuzz/corpus/frame: one input for every kind of frame that the exchange of frame.c tells apart."""
import ipaddress
import os
import struct

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "frame")
# (device, port's MAC, tag, router's MAC) of each port in frame.c
PORTS = {
    "pa": (0, "024e41000001", None, "020000000a01"),
    "pb": (0, "024e41000001", 100, "020000000b01"),
    "pc": (1, "024e41000002", None, "020000000c01"),
    "pd": (2, "024e41000003", 4094, "020000000d01"),
    "pe": (2, "024e41000003", None, "020000000e01"),
}
CUT, REFUSE, LINK, WAIT = 0x04, 0x08, 0x10, 0x20


def record(port, payload, flags=0):
    """One record of the input: flags, length, frame."""
    return struct.pack("<BH", PORTS[port][0] | flags, len(payload)) + payload


def frame(port, ethertype, payload, to=None, source=None, tag=...):
    _, mac, vlan, router = PORTS[port]
    vlan = vlan if tag is ... else tag
    head = bytes.fromhex(to or mac) + bytes.fromhex(source or router)
    if vlan is not None:
        head += struct.pack(">HH", 0x8100, vlan)
    return head + struct.pack(">H", ethertype) + payload


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def ip4(source, to, payload=b"payload!", protocol=17, ttl=64, flags=0, options=b"", length=None, first=None,
        bad=0):
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH4s4s", first if first is not None else 0x40 | words, 0,
                       length if length is not None else words * 4 + len(payload), 7, flags, ttl, protocol, 0,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(to).packed) + options
    return head[:10] + struct.pack(">H", (checksum(head) + bad) & 0xFFFF) + head[12:] + payload


def ip6(source, to, payload=b"payload!", following=17, hops=64, length=None, first=0x60):
    return struct.pack(">BBHHBB16s16s", first, 0, 0x1234, length if length is not None else len(payload),
                       following, hops, ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(to).packed) + payload


def udp(size=16):
    return struct.pack(">HHHH", 4000, 53, 8 + size, 0) + b"u" * size


def echo(kind=8, code=0, size=24):
    body = struct.pack(">BBHHH", kind, code, 0, 1, 2) + b"e" * size
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def icmp6(source, to, kind, body, code=0):
    message = struct.pack(">BBH", kind, code, 0) + body
    pseudo = (ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed +
              struct.pack(">II", len(message), 58))
    return message[:2] + struct.pack(">H", checksum(pseudo + message)) + message[4:]


def arp(operation, mac, sender, target, hardware=1):
    return struct.pack(">HHBBH6s4s6s4s", hardware, 0x0800, 6, 4, operation, bytes.fromhex(mac),
                       ipaddress.ip_address(sender).packed, b"\0" * 6, ipaddress.ip_address(target).packed)


def nd(source, to, kind, target, options=b"", hops=255):
    body = b"\0" * 4 + ipaddress.ip_address(target).packed + options
    return ip6(source, to, icmp6(source, to, kind, body), 58, hops)


def seeds():
    v4, v6, a4, a6 = 0x0800, 0x86DD, "10.1.0.9", "2001:db8:a::9"
    tome = icmp6(a6, "2001:db8:64:a::", 128, b"\0\1\0\2" + b"e" * 20)
    link_layer = bytes.fromhex("0101020000000a01")
    yield "v4-transit", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp())))
    yield "v4-to-small-mtu", record("pa", frame("pa", v4, ip4(a4, "10.3.0.1", udp(1400))))
    yield "v4-fragment-options", record("pa", frame("pa", v4, ip4(
        a4, "10.3.0.1", udp(3000), options=bytes.fromhex("9404000001070400"))))
    yield "v4-do-not-fragment", record("pa", frame("pa", v4, ip4(a4, "10.3.0.1", udp(1400), flags=0x4000)))
    yield "v4-to-tagged", record("pc", frame("pc", v4, ip4("10.3.0.1", "10.4.0.1", udp())))
    yield "v4-over-v6", record("pb", frame("pb", v4, ip4("10.2.0.1", "10.6.0.1", udp())))
    yield "v4-no-option-room", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp(), first=0x4F)))
    yield "v4-source-route", record("pa", frame("pa", v4, ip4(
        a4, "10.2.0.1", udp(), options=bytes.fromhex("83070400000000 00".replace(" ", "")))))
    yield "v4-bad-checksum", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp(), bad=1)))
    yield "v4-bad-length", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp(), length=9)))
    yield "v4-cut-header", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp())[:17]))
    yield "v4-trailer", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", b"x", length=21) + b"trailer"))
    yield "v4-routes", b"".join(record("pa", frame("pa", v4, ip4(a4, to, udp()))) for to in (
        "10.7.0.1", "10.7.1.1", "10.7.2.1", "10.7.3.129", "10.5.0.1", "8.8.8.8"))
    yield "v4-specials", b"".join(record("pb", frame("pb", v4, ip4(source, to, udp()))) for source, to in (
        ("127.0.0.1", "10.2.0.1"), ("10.2.0.1", "0.1.2.3"), ("10.2.0.1", "224.0.0.5"), ("169.254.1.1", "10.1.0.1"),
        ("10.2.0.1", "192.0.2.7"), ("192.0.2.1", "10.1.0.1"), ("10.2.0.1", "255.255.255.255")))
    yield "v4-ttl", b"".join(record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp(), ttl=n))) for n in (0, 1, 2))
    yield "v4-echo", record("pa", frame("pa", v4, ip4(a4, "198.51.100.1", echo(), 1)))
    yield "v4-echo-code", record("pa", frame("pa", v4, ip4(a4, "198.51.100.1", echo(code=1), 1)))
    yield "v4-local-udp", record("pa", frame("pa", v4, ip4(a4, "198.51.100.1", udp())))
    yield "v4-spoofed", record("pd", frame("pd", v4, ip4("10.1.0.1", "10.2.0.1", udp()))) + record(
        "pe", frame("pe", v4, ip4("10.6.0.1", "10.2.0.1", udp()))) + record(
        "pb", frame("pb", v4, ip4("10.7.1.1", "10.1.0.1", udp())))
    yield "v6-transit", record("pa", frame("pa", v6, ip6(a6, "2001:db8:b::1", udp())))
    yield "v6-too-big", record("pa", frame("pa", v6, ip6(a6, "2001:db8:c::1", udp(1400))))
    yield "v6-extensions", record("pa", frame("pa", v6, ip6(
        a6, "2001:db8:d::1", bytes.fromhex("11000104000000 00".replace(" ", "")) + udp(), 0)))
    yield "v6-bad-length", record("pa", frame("pa", v6, ip6(a6, "2001:db8:b::1", udp(), length=999)))
    yield "v6-cut-header", record("pa", frame("pa", v6, ip6(a6, "2001:db8:b::1")[:39]))
    yield "v6-routes", b"".join(record("pa", frame("pa", v6, ip6(a6, to, udp()))) for to in (
        "2001:db8:e:1::1", "2001:db8:e:2::7", "2001:db8:e:3::1", "fc00::1", "2001:db8:64:b::77"))
    yield "v6-specials", b"".join(record("pa", frame("pa", v6, ip6(source, to, udp()))) for source, to in (
        ("::", a6), ("::1", a6), ("ff02::1", a6), ("::ffff:1.2.3.4", a6), (a6, "::"), (a6, "::1"),
        (a6, "::ffff:1.2.3.4"), (a6, "ff05::1"), (a6, "fe80::9"), ("fe80::9", "2001:db8:b::1"), (a6, "fe80::1")))
    yield "v6-hops", b"".join(record("pa", frame("pa", v6, ip6(a6, "2001:db8:b::1", udp(), hops=n)))
                              for n in (0, 1, 2))
    yield "v6-echo", record("pa", frame("pa", v6, ip6(a6, "2001:db8:64:a::", tome, 58)))
    yield "v6-local-udp", record("pa", frame("pa", v6, ip6(a6, "2001:db8:64:a::", udp())))
    yield "arp", b"".join(record("pa", frame("pa", 0x0806, payload, "ffffffffffff")) for payload in (
        arp(1, "020000000a01", "198.51.100.0", "198.51.100.1"), arp(1, "020000000a01", "0.0.0.0", "198.51.100.1"),
        arp(1, "020000000a01", "198.51.100.1", "198.51.100.1"), arp(2, "020000000a01", "198.51.100.0", "198.51.100.0"),
        arp(1, "020000000a01", "198.51.100.0", "10.9.9.9"), arp(9, "020000000a01", "198.51.100.0", "198.51.100.1"),
        arp(1, "020000000a01", "198.51.100.0", "198.51.100.1", 6), arp(1, "020000000a01", "1.1.1.1", "2.2.2.2")[:20]))
    yield "nd-solicitation", record("pa", frame("pa", v6, nd(
        "fe80::a", "ff02::1:ff00:1", 135, "fe80::1", link_layer), "3333ff000001"))
    yield "nd-detection", record("pa", frame("pa", v6, nd("::", "ff02::1:ff00:1", 135, "fe80::1"), "3333ff000001"))
    yield "nd-advertisement", record("pa", frame("pa", v6, nd("fe80::a", "fe80::1", 136, "fe80::a", link_layer)))
    yield "nd-bad-option", record("pa", frame("pa", v6, nd(
        "fe80::a", "ff02::1:ff00:1", 135, "fe80::1", b"\1\0\2\0\0\0\0\0"), "3333ff000001"))
    yield "nd-forbidden", b"".join(record("pa", frame("pa", v6, nd("fe80::a", "ff02::1", kind, "fe80::a"),
                                                      "333300000001")) for kind in (133, 134, 137))
    yield "mld", record("pa", frame("pa", v6, ip6("fe80::a", "ff02::16", bytes.fromhex("3a00050200000100") + icmp6(
        "fe80::a", "ff02::16", 143, b"\0" * 4), 0, 1), "333300000016"))
    yield "ethernet", b"".join((
        record("pa", b"\2\x4e\x41"), record("pa", frame("pa", v4, ip4(a4, "10.2.0.1"), tag=7)),
        record("pa", frame("pa", 0x88A8, b"\0\1\x08\0")), record("pa", frame("pa", 0x8100, b"\0")),
        record("pa", frame("pa", v4, b"", source="010203040506")), record("pa", frame("pa", 0x88CC, b"lldp")),
        record("pa", frame("pa", v4, ip4(a4, "10.2.0.1"), to="020202020202")),
        record("pa", frame("pa", v4, ip4(a4, "10.2.0.1"), to="ffffffffffff")),
        record("pa", frame("pa", v4, ip4(a4, "224.0.0.5"), to="01005e000005")),
        record("pa", frame("pa", v4, ip4(a4, "10.2.0.1"), source="020000009999")),
        record("pa", frame("pa", v4, ip4(a4, "10.2.0.1"), tag=0))))
    yield "cut-by-capture", record("pa", frame("pa", v4, ip4(a4, "10.2.0.1", udp())), CUT)
    yield "full-output", record("pa", frame("pa", v4, ip4(a4, "10.3.0.1", udp(3001))), REFUSE)
    yield "link-down", record("pc", frame("pc", v4, ip4("10.3.0.1", "10.5.0.1", udp())), LINK) + record(
        "pa", frame("pa", v4, ip4(a4, "10.3.0.1", udp())))
    yield "burst", b"".join(record("pa", frame("pa", v4, ip4(f"10.1.0.{n}", f"10.2.{n}.1", udp(n)))) + record(
        "pa", frame("pa", v6, ip6(f"2001:db8:a::{n}", f"2001:db8:b::{n}", udp(n)))) for n in range(40))
    yield "policed", b"".join(record("pa", frame("pa", v4, ip4(a4, "10.3.0.1", udp(1000), ttl=n % 3 + 1)), WAIT)
                              for n in range(30))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in seeds():
        with open(os.path.join(FOLDER, name), "wb") as out:
            out.write(data)


main()
