"""The executables under test, and the ways in which tests run them."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from freeze import trial
from tests.frozen.alone import alone
from tests.lab.process import LocalProcess

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
INPUTS = (
    *("clusterf", "plugins", "packaging/freeze", "packaging/setup"),
    *("clusterf.toml", "pyproject.toml"),
)
"""What the executables are made of."""


@dataclass(frozen=True)
class Executable:
    """One of the two forms."""

    name: str
    path: Path

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, in the caller's environment with ``env`` on top."""
        return subprocess.run(
            [str(self.path), *words],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


ONE_FILE = Executable("one file", DIST / "clusterf")
FOLDER = Executable("folder", DIST / "clusterf-folder" / "clusterf")


def make() -> None:
    """Make both, unless they are younger than all that they are made of."""
    made = DIST / "clusterf.cdx.json"
    with alone("executables"):
        if not made.exists() or made.stat().st_mtime <= max(map(_changed, INPUTS)):
            freeze(ROOT, DIST, ROOT / "build" / "freeze")


def freeze(root: Path, into: Path, work: Path) -> None:
    """Make both of the tree at ``root``; the self-test is for ``make build``."""
    command = [sys.executable, "-P", "-m", "freeze", "--untried"]
    command += ["--into", str(into), "--work", str(work)]
    path = os.pathsep.join([str(root / "packaging"), str(root), str(root / "plugins")])
    subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": path}, check=True)


def sources(root: Path) -> list[Path]:
    """The files that they are made of, relative to ``root``."""
    return [
        path.relative_to(root)
        for name in INPUTS
        for path in ([root / name] if (root / name).is_file() else sorted((root / name).rglob("*")))
        if path.is_file() and path.suffix != ".pyc"
    ]


def _changed(name: str) -> float:
    return max((ROOT / path).stat().st_mtime for path in sources(ROOT) if path.is_relative_to(name))


class Daemon(LocalProcess):
    """``clusterf run`` with the self-test's drop-ins; `pid` is the process that was started."""

    def __init__(self, executable: Executable, folder: Path, **env: str) -> None:
        laid_out = trial.prepared(executable.path, folder)
        argv = [executable.path, "run", "-c", laid_out.configuration]
        super().__init__(argv, env=env, cwd=folder)

    def __enter__(self) -> Self:
        super().__enter__()
        self.wait_for("started services=1")
        return self

    @property
    def child(self) -> int:
        """Of the one file the process that is clusterf."""
        [child] = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(child)


def wait_for_end(pid_descriptor: int, within: float = 20) -> bool:
    """Whether a process, not a child of ours, ends in time; closes the descriptor."""
    try:
        ready, _, _ = select.select([pid_descriptor], [], [], within)
        return bool(ready)
    finally:
        os.close(pid_descriptor)
