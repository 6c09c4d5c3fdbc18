#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A paced stream of UDP packets over many flows, of which every lost one is known.

stream.py send LOG SECONDS RATE ADDRESS...     LOG: the time each packet was sent, by number
stream.py receive LOG                          until SIGTERM; LOG: the numbers that came
stream.py judge SENT RECEIVED MILLISECONDS     fails when packets were lost over a longer time
stream.py watch LOG INTERFACE                  until SIGTERM; LOG: when its link was lost
stream.py late SENT RECEIVED LOST              milliseconds from there to the last packet that was lost
"""
import os
import signal
import socket
import struct
import sys
import time

PORT = 5000
FLOWS = 32  # of every address
SIZE = 100
SO_RCVBUFFORCE = 33  # of Linux; Python has no name for it


def send(log, seconds, rate, *addresses):
    sockets = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for _ in range(FLOWS):
            s = socket.socket(family, socket.SOCK_DGRAM)
            s.connect((address, PORT))
            sockets.append(s)
    step, start, times = 1 / float(rate), time.monotonic(), []
    identity = time.monotonic_ns()
    while (now := time.monotonic()) < start + float(seconds):
        due = start + len(times) * step
        if now < due:
            time.sleep(due - now)
        times.append(time.monotonic())
        number = len(times) - 1
        sockets[number % len(sockets)].send(struct.pack(">QQ", identity, number).ljust(SIZE, b"."))
    with open(log, "w", encoding="ascii") as file:
        file.write(f"{identity}\n")
        file.writelines(f"{t:.6f}\n" for t in times)


def receive(log):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    s.bind(("::", PORT))
    numbers = []

    def end(*_):
        with open(log, "w", encoding="ascii") as file:
            file.writelines(f"{identity} {n}\n" for identity, n in numbers)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        numbers.append(struct.unpack(">QQ", s.recv(SIZE)[:16]))


def watch(log, interface):
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    netlink.bind((0, 1))  # RTMGRP_LINK
    wanted, running = socket.if_nametoindex(interface), 0x40
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open(log + ".ready", "w", encoding="ascii"):
        pass
    while True:
        data, now = netlink.recv(65536), time.monotonic()
        while len(data) >= 32:
            length, kind = struct.unpack_from("=IH", data)
            index, flags = struct.unpack_from("=iI", data, 20)
            if kind == 16 and index == wanted and not flags & running:  # RTM_NEWLINK
                with open(log + ".part", "w", encoding="ascii") as file:
                    file.write(f"{now:.6f}\n")
                os.rename(log + ".part", log)
                return
            data = data[(length + 3) & ~3:]


def read_logs(sent, received):
    with open(sent, encoding="ascii") as file:
        identity = file.readline().strip()
        times = [float(line) for line in file]
    with open(received, encoding="ascii") as file:
        words = [line.split() for line in file]
    # af_packet's ring holds what it could not send while a link was down, and sends it with the
    # next frame: the remains of an earlier stream are no packets of this one
    return times, [int(number) for stream, number in words if stream == identity]


def late(sent, received, lost):
    times, numbers = read_logs(sent, received)
    came = set(numbers)
    with open(lost, encoding="ascii") as file:
        event = float(file.read())
    gone = [t for n, t in enumerate(times) if n not in came]
    if len(came) < len(times) / 2:
        return 1
    print(f"{max(0.0, max(gone) - event) * 1000:.1f}" if gone else "0.0")
    return 0


def judge(sent, received, limit_ms):
    times, numbers = read_logs(sent, received)
    came = set(numbers)
    lost = [t for n, t in enumerate(times) if n not in came]
    span_ms = (max(lost) - min(lost)) * 1000 if lost else 0
    gap_ms = max(b - a for a, b in zip(times, times[1:])) * 1000
    print(
        f"{len(times)} sent in {times[-1] - times[0]:.1f} s (longest pause {gap_ms:.1f} ms), "
        f"{len(came)} came, {len(numbers) - len(came)} twice, {len(lost)} lost within {span_ms:.1f} ms"
    )
    if len(came) < len(times) / 2 or len(numbers) > len(came):
        return 1
    return span_ms > float(limit_ms)


sys.exit(globals()[sys.argv[1]](*sys.argv[2:]))
