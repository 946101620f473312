"""PyInstaller's bootloader with ``room.c`` linked into it, for the one file.

Its sources are those of the installed version, from the package index. Nothing of them is changed:
``room.c`` is a constructor, which the C library runs before ``main``, and a wrapper of signal(2).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from freeze import contents

ROOM = Path(__file__).with_name("room.c")


def compiled(work: Path, kept: Path) -> Path:
    """Compile it in ``work`` and return the executable; downloads are kept for the next time."""
    sources = _sources(work, kept)
    shutil.copy(ROOM, sources / "src")
    # No paths of this machine: debug information is stripped, and the id would be made of it.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "CFLAGS": "-Werror=implicit-function-declaration",
        "LDFLAGS": "-Wl,--build-id=none -Wl,--wrap=signal",
    }
    done = subprocess.run(
        [sys.executable, "./waf", "configure", "build_release"],
        cwd=sources,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"bootloader: {done.stdout}{done.stderr}")
    return sources / "build" / "release" / "run"


def _sources(work: Path, kept: Path) -> Path:
    """Unpack the source distribution, and return the folder of the bootloader in it."""
    name = f"pyinstaller-{contents.installed('pyinstaller').version}"
    archive = kept / f"{name}.tar.gz"
    if not archive.exists():
        _download(archive)
    # Not tarfile: its filter, without which it warns, came with Python 3.11.4.
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(work)], check=True)
    return work / name / "bootloader"


def _download(archive: Path) -> None:
    version = archive.name.removesuffix(".tar.gz").removeprefix("pyinstaller-")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", "pyinstaller", "--dest", str(archive.parent)]
    subprocess.run([*command, f"pyinstaller=={version}"], check=True)
