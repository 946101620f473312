"""What the executable runs first: back to the user's environment, then the command line.

PyInstaller's bootloader leaves traces in the environment, which are for itself: with its
``LD_LIBRARY_PATH`` every program that a plugin starts would load our libraries instead of the
host's. Our own are loaded by then, or found without it: the dynamic linker reads it only once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from clusterf.cli.main import main
from freeze import unpacked


def restore(environment: MutableMapping[str, str]) -> None:
    """Take out what the bootloader has put into the environment."""
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    environment.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        environment["LD_LIBRARY_PATH"] = before
    for name in [name for name in environment if name.startswith("_PYI_")]:
        del environment[name]


def start() -> int:
    """Run clusterf, and return its exit code."""
    restore(os.environ)
    inside = Path(sys._MEIPASS)  # type: ignore[attr-defined]  # noqa: SLF001 - PyInstaller's word
    if inside.parent == Path(sys.executable).parent:
        return main()
    with unpacked.held(inside):
        return main()


if __name__ == "__main__":
    sys.exit(start())
