"""What several runs of tests beside each other need once, one of them makes; the others wait."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Nobody else is in here with this name; the end of a process lets the next one in."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
