"""`make demo` shows what it says, says when it cannot, and takes everything away again."""

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
from tests.lab import scratch
from tests.lab.process import LocalProcess

if TYPE_CHECKING:
    from tests.lab.topology import LabNetwork

pytestmark = [pytest.mark.lab, pytest.mark.timeout(200)]

_DEMO = (sys.executable, "-m", "tests.demo")

_TRUE = (
    "web4 got no request before Docker called it healthy",
    "weight 0 came before the container's end",
    "no request that began after the kernel was told failed",
    "the kernel's table did not change for a moment",
    "the new clusterf wrote nothing to the kernel",
    "web1 answers again",
)


@pytest.fixture(autouse=True)
def _on_the_host(lab_network: LabNetwork) -> None:
    """The demo makes its own networks; this one keeps the test out of the guest."""
    del lab_network


def test_the_demo_shows_what_it_says() -> None:
    with LocalProcess(_DEMO, cwd=scratch.ROOT) as demo:
        demo.wait_for("web1 answered", 90)
        during = remains(mark(demo.pid))
        status = demo.wait(120)
        output = demo.output()
    assert status == 0, output + demo.errors()
    assert demo.errors() == ""
    for claim in _TRUE:
        assert f"true {claim}" in output
    rows = dict(
        re.findall(r"^ +(web\d \w+|clusterf killed, started) +\d+ +(\d+)  ", output, re.MULTILINE)
    )
    assert rows.keys() == {
        *("web4 started", "web2 stopped", "web3 killed", "clusterf killed, started"),
        *("web1 drained", "web1 undrained"),
    }
    assert {row for row, failed in rows.items() if failed != "0"} <= {"web3 killed"}
    assert max(map(len, output.splitlines())) <= 100
    assert "\x1b" not in output  # colours are for terminals
    shown = re.search(r"shown in ([\d.]+) s", output)
    assert shown
    assert float(shown[1]) < 120
    kinds = {one.partition(" ")[0] for one in during}
    assert kinds == {"process", "mount", "name"}, "the look for what is left sees what is there"
    assert remains(mark(demo.pid)) == []


@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGINT, "Set up"), (signal.SIGTERM, "Three containers")]
)
def test_an_interrupted_demo_leaves_nothing(number: signal.Signals, moment: str) -> None:
    with LocalProcess(_DEMO, cwd=scratch.ROOT) as demo:
        demo.wait_for(moment, 90)
        os.kill(demo.pid, number)
        assert demo.wait(60) == 128 + number
        assert f"interrupted by {number.name}; all of it is taken away" in demo.output()
    assert remains(mark(demo.pid)) == []


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
    assert "the end of clusterf's log:" in output
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
