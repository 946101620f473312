"""A running clusterf: what it says of its operations, and what it has had of the CPU."""

from __future__ import annotations

import contextlib
import re
import selectors
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST: Final = 60.0
_DONE: Final = re.compile(r" done (?:operations=(\d+)|op='(\S+) )")
"""A line of the journal: many operations, or one with its word as ipvsadm has it."""


class Clusterf:
    """The process and what it says of its operations."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self._process, self._log = process, process.stderr
        self._said: list[str] = []

    def wait_for(self, operations: int, word: str | None = None) -> None:
        """Until so many operations were done since the last call, or so many with this word.

        Raises:
            TimeoutError: they were not; with what was said instead.
        """
        waiter = selectors.DefaultSelector()
        waiter.register(self._log, selectors.EVENT_READ)
        while operations > 0:
            if not waiter.select(_LONGEST):
                raise TimeoutError("".join(self._said[-20:]))
            line = self._log.readline().decode()
            self._said.append(line)
            if not line:
                raise TimeoutError("clusterf ended:\n" + "".join(self._said[-20:]))
            if (done := _DONE.search(line)) is not None and word in {None, done[2]}:
                operations -= int(done[1] or 1)

    def cpu_ns(self) -> int:
        """Time that all threads had of the CPU; the first number of schedstat (sched-stats.rst)."""
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


@contextlib.contextmanager
def running(file: Path) -> Iterator[Clusterf]:
    """Run it with this configuration, until the block ends."""
    argv = [sys.executable, "-m", "clusterf", "run", "-c", str(file)]
    # Unbuffered: a line that waits in a buffer of ours would not wake the selector.
    with subprocess.Popen(argv, stderr=subprocess.PIPE, bufsize=0) as process:
        try:
            yield Clusterf(process)
        finally:
            process.terminate()
