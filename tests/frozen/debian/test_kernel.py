"""The package's life beside a loaded IPVS table, its own clusterf running: no entry changes.

The machine is a bare root in the director's kernel, without systemd. So the restart that follows an
upgrade is done by hand here; tests of the unit have systemd do it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.frozen import bare
from tests.lab import scratch
from tests.lab.kernel import Kernel
from tests.lab.process import Running

pytestmark = pytest.mark.timeout(300)

FOREIGN = """\
-A -t 198.51.100.200:443 -s sh
-a -t 198.51.100.200:443 -r 203.0.113.1:443 -g -w 3
-A -f 7 -s rr
-a -f 7 -r 203.0.113.2:0 -m -w 1
"""
OURS = """\
-A -t 198.51.100.1:80 -s wlc
-a -t 198.51.100.1:80 -r 203.0.113.3:8080 -m -w 10
-a -t 198.51.100.1:80 -r 203.0.113.4:8080 -m -w 10
"""
CONFIGURATION = """\
[clusterf]
managed = ["198.51.100.0/25"]

[outputs.kernel]
type = "ipvs"

[services.web]
frontend = { ipv4 = "198.51.100.1", tcp = 80 }
backends = ["203.0.113.3:8080", "203.0.113.4:8080"]
"""
AS_THE_UNIT = (
    *("setpriv", "--reuid=clusterf", "--regid=clusterf", "--clear-groups", "--no-new-privs"),
    *(f"--{kind}=-all,+net_admin" for kind in ("bounding-set", "inh-caps", "ambient-caps")),
)


class Machine:
    """The root, mounted in a kernel."""

    def __init__(self, kernel: Kernel, root: str) -> None:
        self.kernel = kernel
        self._enter = ("chroot", root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin")

    def run(self, *argv: str, text: str = "") -> str:
        done = self.kernel.exec([*self._enter, *argv], text=text, cwd="/", timeout=120)
        return done.stdout + done.stderr

    def start(self) -> Running:
        """The service, as its unit starts it."""
        argv = [*self._enter, *AS_THE_UNIT, "/usr/lib/clusterf/clusterf", "run"]
        running = self.kernel.spawn(argv, cwd="/")
        running.wait_for(" started services=", 60)
        return running

    def table(self) -> list[str]:
        return self.kernel.ipvsadm("-S", "-n").splitlines()

    def bring(self, package: Path) -> str:
        """Show a package; its path in the root."""
        shutil.copy(package, self.kernel.shared / package.name)
        return f"{bare.PREPARED}/{package.name}"


@contextmanager
def mounted(kernel: Kernel) -> Iterator[str]:
    place = f"/run/{scratch.name('package')}"
    root = f"{place}/root"
    steps = [
        f"mkdir -p {root}",
        bare.layered(bare.made(), place, root),
        f"mount --bind {kernel.shared} {root}{bare.PREPARED}",
        f"mount -t proc proc {root}/proc",
        f"mount -t tmpfs -o mode=755 none {root}/dev",
        f"mknod -m 666 {root}/dev/null c 1 3",
        f"mknod -m 666 {root}/dev/urandom c 1 9",
    ]
    try:
        kernel.exec(["sh", "-e"], text="\n".join(steps))
        yield root
    finally:
        kernel.exec(["umount", "--recursive", "--lazy", root], check=False)
        kernel.exec(["rm", "-rf", place])


@pytest.fixture
def machine(director: Kernel) -> Iterator[Machine]:
    with mounted(director) as root:
        director.exec(["ipvsadm", "-R"], text=FOREIGN)
        yield Machine(director, root)


def test_no_step_changes_the_table(machine: Machine, package: Path, next_package: Path) -> None:
    old, new = machine.bring(package), machine.bring(next_package)
    foreign = machine.table()
    machine.run("dpkg", "--install", old)
    assert machine.table() == foreign

    machine.run("tee", "/etc/clusterf/clusterf.toml", text=CONFIGURATION)
    # What systemd makes for the service.
    machine.run("install", "-d", "-o", "clusterf", "/run/clusterf", "/var/lib/clusterf")
    running = machine.start()
    table = machine.table()
    assert sorted(table) == sorted([*foreign, *OURS.splitlines()])

    for version in (new, old):
        machine.run("dpkg", "--unpack", version)
        assert machine.table() == table
        assert "-> 203.0.113.3:8080" in machine.run("clusterf", "status")
        machine.run("dpkg", "--configure", "clusterf")
        assert machine.table() == table
        assert running.poll() is None, running.errors()

        assert running.stop() == 0
        assert machine.table() == table
        running = machine.start()
        assert machine.table() == table
        assert "done op=" not in running.errors()

    machine.run("dpkg", "--remove", "clusterf")
    assert machine.table() == table
    assert running.poll() is None, running.errors()
    assert running.stop() == 0, running.errors()
    assert "stopped kernel=kept" in running.errors()
    assert machine.table() == table

    machine.run("dpkg", "--purge", "clusterf")
    assert machine.table() == table

    machine.run("dpkg", "--install", new)
    assert machine.table() == table
