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

UNPACKER = "CLUSTERF_UNPACKER"
"""The process that has unpacked the one file. bootloader/room.c sets it."""


def restore(environment: MutableMapping[str, str]) -> None:
    """Take out what the bootloader has put into the environment."""
    _put_back(environment, "LD_LIBRARY_PATH", environment.pop("LD_LIBRARY_PATH_ORIG", ""))
    if "CLUSTERF_TMPDIR_ORIG" in environment:
        _put_back(environment, "TMPDIR", environment.pop("CLUSTERF_TMPDIR_ORIG"))
    environment.pop(UNPACKER, None)
    for name in [name for name in environment if name.startswith("_PYI_")]:
        del environment[name]


def _put_back(environment: MutableMapping[str, str], name: str, before: str) -> None:
    environment.pop(name, None)
    if before:
        environment[name] = before


def start() -> int:
    """Run clusterf, and return its exit code."""
    unpacker = os.environ.get(UNPACKER)
    restore(os.environ)
    if unpacker is None:
        return main()
    # PyInstaller's word for where everything is.
    with unpacked.held(Path(sys._MEIPASS), int(unpacker)):  # type: ignore[attr-defined]  # noqa: SLF001
        return main()


if __name__ == "__main__":
    sys.exit(start())
