#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered UDP packets, so that a test knows every one that was lost.

  numbered.py receive PORT FILE            until SIGTERM; then writes how many different ones came to FILE
  numbered.py send ADDRESS PORT RATE FILE  until SIGTERM; then writes how many were sent to FILE
"""
import signal
import socket
import struct
import sys
import time

going = True


def stop(*_):
    global going
    going = False


def receive(port, path):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
    s.bind(("0.0.0.0", port))
    s.settimeout(0.1)
    seen = set()
    while going:
        try:
            seen.add(struct.unpack("!Q", s.recv(8))[0])
        except TimeoutError:
            pass
    with open(path, "w") as f:
        f.write(str(len(seen)))


def send(address, port, rate, path):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    start, n = time.monotonic(), 0
    while going:
        while n < (time.monotonic() - start) * rate:
            s.sendto(struct.pack("!Q", n), (address, port))
            n += 1
        time.sleep(0.001)
    with open(path, "w") as f:
        f.write(str(n))


signal.signal(signal.SIGTERM, stop)
if sys.argv[1] == "receive":
    receive(int(sys.argv[2]), sys.argv[3])
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
