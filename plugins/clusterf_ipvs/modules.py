"""Which modules this kernel has, read from files: asking the kernel itself would load them."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import NamedTuple


class Modules(NamedTuple):
    """``running``: loaded or built in; ``loadable``: None where that is out of sight."""

    running: frozenset[str]
    builtin: frozenset[str]
    loadable: frozenset[str] | None

    @classmethod
    def read(cls, root: Path) -> Modules:
        """Of the kernel that runs. Blocking, for a moment."""
        listing = read_text(root / "proc/modules") or ""
        loaded = frozenset(line.split(" ", 1)[0] for line in listing.splitlines())
        folder = root / "lib/modules" / release(root)
        builtin = _names(read_text(folder / "modules.builtin"))
        listed = read_text(folder / "modules.dep")
        if (root / "proc/net/ip_vs").exists() and "ip_vs" not in loaded:
            # Without the lists of modules this tells it as well.
            builtin |= {"ip_vs"}
        return cls(loaded | builtin, builtin, None if listed is None else _names(listed))


def read_text(path: Path) -> str | None:
    """A small file of the kernel's; None where it is absent or not for us: both tell nothing."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def release(root: Path) -> str:
    """Of the kernel that runs, as ``uname -r``."""
    return (read_text(root / "proc/sys/kernel/osrelease") or platform.release()).strip()


def _names(listing: str | None) -> frozenset[str]:
    """Names of modules from modules.dep or modules.builtin; compressed ones too."""
    names = set()
    for line in (listing or "").splitlines():
        file = line.split(":", 1)[0].rsplit("/", 1)[-1]
        names.add(file.split(".", 1)[0].replace("-", "_"))
    return frozenset(names)
