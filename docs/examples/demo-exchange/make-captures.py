#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what ten seconds at the demo exchange bring in: PORT.pcap for each port of napd.yaml.

  make-captures.py [DIR]     write the captures (default: beside this script)
  make-captures.py --check   compare the captures beside this script with what would be written

The same bytes on every run and machine: own random numbers, integers only. Every frame is one
that a member's router sends to the exchange, so an answer stands in another file than its
question. Scenes below are in the order in which they are worth looking at.
"""

import ipaddress
import os
import struct
import sys

MS = 1_000_000  # nanoseconds
SECOND = 1000 * MS
START = 1_780_315_200 * SECOND  # 2026-06-01 12:00:00 UTC

# ---- the exchange, as napd.yaml has it (checked when run) ----


class Port:
    def __init__(self, number, mac, router, vlan=None, ipv4=True):
        self.mac, self.router, self.vlan = mac, router, vlan
        self.own4 = f"198.51.100.{number}0" if ipv4 else None
        self.router4 = f"198.51.100.{number}1" if ipv4 else None
        self.own6 = f"2001:db8:64:{number}::a"
        self.router6 = f"2001:db8:64:{number}::b"
        self.frames = []  # (time, frame)


PORTS = {
    "aurora": Port(1, "02:4e:41:00:00:01", "02:00:00:00:0a:01"),
    "borealis": Port(2, "02:4e:41:00:00:02", "02:00:00:00:0b:01"),
    "cinema": Port(3, "02:4e:41:00:00:03", "02:00:00:00:0c:01"),
    "delta": Port(4, "02:4e:41:00:00:04", "02:00:00:00:0d:01", ipv4=False),
    "evergreen-1": Port(5, "02:4e:41:00:00:05", "02:00:00:00:0e:01"),
    "evergreen-2": Port(6, "02:4e:41:00:00:06", "02:00:00:00:0e:02"),
    "foxtrot": Port(7, "02:4e:41:00:00:04", "02:00:00:00:0f:01", vlan=600),
}

# A member's addresses: IPv4 network and IPv6 prefix, and milliseconds from the exchange to it.
MEMBERS = {
    "aurora": ("198.18.0.0", "2001:db8:a000::", 6),
    "borealis": ("203.0.113.0", "2001:db8:b000::", 2),
    "cinema": ("198.18.128.0", "2001:db8:c000::", 1),
    "delta": ("198.19.0.0", "2001:db8:d000::", 18),
    "evergreen": ("192.0.2.0", "2001:db8:e000::", 4),
    "foxtrot": ("198.19.128.0", "2001:db8:f000::", 3),
}
VICTIM = "198.19.66.66"  # blackholed in napd.yaml

# ---- numbers ----


class Random:
    """xorshift64*: Python promises no sequence of its own generator between versions."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state ^= self.state >> 12
        self.state ^= self.state << 25 & 0xFFFFFFFFFFFFFFFF
        self.state ^= self.state >> 27
        return (self.state * 0x2545F4914F6CDD1D >> 32 & 0xFFFFFFFF) * n >> 32

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def choice(self, things):
        return things[self.below(len(things))]


random = Random(64500)

# ---- packets ----


def packed(address):
    return ipaddress.ip_address(address).packed


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo_header(source, destination, protocol, length):
    return packed(source) + packed(destination) + struct.pack("!II", length, protocol)


def ip(source, destination, protocol, payload, ttl=57, df=True, tos=0, options=b"", offset=0, more=False):
    """An IPv4 or IPv6 packet, whichever the addresses are."""
    if ":" in destination:
        flow = checksum(packed(source) + packed(destination) + payload[:4])  # one label a flow
        return struct.pack("!IHBB", 6 << 28 | tos << 20 | flow, len(payload), protocol, ttl) \
            + packed(source) + packed(destination) + payload
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 4 << 4 | words, tos, words * 4 + len(payload), random.below(65536),
                       df << 14 | more << 13 | offset // 8, ttl, protocol, 0) \
        + packed(source) + packed(destination) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def patched(packet, at, value):
    return packet[:at] + value + packet[at + len(value):]


def summed(packet):
    """An IPv4 packet without options, its header checksum made right again."""
    return patched(packet, 10, struct.pack("!H", checksum(patched(packet, 10, b"\0\0")[:20])))


def udp_datagram(source, destination, sport, dport, data):
    head = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
    total = checksum(pseudo_header(source, destination, 17, 8 + len(data)) + head + data)
    return head[:6] + struct.pack("!H", total or 0xFFFF) + data


def udp(source, destination, sport, dport, data, **header):
    return ip(source, destination, 17, udp_datagram(source, destination, sport, dport, data), **header)


SYN, ACK, PSH, FIN, RST = 2, 16, 8, 1, 4


def tcp(source, destination, sport, dport, flags, seq, ack=0, data=b"", options=b"", **header):
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 + len(options) // 4 << 4, flags,
                          64240, 0, 0) + options + data
    total = checksum(pseudo_header(source, destination, 6, len(segment)) + segment)
    return ip(source, destination, 6, segment[:16] + struct.pack("!H", total) + segment[18:], **header)


def icmp(source, destination, kind, code, rest, **header):
    """ICMP or ICMPv6; rest follows the checksum."""
    message = struct.pack("!BBH", kind, code, 0) + rest
    six = ":" in destination
    total = checksum((pseudo_header(source, destination, 58, len(message)) if six else b"") + message)
    return ip(source, destination, 58 if six else 1, message[:2] + struct.pack("!H", total) + message[4:],
              **header)


def echo(source, destination, number, sequence, **header):
    kind = 128 if ":" in destination else 8
    return icmp(source, destination, kind, 0, struct.pack("!HH", number, sequence) + b"napd" * 14, **header)


def frame(ethertype, payload, source, destination, vlan=None):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    whole = mac_bytes(destination) + mac_bytes(source) + tag + struct.pack("!H", ethertype) + payload
    return whole.ljust(60, b"\0")


# ---- sending ----


def put(port, time, ethertype, payload, source=None, destination=None, vlan=None):
    """A frame of the port's router to the exchange, unless said otherwise."""
    p = PORTS[port]
    p.frames.append((time, frame(ethertype, payload, source or p.router, destination or p.mac,
                                 vlan or p.vlan)))


def port_of(member, packet):
    """Evergreen spreads its flows over its two ports."""
    if member != "evergreen":
        return member
    # source, destination and ports, but neither lengths nor checksums
    flow = packet[12:24] if packet[0] >> 4 == 4 else packet[8:44]
    return "evergreen-1" if checksum(flow) & 1 else "evergreen-2"


def send(member, time, packet, **ethernet):
    put(port_of(member, packet), time, 0x86DD if packet[0] >> 4 == 6 else 0x0800, packet, **ethernet)


def host(member, six, number):
    """One of a member's addresses; the same number is the same host."""
    network4, network6, _ = MEMBERS[member]
    if six:
        return str(ipaddress.ip_address(network6) + (number * 7919 % 4096 << 64) + 0x80 + number)
    size = {"borealis": 250, "evergreen": 190, "cinema": 4090, "foxtrot": 4090}.get(member, 32000)
    return str(ipaddress.ip_address(network4) + 1 + number * 7919 % size)


def away(member):
    """Nanoseconds from the exchange to a host of the member, never twice the same."""
    return MEMBERS[member][2] * MS + random.below(MS)


# ---- scene 1: what an exchange is for ----

PAGE = b"<p>An Internet exchange is a place where networks meet to hand each other traffic.</p>\n"


def web(time, client, server, six, number):
    """One HTTP request over TCP, from the first SYN to the last ACK."""
    here, there = host(client, six, number), host(server, six, 80)
    port, seq, ack = random.between(32768, 60999), random.below(1 << 32), random.below(1 << 32)
    mss = struct.pack("!BBH", 2, 4, 1440 if six else 1460)
    request = (f"GET /{number}.html HTTP/1.1\r\nHost: www.{server}.example\r\n"
               "Accept: text/html\r\n\r\n").encode()
    size = random.between(2, 9) * 500
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % size \
        + (PAGE * 60)[:size]

    def up(flags, data=b"", options=b""):
        send(client, time, tcp(here, there, port, 80, flags, seq, ack if flags & ACK else 0, data, options,
                               ttl=58))

    def down(flags, data=b"", options=b""):
        send(server, time, tcp(there, here, 80, port, flags, ack, seq, data, options, ttl=61))

    up(SYN, options=mss)
    seq = seq + 1 & 0xFFFFFFFF
    time += 2 * away(server)
    down(SYN | ACK, options=mss)
    ack = ack + 1 & 0xFFFFFFFF
    time += 2 * away(client)
    up(ACK)
    time += 20_000
    up(PSH | ACK, request)
    seq = seq + len(request) & 0xFFFFFFFF
    time += 2 * away(server)
    for at in range(0, len(answer), 1400):
        part = answer[at:at + 1400]
        down(ACK if at + 1400 < len(answer) else PSH | ACK, part)
        ack = ack + len(part) & 0xFFFFFFFF
        time += 12_000
    time += 2 * away(client)
    up(FIN | ACK)
    seq = seq + 1 & 0xFFFFFFFF
    time += 2 * away(server)
    down(FIN | ACK)
    ack = ack + 1 & 0xFFFFFFFF
    time += 2 * away(client)
    up(ACK)


A, TXT, AAAA, ANY = 1, 16, 28, 255


def dns_message(identity, flags, name, kind, answers=()):
    """A question and, in an answer, what is known of the name: (type, data)."""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    return struct.pack("!6H", identity, flags, 1, len(answers), 0, 0) \
        + question + struct.pack("!HH", kind, 1) \
        + b"".join(struct.pack("!HHHIH", 0xC00C, of, 1, 300, len(data)) + data for of, data in answers)


def dns(time, client, server, six, number):
    here, there = host(client, six, number), host(server, six, 53)
    port, identity = random.between(1024, 65535), random.below(65536)
    name, kind = f"www.{server}.example", AAAA if six else A
    send(client, time, udp(here, there, port, 53, dns_message(identity, 0x0100, name, kind), ttl=58))
    answers = [(kind, packed(host(server, six, 80)))]
    send(server, time + 2 * away(server),
         udp(there, here, 53, port, dns_message(identity, 0x8580, name, kind, answers), ttl=61))


def video(time, viewer, six, number, packets):
    """QUIC: much down, an acknowledgement up for every second packet."""
    here, there = host(viewer, six, number), host("cinema", six, 443)
    port = random.between(32768, 60999)
    first = b"\xc3\0\0\0\1\x08" + struct.pack("!Q", number) + b"\0\0\x44\x9e" + bytes(range(182)) * 6
    send(viewer, time, udp(here, there, port, 443, first[:1200], ttl=58))
    time += 2 * away("cinema")
    for i in range(packets):
        send("cinema", time, udp(there, here, 443, port, b"\x40" + struct.pack("!I", i) * 300, ttl=62))
        if i % 2:
            send(viewer, time + 2 * away(viewer), udp(here, there, port, 443, b"\x41" + bytes(32), ttl=58))
        time += 4 * MS + random.below(2 * MS)


def jumbo(time, six, number, packets):
    """Cinema's new films to Evergreen's film institute, in frames that both can take."""
    here, there = host("evergreen", six, number), host("cinema", six, 873)
    port, seq, ack = random.between(32768, 60999), random.below(1 << 31), random.below(1 << 31)
    for _ in range(packets):
        data = b"film" * 2200
        send("cinema", time, tcp(there, here, 873, port, ACK, seq, ack, data, ttl=62))
        seq += len(data)
        send("evergreen", time + 2 * away("evergreen"), tcp(here, there, port, 873, ACK, ack, seq, ttl=60))
        time += 40 * MS + random.below(20 * MS)


def everyday():
    pairs = [("aurora", "borealis"), ("aurora", "borealis"), ("aurora", "evergreen"), ("delta", "borealis"),
             ("delta", "borealis"), ("evergreen", "borealis"), ("delta", "foxtrot"), ("aurora", "foxtrot")]
    for i in range(112):
        client, server = pairs[i % len(pairs)]
        web(START + i * 82 * MS + random.below(60 * MS), client, server, random.below(5) < 2, i)
    for i in range(150):
        client, server = random.choice(pairs)
        dns(START + i * 65 * MS + random.below(40 * MS), client, server, random.below(3) == 0, 300 + i)
    for i in range(8):
        viewer = "delta" if i % 4 == 3 else "aurora"
        video(START + (200 + i * 1100) * MS, viewer, i % 3 == 1, 500 + i, 28)
    for i in range(4):
        jumbo(START + (600 + i * 2300) * MS, i % 2 == 1, 20 + i, 5)


# ---- scene 2: a path that is narrower than its ends ----


def path_mtu():
    """Cinema offers 8,840 bytes to a household behind 1,500; the exchange answers, Cinema obeys."""
    for six in (False, True):
        here, there = host("aurora", six, 700), host("cinema", six, 873)
        for i in range(3):
            time = START + (2500 + i * 1500) * MS + six * 700 * MS
            seq = 1_000_000 + i * 8800
            send("cinema", time, tcp(there, here, 873, 40000, ACK, seq, 1, b"film" * 2200, ttl=62))
            for at in range(0, 8800, 1400):
                time += 2 * MS
                send("cinema", time, tcp(there, here, 873, 40000, ACK, seq + at, 1, b"film" * 350, ttl=62))
            send("aurora", time + 2 * away("aurora"),
                 tcp(here, there, 40000, 873, ACK, 1, seq + 8800, ttl=58))
    # Evergreen's old file server knows no path MTU discovery: the exchange cuts what it sends.
    for i in range(4):
        send("evergreen", START + (3000 + i * 400) * MS,
             udp(host("evergreen", False, 30), host("aurora", False, 701), 2049, 800, b"nfs " * 1000, ttl=60,
                 df=False))


# ---- scene 3: people who look how far it is ----


def traceroute(time, client, server, six, number):
    """Three probes a hop. Hops 1 to 3 are the client's own; the fourth is the exchange."""
    here, there = host(client, six, number), host(server, six, 80)
    far = port_of(server, ip(there, here, 17, bytes(8)))  # the port of its first router
    router = PORTS[far]
    for hop in range(4, 8):
        for probe in range(3):
            port = 33434 + hop * 3 + probe
            data = b"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"
            packet = udp(here, there, 50000 + number, port, data, ttl=hop - 3)
            send(client, time, packet)
            last = hop == 7
            reply = ((1, 4) if six else (3, 3)) if last else (3, 0) if six else (11, 0)
            source = there if last else router.router6 if six else router.router4
            if hop > 4:
                arrived = patched(packet, 7, b"\1") if six else summed(patched(packet, 8, b"\1"))
                put(far, time + 2 * away(server), 0x86DD if six else 0x0800,
                    icmp(source, here, *reply, bytes(4) + arrived[:128], ttl=64 - hop, df=False))
            time += 30 * MS


def looking():
    traceroute(START + 1000 * MS, "aurora", "borealis", False, 801)
    traceroute(START + 2600 * MS, "aurora", "evergreen", True, 802)
    traceroute(START + 4100 * MS, "delta", "borealis", True, 803)
    # To the exchange itself: it answers pings, and refuses what it does not offer.
    for i in range(8):
        time = START + i * SECOND
        send("aurora", time + 50 * MS, echo(host("aurora", False, 804), PORTS["aurora"].own4, 7, i, ttl=60))
        send("delta", time + 350 * MS, echo(PORTS["delta"].router6, PORTS["delta"].own6, 8, i, ttl=64))
    for i in range(3):
        send("evergreen", START + (5000 + i * 40) * MS,
             udp(host("evergreen", False, 40), PORTS["evergreen-1"].own4, 50040, 33440 + i, b"@" * 32, ttl=3))
    for i in range(4):  # a session that nobody has configured on this side
        send("foxtrot", START + (1 << i) * 600 * MS,
             tcp(PORTS["foxtrot"].router4, PORTS["foxtrot"].own4, 45179, 179, SYN, 179 * 1000 + i, ttl=1,
                 tos=0xC0, options=struct.pack("!BBH", 2, 4, 1460)))
    # Aurora sends its own unused addresses back where they came from: one ping goes round and round.
    for ttl in range(59, 0, -2):
        send("aurora", START + 6200 * MS + (59 - ttl) * 6 * MS,
             echo(host("aurora", False, 805), "198.18.99.99", 9, 1, ttl=ttl))


# ---- scene 4: attacks ----


def spoofed_flood():
    """A rented server at Foxtrot sends SYNs from addresses of others; none gets past its port."""
    time = START + 3000 * MS
    for _ in range(500):
        source = f"198.{random.between(18, 19)}.{random.between(160, 255)}.{random.between(1, 254)}"
        send("foxtrot", time, tcp(source, host("borealis", False, 80), random.between(1024, 65535), 80, SYN,
                                  random.below(1 << 32), ttl=random.between(40, 250)))
        time += 3 * MS + random.below(2 * MS)


def reflection():
    """
    Bots at Aurora ask Foxtrot's open resolvers and clocks in the name of phones at Delta. Aurora's
    port only reports such sources, so the questions pass; the answers are thirty times as large.
    """
    for pulse in range(2):
        time = START + (5500 + pulse * 2000) * MS
        for i in range(110):
            time += random.below(MS)
            victim = VICTIM if random.below(10) < 7 else f"198.19.66.{random.between(67, 90)}"
            port = random.between(1024, 65535)
            back = time + 2 * away("foxtrot")
            if i % 10 == 9:  # NTP monlist
                clock = host("foxtrot", False, 123)
                send("aurora", time, udp(victim, clock, port, 123, b"\x17\x00\x03\x2a" + bytes(4), ttl=48))
                for part in range(6):
                    send("foxtrot", back + part * 60_000,
                         udp(clock, victim, 123, port, bytes([0xD7, part, 3, 42]) + bytes(436), ttl=61))
                continue
            resolver = host("foxtrot", False, 1000 + i % 7)
            ask = dns_message(0x6E61, 0x0100, "large.example", ANY)
            text = (TXT, b"\xc8" + b"open resolver! " * 13 + b"large")
            answer = dns_message(0x6E61, 0x8180, "large.example", ANY, [text] * 5)
            send("aurora", time, udp(victim, resolver, port, 53, ask, ttl=48))
            send("foxtrot", back, udp(resolver, victim, 53, port, answer, ttl=61))


def scan():
    """A tenant of Foxtrot's looks for open doors, mostly where nobody lives."""
    source = host("foxtrot", False, 2000)
    for i in range(60):
        send("foxtrot", START + 1500 * MS + i * 110 * MS,
             tcp(source, f"198.19.{200 + i // 2}.{random.between(1, 254)}", 44444,
                 random.choice([22, 23, 445]), SYN, random.below(1 << 32), ttl=60))
    for i in range(12):
        send("foxtrot", START + 1550 * MS + i * 310 * MS,
             tcp(host("foxtrot", True, 2000), f"2001:db8:{0x9000 + i:x}::1", 44444, 22, SYN,
                 random.below(1 << 32), ttl=60))
    for i in range(8):
        send("foxtrot", START + 1600 * MS + i * 410 * MS,
             tcp(source, f"192.0.2.{200 + i}", 44444, 22, SYN, random.below(1 << 32), ttl=60))


# ---- scene 5: mistakes ----


def missing_prefix():
    """Aurora bought 198.18.144.0/20 and told nobody; and a router there leaks private addresses."""
    for i in range(24):
        time = START + (300 + i * 390) * MS
        here, there = f"198.18.{144 + i % 3}.{10 + i}", host("borealis", False, 80)
        send("aurora", time, echo(here, there, 30, i, ttl=58))
        send("borealis", time + 2 * away("borealis"),
             icmp(there, here, 0, 0, struct.pack("!HH", 30, i) + b"napd" * 14, ttl=61))
    for i in range(6):
        send("aurora", START + (800 + i * 1300) * MS,
             udp("10.0.0.17", host("borealis", False, 53), 5353, 53,
                           dns_message(i, 0x0100, "printer.aurora.example", A), ttl=62))


def wrong_router():
    """Somebody at Borealis has plugged in a second router."""
    for i in range(16):
        send("borealis", START + (4000 + i * 250) * MS,
             echo(host("borealis", False, 7), host("aurora", False, 80), 31, i, ttl=63),
             source="02:00:00:00:0b:99")


def chatter():
    """What routers say when nobody has told them to be quiet."""
    aurora, delta = PORTS["aurora"].router, PORTS["delta"].router
    cdp = bytes.fromhex("aaaa0300000c2000") + b"\2\xb4\0\0\0\1\0\x0aaurora"
    stp = bytes.fromhex("424203") + bytes(35)
    lldp = b"\2\7\4" + mac_bytes(aurora) + b"\4\5\5xe-0\6\2\0\x78\0\0"
    for i in range(5):
        time = START + 2 * i * SECOND + 777 * MS
        put("aurora", time, len(stp), stp, destination="01:80:c2:00:00:00")
        put("evergreen-1", time + 100 * MS, 0x0800,
            ip(PORTS["evergreen-1"].router4, "224.0.0.5", 89, b"\2\1\0\x2c" + bytes(40), ttl=1, tos=0xC0),
            destination="01:00:5e:00:00:05")  # OSPF hello
        put("delta", time + 200 * MS, 0x86DD,
            icmp("fe80::ff:fe00:d01", "ff02::1", 134, 0,
                 b"\x40\0\x07\x08" + bytes(8) + b"\1\1" + mac_bytes(delta), ttl=255),
            destination="33:33:00:00:00:01")  # router advertisement
    put("aurora", START + 900 * MS, 0x88CC, lldp, destination="01:80:c2:00:00:0e")
    put("aurora", START + 950 * MS, len(cdp), cdp, destination="01:00:0c:cc:cc:cc")
    for i in range(3):
        time = START + 3 * i * SECOND + 555 * MS
        put("cinema", time, 0x0800,
            udp("0.0.0.0", "255.255.255.255", 68, 67, b"\1\1\6\0" + bytes(296), ttl=64, df=False),
            destination="ff:ff:ff:ff:ff:ff")  # DHCP
        put("evergreen-2", time, 0x0800,
            udp(PORTS["evergreen-2"].router4, "224.0.0.251", 5353, 5353, bytes(12) + b"\6_ipp_t\0", ttl=255),
            destination="01:00:5e:00:00:fb")  # mDNS
        put("delta", time, 0x86DD,
            ip("fe80::ff:fe00:d01", "ff02::16", 0, mld_report("fe80::ff:fe00:d01", "ff02::16"), ttl=1),
            destination="33:33:00:00:00:16")
    for i in range(2):  # a customer's VLAN that ends nowhere
        put("delta", START + (3 + i) * SECOND, 0x0806, arp(1, delta, "192.168.1.1", "192.168.1.7"),
            destination="ff:ff:ff:ff:ff:ff", vlan=777)


def mld_report(source, destination):
    """Hop-by-hop header with router alert, then one empty MLDv2 report."""
    message = struct.pack("!BBHHH", 143, 0, 0, 0, 0)
    total = checksum(pseudo_header(source, destination, 58, len(message)) + message)
    return bytes.fromhex("3a00050200000100") + message[:2] + struct.pack("!H", total) + message[4:]


def arp(operation, sender_mac, sender, target):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac_bytes(sender_mac) + packed(sender) \
        + bytes(6) + packed(target)


def neighbours():
    """Routers ask for the exchange's MAC every few seconds, and are answered."""
    for number, (name, p) in enumerate(PORTS.items()):
        for i in range(3):
            time = START + number * 130 * MS + i * 3 * SECOND
            solicited = packed("ff02::1:ff00:a")
            put(name, time, 0x86DD,
                icmp(p.router6, "ff02::1:ff00:a", 135, 0,
                     bytes(4) + packed(p.own6) + b"\1\1" + mac_bytes(p.router), ttl=255),
                destination="33:33:" + solicited[12:].hex(":"))
            if p.own4:
                put(name, time + 5 * MS, 0x0806, arp(1, p.router, p.router4, p.own4),
                    destination="ff:ff:ff:ff:ff:ff")
    for i in range(4):  # asks the exchange for somebody else: no proxy ARP
        put("foxtrot", START + (2 + 2 * i) * SECOND, 0x0806,
            arp(1, PORTS["foxtrot"].router, PORTS["foxtrot"].router4, "198.51.100.73"),
            destination="ff:ff:ff:ff:ff:ff")


def malformed():
    """From a failing line card and a tenant who tries things."""
    here4, here6 = host("foxtrot", False, 2001), host("foxtrot", True, 2001)
    there4, there6 = host("borealis", False, 80), host("borealis", True, 80)

    def probe(source=here4, destination=there4, **header):
        return udp(source, destination, 6666, 7777, b"broken" * 8, ttl=60, **header)

    bad4 = [patched(probe(), 10, b"\xba\xad")] * 6  # checksum
    bad4 += [summed(patched(probe(), 2, b"\x05\xdc"))] * 3  # total length: 1500
    bad4 += [summed(patched(probe(), 0, b"\x41")), summed(patched(probe(), 0, b"\x65"))]  # IHL 1, version 6
    bad4 += [probe("127.0.0.1")] * 3 + [probe(destination="240.0.0.1")] * 2
    bad4 += [probe(options=b"\x83\x07\x04" + packed("203.0.113.9") + b"\0")] * 2  # loose source route
    bad6 = [patched(probe(here6, there6), 4, b"\x05\xdc")] * 2  # payload length: 1500
    bad6 += [probe("fe80::ff:fe00:f01", there6)]
    for i, packet in enumerate(bad4):
        put("foxtrot", START + 7000 * MS + i * 90 * MS, 0x0800, packet)
    for i, packet in enumerate(bad6):
        put("foxtrot", START + 7045 * MS + i * 90 * MS, 0x86DD, packet)


# ---- the files ----


def capture(port):
    """A nanosecond pcap of a port's frames in the order of their times."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)]
    for time, data in sorted(PORTS[port].frames, key=lambda item: item[0]):
        out.append(struct.pack("<IIII", time // SECOND, time % SECOND, len(data), len(data)))
        out.append(data)
    return b"".join(out)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "napd.yaml"), encoding="utf-8") as file:
        yaml = file.read()
    for name, p in PORTS.items():
        for wanted in (name, p.mac, p.router, p.own4, p.router4, p.own6, p.router6, VICTIM):
            if wanted and wanted not in yaml:
                sys.exit(f"make-captures.py: napd.yaml has no {wanted} (port {name})")

    everyday()
    path_mtu()
    looking()
    spoofed_flood()
    reflection()
    scan()
    missing_prefix()
    wrong_router()
    chatter()
    neighbours()
    malformed()

    check = sys.argv[1:] == ["--check"]
    folder = here if check or len(sys.argv) < 2 else sys.argv[1]
    stale = False
    for name in PORTS:
        path, want = os.path.join(folder, name + ".pcap"), capture(name)
        if not check:
            with open(path, "wb") as file:
                file.write(want)
        elif not os.path.exists(path) or open(path, "rb").read() != want:
            print(f"{path} is not what make-captures.py writes: run it again", file=sys.stderr)
            stale = True
    sys.exit(stale)


if __name__ == "__main__":
    main()
