"""A kernel with IPVS that runs programs for a test, wherever it is.

:class:`HostKernel` is this machine's own kernel, in a network namespace; ``tests.lab.uml`` has the
other one. A test that is written against :class:`Kernel` runs on both.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.lab import process, scratch

if TYPE_CHECKING:
    from tests.lab.network import Namespace
    from tests.lab.process import Argv, Completed, Environment, Running

SCHEDULERS = (
    *("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf"),
)


class Kernel(ABC):
    """Somewhere that programs see an IPVS table of their own."""

    def __init__(self) -> None:
        self.shared = scratch.directory("shared")
        """A directory that the tests and the programs of this kernel see under the same path.

        Files pass through it. Unix sockets and FIFOs do not: they belong to one kernel.
        """
        self._running: list[Running] = []

    @property
    @abstractmethod
    def description(self) -> str:
        """One line for a report."""

    @abstractmethod
    def exec(
        self,
        argv: Argv,
        *,
        text: str = "",
        env: Environment | None = None,
        cwd: str | os.PathLike[str] | None = scratch.ROOT,
        timeout: float = 30,
        check: bool = True,
    ) -> Completed:
        """Run a program to its end; ``text`` is its input, TimeoutError when it takes too long."""

    @abstractmethod
    def _start(self, argv: Argv, env: Environment, cwd: str | os.PathLike[str]) -> Running:
        """Start a program in the background."""

    def spawn(
        self,
        argv: Argv,
        *,
        env: Environment | None = None,
        cwd: str | os.PathLike[str] = scratch.ROOT,
    ) -> Running:
        """Start a program in the background; it ends with the kernel at the latest."""
        running = self._start(argv, env or {}, cwd)
        self._running.append(running)
        return running

    def python(self, *arguments: str | os.PathLike[str]) -> tuple[str, ...]:
        """The command that runs this project's Python here: ``python("-m", "clusterf")``."""
        return (sys.executable, *process.words(arguments))

    def ping(self) -> float:
        """Seconds from a request to its answer."""
        start = time.perf_counter()
        self.exec(["true"])
        return time.perf_counter() - start

    def ipvsadm(self, *arguments: str) -> str:
        """Run ipvsadm(8); a table of many lines is better loaded with ``-R`` and :meth:`exec`."""
        return self.exec(["ipvsadm", *arguments]).stdout

    def ip(self, *commands: str) -> str:
        """Run ip(8) commands in one batch; the first failure ends it."""
        return self.exec(["ip", "-batch", "-"], text="\n".join(commands) + "\n").stdout

    def sysctl(self, **settings: int | str) -> None:
        """Set ``net`` sysctls; write a double underscore for the dot: ``ipv4__ip_forward=1``."""
        script = "".join(
            f"echo {value} > /proc/sys/net/{key.replace('__', '/')}\n"
            for key, value in settings.items()
        )
        self.exec(["sh", "-e"], text=script)

    @abstractmethod
    def crash(self) -> None:
        """End it as a power failure would; nothing but :meth:`close` may follow."""

    def tidy(self) -> None:
        """End what was spawned and empty the IPVS table and the loopback's extra addresses.

        Destinations that were deleted stay in the kernel's trash for two minutes, and connection
        entries until they expire: a test that would notice needs a kernel of its own.
        """
        self._stop_all()
        script = "ipvsadm -C; ip address flush dev lo scope global; ip link set lo up\n"
        self.exec(["sh", "-e"], text=script)

    def _stop_all(self) -> None:
        for running in reversed(self._running):
            with contextlib.suppress(TimeoutError):
                running.stop()
        self._running.clear()

    def close(self) -> None:
        """End every program and give back what the kernel holds; twice is harmless."""
        shutil.rmtree(self.shared, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class HostKernel(Kernel):
    """This machine's kernel, as a namespace shows it."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__()
        self.namespace = namespace
        load_modules()

    @property
    def description(self) -> str:
        return f"the host's own kernel {os.uname().release}"

    def exec(
        self,
        argv: Argv,
        *,
        text: str = "",
        env: Environment | None = None,
        cwd: str | os.PathLike[str] | None = scratch.ROOT,
        timeout: float = 30,
        check: bool = True,
    ) -> Completed:
        return process.run(
            self.namespace.command(argv), text=text, env=env, cwd=cwd, timeout=timeout, check=check
        )

    def _start(self, argv: Argv, env: Environment, cwd: str | os.PathLike[str]) -> Running:
        return process.LocalProcess(self.namespace.command(argv), env=env, cwd=cwd)

    def crash(self) -> None:
        """Its programs are killed and its cables pulled; the table dies with the namespace."""
        for running in self._running:
            running.kill()
            running.wait()
        self.ip("link set group default down")

    def close(self) -> None:
        self._stop_all()
        super().close()


def load_modules() -> None:
    """Load IPVS and its schedulers into this kernel; one it does not have is left out.

    A kernel that has them built in has no module to load, and that is not an error either.
    """
    names = ["ip_vs", *(f"ip_vs_{scheduler}" for scheduler in SCHEDULERS)]
    process.run(
        ["modprobe", "-a", *names, "nf_conntrack", "dummy", "veth", "ipip", "ip_gre", "fou"],
        check=False,
    )


def has_ipvs() -> bool:
    """Whether this kernel has IPVS, loaded or to be loaded."""
    if Path("/proc/net/ip_vs").exists():
        return True
    if shutil.which("modprobe") is None:
        return False
    process.run(["modprobe", "ip_vs"], check=False)
    return Path("/proc/net/ip_vs").exists()
