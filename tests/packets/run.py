#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs files of packet cases through `napd replay` and compares every byte that comes back.

A case passes when the output captures hold exactly the frames, with the times, that it expects,
the drop captures what was dropped as received, and the report the numbers that follow from both.
"""
import argparse
import filecmp
import json
import os
import re
import subprocess
import sys
import tempfile

import capture
import case as cases
import mrt
import oracle
from packet import Builder, NotationError

TIMEOUT_S = 120


class Failure(Exception):
    """napd did something else than the case says."""


class Expected:
    """A frame that must leave: one of candidates (port, bytes, hop)."""

    def __init__(self, cause, candidates, forwarded, text):
        self.cause, self.candidates, self.text = cause, candidates, text
        self.forwarded = forwarded  # else originated


class Expectation:
    """Everything that one run must bring, from the lines of its case."""

    def __init__(self, case, run):
        self.case, self.config = case, run.config
        self.frames = cases.frames_in(case, run.config)
        self.ports = {port.name: port for port in run.config.port_list()}
        self.out, self.fate = [], {}
        self.output_drops = []  # (frame, output port that counts its drop as well)
        self.together, self.apart = [], []
        self.shares, self.matrix, self.report = [], None, []
        self.reported = set()  # forwarded, but counted by a source check
        self.unreceived, self.exit, self.stderr, self.hops = set(), 0, '', {}
        for words, line, where in run.lines:
            try:
                self.line(words, line)
            except (NotationError, KeyError, IndexError, ValueError) as error:
                raise NotationError('%s: %s: %r' % (where, line, error)) from error
        lost = [i + 1 for i in range(len(self.frames))
                if i not in self.fate and i not in self.unreceived]
        if lost and self.exit == 0:
            raise NotationError('%s: nothing is said of frames %s' % (case.where, lost[:10]))

    def line(self, words, line):
        if len(words) > 1 and words[1] == '>':
            self.output(words[0], line.split('>', 1)[1].split(), line)
        elif words[0] == 'drop':
            reason, _, output = words[1].partition('@')
            for i in self.numbers(words[2:]):
                self.settle(i, reason)
                self.output_drops.append((i, output or None))
        elif words[0] == 'consumed':
            for i in self.numbers(words[1:]):
                self.settle(i, 'consumed')
        elif words[0] == 'reported':
            self.reported |= set(self.numbers(words[1:]))
        elif words[0] == 'unreceived':
            self.unreceived |= set(self.numbers(words[1:]))
        elif words[0] == 'share':
            low, _, high = words[2].partition('..')
            self.shares.append((words[1], int(low), int(high)))
        elif words[0] == 'together':
            self.together.append(self.numbers(words[1:]))
        elif words[0] == 'apart':
            self.apart.append((words[1], self.numbers(words[2:3]), self.numbers(words[3:])))
        elif words[0] == 'matrix':
            self.matrix = (self.matrix or []) + [words[1:]]
        elif words[0] == 'report':
            self.report += [word.split('=', 1) for word in words[1:]]
        elif words[0] == 'expect':
            key, _, value = line[len('expect'):].strip().partition('=')
            setattr(self, key, int(value) if key == 'exit' else value)
        else:
            raise NotationError('unknown: %s' % words[0])

    def settle(self, i, fate):
        if self.fate.get(i, fate) != fate:
            raise NotationError('frame %d is both %s and %s' % (i + 1, self.fate[i], fate))
        self.fate[i] = fate

    def numbers(self, words):
        """Frames by number (1 3-5 10-20/2), or all of them."""
        chosen = []
        for word in ' '.join(words).replace(',', ' ').split():
            match = re.fullmatch(r'(\d+)(?:-(\d+))?(?:/(\d+))?', word)
            if not match:
                raise NotationError('no number of a frame: %s' % word)
            first, last, step = match.groups()
            chosen += range(int(first) - 1, int(last or first), int(step or 1))
        if any(i < 0 or i >= len(self.frames) for i in chosen):
            raise NotationError('there are only %d frames' % len(self.frames))
        return chosen or list(range(len(self.frames)))

    def output(self, port, words, line):
        numbers = []
        while words and re.fullmatch(r'[\d,/-]+', words[0]):
            numbers.append(words.pop(0))
        verb = words.pop(0)
        options = dict(w.split('=', 1) for w in words if re.fullmatch(r'[a-z]+=\S+', w))
        for i in self.numbers(numbers):
            made = getattr(self, 'verb_' + verb)(port, self.frames[i], i, words, options, line)
            for candidates in made:
                self.out.append(Expected(i, candidates, verb in ('to', 'frame'), line))
        self.out.sort(key=lambda e: self.frames[e.cause].order)

    # ---- verbs: each returns, for one frame in, the candidates of every frame out ----

    def verb_to(self, port, frame, i, words, options, _):
        """Forwarded to a router: to beta, to beta|gamma, to beta mtu=1280 (in fragments)."""
        self.settle(i, 'forwarded')
        per_hop = []
        for hop in words[0].split('|'):
            router = self.config.routers[hop.partition('.')[0]]
            out = self.ports[port if port != '?' else self.config.router_port(router)]
            made = oracle.forward(frame.data, out, self.config.mac(hop),
                                  int(options['mtu']) if 'mtu' in options else None)
            per_hop.append([(out.name, data, hop) for data in made])
        return [list(piece) for piece in zip(*per_hop)]

    def explicit(self, port, words, line, skip):
        text = line.split(skip, 1)[1]
        builder = Builder(None, None, self.config.mac)
        if 'ip' in self.config.defaults:
            builder.default4 = self.config.defaults['ip'].split('>')
        if 'ip6' in self.config.defaults:
            builder.default6 = self.config.defaults['ip6'].split('>')
        data, _ = builder.frame(text, port, self.config.first_router(port), self.ports[port].vlan)
        return [[(port, data.ljust(60, b'\0'), None)]]

    def verb_frame(self, port, frame, i, words, options, line):
        """Forwarded, as written out in full."""
        self.settle(i, 'forwarded')
        return self.explicit(port, words, line, ' frame ')

    def verb_answer(self, port, frame, i, words, options, line):
        """Answered, as written out in full; what becomes of the question is said elsewhere."""
        return self.explicit(port, words, line, ' answer ')

    def verb_error(self, port, frame, i, words, options, line):
        kind, _, code = words[0].partition('/')
        source = oracle.error_source(list(self.ports.values()), self.ports[port],
                                     oracle.family_of(frame.data))
        return [[(port, oracle.icmp_error(frame.data, self.ports[port], source, int(kind),
                                          int(code), int(options.get('mtu', 0))), None)]]

    def verb_echo(self, port, frame, i, words, options, line):
        self.settle(i, 'consumed')
        return [[(port, oracle.echo_reply(frame.data, self.ports[port]), None)]]

    def verb_arp(self, port, frame, i, words, options, line):
        self.settle(i, 'consumed')
        return [[(port, oracle.arp_reply(frame.data, self.ports[port]), None)]]

    def verb_announce(self, port, frame, i, words, options, line):
        self.settle(i, 'consumed')
        return [[(port, oracle.arp_announcement(self.ports[port], words[0]), None)]]

    def verb_na(self, port, frame, i, words, options, line):
        self.settle(i, 'consumed')
        return [[(port, oracle.neighbour_advertisement(frame.data, self.ports[port]), None)]]

    # ---- what follows from frames in, frames out and fates ----

    def counts(self):
        """The report's packets, ports and drops."""
        received = [i for i in range(len(self.frames)) if i not in self.unreceived]
        fates = [self.fate.get(i) for i in received]
        originated = sum(not e.forwarded for e in self.out)
        dropped = sum(f not in ('forwarded', 'consumed') for f in fates)
        packets = {'received': len(received), 'forwarded': fates.count('forwarded'),
                   'consumed': fates.count('consumed'), 'dropped': dropped, 'pending': 0,
                   'originated': originated, 'stray': 0, 'unsent': 0, 'transmitted': len(self.out)}
        ports = {name: {'rx_packets': 0, 'rx_bytes': 0, 'tx_packets': 0, 'tx_bytes': 0,
                        'forwarded': 0, 'consumed': 0, 'reported': 0, 'drops': {},
                        'egress_drops': {}}
                 for name in self.ports}
        drops = {}
        for i in received:
            frame, fate = self.frames[i], self.fate[i]
            port = ports[frame.ingress.name]
            port['rx_packets'] += 1
            port['rx_bytes'] += frame.wire
            port['reported'] += i in self.reported
            if fate in ('forwarded', 'consumed'):
                port[fate] += 1
            else:
                port['drops'][fate] = port['drops'].get(fate, 0) + 1
                drops[fate] = drops.get(fate, 0) + 1
        for i, output in self.output_drops:
            if output:
                count = ports[output]['egress_drops']
                count[self.fate[i]] = count.get(self.fate[i], 0) + 1
        return packets, ports, drops

    def matrix_rows(self, chosen):
        """(from, to, family) -> [packets, bytes]; chosen: what each expected frame turned out as."""
        rows, seen = {}, set()
        for expected, (port, data, _) in zip(self.out, chosen):
            if not expected.forwarded or expected.cause in seen:
                continue
            seen.add(expected.cause)
            frame = self.frames[expected.cause]
            key = (self.config.party(frame.ingress.name, frame.data[6:12]),
                   self.config.party(port, data[:6]), 'ipv%d' % oracle.family_of(frame.data))
            row = rows.setdefault(key, [0, 0])
            row[0] += 1
            row[1] += frame.wire
        return rows


def hexdump(data):
    return data.hex() if len(data) <= 160 else data[:160].hex() + '... (%d bytes)' % len(data)


def differ(want, got):
    for at, (a, b) in enumerate(zip(want, got)):
        if a != b:
            return 'first differs at byte %d' % at
    return 'lengths %d and %d' % (len(want), len(got))


class Runner:
    def __init__(self, napd, keep):
        self.napd, self.keep = napd, keep
        self.wrapper = os.environ.get('NAPD_WRAPPER', '').split()

    def run(self, case):
        with tempfile.TemporaryDirectory(prefix='napd-packets-') as scratch:
            folder = self.keep or scratch
            hops = []
            for number, run in enumerate(case.runs):
                hops.append(self.one(case, run, os.path.join(folder, str(number))))
            for number, words, where in case.moved:
                check_moved(hops[0], hops[number], words, where)

    def one(self, case, run, folder):
        """One run of napd; returns which hop every frame took, where there was a choice."""
        expectation = Expectation(case, run)
        command = self.command(case, run, expectation, folder)
        out = os.path.join(folder, 'out')
        done = self.call(command + ['--out', out])
        if done.returncode != expectation.exit:
            raise Failure('exit status %d, not %d; stderr: %s' % (
                done.returncode, expectation.exit, done.stderr.strip()))
        if not re.search(expectation.stderr or r'\A\Z', done.stderr):
            raise Failure('stderr: %s' % done.stderr.strip())
        if expectation.exit == 2:
            return {}
        chosen = check_outputs(expectation, out)
        check_drops(expectation, out)
        check_report(expectation, chosen, json.loads(done.stdout))
        if case.twice:
            self.again(command, folder, out, done.stdout)
        hops = {e.cause: c[2] for e, c in zip(expectation.out, chosen)}
        check_flows(expectation, hops)
        return hops

    def call(self, command):
        done = subprocess.run(self.wrapper + command, capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        if done.returncode < 0:
            raise Failure('killed by signal %d; stderr: %s' % (-done.returncode,
                                                              done.stderr.strip()))
        return done

    def command(self, case, run, expectation, folder):
        os.makedirs(folder, exist_ok=True)
        config = os.path.join(folder, 'napd.yaml')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(run.config.yaml())
        for name, lines in case.mrt.items():
            mrt.write(os.path.join(folder, name), lines, cases.START_NS // 10**9)
        args = [os.path.join(folder, arg[1:]) if arg[0] == '@' else arg for arg in case.args]
        command = [self.napd, 'replay', '-c', config, '--json'] + args
        files = {}
        for frame in expectation.frames:
            files.setdefault((frame.file, frame.port), []).append(
                (frame.time, frame.data, frame.wire))
        for label, port in case.captures():
            records = files.get((label, port), [])
            path = os.path.join(folder, 'in-%s' % label)
            capture.write(path, records, case.files.get(label, 'pcap'))
            command += ['--in', '%s=%s' % (port, path)]
        return command

    def again(self, command, folder, out, stdout):
        second = os.path.join(folder, 'again')
        if self.call(command + ['--out', second]).stdout != stdout:
            raise Failure('a second run reports something else')
        names = sorted(os.listdir(out))
        if names != sorted(os.listdir(second)):
            raise Failure('a second run writes other files')
        _, mismatch, errors = filecmp.cmpfiles(out, second, names, shallow=False)
        if mismatch or errors:
            raise Failure('a second run writes another %s' % ', '.join(mismatch + errors))


def check_outputs(expectation, out):
    """Every frame on every port, in order; returns the candidate that each turned out as."""
    actual = {}
    for name in expectation.ports:
        actual[name] = capture.read(os.path.join(out, name + '.pcap'))
    at, chosen = dict.fromkeys(actual, 0), []
    for expected in expectation.out:
        time = expectation.frames[expected.cause].merged_ns
        for candidate in expected.candidates:
            port, data, _ = candidate
            if at[port] < len(actual[port]) and actual[port][at[port]] == (time, data, len(data)):
                chosen.append(candidate)
                at[port] += 1
                break
        else:
            raise Failure(missing(expected, time, actual, at))
    for name, records in actual.items():
        if at[name] < len(records):
            raise Failure('%s sent %d frames more than expected, first: %s' % (
                name, len(records) - at[name], hexdump(records[at[name]][1])))
    return chosen


def missing(expected, time, actual, at):
    port, data, _ = expected.candidates[0]
    text = 'frame %d: expected by "%s"\n      want %s' % (expected.cause + 1, expected.text,
                                                        hexdump(data))
    if at[port] >= len(actual[port]):
        text += '\n      but %s sent no more than %d frames' % (port, at[port])
        return text
    got_time, got, wire = actual[port][at[port]]
    text += '\n      got  %s\n      %s' % (hexdump(got), differ(data, got))
    if got_time != time:
        text += '; time %d, not %d' % (got_time, time)
    if wire != len(got):
        text += '; %d bytes on the wire' % wire
    return text


def check_drops(expectation, out):
    """drop-REASON.pcap: exactly what was dropped for the reason, as received, in merged order."""
    want = {}
    for i, frame in sorted(enumerate(expectation.frames), key=lambda item: item[1].order):
        fate = expectation.fate.get(i)
        if fate not in ('forwarded', 'consumed', None):
            want.setdefault(fate, []).append((frame.merged_ns, frame.data, frame.wire))
    found = {name[5:-5] for name in os.listdir(out) if name.startswith('drop-')}
    for reason in sorted(found | set(want)):
        path = os.path.join(out, 'drop-%s.pcap' % reason)
        got = capture.read(path) if os.path.exists(path) else []
        if got != want.get(reason, []):
            raise Failure('drop-%s.pcap holds %d frames, expected %d%s' % (
                reason, len(got), len(want.get(reason, [])),
                ', or others' if len(got) == len(want.get(reason, [])) else ''))


def check_report(expectation, chosen, report):
    packets, ports, drops = expectation.counts()
    for expected, (port, data, _) in zip(expectation.out, chosen):
        ports[port]['tx_packets'] += 1
        ports[port]['tx_bytes'] += len(data)
    compare('packets', packets, {k: report['packets'].get(k) for k in packets})
    compare('drops', drops, report['drops'])
    compare('ports', set(ports), set(report['ports']))
    for name, port in ports.items():
        compare('ports.' + name, port, {k: report['ports'][name].get(k) for k in port})
    rows = {(r['from'], r['to'], r['family']): [r['packets'], r['bytes']] for r in report['matrix']}
    compare('number of matrix rows', len(rows), len(report['matrix']))
    if expectation.matrix is None:
        compare('matrix', expectation.matrix_rows(chosen), rows)
    else:
        said = {(r[0], r[1], r[2]): [int(r[3]), int(r[4])] for r in expectation.matrix}
        compare('matrix', said, rows)
    for path, value in expectation.report:
        at = report
        for key in path.split('.'):
            at = at.get(key, {}) if isinstance(at, dict) else {}
        compare(path, value, str(at))
    whole = report['packets']
    compare('conservation', whole['received'],
            whole['forwarded'] + whole['consumed'] + whole['dropped'] + whole['pending'])


def compare(what, want, got):
    if want != got:
        raise Failure('%s: want %s\n      got  %s' % (what, want, got))


def check_flows(expectation, hops):
    """share beta 190..322, together 1-10, apart 20..64 1-64 65-128: who took which hop."""
    for hop, low, high in expectation.shares:
        count = sum(name == hop for name in hops.values())
        if not low <= count <= high:
            raise Failure('%s got %d packets, not %d..%d' % (hop, count, low, high))
    for numbers in expectation.together:
        taken = sorted({hops[i] for i in numbers})
        if len(taken) != 1:
            raise Failure('one flow took the hops %s' % ', '.join(taken))
    for bounds, one, other in expectation.apart:
        low, _, high = bounds.partition('..')
        count = sum(hops[a] != hops[b] for a, b in zip(one, other))
        if not int(low) <= count <= int(high):
            raise Failure('%d pairs took different hops, not %s' % (count, bounds))


def check_moved(before, after, words, where):
    """moved 400..600, moved only b1: what became of flows between the first run and a variant."""
    moved = [i for i in before if after.get(i) != before[i]]
    if words[0] == 'only':
        others = [i for i in moved if before[i] not in words[1].split('|')]
        if others:
            raise Failure('%s: %d flows left another hop than %s' % (where, len(others), words[1]))
    elif words[0] == 'onto':
        others = [i for i in moved if after[i] not in words[1].split('|')]
        if others:
            raise Failure('%s: %d flows moved to another hop than %s' % (where, len(others),
                                                                        words[1]))
    else:
        low, _, high = words[0].partition('..')
        if not int(low) <= len(moved) <= int(high):
            raise Failure('%s: %d flows moved, not %s' % (where, len(moved), words[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--napd', default='build/napd')
    parser.add_argument('--keep', help='leave configuration, captures and output in this folder')
    parser.add_argument('-k', dest='only', help='only cases whose name holds this text')
    parser.add_argument('--dry', action='store_true', help='read and build everything, run nothing')
    parser.add_argument('files', nargs='+')
    options = parser.parse_args()
    failures = sum(run_file(path, options) for path in options.files)
    return 1 if failures else 0


def run_file(path, options):
    """Runs the cases of a file, tells as TAP does; returns how many failed."""
    passed = failed = 0
    for case in cases.read(path):
        if options.only and options.only not in case.name:
            continue
        try:
            if options.dry:
                for run in case.runs:
                    Expectation(case, run)
            else:
                Runner(options.napd, options.keep).run(case)
            passed += 1
            print('ok %d - %s' % (passed + failed, case.name), flush=True)
        except (Failure, NotationError, OSError, ValueError, KeyError,
                subprocess.TimeoutExpired) as error:
            failed += 1
            print('not ok %d - %s' % (passed + failed, case.name))
            print('# %s: %s' % (case.where, str(error).replace('\n', '\n#')), flush=True)
    print('1..%d' % (passed + failed))
    print('# %s: %d passed, %d failed' % (os.path.basename(path), passed, failed), flush=True)
    return failed


if __name__ == '__main__':
    sys.exit(main())
