#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stands in for systemd's descriptor store, where systemd is not PID 1.

    fdstore.py FOLDER -- COMMAND [ARGUMENT]...

Runs COMMAND with NOTIFY_SOCKET and, when it runs it again, with the descriptors that it had stored
(sd_notify(3), FDSTORE=1; sd_listen_fds(3)). SIGHUP: SIGTERM to the command, then again. SIGUSR1: the
same with SIGKILL. SIGTERM: end both. FOLDER/store holds the names of what is stored, a line each.
"""
import array
import os
import signal
import socket
import sys

FIRST = 3  # SD_LISTEN_FDS_START

folder = sys.argv[1]
command = sys.argv[sys.argv.index("--") + 1:]
stored = []  # (name, descriptor)
wanted = None  # the signal that somebody asked for
child = 0


def write_names():
    with open(os.path.join(folder, "store"), "w", encoding="ascii") as file:
        file.write("".join(f"{name}\n" for name, _ in stored))


def start():
    global child
    child = os.fork()
    if child:
        return
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    # out of the way first: the places from 3 on may be taken by what goes there
    high = [os.dup2(fd, 500 + i) for i, (_, fd) in enumerate(stored)]
    for i, fd in enumerate(high):
        os.dup2(fd, FIRST + i, inheritable=True)
        os.close(fd)
    os.closerange(FIRST + len(stored), 500)
    environment = dict(os.environ, NOTIFY_SOCKET=os.path.join(folder, "notify"))
    if stored:
        environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(stored)),
                           LISTEN_FDNAMES=":".join(name for name, _ in stored))
    os.execvpe(command[0], command, environment)


def notified(data, fds):
    fields = dict(line.split("=", 1) for line in data.decode().split("\n") if "=" in line)
    name = fields.get("FDNAME", "stored")
    if fields.get("FDSTORE") == "1":
        stored.extend((name, fd) for fd in fds)
    elif fields.get("FDSTOREREMOVE") == "1":
        for entry in [entry for entry in stored if entry[0] == name]:
            os.close(entry[1])
            stored.remove(entry)
    else:
        return
    write_names()


def on_signal(number, _frame):
    global wanted
    wanted = number


def receive(notify):
    try:
        data, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
    except (InterruptedError, TimeoutError):
        return
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
    notified(data, list(fds))


def end_child(number, notify):
    os.kill(child, number)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        receive(notify)


def main():
    global wanted
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(os.path.join(folder, "notify"))
    notify.settimeout(0.05)
    write_names()
    start()
    while True:
        receive(notify)
        if wanted in (signal.SIGTERM, signal.SIGINT):
            end_child(signal.SIGTERM, notify)
            return
        if wanted:
            end_child(signal.SIGTERM if wanted == signal.SIGHUP else signal.SIGKILL, notify)
            wanted = None
            start()


main()
