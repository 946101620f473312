"""The folder that the one file unpacks to fills up, or may no more be run from, while it works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.frozen.appliance.daemon import TABLE, Daemon, program
from tests.frozen.appliance.network import VIP, VIP6, WEB, WEB6, Site
from tests.frozen.appliance.witness import looking_on
from tests.frozen.executables import ONE_FILE

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def daemon(site: Site) -> Iterator[Daemon]:
    """The one file."""
    site.appliance.sh("mount -o remount,size=100M /tmp\n")
    with Daemon(site.appliance, program(ONE_FILE)) as made:
        yield made
    site.appliance.sh("rm -f /tmp/filling; mount -o remount,exec,size=50% /tmp\n")
    site.appliance.tidy()


def test_it_goes_on_and_starts_elsewhere(site: Site, daemon: Daemon) -> None:
    daemon.start()
    daemon.wait_for_vips(VIP, VIP6)
    with looking_on(site) as witness:
        site.appliance.sh("head -c 1G /dev/zero > /tmp/filling 2> /dev/null || true\n")
        told = daemon.cli("drain", "web", "web-1")
        assert told.returncode == 0, told.stderr
        daemon.wait_for_rules(sorted(map(_drained, TABLE)))

        site.appliance.sh("rm /tmp/filling; mount -o remount,noexec /tmp\n")
        assert daemon.cli("undrain", "web", "web-1").returncode == 0
        daemon.wait_for_rules(TABLE)
        assert witness.writes() == ["SET_DEST"] * 4

        assert daemon.stop() == 0
        daemon.start()
        assert site.appliance.sh("ls -d /var/tmp/_MEI*")
        witness.check_clients()
        assert witness.writes() == ["SET_DEST"] * 4
        assert daemon.stop() == 0
    assert site.appliance.sh("find /tmp /var/tmp -name '_MEI*'") == ""


def _drained(line: str) -> str:
    """A line of the table when the backend web-1 of web is drained."""
    first = f"{WEB['web1']}:80", f"[{WEB6['web1']}]:80"
    return line.replace("-w 10", "-w 0") if any(target in line for target in first) else line
