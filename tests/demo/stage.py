"""Everything that the demo plays on: networks, engine, director, clusterf; all of it torn down."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.demo import configuration, containers
from tests.demo.configuration import ENTRY, VIP
from tests.demo.load import Load
from tests.demo.remains import mark, remains, wait_for_end
from tests.demo.table import KernelTable
from tests.lab import choice, scratch
from tests.lab.polling import eventually
from tests.lab.process import LabError
from tests.lab.topology import CLIENT, DOCKER, LabNetwork
from tests.lab.uml import UmlKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

    from tests.demo.screen import Screen
    from tests.lab.process import Running

T = TypeVar("T")

_FRAME = 0.03
"""Seconds between two pictures of the live line, and between two looks at what it waits for."""


class UntrueError(Exception):
    """Something that the demo claims is not so; the message is the claim and what was seen."""


class Stage:
    """``interrupted`` raises when somebody wants the demo to end; it is asked all the time."""

    def __init__(self, screen: Screen, interrupted: Callable[[], None]) -> None:
        self.screen = screen
        self.load: Load | None = None
        self._interrupted = interrupted
        self._clusterf: list[Running] = []
        self._exits = ExitStack()

    def set_up(self) -> None:
        """Bring up networks, the engine, the director's kernel, and write the configuration."""
        self._interrupted()
        network = self._exits.enter_context(LabNetwork())
        self.clients = network.clients
        self._interrupted()
        self.engine = self._exits.enter_context(network.engine())
        containers.build(self.engine)
        self._interrupted()
        self.director = self._exits.enter_context(network.director())
        # A guest has a /tmp of its own, and the host's kernel shows ours: it is removed there.
        self.directory = Path(tempfile.gettempdir()) / scratch.name("demo")
        self._exits.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.configuration = self.director.shared / "clusterf.toml"
        self.configuration.write_text(configuration.text(self.directory))
        # Connections that outlive a drain end instead of hanging; clusterf check advises it.
        self.director.sysctl(ipv4__vs__expire_nodest_conn=1)
        self.table = KernelTable(self.director)
        self.until(lambda: self.table.since(0), "the first look at the kernel's table")

    def facts(self) -> Iterator[str]:
        """What was set up, for a reader who is new here."""
        if isinstance(self.director, UmlKernel):
            yield (
                f"the director's kernel: {self.director.description}, an ordinary process, since"
                f" {choice.choose().reason}. Its system calls are some ten times slower than"
                " a machine's, and so are the times below."
            )
        else:
            yield f"the director's kernel: {self.director.description}, in a namespace"
        version = self.engine.client.version()["Version"]
        yield f"the Docker Engine: {version}, private, in a namespace; its API is at tcp://{DOCKER}"
        yield f"the client: {CLIENT}; the address that it asks: {VIP}"

    # --- clusterf ----------------------------------------------------------------------------

    def start_clusterf(self) -> Running:
        running = self.director.spawn(self._program("run", "-c", str(self.configuration)))
        self._clusterf.append(running)
        return running

    def clusterf(self, *arguments: str) -> None:
        """Run a command on the director, and show it with what it prints.

        Raises:
            UntrueError: it did not end with 0.
        """
        command, *rest = arguments
        argv = self._program(command, "-c", str(self.configuration), *rest)
        self.screen.command(shlex.join(["clusterf", command, "-c", "clusterf.toml", *rest]))
        done = self.director.exec(argv, timeout=60, check=False)
        self.screen.text(done.stdout + done.stderr)
        if done.returncode != 0:
            raise UntrueError(f"clusterf {command} ends with 0: not so, with {done.returncode}")

    def status(self) -> dict[str, Any] | None:
        """The daemon's picture of itself; None while nobody answers."""
        argv = self._program("status", "-c", str(self.configuration), "--format", "json")
        done = self.director.exec(argv, timeout=60, check=False)
        if done.returncode == 69:  # EX_UNAVAILABLE
            return None
        picture: dict[str, Any] = json.loads(done.check().stdout)
        return picture

    @property
    def running(self) -> Running:
        """The daemon that was started last."""
        return self._clusterf[-1]

    def settled(self) -> dict[str, Any] | None:
        """The daemon's picture, once every source has spoken and every output is in service."""
        if (code := self.running.poll()) is not None:
            raise UntrueError(f"clusterf run ended by itself with {code}")
        if "started services=" not in self.running.errors():
            # A guest has one CPU: asking would only slow down the start.
            return None
        picture = self.status()
        if picture is None or picture["hold"] is not None:
            return None
        if not all(source["spoken"] for source in picture["sources"]):
            return None
        tasks = (*picture["sources"], *picture["outputs"])
        return picture if all(task["state"] in {"running", "finished"} for task in tasks) else None

    def destinations(self, number: int) -> Callable[[], float | None]:
        """Since when the kernel has so many destinations with a weight, for :meth:`until`."""
        return lambda: self.table.when(
            ENTRY, lambda weights: sum(map(bool, weights.values())) == number, 0
        )

    def serving(self) -> int:
        """How many destinations the daemon says are plainly serving."""
        picture = self.settled()
        if picture is None:
            return 0
        return sum(
            destination["state"] == "serving"
            for service in picture["services"]
            for entry in service["entries"]
            for destination in entry["destinations"]
        )

    def _program(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("clusterf")), *arguments]

    def log(self) -> str:
        """What all runs of clusterf wrote so far."""
        return "".join(running.output() + running.errors() for running in self._clusterf)

    # --- containers --------------------------------------------------------------------------

    def run(self, name: str) -> Container:
        self._interrupted()
        return containers.start(self.engine, name)

    def endpoint(self, container: Container) -> str:
        return containers.endpoint(self.engine, container)

    # --- time --------------------------------------------------------------------------------

    def start_load(self) -> Load:
        self.load = self._exits.enter_context(Load(self.clients, configuration.URL))
        return self.load

    def until(self, ready: Callable[[], T | None], what: str, timeout: float = 30) -> T:
        """Wait until something is so, with the live line moving.

        Raises:
            UntrueError: it did not come to be in time.
        """

        def frame() -> T | None:
            self._interrupted()
            self._alive()
            return ready()

        try:
            return eventually(frame, what, within=timeout, every=_FRAME)
        except TimeoutError as error:
            raise UntrueError(f"waited in vain: {error}") from None

    def watch_for(self, seconds: float) -> None:
        """Let the load run on."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, "time to pass", timeout=seconds + 10)

    def _alive(self) -> None:
        if self.load is not None:
            self.load.refresh()
            self.screen.live(self.load.summary())
            if (reason := self.load.ended()) is not None:
                raise LabError(f"the client ended: {reason}")
        if (reason := self.table.failed()) is not None:
            raise LabError(reason)

    def close(self) -> None:
        """End all of it, and tell what is left.

        Raises:
            UntrueError: something is.
        """
        self.load = None
        self._exits.close()
        ours = mark(os.getpid())
        wait_for_end(ours, 5)
        if left := remains(ours):
            raise UntrueError(f"nothing is left behind: not so: {'; '.join(left)}")
