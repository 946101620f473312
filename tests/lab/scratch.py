"""Names and directories that belong to one run, and what becomes of those a dead run left."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project's own directory: code that a guest runs is found below it."""

BUILD = Path(os.environ.get("CLUSTERF_LAB_SCRATCH", ROOT / "build" / "lab"))
"""Files that two kernels exchange live here: hostfs shows it to both under the same path.

A guest has another one for itself, since process ids, which tell whose a file is, are its own too.
"""

NAMESPACES = Path("/run/netns")
CGROUPS = Path("/sys/fs/cgroup")

_PREFIX = "clf"
_counter = itertools.count(1)
_OWNED = re.compile(rf"^{_PREFIX}(\d+)-")


def name(label: str) -> str:
    """A name that no other run and no earlier call has: ``clf<pid>-<n>-<label>``."""
    return f"{_PREFIX}{os.getpid()}-{next(_counter)}-{label}"


def directory(label: str, parent: Path = BUILD) -> Path:
    """Make an empty directory of this run; whoever asked removes it."""
    path = parent / name(label)
    path.mkdir(parents=True)
    return path


def orphaned(label: str) -> bool:
    """Whether ``label`` carries the mark of a run whose process is gone."""
    match = _OWNED.match(label)
    return match is not None and not Path("/proc", match[1]).exists()


def remove_cgroup(label: str) -> None:
    """Remove the empty groups of an engine, in every hierarchy (v1) or in the only one (v2)."""
    for top in (CGROUPS / label, *CGROUPS.glob(f"*/{label}")):
        for directory, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)  # noqa: PTH106 # a cgroup is no directory with files


def sweep() -> list[str]:
    """Remove what runs left behind that were killed before they could clean up.

    Processes and their mounts need no sweeping: they end with the process that started them.
    """
    swept = set()
    places = (NAMESPACES, BUILD, Path(tempfile.gettempdir()), CGROUPS, *_entries(CGROUPS))
    for path in (path for place in places for path in _entries(place)):
        if not orphaned(path.name):
            continue
        if path.parent == NAMESPACES:
            subprocess.run(["ip", "netns", "delete", path.name], check=False, capture_output=True)
        elif path.is_relative_to(CGROUPS):
            remove_cgroup(path.name)
        else:
            shutil.rmtree(path, ignore_errors=True)
        swept.add(path.name)
    return sorted(swept)


def _entries(path: Path) -> list[Path]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        return sorted(path.iterdir())
    return []
