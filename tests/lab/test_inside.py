"""What a test marked ``lab`` can count on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import trio

from tests.lab import choice, namespaces, scratch, traffic
from tests.lab.topology import DIRECTOR_FRONT, DOCKER, LabNetwork
from tests.lab.traffic import Server

if TYPE_CHECKING:
    from tests.lab.network import Namespace, Networks

pytestmark = pytest.mark.lab


def _ipvsadm(*arguments: str) -> str:
    return subprocess.run(
        ["ipvsadm", *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_the_table_is_real_and_empty(netns: Namespace) -> None:
    assert _ipvsadm("-S", "-n") == ""
    _ipvsadm("-A", "-t", "198.51.100.1:80", "-s", "mh", "-b", "mh-fallback")
    netns.ip("link add dummy0 type dummy", "address add 192.0.2.1/24 dev dummy0")
    netns.ip("link set dummy0 up")
    _ipvsadm("-a", "-t", "198.51.100.1:80", "-r", "192.0.2.2:80", "-m", "-w", "3")
    assert "-a -t 198.51.100.1:80 -r 192.0.2.2:80 -m -w 3" in _ipvsadm("-S", "-n")


def test_nothing_of_another_test_is_left() -> None:
    assert _ipvsadm("-S", "-n") == ""


@pytest.mark.parametrize("turn", range(3))
def test_every_test_has_a_namespace_of_its_own(turn: int, netns: Namespace) -> None:
    assert namespaces.identity() == namespaces.identity(netns.path)
    netns.ip(f"link add again type dummy numtxqueues {turn + 1}")


@pytest.mark.parametrize("turn", range(2))
async def test_worker_threads_are_in_the_namespace_too(turn: int) -> None:
    assert await trio.to_thread.run_sync(namespaces.identity) == namespaces.identity(), turn


def test_threads_are_in_the_namespace_too() -> None:
    found: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: found.append(namespaces.identity()))
    thread.start()
    thread.join()
    assert found == [namespaces.identity()]


def test_namespaces_can_be_cabled(netns: Namespace, networks: Networks) -> None:
    other = networks.namespace("other")
    networks.cable(
        netns,
        "left",
        other,
        "right",
        one_addresses=["192.0.2.1/24", "2001:db8::1/64"],
        other_addresses=["192.0.2.2/24", "2001:db8::2/64"],
    )
    other.run(["busybox", "ping", "-c1", "-W2", "192.0.2.1"])
    other.run(["busybox", "ping", "-c1", "-W2", "2001:db8::1"])


def test_a_director_of_this_kernel_forwards() -> None:
    """The end-to-end network with the host's own kernel, and servers instead of containers."""
    with (
        LabNetwork() as network,
        network.director() as director,
        Server(network.docker, "real", http=8080, echo=7007),
    ):
        director.ip("address add 198.51.100.1 dev lo")
        director.ipvsadm("-A", "-t", "198.51.100.1:80", "-s", "rr")
        director.ipvsadm("-a", "-t", "198.51.100.1:80", "-r", f"{DOCKER}:8080", "-m")
        answers = traffic.request(network.clients, "http://198.51.100.1/", 5)
        assert (answers.answers, answers.failures) == ({"real": 5}, [])
        sleeper = director.spawn(["sleep", "1000"])
        director.tidy()
        assert sleeper.poll() is not None
        assert director.ipvsadm("-S", "-n") == ""
    assert _ipvsadm("-S", "-n") == ""


def test_a_kernel_that_crashes_is_silent() -> None:
    with LabNetwork() as network, network.director() as director:
        sleeper = director.spawn(["sleep", "1000"])
        ping = ["busybox", "ping", "-c1", "-W1", DIRECTOR_FRONT]
        assert network.clients.run(ping, check=False).returncode == 0
        director.crash()
        assert sleeper.poll() is not None
        assert network.clients.run(ping, check=False).returncode != 0


_ON_A_HOST = (
    "test_inside.py::test_the_table_is_real_and_empty",
    "test_inside.py::test_nothing_of_another_test_is_left",
    "test_harness.py::test_the_director_runs_programs",
    "test_harness.py::test_the_director_runs_several_programs_at_once",
    "test_harness.py::test_a_file_written_outside_is_read_inside",
)
"""Of both kinds: some run inside an IPVS kernel, some outside and have a director."""


@pytest.mark.timeout(240)
def test_a_host_with_ipvs_needs_no_guest() -> None:
    """As a user runs them whose kernel has IPVS: this kernel is that host's."""
    outside = {key: value for key, value in os.environ.items() if key != choice.MARK}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"),
            *(f"tests/lab/{test}" for test in _ON_A_HOST),
        ],
        env={**outside, "CLUSTERF_LAB": "host"},
        cwd=scratch.ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    where = "in this kernel (the host's kernel has IPVS and the caller is root)"
    assert f"lab: {len(_ON_A_HOST)} tests {where}" in done.stdout
    assert f"{len(_ON_A_HOST)} passed" in done.stdout


def test_a_guest_is_marked() -> None:
    assert choice.choose().kind == "host"
    assert choice.inside() == (os.uname().machine == "x86_64" and "UML" in _cpuinfo())


def _cpuinfo() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 # one line
        return file.read()
