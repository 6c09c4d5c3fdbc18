#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Floods a port of napd from its member's side: blast.py INTERFACE MAC SECONDS RATE KIND...

MAC is the port's. Kinds: arp (a storm of requests), scan (of 2001:db8:64:1b::/64), ttl (packets on
their last hop), icmp and udp (at napd's own address 198.51.100.1). Each has RATE packets a second.
"""
import os
import random
import socket
import struct
import sys
import time


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, ttl, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), random.getrandbits(16), 0, ttl,
                       protocol, 0, source, destination)
    return b"\x08\x00" + head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


OURS = socket.inet_aton("198.51.100.1")
FAR = socket.inet_aton("203.0.113.66")
SCANNED = socket.inet_pton(socket.AF_INET6, "2001:db8:64:1b::")[:8]
SOURCE6 = socket.inet_pton(socket.AF_INET6, "2001:db8:a::2")


def member():
    return bytes([203, 0, 113, random.randrange(2, 60)])


def arp(mac):
    sender = bytes([198, 51, 100, random.randrange(256)])
    return b"\x08\x06" + bytes.fromhex("0001080006040001") + mac + sender + bytes(6) + OURS + bytes(18)


def scan(_mac):
    return (b"\x86\xdd" + struct.pack("!IHBB", 0x60000000, 8, 17, 64) + SOURCE6 + SCANNED +
            os.urandom(8) + struct.pack("!HHHH", 7, 7, 8, 0))


def ttl(_mac):
    return ipv4(member(), FAR, 17, 1, struct.pack("!HHHH", 7, 33434, 8, 0))


def icmp(_mac):  # an echo reply that nobody asked for, to the host
    body = struct.pack("!BBHHH", 0, 0, 0, 1, 1)
    return ipv4(member(), OURS, 1, 64, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def udp(_mac):
    return ipv4(member(), OURS, 17, 64, struct.pack("!HHHH", 7, 9, 8, 0))


def main():
    interface, port, seconds, rate = sys.argv[1:5]
    kinds = [globals()[name] for name in sys.argv[5:]]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    own = link.getsockname()[4][:6]
    head = bytes.fromhex(port.replace(":", "")) + own
    sent = 0
    start = time.monotonic()
    while (now := time.monotonic() - start) < float(seconds):
        while sent < now * float(rate):
            for kind in kinds:
                try:
                    link.send(head + kind(own))
                except OSError:
                    pass
            sent += 1
        time.sleep(0.002)
    print(f"{sent} of each")


main()
