#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""scripts/host-setup on a host made of files, whose kernel is a thread of this test. Prints TAP.

    setup.py TOP
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

TOP = sys.argv[1]
NIC, OTHER, MELLANOX = "0000:3b:00.0", "0000:3b:00.1", "0000:5e:00.0"
PAGES = "sys/kernel/mm/hugepages/hugepages-2048kB"


class Host:
    """A fake /sys and /proc, and the part of a kernel that binds drivers."""

    def __init__(self, iommu=True, module=True):
        self.root = tempfile.mkdtemp(prefix="napd-host-")
        self.put("proc/meminfo", "MemTotal: 1 kB\nHugepagesize:       2048 kB\n")
        self.put(PAGES + "/nr_hugepages", "0\n")
        self.put("proc/net/route", "Iface\tDestination\neth9\t00000000\t0102030A\n")
        self.put("sys/bus/pci/drivers_probe", "")
        self.put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n")
        os.makedirs(self.path("sys/kernel/iommu_groups/0" if iommu else "sys/kernel/iommu_groups"))
        for driver in ["ixgbe", "mlx5_core"] + (["vfio-pci"] if module else []):
            os.makedirs(self.path("sys/bus/pci/drivers/" + driver))
        self.device(NIC, "0x8086", "ixgbe", "eth1")
        self.device(OTHER, "0x8086", "ixgbe", "eth9")
        self.device(MELLANOX, "0x15b3", "mlx5_core", "eth2")
        self.stop = False
        self.thread = threading.Thread(target=self.kernel)
        self.thread.start()

    def path(self, name):
        return os.path.join(self.root, name)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    def get(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read().strip()

    def device(self, address, vendor, driver, interface):
        folder = "sys/bus/pci/devices/" + address
        self.put(folder + "/vendor", vendor + "\n")
        self.put(folder + "/driver_override", "(null)\n")
        os.makedirs(self.path(folder + "/net/" + interface))
        self.put("sys/bus/pci/drivers/" + driver + "/unbind", "")
        os.symlink("../../drivers/" + driver, self.path(folder + "/driver"))

    def driver(self, address):
        link = self.path("sys/bus/pci/devices/" + address + "/driver")
        return os.path.basename(os.readlink(link)) if os.path.islink(link) else None

    def kernel(self):
        while not self.stop:
            time.sleep(0.005)
            for driver in os.listdir(self.path("sys/bus/pci/drivers")):
                unbind = "sys/bus/pci/drivers/" + driver + "/unbind"
                address = self.get(unbind) if os.path.exists(self.path(unbind)) else ""
                if address and self.driver(address) == driver:
                    os.unlink(self.path("sys/bus/pci/devices/" + address + "/driver"))
                    self.put(unbind, "")
            address = self.get("sys/bus/pci/drivers_probe")
            if address and not self.driver(address):
                override = self.get("sys/bus/pci/devices/" + address + "/driver_override")
                driver = override if override not in ("", "(null)") else "ixgbe"
                if driver in os.listdir(self.path("sys/bus/pci/drivers")):
                    self.put("sys/bus/pci/drivers/" + driver + "/unbind", "")
                    os.symlink("../../drivers/" + driver,
                               self.path("sys/bus/pci/devices/" + address + "/driver"))
                self.put("sys/bus/pci/drivers_probe", "")

    def run(self, *arguments):
        environment = dict(os.environ, NAPD_HOST_ROOT=self.root)
        return subprocess.run([os.path.join(TOP, "scripts/host-setup"), *arguments], env=environment,
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def everything(self):
        return {NIC: self.driver(NIC), OTHER: self.driver(OTHER), MELLANOX: self.driver(MELLANOX),
                "pages": self.get(PAGES + "/nr_hugepages"),
                "noiommu": self.get("sys/module/vfio/parameters/enable_unsafe_noiommu_mode")}

    def end(self):
        self.stop = True
        self.thread.join()
        shutil.rmtree(self.root)


def expect(truth, *said):
    assert truth, " ".join(str(part) for part in said)


def binds_and_puts_back(host):
    before = host.everything()
    done = host.run("--yes", "--hugepages", "512M", NIC)
    expect(done.returncode == 0, done)
    expect(host.driver(NIC) == "vfio-pci", done)
    expect(host.get(PAGES + "/nr_hugepages") == "256", done)
    expect(host.driver(OTHER) == "ixgbe", "another NIC was touched")
    status = host.run("--status")
    expect(NIC in status.stdout and "ixgbe" in status.stdout, status)
    back = host.run("--undo", "--yes")
    expect(back.returncode == 0 and not back.stderr, back)
    expect(host.everything() == before, host.everything(), before)
    expect("nothing to put back" in host.run("--undo", "--yes").stdout, "twice")


def in_two_steps(host):
    before = host.everything()
    host.run("--yes", "--hugepages", "512M")
    host.run("--yes", "--hugepages", "1G", NIC)
    expect(host.get(PAGES + "/nr_hugepages") == "512", host.everything())
    again = host.run("--yes", "--hugepages", "1G", NIC)
    expect("nothing to do" in again.stdout, again)
    host.run("--undo", "--yes")
    expect(host.everything() == before, host.everything())


def asks_first(host):
    before = host.everything()
    for arguments, status in ([NIC], 2), (["--dry-run", NIC], 0):
        said = host.run(*arguments)
        expect(said.returncode == status and "bind " + NIC in said.stdout, said)
        expect(host.everything() == before, "it did not wait for an answer")


def mellanox_stays(host):
    said = host.run("--yes", "--hugepages", "0", MELLANOX)
    expect(said.returncode == 0 and "beside the kernel" in said.stdout, said)
    expect(host.driver(MELLANOX) == "mlx5_core", said)


def the_way_in_stays(host):
    said = host.run("--yes", "--hugepages", "0", OTHER)
    expect(said.returncode == 1 and "default route" in said.stderr, said)
    expect(host.driver(OTHER) == "ixgbe", said)
    expect(host.run("--yes", "--force", "--hugepages", "0", OTHER).returncode == 0, "--force")
    expect(host.driver(OTHER) == "vfio-pci", "--force")


def wrong_arguments(host):
    for arguments in ["0000:ff:00.0"], ["--hugepages", "many"], ["eth1"], ["--frob"]:
        said = host.run("--yes", *arguments)
        expect(said.returncode == 2 and said.stderr, said)


def without_iommu(host):
    before = host.everything()
    said = host.run("--yes", "--hugepages", "0", NIC)
    expect(said.returncode == 1 and "IOMMU" in said.stderr, said)
    said = host.run("--yes", "--hugepages", "0", "--no-iommu", NIC)
    expect(said.returncode == 0 and host.driver(NIC) == "vfio-pci", said)
    expect(host.everything()["noiommu"] == "Y", said)
    host.run("--undo", "--yes")
    expect(host.everything() == before, host.everything())


def vfio_that_does_not_take_it(host):
    before = host.everything()
    said = host.run("--yes", "--hugepages", "0", NIC)
    expect(said.returncode == 1 and "does not take it" in said.stderr, said)
    expect(host.everything() == before, host.everything())


TESTS = [(binds_and_puts_back, {}), (in_two_steps, {}), (asks_first, {}), (mellanox_stays, {}),
         (the_way_in_stays, {}), (wrong_arguments, {}), (without_iommu, {"iommu": False}),
         (vfio_that_does_not_take_it, {"module": False})]


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, (test, options) in enumerate(TESTS, 1):
        host = Host(**options)
        try:
            test(host)
            print(f"ok {number} - {test.__name__}")
        except AssertionError as error:
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("# " + str(error).replace("\n", "\n# "))
        finally:
            host.end()
    sys.exit(failed > 0)


main()
