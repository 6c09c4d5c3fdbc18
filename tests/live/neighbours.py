#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames that no tool of a member sends, and a look at those that napd does.

  neighbours.py ping-all FIRST COUNT          one echo each, from here; prints how many answered
  neighbours.py storm INTERFACE TARGET SECONDS RATE     ARP requests for TARGET
  neighbours.py scan PREFIX SECONDS RATE      UDP to ever new addresses of an IPv6 /64
  neighbours.py claim INTERFACE ADDRESS MAC   an ARP announcement of ADDRESS at MAC
  neighbours.py sniff INTERFACE FILE          notes ARP requests until killed: "unicast ADDRESS" ...
"""
import ipaddress
import select
import socket
import struct
import sys
import time


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_of(interface):
    with open(f"/sys/class/net/{interface}/address", encoding="ascii") as file:
        return mac_bytes(file.read().strip())


def arp(source, operation, sender_mac, sender, target):
    return (
        b"\xff" * 6 + source + b"\x08\x06"
        + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        + sender_mac + ipaddress.ip_address(sender).packed
        + bytes(6) + ipaddress.ip_address(target).packed
    ).ljust(60, b"\0")


def paced(rate, seconds):
    """Numbers, so many a second."""
    start = time.monotonic()
    number = 0
    while (passed := time.monotonic() - start) < seconds:
        while number < passed * rate:
            yield number
            number += 1
        time.sleep(0.001)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ping_all(first, count):
    count = int(count)
    first = ipaddress.ip_address(first)
    ipv6 = first.version == 6
    if ipv6:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    answered = set()

    def collect(wait):
        while select.select([sock], [], [], wait)[0]:
            packet, peer = sock.recvfrom(2048)
            if packet[0] == 129 if ipv6 else packet[20] == 0:
                answered.add(peer[0])
            wait = 0

    for i in range(count):
        body = struct.pack("!BBHHH", 128 if ipv6 else 8, 0, 0, 0x4e50, i & 0xFFFF) + b"napd" * 4
        if not ipv6:  # the kernel does it for ICMPv6
            body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        sock.sendto(body, (str(first + i), 0))
        collect(0.002)
    deadline = time.monotonic() + 4
    while len(answered) < count and time.monotonic() < deadline:
        collect(0.1)
    print(len(answered))


def storm(interface, target, seconds, rate):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    mac = mac_of(interface)
    sent = 0
    for number in paced(int(rate), float(seconds)):
        host = ipaddress.ip_address("198.18.2.0") + number % 250
        sock.send(arp(mac, 1, mac, str(host), target))
        sent += 1
    print(sent)


def scan(prefix, seconds, rate):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    base = int(ipaddress.ip_network(prefix).network_address)
    sent = 0
    for number in paced(int(rate), float(seconds)):
        try:
            sock.sendto(b"x", (str(ipaddress.ip_address(base + 0x100000 + number)), 9))
            sent += 1
        except OSError:  # an answer to an earlier one
            pass
    print(sent)


def claim(interface, address, mac):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    sock.send(arp(mac_of(interface), 1, mac_bytes(mac), address, address))


def sniff(interface, path):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    sock.bind((interface, 0x0806))
    with open(path, "w", encoding="ascii") as file:
        while True:
            try:
                frame, peer = sock.recvfrom(2048)
            except OSError:  # the link went down
                time.sleep(0.05)
                continue
            if peer[2] == socket.PACKET_OUTGOING or frame[20:22] != b"\0\1":
                continue
            how = "broadcast" if frame[0] & 1 else "unicast"
            sender, target = frame[28:32], frame[38:42]
            if sender == bytes(4):
                how = "probe"
            elif sender == target:
                how = "announcement"
            print(how, ipaddress.ip_address(target), file=file, flush=True)


COMMANDS = {"ping-all": ping_all, "storm": storm, "scan": scan, "claim": claim, "sniff": sniff}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
