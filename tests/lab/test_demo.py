"""The demos show what they say, say when they cannot, and take everything away again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.demo.remains import mark, remains
from tests.etcd import server
from tests.lab import scratch
from tests.lab.polling import eventually
from tests.lab.process import LocalProcess

if TYPE_CHECKING:
    from tests.lab.topology import LabNetwork

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

_DEMO = (sys.executable, "-m", "tests.demo")
_CLUSTER = (sys.executable, "-m", "tests.demo.cluster")

_TRUE = (
    "web4 got no request before Docker called it healthy",
    "weight 0 came before the container's end",
    "no request that began after the kernel was told failed",
    "the kernel's table did not change for a moment",
    "the new clusterf wrote nothing to the kernel",
    "web1 answers again",
)
_ROWS = {
    *("web4 started", "web2 stopped", "web3 killed", "clusterf killed, started"),
    *("three containers", "web1 drained", "web1 undrained"),
}

_TRUE_OF_THE_CLUSTER = (
    "the hosts answer the client directly",
    "requests to http://[2001:db8:3::10]/ each container answered 10",
    "etcd has the same keys, none of which was gone for a moment",
    "in the director's kernel host1 has weight 20 and host2 has weight 30",
    "in the director's kernel host1 has weight 10 and host2 has weight 20",
    "no kernel's table changed for a moment",
    "no key of host1 was gone for a moment; all have a new lease",
    "nothing that host2 has published is left in etcd",
    "the new clusterf wrote nothing to the kernel",
)
_ROWS_OF_THE_CLUSTER = {
    *("containers on two hosts", "etcd killed, started", "web5 started", "web1 stopped"),
    *("web3 killed", "agent of host1 killed", "host2 vanished", "director killed, started"),
}


@pytest.fixture(autouse=True)
def _on_the_host(lab_network: LabNetwork) -> None:
    """The demo makes its own networks; this one keeps the test out of the guest."""
    del lab_network


def _play(demo: tuple[str, ...], begun: str) -> str:
    """Play it to its end, which is a good one; returns what it printed.

    In the middle, when it has printed ``begun``, there must be much to take away.
    """
    with LocalProcess(demo, cwd=scratch.ROOT) as running:
        running.wait_for(begun, 150)
        during = remains(mark(running.pid))
        status = running.wait(200)
        output = running.output()
    assert status == 0, output + running.errors()
    assert running.errors() == ""
    assert max(map(len, output.splitlines())) <= 100
    assert "\x1b" not in output  # colours are for terminals
    kinds = {one.partition(" ")[0] for one in during}
    assert kinds == {"process", "mount", "name"}, "the look for what is left sees what is there"
    assert remains(mark(running.pid)) == []
    return output


def _failed(output: str) -> dict[str, int]:
    """How many requests failed, by row of the table at the end."""
    table = output.partition("What each did to the requests")[2]
    rows = re.findall(r"^ {6}(\S.*?) +\d+ +(\d+)  ", table, re.MULTILINE)
    return {what: int(failed) for what, failed in rows}


def test_the_demo_shows_what_it_says() -> None:
    output = _play(_DEMO, "web1 answered")
    for claim in _TRUE:
        assert f"true {claim}" in output
    failed = _failed(output)
    assert failed.keys() == _ROWS
    assert {row for row, number in failed.items() if number} <= {"web3 killed"}
    shown = re.search(r"shown in ([\d.]+) s", output)
    assert shown
    assert float(shown[1]) < 120


def test_the_demo_of_a_cluster_shows_what_it_says() -> None:
    server.require()
    output = _play(_CLUSTER, "web1 answered")
    true = _sentences(output)
    for claim in _TRUE_OF_THE_CLUSTER:
        assert any(claim in sentence for sentence in true), claim
    failed = _failed(output)
    assert failed.keys() == _ROWS_OF_THE_CLUSTER
    assert {row for row, number in failed.items() if number} <= {"web3 killed", "host2 vanished"}


def _sentences(output: str) -> list[str]:
    """What it says is true, each in one line."""
    found = re.findall(r"^ {3}true (.*(?:\n {8}\S.*)*)", output, re.MULTILINE)
    return [" ".join(sentence.split()) for sentence in found]


@pytest.mark.parametrize(
    ("demo", "number", "moment"),
    [
        (_DEMO, signal.SIGINT, "Set up"),
        (_DEMO, signal.SIGTERM, "Three containers"),
        (_CLUSTER, signal.SIGTERM, "clusterf runs"),
    ],
    ids=["set up", "containers", "cluster"],
)
def test_an_interrupted_demo_leaves_nothing(
    demo: tuple[str, ...], number: signal.Signals, moment: str
) -> None:
    if demo is _CLUSTER:
        server.require()
    with LocalProcess(demo, cwd=scratch.ROOT) as running:
        running.wait_for(moment, 90)
        os.kill(running.pid, number)
        assert running.wait(60) == 128 + number
        assert f"interrupted by {number.name}; all of it is taken away" in running.output()
    assert remains(mark(running.pid)) == []


def test_a_demo_that_is_interrupted_while_all_starts_at_once_leaves_nothing() -> None:
    server.require()
    with LocalProcess(_CLUSTER, cwd=scratch.ROOT) as running:
        ours = mark(running.pid)
        eventually(
            lambda: any(one.startswith("process") for one in remains(ours)),
            "the first that starts",
            within=60,
        )
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(60) == 128 + signal.SIGINT
    assert remains(ours) == []


def test_a_demo_that_cannot_run_says_why() -> None:
    with LocalProcess(_DEMO, env={"CLUSTERF_LAB": "none"}, cwd=scratch.ROOT) as demo:
        assert demo.wait(30) == 1
        assert "the demo cannot run here: CLUSTERF_LAB=none" in demo.output()


def test_a_demo_whose_claim_is_false_says_so_and_ends_with_1() -> None:
    """Its web servers die behind everybody's back."""
    with LocalProcess(_DEMO, cwd=scratch.ROOT) as demo:
        demo.wait_for("A client asks", 120)
        servers = _inside_containers(demo.pid, "httpd")
        for server in servers:
            # It forks for every request: some of these are gone already.
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)
        assert demo.wait(60) == 1
        output = demo.output()
    assert len(servers) >= 3
    assert "NOT TRUE: no request failed" in output
    assert "the end of the log of clusterf:" in output
    assert remains(mark(demo.pid)) == []


def _inside_containers(demo: int, program: str) -> list[int]:
    """Processes with this name in the demo's containers, which are in cgroups of its own."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark(demo) in (path / "cgroup").read_text():
                command = (path / "cmdline").read_bytes().split(b"\0")[0]
                if command == program.encode():
                    found.append(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
