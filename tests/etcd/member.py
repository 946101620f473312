"""One etcd process of the lab, and how it fails on command."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import shutil
import signal
import socket
from typing import TYPE_CHECKING

from tests.lab import scratch
from tests.lab.process import LabError, LocalProcess

if TYPE_CHECKING:
    from tests.etcd.server import Cluster

READY = "serving client traffic"


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports of one member."""

    client: int
    peer: int


class Member:
    """One etcd process, started anew as often as a test likes, on the same ports and data."""

    def __init__(self, cluster: Cluster, name: str, ports: Ports) -> None:
        self._cluster = cluster
        self.name = name
        self.ports = ports
        self.data = cluster.directory / name
        self._process: LocalProcess | None = None
        self._frozen = False

    @property
    def endpoint(self) -> str:
        """URL for clients."""
        return f"{self._cluster.scheme}://{self._cluster.host}:{self.ports.client}"

    @property
    def peer(self) -> str:
        """URL for the other members."""
        return f"http://{self._cluster.host}:{self.ports.peer}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start it and do not wait: members of a new cluster need each other to get ready."""
        assert not self.running
        self._frozen = False
        self._process = LocalProcess(self._cluster.placed(self._command()), cwd=scratch.ROOT)

    def wait_ready(self, timeout: float = 20) -> None:
        """Wait until it serves; needs a quorum."""
        self.wait_for(READY, timeout)

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.launch()
        self.wait_ready()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._end(signal.SIGKILL)

    def stop(self, timeout: float = 20) -> None:
        """SIGTERM, and wait for the end: etcd closes watches and answers what it can."""
        self._end(signal.SIGTERM, timeout)

    def restart(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: the kernel still acknowledges what is sent to it, and nobody answers."""
        assert self._process is not None
        self._process.kill(signal.SIGSTOP)
        # Its threads run on until the first of them takes the signal.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)
        self._frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.kill(signal.SIGCONT)
        self._frozen = False

    def wipe(self) -> None:
        """Remove the data of a member that does not run."""
        assert not self.running
        shutil.rmtree(self.data, ignore_errors=True)

    def wait_for(self, text: str, timeout: float = 20) -> None:
        """Wait until it has written so since it was last started."""
        assert self._process is not None
        self._process.wait_for(text, timeout)

    def log(self) -> str:
        """What it wrote since it was last started."""
        return self._process.output() + self._process.errors() if self._process else ""

    def close(self) -> None:
        if self.running:
            self.kill()

    def _end(self, number: int, timeout: float = 10) -> None:
        assert self._process is not None
        self._process.kill(number)
        if self._frozen and number != signal.SIGKILL:
            self.thaw()
        self._process.wait(timeout)

    def _command(self) -> list[str]:
        cluster = self._cluster
        return [
            *("etcd", "--name", self.name, "--data-dir", str(self.data)),
            *("--listen-client-urls", self.endpoint, "--advertise-client-urls", self.endpoint),
            *("--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer),
            *("--initial-cluster", cluster.initial, "--initial-cluster-token", "lab"),
            # A test does not wait for disks, for patience between hosts, or for good passwords.
            "--unsafe-no-fsync",
            *("--heartbeat-interval", "20", "--election-timeout", "200"),
            *("--bcrypt-cost", "4"),
            *("--logger", "zap", "--log-outputs", "stderr"),
            *cluster.options,
        ]


def free_ports(size: int, host: str | None) -> list[Ports]:
    """Ports for so many members; all are known to be free where ``host`` is ours to try."""
    if host is None:
        return [Ports(2379 + 10 * number, 2380 + 10 * number) for number in range(size)]
    numbers: list[int] = []
    with contextlib.ExitStack() as held:
        while len(numbers) < 2 * size:
            # Below the range that connections take theirs from: a member that was killed must
            # find its port free again.
            number = random.SystemRandom().randrange(20000, 32000)
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            one = held.enter_context(socket.socket(family))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind((host, number))
            except OSError:
                continue
            numbers.append(number)
    if len(set(numbers)) != 2 * size:
        raise LabError(f"no free ports on {host}")
    return [Ports(*numbers[at : at + 2]) for at in range(0, 2 * size, 2)]
