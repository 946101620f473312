"""A root that has nothing for us: Debian's minimal system without Python, as an appliance is.

It is made once, by debootstrap, and never changed: what runs in it has mounts of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.frozen.alone import alone
from tests.frozen.executables import DIST, ROOT
from tests.lab.remote import impossible

SUITE = "bookworm"
PLACE = ROOT / "build" / "bare-root"

NOBODY = 65534

ALONE = ("unshare", "--mount", "--pid", "--fork", "--ipc", "--uts", "--net")

PREPARED = "/mnt"
"""Where the root shows a folder of the test."""

PROGRAMS = "/opt"
"""Where it shows the executables."""


def made() -> Path:
    """The root, made if there is none."""
    with alone("bare-root"):
        if not PLACE.exists():
            debootstrap(PLACE)
    return PLACE


def debootstrap(place: Path, packages: Sequence[str] = ()) -> None:
    """Make a minimal root with these packages besides; there is one, or it is there whole."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        impossible("a bare root takes root and debootstrap")
    unfinished = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(exist_ok=True)
    include = [f"--include={','.join(packages)}"] if packages else []
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", *include, SUITE, str(unfinished)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        impossible(f"debootstrap: {done.stdout[-500:]}{done.stderr[-500:]}")
    unfinished.rename(place)


def run(
    argv: Sequence[str],
    shown: Path,
    *,
    user: int = 0,
    read_only: bool = False,
    tmp: str = "size=200m,exec",
    dev_shm: str = "size=200m,exec",
    layer: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program in the root, in namespaces of its own, with ``shown`` at `PREPARED`.

    With a ``layer`` what it writes to the root is kept in that folder.
    """
    root = made()
    steps = [
        "set -e",
        "mount --make-rprivate /",
        f"mount --bind {root} {root}" if layer is None else layered(root, layer, root),
        f"mount --bind {DIST} {root}{PROGRAMS}",
        f"mount --bind {shown} {root}{PREPARED}",
        f"mount -t proc proc {root}/proc",
        f"mount -t tmpfs -o mode=755 none {root}/dev",
        f"mknod -m 666 {root}/dev/null c 1 3",
        f"mknod -m 666 {root}/dev/urandom c 1 9",
        f"mkdir {root}/dev/shm",  # noqa: S108 - of the root
        f"mount -t tmpfs -o {dev_shm} none {root}/dev/shm",  # noqa: S108 - of the root
        f"mount -t tmpfs -o {tmp} none {root}/tmp",  # noqa: S108 - same
        *([f"mount -o remount,bind,ro {root}"] if read_only else []),
        f'exec chroot --userspec={user}:{user} {root} /usr/bin/env -i PATH=/usr/sbin:/usr/bin "$@"',
    ]
    return subprocess.run(
        [*ALONE, "sh", "-c", "\n".join(steps), "sh", *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def layered(root: Path, layer: str | Path, at: str | Path) -> str:
    """The commands that show a root, with a layer over it for what is written."""
    options = f"lowerdir={root},upperdir={layer}/upper,workdir={layer}/work"
    return f"mkdir -p {layer}/upper {layer}/work\nmount -t overlay -o {options} none {at}"
