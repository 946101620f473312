"""The package's life under systemd, on Debian's kernel under QEMU, with a table in that kernel."""

from __future__ import annotations

import faulthandler
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frozen.systemd.acts import CONFIGURATION, TABLE
from tests.frozen.systemd.guest import Guest
from tests.lab import scratch

pytestmark = pytest.mark.timeout(600)  # on QEMU's processor; the first one may have to make a disk

OLD, NEW = "/srv/old.deb", "/srv/new.deb"
PATIENCE = 240.0


@pytest.fixture
def guest(package: Path, next_package: Path) -> Iterator[Guest]:
    faulthandler.cancel_dump_traceback_later()  # it takes longer than that waits
    folder = scratch.directory("debian")
    try:
        with Guest(folder, {}, {OLD: package, NEW: next_package}) as made:
            yield made
    finally:
        shutil.rmtree(folder)


def dpkg(guest: Guest, *words: str) -> str:
    done = guest.run(f"dpkg {' '.join(words)}", timeout=PATIENCE)
    return done.stdout


def state(guest: Guest) -> dict[str, str]:
    shown = guest.says(
        "systemctl show clusterf -p ActiveState -p UnitFileState -p MainPID -p NRestarts"
        " -p InactiveEnterTimestampMonotonic -p ExecMainStartTimestampMonotonic"
    )
    return dict(line.split("=", 1) for line in shown.splitlines())


def test_it_starts_restarts_and_stops_the_service_and_leaves_the_kernel_alone(guest: Guest) -> None:
    def table() -> str:
        return guest.says("cat /proc/net/ip_vs")

    guest.run("modprobe ip_vs")
    empty = table()
    dpkg(guest, "--install", OLD)
    installed = state(guest)
    assert (installed["ActiveState"], installed["UnitFileState"]) == ("active", "enabled")
    assert table() == empty
    assert guest.says("stat -c %U /run/clusterf/control.sock") == "clusterf"

    guest.write(CONFIGURATION, TABLE)
    guest.run("systemctl reload clusterf", timeout=PATIENCE)
    full = table()
    assert full.count("Masq") == 2

    dpkg(guest, "--install", NEW)
    upgraded = state(guest)
    assert upgraded["ActiveState"] == "active"
    assert upgraded["MainPID"] != installed["MainPID"]
    assert upgraded["NRestarts"] == "0"
    # It is down for the restart alone, not while files are exchanged.
    down = int(upgraded["ExecMainStartTimestampMonotonic"])
    down -= int(upgraded["InactiveEnterTimestampMonotonic"])
    assert 0 < down < 1_000_000
    assert table() == full
    assert "adopted services=1 destinations=2" in guest.says("journalctl -u clusterf --no-pager")
    assert "done op=" not in guest.says(
        f"journalctl _PID={upgraded['MainPID']} --no-pager --output=cat"
    )
    assert guest.says(f"cat {CONFIGURATION}") == TABLE.rstrip("\n")

    guest.run("systemctl disable --now clusterf", timeout=PATIENCE)
    dpkg(guest, "--install", OLD)
    assert state(guest)["ActiveState"] == "inactive"
    guest.run("systemctl enable --now clusterf", timeout=PATIENCE)

    assert "stays and goes on working" in dpkg(guest, "--remove", "clusterf")
    assert guest.run("systemctl is-active clusterf", check=False).stdout == "inactive\n"
    assert table() == full
    assert guest.says("systemctl --failed --quiet --plain --no-legend") == ""

    dpkg(guest, "--purge", "clusterf")
    assert table() == full
    left = "find /etc /run /usr /var -xdev -name '*clusterf*' -not -path '/var/lib/dpkg/*'"
    assert guest.says(left) == ""
