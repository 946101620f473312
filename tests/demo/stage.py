"""What a demo plays on, whatever stands there: its clients, its clocks, and its end."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.demo.daemon import Daemon
from tests.demo.load import INTERVAL, Load
from tests.demo.remains import mark, remains, wait_for_end
from tests.demo.screen import UntrueError
from tests.demo.table import KernelTable
from tests.lab import choice, scratch
from tests.lab.polling import eventually
from tests.lab.process import LabError
from tests.lab.uml import UmlKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.demo.screen import Screen
    from tests.lab.kernel import Kernel
    from tests.lab.network import Namespace

T = TypeVar("T")

_FRAME = 0.03
"""Seconds between two pictures of the live line, and between two looks at what it waits for."""


class Stage(ABC):
    """``interrupted`` raises when somebody wants the demo to end; it is asked all the time."""

    def __init__(self, screen: Screen, interrupted: Callable[[], None]) -> None:
        self.screen = screen
        self.load: Load | None = None
        self.daemons: dict[str, Daemon] = {}
        """Every clusterf, by what a reader calls it."""
        self.tables: list[KernelTable] = []
        """The tables of all kernels that are alive."""
        self._interrupted = interrupted
        self._directories: list[Path] = []
        self._exits = ExitStack()
        # The first that is entered is the last that is left: no daemon is there any more.
        self._exits.callback(self._remove_directories)

    @abstractmethod
    def set_up(self) -> None:
        """Bring up everything, and write the configurations."""

    @abstractmethod
    def facts(self) -> Iterator[str]:
        """What was set up, for a reader who is new here."""

    def logs(self) -> dict[str, str]:
        """What every clusterf wrote so far, by its name."""
        return {name: daemon.log() for name, daemon in self.daemons.items()}

    # --- what it is made of ------------------------------------------------------------------

    def daemon(
        self,
        name: str,
        kernel: Kernel,
        file: str,
        text: Callable[[Path], str],
        prompt: str = "",
    ) -> Daemon:
        """Write the configuration of a clusterf, which is called ``name`` here.

        ``text`` is given a directory for the daemon's socket and state.
        """
        directory = Path(tempfile.gettempdir()) / scratch.name("demo")
        self._directories.append(directory)
        configuration = kernel.shared / file
        configuration.write_text(text(directory))
        self.daemons[name] = daemon = Daemon(self.screen, kernel, configuration, prompt)
        return daemon

    def follow(self, kernel: Kernel) -> KernelTable:
        """Look at a kernel's table from now on."""
        # Connections that outlive a drain end instead of hanging; clusterf check advises it.
        kernel.sysctl(ipv4__vs__expire_nodest_conn=1)
        table = KernelTable(kernel)
        self.tables.append(table)
        self.until(lambda: table.since(0), "the first look at a kernel's table")
        return table

    def start_load(self, place: Namespace, url: str, interval: float = INTERVAL) -> Load:
        self.load = self._exits.enter_context(Load(place, url, interval))
        return self.load

    # --- time --------------------------------------------------------------------------------

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
        for table in self.tables:
            if (reason := table.failed()) is not None:
                raise LabError(reason)

    # --- the end -----------------------------------------------------------------------------

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

    def _remove_directories(self) -> None:
        # A guest has a /tmp of its own, and the host's kernel shows ours: they are there.
        for directory in self._directories:
            shutil.rmtree(directory, ignore_errors=True)


def kernel_fact(whose: str, kernel: Kernel) -> str:
    """What kernel it is, for a reader who is new here. ``whose`` is ``the director's kernel``."""
    if isinstance(kernel, UmlKernel):
        return (
            f"{whose}: {kernel.description}, an ordinary process, since"
            f" {choice.choose().reason}. Its system calls are some ten times slower than"
            " a machine's, and so are the times below."
        )
    return f"{whose}: {kernel.description}, in a namespace"
