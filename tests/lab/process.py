"""Programs that the lab starts: bounded, observable, and never longer-lived than the lab."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Self

from tests.lab import namespaces

Argv = Sequence[str | os.PathLike[str]]
Environment = Mapping[str, str]


class LabError(Exception):
    """The lab itself does not work; says nothing about what is tested in it."""


class CommandFailedError(LabError):
    """A program ended with a status other than 0; the message carries what it printed."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def check(self) -> Self:
        if self.returncode != 0:
            raise CommandFailedError(
                f"{shlex.join(self.argv)} ended with {self.returncode}\n{self.stdout}{self.stderr}"
            )
        return self


def words(argv: Argv) -> tuple[str, ...]:
    return tuple(os.fspath(word) for word in argv)


def run(
    argv: Argv,
    *,
    text: str = "",
    env: Environment | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout: float = 30,
    check: bool = True,
) -> Completed:
    """Run a program to its end in the calling thread's namespace; ``text`` is its input."""
    command = words(argv)
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **(env or {})},
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{shlex.join(command)} took more than {timeout} s") from error
    completed = Completed(command, done.returncode, done.stdout, done.stderr)
    return completed.check() if check else completed


class Stream:
    """What a running program has written so far; readers wait for more without polling."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        with self._changed:
            self._data += data
            self._changed.notify_all()

    @property
    def data(self) -> bytes:
        with self._changed:
            return bytes(self._data)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


class Running(ABC):
    """A program in the background, on this kernel or in a guest."""

    def __init__(self, argv: tuple[str, ...]) -> None:
        self.argv = argv
        self._changed = threading.Condition()
        self._output = Stream(self._changed)
        self._errors = Stream(self._changed)
        self._returncode: int | None = None

    @abstractmethod
    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; nothing happens when the program has ended."""

    @abstractmethod
    def send(self, text: str) -> None:
        """Write to the program's standard input."""

    @abstractmethod
    def close_input(self) -> None:
        """Let the program read the end of its input."""

    def output(self) -> str:
        return self._output.text

    def errors(self) -> str:
        return self._errors.text

    def poll(self) -> int | None:
        """The exit status, as subprocess gives it; None while it runs."""
        with self._changed:
            return self._returncode

    def wait(self, timeout: float = 30) -> int:
        """Wait for the end; TimeoutError when it does not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._returncode is not None, timeout):
                raise TimeoutError(self._complaint(f"still runs after {timeout} s"))
            assert self._returncode is not None
            return self._returncode

    def wait_for(self, text: str, timeout: float = 30) -> None:
        """Wait until ``text`` stands in the output or the errors."""
        wanted = text.encode()
        self.wait_until(
            lambda: wanted in self._output.data or wanted in self._errors.data,
            f"did not say {text!r}",
            timeout,
        )

    def wait_until(self, said: Callable[[], object], complaint: str, timeout: float = 30) -> None:
        """Wait until it has said something; ``said`` is asked whenever it has said more.

        Raises:
            TimeoutError: it did not in time, or has ended without; the ``complaint`` tells it.
        """
        with self._changed:
            self._changed.wait_for(lambda: said() or self._returncode is not None, timeout)
            if not said():
                raise TimeoutError(self._complaint(f"{complaint} within {timeout:g} s"))

    def line(self, number: int, timeout: float = 30) -> str | None:
        """Output line ``number``, from 0; None when the program ended without writing it."""

        def complete() -> bool:
            return self._output.data.count(b"\n") > number

        with self._changed:
            if not self._changed.wait_for(
                lambda: complete() or self._returncode is not None, timeout
            ):
                raise TimeoutError(self._complaint(f"wrote no line {number} in {timeout} s"))
            if not complete():
                return None
            return self._output.data.split(b"\n")[number].decode("utf-8", "replace")

    def stop(self, timeout: float = 10) -> int:
        """SIGTERM, and SIGKILL for a program that does not listen."""
        self.kill(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except TimeoutError:
            self.kill(signal.SIGKILL)
            return self.wait(timeout)

    def _ended(self, returncode: int) -> None:
        with self._changed:
            self._returncode = returncode
            self._changed.notify_all()

    def _complaint(self, what: str) -> str:
        tail = (self._output.data[-2000:] + self._errors.data[-2000:]).decode("utf-8", "replace")
        return f"{shlex.join(self.argv)} {what} (status {self._returncode}):\n{tail}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# A child asks the kernel to be killed when its parent *thread* ends (prctl(2)), so children are
# started by a thread that ends only with the process.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-spawner")


def popen(
    argv: Argv,
    *,
    env: Environment | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that the kernel kills when this process dies.

    It starts in the caller's network namespace.
    """
    home = os.open(namespaces.current(), os.O_RDONLY | os.O_CLOEXEC)

    def start() -> subprocess.Popen[bytes]:
        if namespaces.identity() != namespaces.identity(f"/proc/self/fd/{home}"):
            namespaces.enter(home)
        return subprocess.Popen(
            ("setpriv", "--pdeathsig", "KILL", "--", *words(argv)),
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )

    try:
        return _spawner.submit(start).result()
    finally:
        os.close(home)


class LocalProcess(Running):
    """A program on this kernel."""

    def __init__(
        self,
        argv: Argv,
        *,
        env: Environment | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(words(argv))
        self._popen = popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.pid = self._popen.pid
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._pumps = [
            threading.Thread(target=_pump, args=(pipe, stream), daemon=True)
            for pipe, stream in (
                (self._popen.stdout, self._output),
                (self._popen.stderr, self._errors),
            )
        ]
        for pump in self._pumps:
            pump.start()
        threading.Thread(target=self._reap, daemon=True).start()

    def kill(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def send(self, text: str) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(text.encode())
        self._popen.stdin.flush()

    def close_input(self) -> None:
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()

    def _reap(self) -> None:
        returncode = self._popen.wait()
        # A grandchild may hold the pipes open for ever; what the program wrote itself is there.
        deadline = time.monotonic() + 1
        for pump in self._pumps:
            pump.join(max(0, deadline - time.monotonic()))
        self.close_input()
        self._ended(returncode)


def _pump(pipe: IO[bytes], stream: Stream) -> None:
    with pipe:
        while data := os.read(pipe.fileno(), 65536):
            stream.feed(data)
