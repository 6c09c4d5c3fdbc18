#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the packet builder and the oracle against frames of real stacks and worked examples of RFCs."""
import ipaddress
import struct
import sys

import case as cases
import oracle
from packet import Builder, checksum, fold, mac, pattern

# Frames as other people's machines sent them (captures of the tcpdump, lwIP and PcapPlusPlus
# projects, see shared/data), and how the notation says the same.
SENT = [
    ('an echo request of Linux',
     'eth(08:00:27:e5:28:d1>aa:00:04:00:14:0e) ip(10.20.30.41>10.20.30.40 id=0xd200 df) '
     'icmp(8/0 id=7 seq=0x13d) hex(fcf6f4680000000005dd010000000000101112131415161718191a1b1c'
     '1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637)',
     'aa000400140e080027e528d1080045000054d2004000400118300a141e290a141e2808003fac0007013dfcf6f468'
     '0000000005dd010000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031'
     '323334353637'),
    ('an ARP request',
     'eth(08:00:27:e5:28:d1>aa:00:04:00:14:0e) arp(request 10.20.30.41>10.20.30.40)',
     'aa000400140e080027e528d108060001080006040001080027e528d10a141e290000000000000a141e28'),
    ('an ARP reply',
     'eth(aa:00:04:00:14:0e>08:00:27:e5:28:d1) arp(reply 10.20.30.40>10.20.30.41 '
     'tha=08:00:27:e5:28:d1)',
     '080027e528d1aa000400140e08060001080006040002aa000400140e0a141e28080027e528d10a141e29'),
    ('a neighbour solicitation',
     'eth(0d:38:00:00:2b:38>33:33:ff:de:d0:0d) ip6(fe80::dbd:8d51:93fa:e135>ff02::1:ffde:d00d '
     'plen=32) ns(fe80::223c:1fff:fede:d00d sum=0xb178)',
     '3333ffded00d0d3800002b3886dd6000000000203afffe800000000000000dbd8d5193fae135ff02000000000000'
     '00000001ffded00d8700b17800000000fe80000000000000223c1ffffeded00d'),
    ('duplicate address detection',
     'eth(c2:00:54:f5:00:00>33:33:ff:f5:00:00) ip6(::> tc=0xe0) ns(fe80::c000:54ff:fef5:0)',
     '3333fff50000c20054f5000086dd6e00000000183aff00000000000000000000000000000000ff02000000000000'
     '00000001fff500008700673c00000000fe80000000000000c00054fffef50000'),
    ('an unsolicited neighbour advertisement',
     'eth(c2:00:54:f5:00:00>33:33:00:00:00:01) ip6(fe80::c000:54ff:fef5:0>ff02::1 tc=0xe0) '
     'na(fe80::c000:54ff:fef5:0 r o tlla=c2:00:54:f5:00:00 sum=0x9abb)',
     '333300000001c20054f5000086dd6e00000000203afffe80000000000000c00054fffef50000ff02000000000000'
     '000000000000000188009abba0000000fe80000000000000c00054fffef500000201c20054f50000'),
    ('an echo request with a loose source route',
     'eth(08:00:27:19:1c:78>c4:12:f5:ff:72:e8) ip(10.0.0.6>10.0.0.138 id=0x47a3 '
     'opt=0183070400000000) icmp(8/0 id=0xd882 seq=3)',
     'c412f5ff72e8080027191c78080047000024' '47a30000400114200a0000060a00008a0183070400000000'
     '08001f7ad8820003'),
    ('multicast name resolution over IPv6',
     'eth(6c:f0:49:b2:de:6e>33:33:00:01:00:03) ip6(fe80::4dc7:f593:1f7b:dc11>ff02::1:3 hlim=1) '
     'udp(51837>5355) hex(a7060000000100000000000004777061640000010001)',
     '3333000100036cf049b2de6e86dd60000000001e1101fe800000000000004dc7f5931f7bdc11ff02000000000000'
     '0000000000010003ca7d14eb001e63f7a7060000000100000000000004777061640000010001'),
    ('a report of multicast listeners behind a router alert',
     'eth(00:12:3f:97:92:01>33:33:00:00:00:16) ip6(fe80::9c09:b416:768:ff42>ff02::16 hlim=1) '
     'hbh(050200000100) icmp6(143/0 rest=00000001) hex(03000000ff020000000000000000000000010003)',
     '33330000001600123f97920186dd6000000000240001fe800000000000009c09b4160768ff42ff02000000000000'
     '00000000000000163a000502000001008f001a3c0000000103000000ff020000000000000000000000010003'),
    ('UDP without a checksum around Ethernet',
     'eth(36:dc:85:1e:b3:40>00:16:3e:08:71:cf) ip(192.168.203.1>192.168.202.1 id=0xd2c1 df ttl=64) '
     'udp(52102>4789 sum=0) hex(080000000000640000308801000200163e37f6040806000108000604000200163e'
     '37f604c0a8cb03003088010002c0a8cb05)',
     '00163e0871cf36dc851eb34008004500004ed2c1400040115189c0a8cb01c0a8ca01cb8612b5003a000008000000'
     '0000640000308801000200163e37f6040806000108000604000200163e37f604c0a8cb03003088010002c0a8cb05'),
]


def build(text):
    return Builder().frame(text, '02:00:00:00:00:01', '02:00:00:00:00:02')[0]


def header(hexes):
    return bytes.fromhex(hexes)


CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@check
def sums_as_rfc_1071_does():
    words = bytes.fromhex('0001f203f4f5f6f7')
    assert fold(words) == 0xDDF2
    assert checksum(words) == 0x220D
    assert checksum(b'\x12\x34\x56') == checksum(b'\x12\x34\x56\0')


@check
def builds_frames_that_real_stacks_sent():
    for name, text, want in SENT:
        if build(text) != bytes.fromhex(want):
            raise AssertionError('%s:\n%s\n%s' % (name, build(text).hex(), want))


@check
def tcp_checksums_agree_with_real_stacks():
    segment = header('d55700503da9fa6800000000a00216d019d50000020405b40402080a07d6cc8a000000000103030a')
    pseudo = header('ac108584'), header('628ba11d'), 6
    assert Builder.transport_sum(segment[:16] + b'\0\0' + segment[18:], pseudo, 16, None) == segment


@check
def header_checksums_agree_with_real_stacks():
    for hexes in ('45000054d2004000400118300a141e290a141e28',
                  '4500003cc005400040063c00ac1e7325ac1e7354',
                  '460000288f9800000102362d7f000001e000000994040000',
                  '4700002447a30000400114200a0000060a00008a0183070400000000',
                  '45000073000040004011b861c0a80001c0a800c7'):
        assert oracle.with_checksum4(header(hexes)) == header(hexes), hexes


@check
def rewrites_like_rfc_1624():
    # HC = 0xDD2F, m = 0x5555, m' = 0x3285 gives 0x0000, not 0xFFFF (RFC 1624 section 4).
    assert 0xFFFF - fold(struct.pack('!HHH', 0xFFFF - 0xDD2F, 0xFFFF - 0x5555, 0x3285)) == 0
    before = build('ip(id=0x78b8 ttl=64) udp()')[14:]
    after = oracle.routed(before)
    assert after[8] == 63 and after[10:12] == b'\0\0' and fold(after[:20]) == 0xFFFF


@check
def udp_checksum_zero_is_sent_as_ones():
    for value in range(65536):
        data = struct.pack('!H', value)
        frame = build('ip(10.0.0.1>10.0.0.2) udp(1>1) hex(%s)' % data.hex())
        assert frame[40:42] != b'\0\0'
        if frame[40:42] == b'\xff\xff':
            return
    raise AssertionError('no payload gave a checksum of zero')


@check
def replies_like_linux():
    """The reply that a real host gave to the first frame of SENT, but for id and DF."""
    port = cases.Port('p', {'mac': 'aa:00:04:00:14:0e'}, 'd')
    want = header('080027e528d1aa000400140e080045000054432700004001e7090a141e280a141e29000047ac0007013d'
                  'fcf6f4680000000005dd010000000000101112131415161718191a1b1c1d1e1f2021222324252627'
                  '28292a2b2c2d2e2f3031323334353637')
    got = oracle.echo_reply(header(SENT[0][2]), port)
    assert got[:18] + got[20:24] + got[26:] == want[:18] + want[20:24] + want[26:]
    assert oracle.arp_reply(header(SENT[1][2]), port) == header(SENT[2][2]).ljust(60, b'\0')


@check
def fragments_put_together_are_the_whole():
    for size in (1281, 1400, 2560, 8900):
        whole = build('ip(id=7 opt=9404000007070400) bytes(%d)' % size)[14:]
        data = b''
        for piece in oracle.fragments(whole, 1300):
            words = (piece[0] & 15) * 4
            field = struct.unpack('!H', piece[6:8])[0]
            assert len(piece) <= 1300 and (field & 0x1FFF) * 8 == len(data)
            assert len(piece) == struct.unpack('!H', piece[2:4])[0]
            assert fold(piece[:words]) == 0xFFFF
            data += piece[words:]
            last = not field & 0x2000
            assert last or (len(piece) - words) % 8 == 0
        assert last and data == pattern(size)


@check
def options_are_copied_by_their_flag():
    copied = oracle.copied_options
    assert copied(header('94040000')) == header('94040000')
    assert copied(header('0707040000000000')) == b''
    assert copied(header('010101070704000000008603bb000000')) == header('8603bb00')
    assert copied(header('00940400')) == b''


@check
def link_local_addresses_are_eui_64():
    assert oracle.link_local(mac('02:4e:41:00:00:0b')) == ipaddress.IPv6Address('fe80::4e:41ff:fe00:b')
    assert oracle.link_local(mac('34:56:78:9a:bc:de')) == \
        ipaddress.IPv6Address('fe80::3656:78ff:fe9a:bcde')  # RFC 2464 section 4


@check
def merges_by_time_then_by_file():
    def frame(file, time):
        return cases.Frame('p', file, time, b'', 0, None)

    frames = [frame('b', 5), frame('a', 5), frame('b', 1), frame('a', 6)]
    cases.merge(frames)
    assert [f.order for f in frames] == [0, 2, 1, 3]
    assert [f.merged_ns for f in frames] == [5, 5, 5, 6]


def main():
    failed = 0
    print('1..%d' % len(CHECKS))
    for i, function in enumerate(CHECKS, 1):
        name = function.__name__.replace('_', ' ')
        try:
            function()
            print('ok %d - %s' % (i, name))
        except AssertionError as error:
            failed += 1
            print('not ok %d - %s' % (i, name))
            print('# %s' % str(error).replace('\n', '\n# '))
    print('# selftest: %d passed, %d failed' % (len(CHECKS) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
