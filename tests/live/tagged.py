#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Echo requests under a VLAN tag, for hosts whose kernel has no 802.1Q.

  tagged.py INTERFACE VLAN SOURCE DESTINATION DESTINATION-MAC COUNT   exit 0: COUNT replies came, under the tag
"""
import socket
import struct
import sys
import time

interface, vlan, source, destination, mac, count = sys.argv[1:]
vlan, count = int(vlan), int(count)
AUXDATA, SOL_PACKET, VLAN_VALID = 8, 263, 1 << 4

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(SOL_PACKET, AUXDATA, 1)
s.bind((interface, 0))
own = s.getsockname()[4]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def request(number):
    icmp = struct.pack("!BBHHH", 8, 0, 0, 0x7a67, number) + bytes(32)
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), number, 0, 64, 1, 0)
    ip += socket.inet_aton(source) + socket.inet_aton(destination)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    ethernet = bytes.fromhex(mac.replace(":", "")) + own
    return ethernet + struct.pack("!HHH", 0x8100, vlan, 0x0800) + ip + icmp


def is_reply(frame, aux):
    flags = tag = 0
    for _, kind, data in aux:
        if kind == AUXDATA:
            flags, tag = struct.unpack("I", data[:4])[0], struct.unpack("H", data[16:18])[0]
    if frame[12:14] == b"\x81\x00":
        tag, frame = struct.unpack("!H", frame[14:16])[0], frame[:12] + frame[16:]
    elif not flags & VLAN_VALID:
        return None
    if tag & 0xfff != vlan or frame[12:14] != b"\x08\x00" or frame[34] != 0:
        return None
    ident, number = struct.unpack("!HH", frame[38:42])
    return number if ident == 0x7a67 else None


came = set()
for n in range(count):
    s.send(request(n))
    end = time.monotonic() + 0.5
    while n not in came and time.monotonic() < end:
        s.settimeout(max(end - time.monotonic(), 0.001))
        try:
            frame, aux, _, _ = s.recvmsg(2048, 256)
        except TimeoutError:
            break
        number = is_reply(frame, aux)
        if number is not None:
            came.add(number)
print(f"{len(came)} of {count} replies")
sys.exit(len(came) != count)
