#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""napd on emulated NICs in a QEMU guest, by vfio-pci: run.py FOLDER (vmlinuz, initrd); prints TAP.

The guest has two NUMA nodes of three CPUs and one; its NICs' other ends are sockets of this program, which
plays the members' routers. Everything napd sends is compared byte for byte. Run in a network
namespace of its own (tests/qemu/run).
"""
import json
import re
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'packets'))
from packet import Builder  # pylint: disable=wrong-import-position

PATIENCE = 20  # seconds for whatever must come; an emulated guest is slow, not fast
# name: PCI address in the guest, NIC's MAC, router's MAC, addresses of napd and router, a host behind it
PORTS = {
    'pa': ('0000:21:00.0', '02:4e:41:00:00:0a', '02:00:00:00:0a:01', '198.51.100.1', '198.51.100.0',
           '2001:db8:64:a::1', '2001:db8:64:a::', '203.0.113.5', '2001:db8:a::5'),
    'pb': ('0000:41:00.0', '02:4e:41:00:00:0b', '02:00:00:00:0b:01', '198.51.100.3', '198.51.100.2',
           '2001:db8:64:b::1', '2001:db8:64:b::', '203.0.113.69', '2001:db8:b::5'),
    'pc': ('0000:22:00.0', '02:4e:41:00:00:0c', '02:00:00:00:0c:01', '198.51.100.5', '198.51.100.4',
           '2001:db8:64:c::1', '2001:db8:64:c::', '203.0.113.133', '2001:db8:c::5'),
}
QUEUES = 4  # of pc, by RSS
FLOWS, PACKETS = 64, 40
PAGES = 128  # of 2 MB on each node


class Port:
    """One port as its member sees it: frames in and out, and who is who."""

    def __init__(self, name):
        (self.pci, self.mac, self.router, self.own4, self.router4, self.own6, self.router6,
         self.host4, self.host6) = PORTS[name]
        self.name = name
        self.socket = None

    def __str__(self):
        return self.name

    def frame(self, text, to_router=False):
        """A frame of tests/packets' notation from the router to napd, or the other way."""
        source, destination = (self.mac, self.router) if to_router else (self.router, self.mac)
        return Builder().frame(text, source, destination)[0].ljust(60, b'\0')

    def receive(self, seconds):
        """The next frame from napd, or None."""
        end = time.time() + seconds
        while select.select([self.socket], [], [], max(0, end - time.time()))[0]:
            frame, sender = self.socket.recvfrom(65536)
            # a packet socket also hears what it sends itself
            if not (isinstance(sender, tuple) and sender[2] == socket.PACKET_OUTGOING):
                return frame
        return None

    def expect(self, wanted):
        """Wait for exactly this frame; announcements may come in between."""
        end, others = time.time() + PATIENCE, []
        while time.time() < end:
            frame = self.receive(1)
            if frame == wanted:
                return
            if frame:
                others.append(frame.hex())
        raise AssertionError(f'{self}: expected\n{wanted.hex()}\ngot\n' + '\n'.join(others))


class DatagramPort(Port):
    """At QEMU's dgram netdev: nothing is lost, the sender waits."""

    def __init__(self, name, folder):
        super().__init__(name)
        self.guest = str(folder / f'{name}.guest')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(str(folder / f'{name}.host'))

    def arguments(self):
        here = self.socket.getsockname()
        return ['-netdev', f'dgram,id={self},local.type=unix,local.path={self.guest},'
                           f'remote.type=unix,remote.path={here}']

    def start(self):
        self.socket.connect(self.guest)

    def send(self, frame):
        self.socket.send(frame)


class TapPort(Port):
    """At a TAP interface with several queues, which QEMU makes."""

    def arguments(self):
        return ['-netdev', f'tap,id={self},ifname={self},queues={QUEUES},script=no,downscript=no,vhost=off']

    def start(self):
        subprocess.run(['ip', 'link', 'set', self.name, 'txqueuelen', '10000', 'up'], check=True)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((self.name, 0))

    def send(self, frame):
        self.socket.send(frame)


class Guest:
    """QEMU, and a shell in it."""

    def __init__(self, folder, ports):
        self.log = folder / 'console.log'
        shell = folder / 'shell'
        for path in [shell, *folder.glob('*.guest')]:
            path.unlink(missing_ok=True)
        arguments = [
            'qemu-system-x86_64', '-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max',
            '-smp', '4,sockets=4,cores=1', '-m', '1280', '-nographic', '-nodefaults', '-no-reboot',
            '-kernel', folder / 'vmlinuz', '-initrd', folder / 'initrd',
            '-append', 'console=ttyS0 quiet panic=-1 mitigations=off intel_iommu=on',
            '-serial', f'file:{self.log}', '-monitor', 'none',
            '-chardev', f'socket,id=shell,path={shell},server=on,wait=off', '-serial', 'chardev:shell',
            '-object', 'memory-backend-ram,id=m0,size=640M', '-object', 'memory-backend-ram,id=m1,size=640M',
            '-numa', 'node,nodeid=0,cpus=0-2,memdev=m0', '-numa', 'node,nodeid=1,cpus=3,memdev=m1',
            '-device', 'intel-iommu,intremap=on,caching-mode=on,device-iotlb=on',
            '-device', 'pxb-pcie,id=b0,bus_nr=32,numa_node=0,bus=pcie.0', '-device', 'pxb-pcie,id=b1,bus_nr=64,numa_node=1,bus=pcie.0',
            '-device', 'pcie-root-port,id=r0,bus=b0,chassis=1,addr=0',
            '-device', 'pcie-root-port,id=r1,bus=b0,chassis=2,addr=1',
            '-device', 'pcie-root-port,id=r2,bus=b1,chassis=3,addr=0',
            '-device', f"e1000e,bus=r0,netdev=pa,romfile=,mac={ports['pa'].mac}",
            '-device', f"e1000e,bus=r2,netdev=pb,romfile=,mac={ports['pb'].mac}",
            '-device', f"virtio-net-pci,bus=r1,netdev=pc,romfile=,mac={ports['pc'].mac},mq=on,vectors={2 * QUEUES + 2},"
                       'rss=on,hash=on,disable-legacy=on,iommu_platform=on,ats=on',
        ]
        for port in ports.values():
            arguments[1:1] = port.arguments()
        with open(folder / 'qemu.log', 'wb') as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.shell = socket.socket(socket.AF_UNIX)
        self.shell.settimeout(3 * PATIENCE)
        while not shell.exists():
            time.sleep(0.05)
            if self.process.poll() is not None:
                raise AssertionError('QEMU did not start: ' + (folder / 'qemu.log').read_text())
        self.shell.connect(str(shell))
        try:
            self.until('guest ready\n')
        except TimeoutError:
            self.process.kill()
            self.process.wait()
            raise

    def until(self, mark):
        """What the guest says up to a mark, a regular expression."""
        said = ''
        while not (found := re.search(mark, said)):
            more = self.shell.recv(65536)
            if not more:
                raise AssertionError(f'the guest is gone: {said}')
            said += more.decode(errors='replace')
        return said[:found.start()], found

    def run(self, command, status=0):
        """The output of a command, which must end with status."""
        self.shell.send(command.encode() + b'\n')
        output, found = self.until(r'<<done (\d+)>>\n')
        if int(found[1]) != status:
            raise AssertionError(f'{command}: exit {found[1]}\n{output}')
        return output

    def ask(self, command):
        return json.loads(self.run(f'napctl --json {command}'))

    def wait(self, command, truth, what):
        """Ask until it is true."""
        end = time.time() + PATIENCE
        while not truth(answer := self.ask(command)):
            if time.time() > end:
                raise AssertionError(f'{what}: {json.dumps(answer, indent=1)}')
            time.sleep(0.2)
        return answer


class Test:
    """The claims, in order; each uses what those before it left."""

    def __init__(self, folder):
        self.ports = {'pa': DatagramPort('pa', folder), 'pb': DatagramPort('pb', folder), 'pc': TapPort('pc')}
        try:
            self.guest = Guest(folder, self.ports)
        except TimeoutError:  # on a crowded machine an emulated kernel may stall for good while it boots
            print('# the guest did not boot; once more', flush=True)
            self.guest = Guest(folder, self.ports)
        for port in self.ports.values():
            port.start()
        self.sent = 0

    def nics_are_taken_from_their_drivers_to_vfio(self):
        pci = self.ports['pa'].pci
        assert self.guest.run(f'driver_of {pci}').strip() == 'e1000e'
        self.guest.run(f'hugepages {PAGES}; bind_vfio ' + ' '.join(p.pci for p in self.ports.values()))
        for port in self.ports.values():
            driver = self.guest.run(f'driver_of {port.pci}').strip()
            assert driver == 'vfio-pci', (port.pci, driver)

    def _start(self):
        self.guest.run('napd run >/dev/ttyS0 2>&1 & napd=$!')
        self.guest.run('for i in $(seq 60); do [ -S /run/napd/napd.sock ] && break; sleep 0.5; done; '
                       'napctl show version')
        return self.guest.wait('show ports', lambda rows: all(r['link'] == 'up' for r in rows), 'links')

    def napd_starts_on_pci_addresses(self):
        self.guest.run('napd check')
        rows = self._start()
        assert [r['device'] for r in rows] == [p.pci for p in self.ports.values()], rows

    def arp_and_neighbour_discovery_are_answered(self):
        for port in self.ports.values():
            port.send(port.frame(f'arp(request {port.router4}>{port.own4})'))
            port.expect(port.frame(f'arp(reply {port.own4}>{port.router4} tha={port.router})', True))
            port.send(port.frame(f'ip6({port.router6}>{port.own6} hlim=255) ns({port.own6} slla={port.router})'))
            port.expect(port.frame(f'ip6({port.own6}>{port.router6} hlim=255) '
                                   f'na({port.own6} r s o tlla={port.mac})', True))

    def packets_are_forwarded_both_ways(self):
        for here in self.ports.values():
            for there in self.ports.values():
                if here is there:
                    continue
                for size in (66, 1500):
                    text = f'ip({here.host4}>{there.host4} ttl=%d size={size}) udp()'
                    here.send(here.frame(text % 64))
                    there.expect(there.frame(text % 63, True))
                    text = f'ip6({here.host6}>{there.host6} hlim=%d size={size}) udp()'
                    here.send(here.frame(text % 2))
                    there.expect(there.frame(text % 1, True))

    def errors_and_echoes_come_back(self):
        here = self.ports['pa']
        here.send(here.frame(f'ip({here.host4}>{here.own4} ttl=64) icmp(8/0)'))
        here.expect(here.frame(f'ip({here.own4}>{here.host4} ttl=64 id=0) icmp(0/0)', True))
        here.send(here.frame(f'ip({here.host4}>203.0.113.70 ttl=1) udp()'))
        assert self.guest.wait('show port pa', lambda p: p['drops'].get('ttl-expired') == 1, 'ttl-expired')

    def _flow(self, flow):
        """A packet of a flow from pc to pa, for its number to be written at 42."""
        here, there = self.ports['pc'], self.ports['pa']
        return here.frame(f'ip({here.host4}>{there.host4} ttl=64) udp({1024 + 7 * flow}>{flow} sum=0) bytes(8)')

    def _flows_of_one_worker(self):
        """Which flows come to the queues of pc that the worker of its queue 0 polls."""
        def received():
            return sum(q['received'] for q in self._worker_of('pc', 0)['queues'] if q['port'] == 'pc')
        flows, before = [], received()
        for flow in range(FLOWS // 4):
            self.ports['pc'].send(self._flow(flow))
            self._arrived()
            now = received()
            if now > before:
                flows.append(flow)
            before = now
        return flows

    def _many_flows(self, during=None, flows=range(FLOWS)):
        """Numbered packets of many flows from pc to pa: all arrive, each flow in order."""
        next_of = dict.fromkeys(flows, 0)
        plain = {flow: self._flow(flow) for flow in flows}
        begun, count, rounds = time.time(), 0, PACKETS
        while count < rounds:
            for flow, frame in plain.items():
                self.ports['pc'].send(frame[:42] + struct.pack('!II', flow, count))
            count += 1
            # a TAP drops what does not fit: never more on the way than its queue holds
            while sum(next_of.values()) < (count - 3) * len(flows):
                self._flow_arrives(next_of)
            if during and time.time() - begun > 2.5:
                during()
                during, rounds = None, count + PACKETS
            elif during:
                rounds = count + PACKETS
        while sum(next_of.values()) < rounds * len(flows):
            self._flow_arrives(next_of)

    def _arrived(self):
        """Flow and number of the next packet; napd also asks who its neighbours are."""
        while frame := self.ports['pa'].receive(PATIENCE):
            if frame[12:14] == b'\x08\0' and frame[23] == 17:
                return struct.unpack('!II', frame[42:50])
        raise AssertionError('no packet comes any more')

    def _flow_arrives(self, next_of):
        flow, count = self._arrived()
        assert count == next_of[flow], f'flow {flow}: packet {count} came before {next_of[flow]}'
        next_of[flow] += 1

    def _worker_of(self, port, queue):
        for row in self.guest.ask('show workers'):
            for polled in row['queues']:
                if (polled['port'], polled['queue']) == (port, queue):
                    return row
        raise AssertionError(f'nobody polls queue {queue} of {port}')

    def workers_and_memory_are_on_the_nodes_of_the_nics(self):
        rows = self.guest.ask('show workers')
        # CPU 0 is control's; pa and pc have node 0, which has two CPUs left, pb has node 1
        assert [(r['cpu'], r['node']) for r in rows][:3] == [(1, 0), (2, 0), (3, 1)], rows
        for port, queue, node in [('pa', 0, 0), ('pb', 0, 1)] + [('pc', q, 0) for q in range(QUEUES)]:
            row = self._worker_of(port, queue)
            assert row['node'] == node, (port, queue, row)
        pages = '/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/free_hugepages'
        free = [int(self.guest.run(f'cat {pages % node}')) for node in (0, 1)]
        assert max(free) < PAGES - 40, free
        log = self.guest.log.read_text(errors='replace')
        assert 'NUMA' not in log, 'a warning about nodes'
        # e1000e has two transmit queues for three workers
        assert '0000:21:00.0 has 2 transmit queues for 3 workers: they share' in log, log[-2000:]

    def flows_of_several_queues_share_two_workers_in_order(self):
        before = self.guest.ask('show workers')
        self._many_flows()
        after = self.guest.ask('show workers')
        shares = [a['received'] - b['received'] for a, b in zip(after, before)]
        assert sum(shares) >= FLOWS * PACKETS and min(shares[:2]) > FLOWS * PACKETS // 8, shares
        queues = [q for row in after for q in row['queues'] if q['port'] == 'pc']
        assert len(queues) == QUEUES and all(q['received'] for q in queues), queues

    def a_queue_moves_under_load_and_no_packet_is_lost_or_overtaken(self):
        moves = []

        def rebalance():
            moves.extend(self.guest.ask('workers rebalance'))
        self._many_flows(rebalance, self._flows_of_one_worker())
        assert len(moves) == 1 and moves[0]['port'] == 'pc', moves
        row = self._worker_of('pc', moves[0]['queue'])
        assert row['worker'] == moves[0]['to'] != moves[0]['from'], (row, moves)
        assert not any(q['moving'] for q in row['queues']), row

    def every_packet_is_accounted_for(self, ports=PORTS):
        rows = {row['port']: row for row in self.guest.ask('show ports')}
        for row in (rows[port] for port in ports):
            assert row['rx_packets'] == (row['forwarded'] + row['consumed'] + sum(row['drops'].values())
                                         + row['pending']), row
            assert row['rx_packets'] > 0 and 'internal' not in row['drops'], row

    def metrics_and_health_are_served(self):
        fetch = 'wget -q -O - http://127.0.0.1:9473'
        metrics = self.guest.run(f'{fetch}/metrics')
        rows = self.guest.ask('show ports')
        for row in rows:
            line = re.search(rf'^napd_port_receive_packets_total.*port="{row["port"]}".* (\d+)$', metrics, re.MULTILINE)
            assert line and int(line[1]) == row['rx_packets'], (row, line)
        assert re.search(r'^napd_worker_busy_seconds_total{worker="1"} [0-9.]+$', metrics, re.MULTILINE), metrics
        assert 'napd_worker_info{worker="2",cpu="3",node="1"} 1\n' in metrics, metrics
        assert 'napd_port_cross_node_queues{port="pb"} 0\n' in metrics, metrics
        self.guest.run(f'{fetch}/healthz')

    def it_stops_and_starts_again_on_the_same_nics(self):
        self.guest.run('kill -TERM $napd; wait $napd')
        # now with workers on node 0 only: pb is served across nodes, and a warning says so
        self.guest.run("sed -i 's/memory: 192M/&, cores: \"1-2\"/' /etc/napd/napd.yaml")
        self._start()
        self.packets_are_forwarded_both_ways()
        log = self.guest.log.read_text(errors='replace')
        assert re.search(r'warning device: 0000:41:00.0 is on NUMA node 1, where no worker runs', log), log[-2000:]
        metrics = self.guest.run('wget -q -O - http://127.0.0.1:9473/metrics')
        assert 'napd_port_cross_node_queues{port="pb"} 1\n' in metrics, metrics
        self.guest.run('kill -TERM $napd; wait $napd')

    def queues_move_by_themselves_when_one_worker_is_busy_and_no_packet_is_overtaken(self):
        # two devices that always have frames (runts), dealt to one worker: the other has next to nothing to do
        rows = ''.join(f'  - {{name: {name}, device: {device}, queues: 1, addresses: [198.51.100.{address}/31]}}\\n'
                       for name, device, address in (('na', 'net_null0', 33), ('nb', 'net_ring0', 35), ('nc', 'net_null1', 37)))
        self.guest.run(f"sed -i 's|^members:|{rows}&|' /etc/napd/napd.yaml")
        self._start()
        busy = self._worker_of('na', 0)
        assert self._worker_of('nc', 0)['worker'] == busy['worker'], self.guest.ask('show workers')
        flows = [f for f in range(FLOWS // 4)]
        moved, begun = None, time.time()
        while not moved and time.time() - begun < 3 * PATIENCE:
            self._many_flows(flows=flows)
            moved = re.search(r'queue 0 of net_null\d moves from worker (\d) \((\d+) % busy\) to (\d) \((\d+) %\)',
                              self.guest.log.read_text(errors='replace'))
        assert moved, self.guest.ask('show workers')
        source, was_busy, target, was_idle = (int(n) for n in moved.groups())
        assert source == busy['worker'] != target and was_busy > 90 and was_idle < 60, moved[0]
        assert time.time() - begun > 5, 'it moved before it was busy for long'
        self._many_flows(flows=flows)
        workers = {self._worker_of(port, 0)['worker'] for port in ('na', 'nc')}
        assert workers == {source, target}, self.guest.ask('show workers')
        self.every_packet_is_accounted_for(['pc'])  # the others are never at rest
        self.guest.run('kill -TERM $napd; wait $napd')


def main():
    folder = Path(sys.argv[1])
    # the kernel has nothing of its own to say on the TAP
    Path('/proc/sys/net/ipv6/conf/default/disable_ipv6').write_text('1')
    names = [n for n, f in vars(Test).items() if callable(f) and not n.startswith('_')]
    print(f'1..{len(names)}', flush=True)
    failed, test = 0, Test(folder)
    try:
        for number, name in enumerate(names, 1):
            begun = time.time()
            try:
                getattr(test, name)()
                word = 'ok'
            except (AssertionError, OSError, ValueError, KeyError) as error:
                word, failed = 'not ok', failed + 1
                print(''.join(f'# {line}\n' for line in f'{type(error).__name__}: {error}'.splitlines()), end='')
            print(f"{word} {number} - {name.replace('_', ' ')} # {time.time() - begun:.1f} s", flush=True)
    finally:
        test.guest.process.kill()
        if failed:
            print(''.join(f'# {line}\n' for line in test.guest.log.read_text(errors='replace').splitlines()[-40:]))
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
