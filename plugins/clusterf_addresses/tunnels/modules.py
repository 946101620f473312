"""Which modules this kernel has, read from files: asking the kernel itself would load them."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

THIS_HOST = Path("/")


class Modules(NamedTuple):
    """``running``: loaded or built in; ``loadable``: None where that is out of sight.

    In a container the folder of modules may be out of sight, and the kernel still finds it.
    """

    running: frozenset[str] = frozenset()
    loadable: frozenset[str] | None = None

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those that are certainly not there."""
        if self.loadable is None:
            return []
        there = self.running | self.loadable
        return [name for name in names if name not in there]


def read(root: Path = THIS_HOST) -> Modules:
    """Of the running kernel. Blocking, for a moment."""
    loaded = frozenset(
        line.split(" ", 1)[0] for line in (_text(root / "proc/modules") or "").splitlines()
    )
    release = (_text(root / "proc/sys/kernel/osrelease") or platform.release()).strip()
    folder = root / "lib/modules" / release
    built_in = _names(_text(folder / "modules.builtin") or "")
    listed = _text(folder / "modules.dep")
    return Modules(loaded | built_in, None if listed is None else _names(listed))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        # Absent or not for us: the same to somebody who wants to know what it says.
        return None


def _names(listing: str) -> frozenset[str]:
    """Names from modules.dep or modules.builtin; of compressed files too."""
    files = (line.split(":", 1)[0].rsplit("/", 1)[-1] for line in listing.splitlines())
    return frozenset(file.split(".", 1)[0].replace("-", "_") for file in files)
