"""The programs of a site, each a process of its own: ``clusterf run`` as agent, and as director."""

from __future__ import annotations

import json
import re
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clusterf.control.client import ask
from tests.lab.kernel import Kernel
from tests.lab.network import Namespace
from tests.lab.polling import eventually
from tests.lab.process import Running

JSON = dict[str, Any]

PATIENCE = 40.0
"""Seconds in which what has no promise of its own is done, on the slowest machine."""

_DONE = re.compile(r" outputs\.kernel: done op='([^']*)' because=")


class Program(ABC):
    """``clusterf run``, started as often as a test likes. ``folder`` has its clusterf.toml."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / "clusterf.toml"
        self._running: Running | None = None

    def start(self) -> None:
        """Start it, and do not wait."""
        self._running = self._spawn()

    def start_again(self) -> None:
        """Start it if it does not run."""
        if self.running.poll() is not None:
            self.start()

    def wait_started(self) -> None:
        """Wait until its outputs run, or at least try to."""
        self.running.wait_for(" started services=", PATIENCE)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.running.kill(signal.SIGKILL)
        self.running.wait(PATIENCE)

    def close(self) -> None:
        if self._running is not None and self._running.poll() is None:
            self.kill()

    @property
    def running(self) -> Running:
        """Its last process."""
        assert self._running is not None
        return self._running

    @property
    def log(self) -> str:
        """What it wrote since it was last started."""
        return self.running.errors()

    def wait_for_log(self, text: str, *, times: int = 1, within: float = PATIENCE) -> None:
        """Wait until it has logged something so many times since its start."""
        self.running.wait_until(
            lambda: self.log.count(text) >= times, f"did not log {text!r} {times} times", within
        )

    @abstractmethod
    def _spawn(self) -> Running:
        """Start a process."""


class Agent(Program):
    """The agent of one host: files of services in ``services.d``, published to etcd."""

    def __init__(self, place: Namespace, folder: Path) -> None:
        super().__init__(folder)
        self._place = place
        self._services = folder / "services.d"
        self._services.mkdir()

    def says(self, text: str) -> None:
        """Exchange the file of this host's services as editors do: whole, by renaming."""
        draft = self._services / ".services.toml"
        draft.write_text(text, encoding="utf-8")
        draft.rename(self._services / "services.toml")

    def status(self) -> JSON:
        return ask(self.folder / "control.sock", {"command": "status"}, timeout=PATIENCE)

    def _spawn(self) -> Running:
        command = [sys.executable, "-m", "clusterf", "run", "-c", str(self.file)]
        return self._place.spawn(command)


class Director(Program):
    """The director, on its kernel, which may be a guest: asking it takes a second there."""

    def __init__(self, kernel: Kernel, folder: Path) -> None:
        super().__init__(folder)
        self._kernel = kernel

    def operations(self) -> list[str]:
        """What it did to the kernel since it was last started, in ipvsadm's words."""
        return _DONE.findall(self.log)

    def status(self) -> JSON:
        command = self._kernel.python("-m", "clusterf", "status", "-c", self.file)
        done = self._kernel.exec([*command, "--format", "json"], timeout=PATIENCE)
        picture: JSON = json.loads(done.stdout)
        return picture

    def wait(self, condition: Callable[[JSON], object], what: str, within: float) -> JSON:
        """Wait until status is as wanted; returns it."""
        seen: list[JSON] = []

        def holds() -> object:
            seen[:] = [self.status()]
            return condition(seen[0])

        try:
            eventually(holds, what, within=within)
        except TimeoutError as error:
            shown = json.dumps(seen[0], indent=1)[:20_000]
            raise AssertionError(f"{error}; status says\n{shown}\n{self.log[-20_000:]}") from None
        return seen[0]

    def _spawn(self) -> Running:
        command = self._kernel.python("-m", "clusterf", "run", "-c", self.file)
        return self._kernel.spawn(command)
