"""An imported configuration beside keepalived itself, in one kernel: the table is the same."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import process, scratch
from tests.lab.network import Namespace
from tests.lab.process import Completed, Running

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

SAMPLES = scratch.ROOT / "tests" / "golden" / "import"

CONFIGURATION = """\
$NET=198.51.100
$PAIR= \\
    real_server ${NET}.11 { weight 3 } \\
    real_server ${NET}.12 { }

virtual_server 192.0.2.1 80 {                       # NAT, with other ports
    lb_algo wrr
    lb_kind NAT
    persistence_timeout 300
    persistence_granularity 255.255.255.0
    protocol TCP
    real_server ${NET}.11 8080 {
        weight 3
        uthreshold 200
        lthreshold 150
    }
    real_server ${NET}.12 8080 { weight 0 }
    $PAIR
}
virtual_server 192.0.2.2 443 {                      # direct routing, a port that cannot be
    lb_algo sh
    sh-port
    sh-fallback
    lb_kind DR
    protocol TCP
    real_server ${NET}.11 443 { }
    real_server ${NET}.12 8443 { }
}
virtual_server 192.0.2.2 53 {                       # UDP is what keepalived takes
    lb_algo rr
    ops
    $PAIR
}
virtual_server 192.0.2.3 {                          # all ports
    protocol SCTP
    lb_algo lc
    lb_kind NAT
    weight 4
    $PAIR
}
virtual_server 2001:db8:10::1 80 {                  # tunnels, into both families
    lb_algo mh
    flag-1
    mh-port
    lb_kind TUN
    persistence_timeout
    persistence_granularity 64
    protocol TCP
    real_server 2001:db8:20::11 80 { }
    real_server 2001:db8:20::12 80 {
        lvs_method TUN type gue port 6080 csum
        weight 2
    }
    real_server ${NET}.11 80 { lvs_method TUN type gre }
    real_server 2001:db8:20::13 80 { lvs_method DR }
    real_server ${NET}.12 80 { lvs_method NAT }
}
virtual_server fwmark 7 {                           # marks of both families
    lb_algo wlc
    lb_kind NAT
    $PAIR
}
virtual_server fwmark 8 {
    lb_algo sed
    lb_kind DR
    real_server 2001:db8:20::11 80 { weight 2 }
}
virtual_server_group many {
    192.0.2.53 53
    192.0.2.60-62 53
    192.0.2.64/30 53
    fwmark 53
}
virtual_server group many {
    lb_algo nq
    lb_kind DR
    protocol UDP
    $PAIR
}
virtual_server_group six {
    2001:db8:10::9-b 80
}
virtual_server group six {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    ~SEQx(H, 0x1e, 0x21) real_server 2001:db8:20::${H} 8080 { }
}
"""
ENTRIES = 7 + 9 + 3
"""Virtual services: the single ones with the marks, and those of the two groups."""


def ipvsadm() -> list[str]:
    return sorted(process.run(["ipvsadm", "-S", "-n"]).stdout.splitlines())


def clusterf(*arguments: str, within: Path) -> Completed:
    argv = [sys.executable, "-m", "clusterf", *arguments]
    return process.run(
        argv, env={"CLUSTERF_CONFIG": str(within / "clusterf.toml")}, check=False, timeout=60
    )


@pytest.fixture
def keepalived(netns: Namespace, tmp_path: Path) -> Iterator[Running]:
    """keepalived with its virtual servers only, and no checks: everything serves."""
    (tmp_path / "keepalived.conf").write_text(CONFIGURATION, "utf-8")
    argv = ["keepalived", "--check", "--dont-fork", "--log-console", "--dont-respawn"]
    running = netns.spawn(
        [
            *argv,
            f"--use-file={tmp_path}/keepalived.conf",
            f"--pid={tmp_path}/main.pid",
            f"--checkers_pid={tmp_path}/checkers.pid",
        ]
    )
    try:
        # Said when its last virtual server is in the kernel.
        running.wait_for("Startup complete", timeout=60)
        yield running
    finally:
        running.stop()


def test_the_table_is_that_of_keepalived(keepalived: Running, tmp_path: Path) -> None:
    written = str(tmp_path / "clusterf.toml")
    imported = clusterf(
        "import", "keepalived", f"{tmp_path}/keepalived.conf", "-o", written, within=tmp_path
    )
    # One real server is of the wrong family, and keepalived leaves it out as well.
    assert imported.returncode == 65, imported.stderr
    assert imported.stderr.count(": error: ") == 1, imported.stderr
    theirs = ipvsadm()
    assert sum(line.startswith("-A") for line in theirs) == ENTRIES

    # Beside keepalived, as it runs: clusterf takes over what it finds.
    planned = clusterf("plan", within=tmp_path)
    assert planned.stdout == "nothing to do\n", planned.stdout + planned.stderr

    # What ipvsadm prints of it says the same, but for thresholds, which it does not print.
    (tmp_path / "table").write_text("\n".join(theirs), "utf-8")
    (tmp_path / "other").mkdir()
    again = f"{tmp_path}/other/clusterf.toml"
    imported = clusterf("import", "ipvsadm", f"{tmp_path}/table", "-o", again, within=tmp_path)
    assert imported.stderr.startswith("0 errors, 0 warnings\n")
    planned = clusterf("plan", within=tmp_path / "other")
    [operation, count] = planned.stdout.splitlines()
    assert "upper_threshold 200 -> 0, lower_threshold 150 -> 0" in operation
    assert count.startswith("1 ")

    # A kill takes nothing away, and clusterf alone makes the same anew.
    pids = [int((tmp_path / f"{name}.pid").read_text("utf-8")) for name in ("main", "checkers")]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)
    keepalived.wait()
    assert ipvsadm() == theirs
    process.run(["ipvsadm", "-C"])
    assert clusterf("run", "--once", within=tmp_path).returncode == 0
    assert ipvsadm() == theirs


def test_a_stop_of_keepalived_takes_its_virtual_services_away(keepalived: Running) -> None:
    assert ipvsadm() != []
    keepalived.kill(signal.SIGTERM)
    keepalived.wait()
    assert ipvsadm() == []


@pytest.mark.parametrize("name", ["nat", "advanced"])
def test_keepalived_finds_nothing_in_what_is_imported_without_a_word(name: str) -> None:
    assert keepalived_says(name) == (0, "")


@pytest.mark.parametrize("name", ["dr", "fwmark", "groups", "quorum", "tun"])
def test_keepalived_knows_every_word_of_the_samples(name: str) -> None:
    _, said = keepalived_says(name)
    assert "Unknown keyword" not in said
    assert "nvalid" not in said


def test_keepalived_refuses_what_the_import_refuses() -> None:
    status, said = keepalived_says("braces")
    assert status != 0
    assert "Unmatched quote" in said


def keepalived_says(name: str) -> tuple[int, str]:
    """Its own test of a sample: the exit status and what is wrong."""
    path = SAMPLES / f"{name}.conf"
    tested = process.run(["keepalived", "-t", "-i", "main", "-f", path], check=False)
    return tested.returncode, tested.stderr
