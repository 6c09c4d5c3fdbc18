# SPDX-License-Identifier: BSD-3-Clause
"""Those who are measured: napd and dpdk-testpmd, started on the same kind of devices, stopped and
continued by signals, and asked how many packets they received."""
import glob
import json
import os
import re
import signal
import socket
import subprocess
import time

START_SECONDS = 60


class Failed(Exception):
    """The measurement cannot be made; its text says why."""


class Contender:
    """A process that forwards with workers on the cores of rig."""

    def __init__(self, name, folder, cores):
        self.name = name
        self.folder = os.path.join(folder, name.replace(" ", "-"))
        os.makedirs(self.folder, exist_ok=True)
        self.cores = cores
        self.process = None
        self.log = os.path.join(self.folder, "log")

    def launch(self, command, environment):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **environment}, start_new_session=True)
        self.go_first()
        limit = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise Failed(f"{self.name} did not start; its last words: {self.last_words()}")
            time.sleep(0.05)
        for thread in self.workers():
            try:
                os.setpriority(os.PRIO_PROCESS, int(thread), -20)
            except PermissionError:
                pass

    def go_first(self):
        """The machine is shared: a measurement of a second comes first. Where the kernel groups
        processes by session, their niceness means nothing beyond it."""
        try:
            with open(f"/proc/{self.process.pid}/autogroup", "w", encoding="ascii") as group:
                group.write("-19")
        except OSError:
            pass

    def last_words(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return " | ".join(log.read().strip().splitlines()[-3:])

    def workers(self):
        """Thread ids of those who move packets."""
        found = []
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/comm"):
            with open(path, encoding="utf-8") as comm:
                if "worker" in comm.read():
                    found.append(path.split("/")[4])
        return sorted(found, key=int)

    def worker_seconds(self):
        """CPU time of all workers together."""
        total = 0
        for thread in self.workers():
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat", encoding="utf-8") as f:
                total += int(f.read().split()[0])
        return total / 1e9

    def waited(self):
        """Seconds that workers were ready and did not run: others of this machine had their CPU."""
        total = 0
        for thread in self.workers():
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat", encoding="utf-8") as f:
                total += int(f.read().split()[1])
        return total / 1e9

    def pause(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended by itself: {self.last_words()}")
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()

    def is_ready(self):
        raise NotImplementedError

    def received(self):
        """Packets received since the start."""
        raise NotImplementedError


def lcores(cores):
    """EAL's words for a main thread that is not on the workers' cores, where there is another."""
    others = sorted(set(os.sched_getaffinity(0)) - set(cores)) or [cores[0]]
    return ",".join([f"0@{others[0]}"] + [f"{i + 1}@{core}" for i, core in enumerate(cores)])


class Testpmd(Contender):
    """dpdk-testpmd in one of its forwarding modes: io passes on, mac touches and rewrites MACs."""

    def __init__(self, mode, folder, rig):
        super().__init__(f"testpmd {mode}", folder, rig.cores)
        self.mode = mode
        self.rig = rig
        self.prefix = f"bench{os.getpid()}{mode}"
        self.socket = None

    def start(self):
        rig = self.rig
        command = ["dpdk-testpmd", "--lcores", lcores(self.cores), "-m", str(rig.megabytes),
                   "--in-memory" if rig.hugepages else "--no-huge",
                   "--no-pci", "--no-shconf", f"--file-prefix={self.prefix}"]
        command += rig.eal_arguments()
        for device in rig.devices():
            command += ["--vdev", device]
        queues = len(self.cores)
        command += ["--", f"--forward-mode={self.mode}", f"--nb-cores={queues}",
                    f"--rxq={queues}", f"--txq={queues}", "--total-num-mbufs=32767"]
        self.launch(command, {"RUNTIME_DIRECTORY": self.folder})
        self.received()

    def is_ready(self):
        try:
            return "Press enter to exit" in self.text()
        except FileNotFoundError:
            return False

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            text = log.read()
        # to a file its words come late: the telemetry socket and a busy worker say the same
        if os.path.exists(self.telemetry()) and self.workers() and self.worker_seconds() > 0.3:
            return "Press enter to exit"
        return text

    def telemetry(self):
        return os.path.join(self.folder, "dpdk", self.prefix, "dpdk_telemetry.v2")

    def received(self):
        if not self.socket:
            # the path may be longer than a socket's name may be
            before = os.getcwd()
            os.chdir(os.path.dirname(self.telemetry()))
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.settimeout(5)
            self.socket.connect("dpdk_telemetry.v2")
            os.chdir(before)
            self.socket.recv(16384)
        total = 0
        for port in range(self.rig.ports):
            self.socket.send(f"/ethdev/stats,{port}".encode())
            total += json.loads(self.socket.recv(16384))["/ethdev/stats"]["ipackets"]
        return total

    def stop(self):
        super().stop()
        if self.socket:
            self.socket.close()
            self.socket = None


class Napd(Contender):
    """napd run, with a configuration of the bench."""

    def __init__(self, name, binary, configuration, folder, rig):
        super().__init__(name, folder, rig.cores)
        self.binary = binary
        self.control = os.path.join("/tmp", f"napd-bench-{os.getpid()}-{id(self):x}.sock")
        self.path = os.path.join(self.folder, "napd.yaml")
        self.configuration = configuration
        self.metrics_port = 0

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.metrics_port = probe.getsockname()[1]
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(self.configuration)
            file.write(f"metrics: {{listen: \"127.0.0.1:{self.metrics_port}\", matrix: true}}\n"
                       f"control: {{socket: {self.control}, readonly-socket: {self.control}-ro}}\n")
        self.launch([self.binary, "run", "-c", self.path], {})

    def is_ready(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            if "; ready" not in log.read():
                return False
        return all(port["link"] == "up" for port in self.show("ports"))

    def ask(self, *words, after=None):
        """One request; the answer as it came."""
        request = {"argv": words, "json": True}
        if after:
            request["after"] = after
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(60)
            control.connect(self.control)
            control.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while piece := control.recv(1 << 16):
                answer += piece
        return json.loads(answer)

    def show(self, what):
        return self.ask("show", what)["json"]

    def load(self, path, speed="1"):
        """Begin to play updates; returns once they are being played."""
        answer = self.ask("load", "updates", os.path.abspath(path), "--speed", speed)
        if answer["status"]:
            raise Failed(f"{self.name}: {answer['error']}")

    def load_stop(self):
        self.ask("load", "stop")

    def changes(self):
        """Of routes, applied since the start."""
        return self.show("tables")["changes_applied"]

    def scrape(self):
        with socket.create_connection(("127.0.0.1", self.metrics_port), 10) as http:
            http.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            while http.recv(1 << 16):
                pass

    def received(self):
        return sum(port["rx_packets"] for port in self.show("ports"))

    def fates(self):
        """What became of the packets: forwarded, and drops by reason."""
        total = {"forwarded": 0}
        for port in self.show("ports"):
            total["forwarded"] += port["forwarded"]
            for reason, count in port["drops"].items():
                total[reason] = total.get(reason, 0) + count
        return total

    def stages(self, ghz):
        """Cycles a packet in each stage; only a napd built to time them says any, at its end."""
        cycles = {}
        with open(self.log, encoding="utf-8", errors="replace") as log:
            found = re.findall(r"^stage ([a-z ]+): (\d+) packets (\d+) ns$", log.read(), re.M)
        received = max((int(packets) for _, packets, _ in found), default=0)
        for stage, _, nanoseconds in found:
            cycles[stage] = cycles.get(stage, 0) + int(nanoseconds) * ghz / max(received, 1)
        return cycles

    def stop(self):
        super().stop()
        for path in (self.control, self.control + "-ro"):
            if os.path.exists(path):
                os.unlink(path)
