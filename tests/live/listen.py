#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Listens on a member's link for what napd must never send: listen.py INTERFACE SECONDS.

Prints each forbidden frame that came in and exits 1 if there was any, or nothing at all was heard
(then it listened to nothing). Of frames for several receivers only ARP, neighbour solicitations and
neighbour advertisements may come.
"""
import select
import socket
import sys
import time

ETH_P_ALL = 3
OUTGOING = 4  # PACKET_OUTGOING


def is_allowed(frame):
    if not frame[0] & 1:
        return True
    kind = int.from_bytes(frame[12:14], "big")
    if kind == 0x0806:
        return True
    return kind == 0x86dd and frame[20] == 58 and frame[54] in (135, 136)


def main():
    interface, seconds = sys.argv[1], float(sys.argv[2])
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.bind((interface, 0))
    end = time.monotonic() + seconds
    heard = bad = 0
    while time.monotonic() < end:
        if not select.select([link], [], [], 0.2)[0]:
            continue
        try:
            frame, address = link.recvfrom(65536)
        except OSError:  # its link went down; it comes back
            continue
        if address[2] == OUTGOING:
            continue
        heard += 1
        if len(frame) < 60 and not is_allowed(frame.ljust(60, b"\0")) or \
                len(frame) >= 60 and not is_allowed(frame):
            bad += 1
            print(frame[:80].hex())
    print(f"{interface}: {heard} frames heard, {bad} forbidden")
    sys.exit(bad > 0 or heard == 0)


main()
