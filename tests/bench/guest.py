"""What both kinds of guest share: how the command inside hands its results out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from tests.bench.rootfs import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRATCH: Final = "/run/bench"
"""A tmpfs in every guest: the clock of a guest must not wait for a disk."""

_RESULT: Final = "@bench "


class GuestError(Exception):
    """The guest did not boot, did not end in time, or its command failed."""


def environment() -> dict[str, str]:
    """What the command needs besides PATH."""
    return {
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }


def command(python: str, sender: str, job: Sequence[dict[str, Any]]) -> list[str]:
    return [python, "-m", "tests.bench.inside", sender, json.dumps(job)]


def tell(result: object) -> None:
    """Hand a result to the machine outside (called inside the guest)."""
    sys.stdout.write(f"{_RESULT}{json.dumps(result)}\n")
    sys.stdout.flush()


def read(line: str) -> dict[str, Any] | None:
    """Read a line of a guest's output: a result, or None for any other line."""
    if not line.startswith(_RESULT):
        return None
    result: dict[str, Any] = json.loads(line.removeprefix(_RESULT))
    return result
