"""What is left of a run on this machine, by the mark that all its names carry."""

from __future__ import annotations

import os
import select
import tempfile
import time
from pathlib import Path

from tests.lab import scratch


def mark(pid: int) -> str:
    """What the lab puts in front of every name that process ``pid`` makes; see scratch.name."""
    return f"clf{pid}-"


def remains(mark: str) -> list[str]:
    """Processes, mounts, namespaces, files and cgroups; empty when all is taken away."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    places = [scratch.NAMESPACES, scratch.BUILD, Path(tempfile.gettempdir()), scratch.CGROUPS]
    places += [place for place in scratch.CGROUPS.iterdir() if place.is_dir()]
    names = [str(path) for place in places if place.is_dir() for path in place.iterdir()]
    found = {"process": _commands().values(), "mount": mounts, "name": names}
    return [f"{kind} {one}" for kind, all_ in found.items() for one in all_ if mark in one]


def wait_for_end(mark: str, timeout: float) -> None:
    """Wait for the processes to be gone, at most ``timeout`` seconds: killing takes a moment."""
    deadline = time.monotonic() + timeout
    for pid in [pid for pid, command in _commands().items() if mark in command]:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        os.close(descriptor)


def _commands() -> dict[int, str]:
    """The command of every process; those that have ended and wait to be reaped have none."""
    commands = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        commands[int(path.parent.name)] = command
    return commands
