"""On the minimal root, as a user with CAP_NET_ADMIN alone, it balances what clients ask for."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.frozen.appliance.daemon import FOLDER, TABLE, UNPRIVILEGED, Daemon
from tests.frozen.appliance.network import VIP, VIP6, Site
from tests.frozen.bare import NOBODY
from tests.frozen.conftest import in_both_forms
from tests.lab.promises.servers import ask_name

pytestmark = pytest.mark.timeout(300)

CAP_NET_ADMIN = 12


def test_the_root_is_bare_and_read_only(site: Site) -> None:
    absent = site.appliance.exec(["which", "python3"], check=False, env={"PATH": "/usr/bin"})
    assert (absent.returncode, absent.stdout) == (1, "")
    written = site.appliance.exec(["touch", "/etc/clusterf"], check=False)
    assert "Read-only file system" in written.stderr


@in_both_forms
def test_it_balances(site: Site, daemon: Daemon) -> None:
    checked = daemon.cli("check")
    assert checked.returncode == 0, checked.stdout
    daemon.start()
    assert daemon.rules() == TABLE
    daemon.wait_for_vips(VIP, VIP6)
    for vip in (VIP, VIP6):
        answers = Counter(ask_name(site.client, vip) for _ in range(6))
        assert answers == {"web1": 3, "web2": 3}
    for process in daemon.processes():
        told = site.appliance.sh(f"grep -E '^(Uid|CapEff)' /proc/{process}/status")
        assert told.split() == ["Uid:", *[f"{NOBODY}"] * 4, "CapEff:", f"{1 << CAP_NET_ADMIN:016x}"]


def test_without_the_capability_it_says_so_and_leaves_nothing(site: Site, daemon: Daemon) -> None:
    done = daemon.cli("run", user=UNPRIVILEGED)
    assert done.returncode == 77
    assert done.stderr.splitlines()[-1] == (
        "clusterf: ipvs: the kernel lets us neither read nor write (EPERM)"
        " (hint: run as root, or with CAP_NET_ADMIN in this network namespace)"
    )
    assert "Traceback" not in done.stderr
    assert daemon.rules() == []
    assert daemon.vips() == set()
    assert site.appliance.processes() == []
    assert site.appliance.sh(f"find {FOLDER} /tmp -user {NOBODY}") == f"{FOLDER}\n"
