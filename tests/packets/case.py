# SPDX-License-Identifier: BSD-3-Clause
"""Reads files of cases: an exchange, frames in, frames out, drops. docs/testing.md has the notation."""
import copy
import ipaddress
import os
import re
import shlex

import oracle
from packet import Builder, NotationError, mac

HERE = os.path.dirname(os.path.abspath(__file__))
START_NS = 1700000000 * 10**9
STEP_NS = 10**6
LISTS = ('addresses', 'prefixes', 'eal')


class Port:
    """What frames that come and go by a port look like; taken from its settings."""

    def __init__(self, name, settings, device):
        self.name = name
        self.vlan = int(settings.get('vlan', 0))
        self.mac = mac(settings['mac'])
        self.device = settings.get('device', device)
        self.addresses = [ipaddress.ip_interface(a).ip
                          for a in settings.get('addresses', '').split(',') if a]
        self.link_local = ipaddress.IPv6Address(settings['link-local']) \
            if 'link-local' in settings else oracle.link_local(self.mac)


class Config:
    """An exchange: settings by section, kept as text and written out as YAML."""

    def __init__(self):
        self.sections = {'exchange': {'': {'name': 'packets', 'asn': '64500'}}, 'dataplane': {'': {}}}
        self.ports, self.members, self.routers, self.routes = {}, {}, {}, {}
        self.defaults = {}
        self.text = []

    def line(self, words):
        kind, rest = words[0], words[1:]
        if kind in ('port', 'member', 'router'):
            table = getattr(self, kind + 's').setdefault(rest[0], {})
            for word in rest[1:]:
                key, _, value = word.partition('=')
                table[key] = value
                if not value:
                    del table[key]
        elif kind == 'route':
            self.routes[rest[0]] = rest[1:]
        elif kind == 'no':
            del getattr(self, rest[0] + 's')[rest[1]]
        elif kind == 'set':
            self.sections['dataplane'][''].update(w.split('=', 1) for w in rest)
        elif kind == 'default':
            self.defaults.update(w.split('=', 1) for w in rest)
        elif kind == 'yaml':
            self.text.append(' '.join(rest))
        else:
            raise NotationError('unknown: %s' % kind)

    KINDS = ('port', 'member', 'router', 'route', 'no', 'set', 'default', 'yaml')

    def port_list(self):
        return [Port(name, settings, 'net_null%d' % i)
                for i, (name, settings) in enumerate(self.ports.items())]

    def router_port(self, router):
        return router.get('port') or self.members[router['member']]['port']

    def router_macs(self, router):
        return [mac(m) for m in router.get('mac', '').split(',') if m]

    def mac(self, name):
        """The MAC of a router (alpha, alpha.2 for its second), a port, or as written."""
        name, _, which = name.partition('.')
        if name in self.routers:
            return self.router_macs(self.routers[name])[int(which or 1) - 1]
        if name in self.ports:
            return mac(self.ports[name]['mac'])
        return mac(name)

    def first_router(self, port):
        for name, router in self.routers.items():
            if self.router_port(router) == port and router.get('mac'):
                return name
        return 'zero'

    def party(self, port, address):
        """To whom a frame of this MAC at this port is attributed."""
        there = [m for m, settings in self.members.items() if settings.get('port') == port]
        for router in self.routers.values():
            if self.router_port(router) == port:
                there.append(router['member'])
                if address in self.router_macs(router):
                    return router['member']
        return there[0] if len(set(there)) == 1 else port

    def yaml(self):
        out = []
        for name, section in self.sections.items():
            if section['']:
                out.append(name + ':')
                out += ['  %s: %s' % item for item in section[''].items()]
        out.append('ports:')
        for i, (name, settings) in enumerate(self.ports.items()):
            settings = {'device': 'net_null%d' % i, **settings}
            out.append('  - name: %s' % name)
            out += ['    ' + self.setting(*item) for item in settings.items()]
        out.append('members:' if self.members else 'members: []')
        for name, settings in self.members.items():
            out.append('  - name: %s' % name)
            out += ['    ' + self.setting(*item) for item in settings.items()]
            routers = [r for r in self.routers.values() if r['member'] == name]
            out += ['    routers:'] if routers else []
            for router in routers:
                keys = [self.setting(k, v) for k, v in router.items() if k != 'member']
                out += ['      %s %s' % ('-' if not i else ' ', k) for i, k in enumerate(keys)]
        out.append('routes:' if self.routes else 'routes: []')
        for prefix, words in self.routes.items():
            out.append('  - {prefix: %s, %s}' % (quoted(prefix), self.route(words)))
        return '\n'.join(out + self.text) + '\n'

    @staticmethod
    def setting(key, value):
        if key in LISTS or (key == 'mac' and ',' in value):
            return '%s: [%s]' % (key, ', '.join(quoted(v) for v in value.split(',')))
        return '%s: %s' % (key, quoted(value))

    @staticmethod
    def route(words):
        if words[0] != 'via':
            return '%s: true' % words[0]
        hops = []
        for hop in ' '.join(words[1:]).replace(',', ' ').split():
            address, star, weight = hop.partition('*')
            hops.append('{address: %s, weight: %s}' % (quoted(address), weight) if star
                        else quoted(address))
        return 'via: [%s]' % ', '.join(hops)


def quoted(value):
    return '"%s"' % value if ':' in value else value


class Frame:
    """One frame in: held bytes and length on the wire, at a time, in a file of a port."""

    def __init__(self, port, file, time, data, held, names):
        self.port, self.file, self.time = port, file, time
        self.data, self.held = data[:held], held
        self.wire = len(data)
        self.names = names
        self.order = None     # number in merged order
        self.merged_ns = None  # its time, never older than its predecessor's in the file
        self.ingress = None   # struct Port it counts on


class Run:
    """One call of napd: an exchange and what is expected of it."""

    def __init__(self, config, lines):
        self.config, self.lines = config, lines


class Case:
    def __init__(self, name, where):
        self.name, self.where = name, where
        self.runs = []      # Run; the first, and one a variant
        self.inputs = []    # (words, text) of frames in
        self.files = {}     # file label -> kind of capture
        self.args = []      # @NAME is the path of an MRT file
        self.mrt = {}       # MRT file -> its lines
        self.moved = []     # (run number, words)
        self.twice = False

    def captures(self):
        """(label, port) of every capture in, in the order of the lines that name them."""
        found = []
        for port, text, _ in self.inputs:
            label = re.search(r'\bfile=(\S+)', text)
            found.append((label.group(1) if label else port, port))
        return list(dict.fromkeys(found))


def read_config(path, config):
    with open(path, encoding='utf-8') as file:
        for line in file:
            line = line.split('#')[0].strip()
            if line:
                config.line(shlex.split(line))


def read(path):
    """All cases of a file."""
    config, cases, case, run = Config(), [], None, None
    with open(path, encoding='utf-8') as file:
        lines = list(file)
    for at, line in enumerate(lines, 1):
        line = re.sub(r'(^|\s)#.*', '', line).strip()
        if not line:
            continue
        words = line.split()
        where = '%s:%d' % (os.path.basename(path), at)
        try:
            if words[0] == 'case':
                case = Case(line[5:].strip(), where)
                cases.append(case)
                run = Run(copy.deepcopy(config), [])
                case.runs.append(run)
            elif case is None and words[0] == 'include':
                read_config(os.path.join(HERE, words[1] + '.exchange'), config)
            elif words[0] in Config.KINDS:
                (run.config if case else config).line(shlex.split(line))
            elif words[0] == 'variant':
                run = Run(copy.deepcopy(case.runs[0].config), [])
                case.runs.append(run)
            elif words[0] == 'args':
                case.args = shlex.split(line)[1:]
            elif words[0] == 'mrt':
                case.mrt.setdefault(words[1], []).append(line.split(None, 2)[2])
            elif words[0] == 'file':
                case.files[words[1]] = words[2]
            elif words[0] == 'twice':
                case.twice = True
            elif words[0] == 'moved':
                case.moved.append((len(case.runs) - 1, words[1:], where))
            elif len(words) > 1 and words[1] == '<':
                case.inputs.append((words[0], line.split('<', 1)[1].strip(), where))
            else:
                run.lines.append((words, line, where))
        except (NotationError, KeyError, IndexError, ValueError) as error:
            raise NotationError('%s: %s: %r' % (where, line, error)) from error
    return cases


def frames_in(case, config):
    """The frames of a case, numbered from 1 in the order of their lines."""
    frames, clock = [], START_NS
    builder = Builder(config.defaults.get('ip', '').split('>') if 'ip' in config.defaults else None,
                      config.defaults.get('ip6', '').split('>') if 'ip6' in config.defaults else None,
                      config.mac)
    ports = {port.name: port for port in config.port_list()}
    for port, text, where in case.inputs:
        count, file, every, names = 1, port, STEP_NS, None
        while True:
            match = re.match(r'(x\s+(\d+)|@(\S+)|file=(\S+)|every=(\S+))\s+', text)
            if not match:
                break
            text = text[match.end():]
            if match.group(2):
                count = int(match.group(2))
            elif match.group(3):
                clock = START_NS + nanoseconds(match.group(3))
            elif match.group(4):
                file = match.group(4)
            else:
                every = nanoseconds(match.group(5))
        for i in range(count):
            one = re.sub(r'\{([^}]*)\}', lambda m, i=i: arithmetic(m.group(1), i), text)
            try:
                data, held = builder.frame(one, config.first_router(port), port, ports[port].vlan)
            except (NotationError, KeyError, IndexError, ValueError) as error:
                raise NotationError('%s: %s: %r' % (where, one, error)) from error
            frames.append(Frame(port, file, clock, data, held, names))
            clock += every
    merge(frames)
    for frame in frames:
        frame.ingress = ingress(frame, ports)
    return frames


def arithmetic(text, i):
    """An expression over i, the copy's number from 0: {1000+i}, {i//256:02x}."""
    text, _, form = text.partition(':')
    if not re.fullmatch(r'[0-9i+*/%() -]+', text):
        raise NotationError('no expression over i: %s' % text)
    return format(eval(text, {'__builtins__': {}}, {'i': i}), form)  # digits and operators only


def nanoseconds(text):
    seconds, _, part = text.partition('.')
    return int(seconds or 0) * 10**9 + int(part.ljust(9, '0')[:9] or 0)


def merge(frames):
    """Order by time; ties by the order of files, then in the file (CONTRACT section 4)."""
    files = list(dict.fromkeys(frame.file for frame in frames))
    latest = {}
    for frame in frames:
        frame.merged_ns = max(frame.time, latest.get(frame.file, 0))
        latest[frame.file] = frame.merged_ns
    ordered = sorted(frames, key=lambda f: (f.merged_ns, files.index(f.file)))
    for at, frame in enumerate(ordered):
        frame.order = at


def ingress(frame, ports):
    """The port that a frame counts on: by device and tag, else the device's fallback."""
    device = ports[frame.port].device
    there = [port for port in ports.values() if port.device == device]
    tag = 0
    if frame.data[12:14] == b'\x81\0' and len(frame.data) >= 18:
        tag = int.from_bytes(frame.data[14:16], 'big') & 0xFFF
    elif frame.data[12:14] in (b'\x81\0', b'\x88\xa8'):
        tag = None
    if frame.wire != len(frame.data) and len(frame.data) < 18:
        tag = None
    for port in there:
        if port.vlan == tag:
            return port
    return next((port for port in there if port.vlan == 0), there[0])
