"""``python -m freeze``: make the executable in both forms and the list of its parts; try them.

The results are in ``dist/`` (or ``--into``): ``clusterf`` the one file,
``clusterf-folder/`` with the executable and its ``_internal/``, ``clusterf.cdx.json`` the list.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freeze import bill, bootloader, trial

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MOST = 40_000_000
"""Bytes that the one file may have."""


def main() -> int:
    """Make and try."""
    parser = argparse.ArgumentParser(prog="python -m freeze", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("dist"), metavar="FOLDER")
    parser.add_argument("--work", type=Path, default=Path("build/freeze"), metavar="FOLDER")
    parser.add_argument("--untried", action="store_true", help="make them and no more")
    given = parser.parse_args()
    with told("made"):
        freeze(given.into.resolve(), given.work.resolve())
    one_file = given.into / "clusterf"
    folder = given.into / "clusterf-folder"
    size = one_file.stat().st_size
    print(f"{one_file}: {size / 1e6:.1f} MB")
    if size > MOST:
        print(f"{one_file}: more than {MOST / 1e6:.0f} MB", file=sys.stderr)
        return 1
    listed = given.into / "clusterf.cdx.json"
    listed.write_text(bill.listing(one_file, bill.libraries_of(given.work)), "utf-8")
    if given.untried:
        return 0
    failures = 0
    for executable in (one_file, folder / "clusterf"):
        with told(f"{executable}: tried"):
            for name, fault in trial.of(executable.resolve()):
                print(f"  {name}: {fault or 'good'}")
                failures += fault is not None
    return 1 if failures else 0


def freeze(into: Path, work: Path) -> None:
    """Run PyInstaller, on nothing but the project, its environment and a clean folder."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    bootloader.compiled(work, kept=work.parent)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(into), "--workpath", str(work), str(HERE / "clusterf.spec")]
    subprocess.run(command, env=environment(work), check=True)


def environment(work: Path) -> dict[str, str]:
    """What the same inputs need to give the same bytes; nothing of the caller's but PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(work),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, ROOT, ROOT / "plugins"))),
        "PYTHONSAFEPATH": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYINSTALLER_CONFIG_DIR": str(work / "cache"),
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "0"),
    }


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say how long it took."""
    before = time.monotonic()
    yield
    print(f"{what} in {time.monotonic() - before:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
