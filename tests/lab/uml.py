"""A user-mode Linux guest: a real kernel with IPVS as an ordinary process.

The guest's root is the host's file tree (hostfs), so the project, its Python and the system's
programs are there under the same paths. See um/drivers and Documentation/virt/uml in the kernel.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import process, scratch
from tests.lab.channel import Channel, GuestLostError, GuestProcess
from tests.lab.kernel import Kernel
from tests.lab.process import Completed, LabError

if TYPE_CHECKING:
    from tests.lab.network import Namespace
    from tests.lab.process import Argv, Environment, Running

MODULES = Path("/usr/lib/uml/modules")
_VOLATILE = ("/tmp", "/run", "/var/tmp", "/var/log")  # noqa: S108 # guest_init.sh has the same list


@dataclass(frozen=True, slots=True)
class Nic:
    """A network card of a guest: ``name`` inside, ``tap`` in the guest's host namespace.

    The MAC is fixed: a neighbour's stale ARP entry for a random one looks like ten seconds of
    packet loss after every boot.
    """

    name: str
    tap: str
    mac: str


def program() -> str | None:
    """The path of the user-mode kernel, under either name that Debian gives it."""
    return shutil.which("linux.uml") or shutil.which("linux")


class UmlKernel(Kernel):
    """A booted guest.

    Args:
        memory: MiB of RAM; taken from the host only as the guest touches it.
        nics: network cards, which need root and ``namespace``, where their taps are.
        namespace: the host namespace that the guest's process runs in.
        boot_timeout: seconds until the guest must have said its first word.
    """

    def __init__(
        self,
        *,
        memory: int = 1024,
        nics: Sequence[Nic] = (),
        namespace: Namespace | None = None,
        boot_timeout: float = 60,
    ) -> None:
        super().__init__()
        self._exchange = scratch.directory("guest")
        self._log = self._exchange / "console.log"
        started = time.perf_counter()
        near, far = socket.socketpair()
        with far:
            argv = self._command(memory, nics, far.fileno())
            with self._log.open("wb") as log:
                self._process = process.popen(
                    namespace.command(argv) if namespace else argv,
                    env=memory_place(memory),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[far.fileno()],
                )
        self._channel = Channel(near, self._exchange, self.console)
        try:
            self.release = self._channel.ready(boot_timeout)
            if nics:
                self.ip(
                    *(f"link set vec{n} name {nic.name}" for n, nic in enumerate(nics)),
                    *(f"link set {nic.name} up" for nic in nics),
                )
        except BaseException:
            self.close()
            raise
        self.boot_seconds = time.perf_counter() - started

    @property
    def description(self) -> str:
        return f"user-mode Linux {self.release}"

    @property
    def alive(self) -> bool:
        return not self._channel.lost

    def console(self, characters: int = 4000) -> str:
        """The end of what the guest's kernel and init wrote."""
        with contextlib.suppress(FileNotFoundError):
            return self._log.read_bytes()[-characters:].decode("utf-8", "replace")
        return ""

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
        command = process.words(argv)
        request = {
            "do": "exec",
            "argv": command,
            "env": _inside(env),
            "cwd": cwd and os.fspath(cwd),
            "text": text,
            "timeout": timeout,
        }
        reply = self._channel.ask(request, timeout + 10)
        output, errors = (
            self._channel.take(reply["reply"], stream).decode("utf-8", "replace")
            for stream in ("output", "errors")
        )
        if reply["late"]:
            raise TimeoutError(f"{command} took more than {timeout} s\n{output}{errors}")
        completed = Completed(command, reply["returncode"], output, errors)
        return completed.check() if check else completed

    def _start(self, argv: Argv, env: Environment, cwd: str | os.PathLike[str]) -> Running:
        request = {"env": _inside(env), "cwd": os.fspath(cwd)}
        return GuestProcess(self._channel, process.words(argv), request)

    def ping(self) -> float:
        start = time.perf_counter()
        self._channel.ask({"do": "ping"}, 10)
        return time.perf_counter() - start

    def crash(self) -> None:
        self._kill()

    def close(self) -> None:
        # The guest's programs end with it, so they are not stopped one by one.
        self._running.clear()
        with contextlib.suppress(GuestLostError):
            self._channel.power_off(5)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._kill()
        self._channel.close()
        shutil.rmtree(self._exchange, ignore_errors=True)
        super().close()

    def _kill(self) -> None:
        # The whole session: a user-mode kernel runs its guest's programs in processes of its own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def _command(self, memory: int, nics: Sequence[Nic], console: int) -> list[str]:
        kernel = program()
        if kernel is None:
            raise LabError("user-mode Linux is not installed")
        here = Path(__file__).parent
        keep = {scratch.ROOT, Path(sys.prefix), Path(sys.base_prefix)}
        hidden = sorted(str(path) for path in keep if str(path).startswith(_VOLATILE))
        return [
            # In a PID namespace of its own: the processes that it runs the guest's programs in do
            # not notice its end, and the end of a namespace's first process is theirs too.
            *("unshare", "--pid", "--fork", "--kill-child=KILL", "--"),
            kernel,
            "root=/dev/root",
            "rootfstype=hostfs",
            "rootflags=/",
            "rw",
            "quiet",
            f"mem={memory}M",
            f"init={here / 'guest_init.sh'}",
            "con=null",
            "con0=null,fd:1",
            f"con1=fd:{console}",
            f"uml_dir={self._exchange}",
            "umid=uml",
            f"LAB_PYTHON={sys.executable}",
            f"LAB_AGENT={here / 'guest_agent.py'}",
            f"LAB_EXCHANGE={self._exchange}",
            f"LAB_KEEP={':'.join(hidden)}",
            *(
                f"vec{n}:transport=tap,ifname={nic.tap},depth=128,mac={nic.mac}"
                for n, nic in enumerate(nics)
            ),
        ]


def _inside(env: Environment | None) -> dict[str, str]:
    """The environment of a program in a guest: the tests' own, and the mark that it is inside."""
    outside = {key: value for key, value in os.environ.items() if key != "TMPDIR"}
    mark = {"CLUSTERF_LAB_INSIDE": "1", "CLUSTERF_LAB_SCRATCH": "/tmp/lab"}  # noqa: S108 # its own
    return {**outside, **(env or {}), **mark}


def memory_place(memory: int) -> dict[str, str]:
    """Where the guest's RAM lies: in /dev/shm, unless a container made that too small."""
    with contextlib.suppress(FileNotFoundError):
        status = os.statvfs("/dev/shm")  # noqa: S108 # the kernel's default
        if status.f_bavail * status.f_frsize > memory << 20:
            return {}
    return {"TMPDIR": "/var/tmp"}  # noqa: S108 # unlinked as soon as it is open
