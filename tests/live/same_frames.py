#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds what a live port sent against what replay says: same_frames.py LIVE_CAPTURE REPLAY_CAPTURE...

The order of frames from different inputs is not the same, and live a port asks whether somebody
has its addresses and announces them first; everything else is, byte for byte.
"""
import collections
import struct
import sys


def frames(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(data):
        length, wire = struct.unpack_from(order + "II", data, at + 8)
        assert length == wire, f"{path}: a frame was cut at {at}"
        yield data[at + 16 : at + 16 + length]
        at += 16 + length


def is_of_start(frame):
    """A probe for an address of the port (sender 0.0.0.0 or ::), or an announcement of one."""
    at = 16 if frame[12:14] == b"\x81\x00" else 12
    if frame[at : at + 2] == b"\x08\x06":
        arp = frame[at + 2 :]
        return arp[14:18] in (arp[24:28], bytes(4))
    if frame[at : at + 2] == b"\x86\xdd":
        ip6 = frame[at + 2 :]
        everybody = ip6[24:40] == b"\xff\x02" + bytes(13) + b"\x01"
        probe = ip6[40] == 135 and ip6[8:24] == bytes(16)
        return ip6[6] == 58 and (probe or (ip6[40] == 136 and everybody))
    return False


def main():
    live = collections.Counter(f for f in frames(sys.argv[1]) if not is_of_start(f))
    said = collections.Counter(f for p in sys.argv[2:] for f in frames(p) if not is_of_start(f))
    print(f"{sum(live.values())} frames live, {sum(said.values())} in replay")
    for frame, n in list((live - said).items())[:3]:
        print(f"only live, {n} times: {frame.hex()}")
    for frame, n in list((said - live).items())[:3]:
        print(f"only in replay, {n} times: {frame.hex()}")
    return live != said or not live


sys.exit(main())
