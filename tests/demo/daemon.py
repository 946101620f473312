"""One clusterf: started, killed and asked, in whatever kernel it runs."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.demo.screen import UntrueError

if TYPE_CHECKING:
    from tests.demo.screen import Screen
    from tests.lab.kernel import Kernel
    from tests.lab.process import Running

_PATIENCE = 90
"""Seconds for a command: in a guest, on a machine that does something else."""


class Daemon:
    """``configuration`` is its file, which its kernel sees too. ``prompt`` is shown before it."""

    def __init__(
        self, screen: Screen, kernel: Kernel, configuration: Path, prompt: str = ""
    ) -> None:
        self.kernel = kernel
        self.configuration = configuration
        self.prompt = prompt
        self._screen = screen
        self._runs: list[Running] = []

    def start(self) -> Running:
        argv = self._program("run", "-c", str(self.configuration))
        self._runs.append(self.kernel.spawn(argv))
        return self.running

    @property
    def running(self) -> Running:
        """The run that was started last."""
        return self._runs[-1]

    def show(self, command: str, *rest: str) -> None:
        """Run a command where the daemon is, and show it with what it prints.

        ``command`` may have two words: ``etcd get``.

        Raises:
            UntrueError: it did not end with 0.
        """
        argv = self._program(*command.split(), "-c", str(self.configuration), *rest)
        self._screen.command(self.line(command, *rest), self.prompt)
        done = self.kernel.exec(argv, timeout=_PATIENCE, check=False)
        self._screen.text(done.stdout + done.stderr)
        if done.returncode != 0:
            raise UntrueError(f"clusterf {command} ends with 0: not so, with {done.returncode}")

    def line(self, command: str, *rest: str) -> str:
        """A command of clusterf, as one would type it."""
        words = ["clusterf", *command.split(), "-c", self.configuration.name, *rest]
        return shlex.join(words)

    def status(self) -> dict[str, Any] | None:
        """The daemon's picture of itself; None while nobody answers."""
        argv = self._program("status", "-c", str(self.configuration), "--format", "json")
        done = self.kernel.exec(argv, timeout=_PATIENCE, check=False)
        if done.returncode == 69:  # EX_UNAVAILABLE
            return None
        picture: dict[str, Any] = json.loads(done.check().stdout)
        return picture

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

    def log(self) -> str:
        """What all its runs wrote so far."""
        return "".join(running.output() + running.errors() for running in self._runs)

    @staticmethod
    def _program(*arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("clusterf")), *arguments]
