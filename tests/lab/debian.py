"""Debian's own kernel in QEMU, booted from memory, with a pytest in it.

User-mode Linux has IPVS and every tunnel, but no nftables for IP. This kernel has all that a
user's host has; without KVM it is an order of magnitude slower, so only what needs it runs here.
The kernel is the one of the benchmarks, downloaded when it is first wanted.
"""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import cpio, kernel, rootfs
from tests.lab import process, scratch
from tests.lab.process import Completed, LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.cpio import Content

_MODULES: Final = (
    *("crc32c_generic", "veth", "dummy", "bridge", "nf_conntrack", "nf_tables"),
    *("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_wlc", "ip_vs_sh", "ip_vs_mh"),
    *("ipip", "sit", "ip6_tunnel", "ip_gre", "ip6_gre", "fou", "fou6"),
)
_PROGRAMS: Final = ("nsenter", "setpriv", "nft", "modprobe")
_APPLETS: Final = ("sh", "cat", "mount", "umount", "grep", "sleep", "true", "ls", "dmesg")
_DISTRIBUTIONS: Final = ("pytest", "pytest-trio", "pytest-timeout", "hypothesis")
_SOURCES: Final = ("tests",)

_MEMORY: Final = 2048
_END: Final = "@debian-end "


def missing() -> str:
    """Why there can be no such guest here; empty: there can."""
    if shutil.which("qemu-system-x86_64") is None:
        return "qemu-system-x86_64 is not installed (packaging/setup/system.sh installs it)"
    try:
        kernel.debian()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        return f"apt does not give Debian's kernel for virtual machines: {error}"
    return ""


def pytest(arguments: Sequence[str], *, timeout: float) -> Completed:
    """Run pytest in a guest of its own; ``timeout`` in seconds is for all of it.

    Raises:
        LabError: the guest did not boot, or did not come to an end.
        TimeoutError: it took too long.
    """
    linux = kernel.debian()
    folder = scratch.directory("debian")
    try:
        archive = folder / "initramfs.cpio"
        with archive.open("wb") as out:
            cpio.write(out, _files(linux.image.parents[1], linux.version, arguments))
        done = process.run(_machine(linux.image, archive), timeout=timeout, check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    output, end, status = done.stdout.replace("\r\n", "\n").rpartition(_END)
    if not end:
        raise LabError(f"the guest did not come to an end:\n{done.stdout[-4000:]}{done.stderr}")
    return Completed(tuple(arguments), int(status.split()[0]), output, done.stderr)


def _machine(image: Path, archive: Path) -> list[str]:
    return [
        *("setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64"),
        *("-accel", "tcg,thread=multi", "-smp", "2", "-m", str(_MEMORY)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"),
        *("-serial", "stdio", "-no-reboot"),
        *("-kernel", str(image), "-initrd", str(archive)),
        *("-append", "console=ttyS0 quiet panic=-1"),
    ]


def _files(root: Path, version: str, arguments: Sequence[str]) -> dict[str, Content]:
    files: dict[str, Content] = rootfs.base()
    files |= rootfs.project()
    for source in (*_sources(), *_libraries_of_python()):
        rootfs._add_file(files, source)
    programs = [rootfs.program(name) for name in _PROGRAMS]
    files |= {str(path): path for path in programs}
    for library in rootfs._libraries(map(str, programs)):
        files.setdefault(str(library), library.resolve())
    busybox = str(rootfs.program("busybox"))
    files |= {f"/bin/{name}": cpio.Symlink(busybox) for name in _APPLETS}
    modules = kernel.in_order(root / "lib" / "modules" / version, _MODULES)
    files |= {str(path): path for path in modules}
    files["/init"] = cpio.Program(_init(busybox, modules, arguments))
    return files


def _sources() -> Iterator[Path]:
    yield scratch.ROOT / "pyproject.toml"
    for folder in _SOURCES:
        for path in sorted((scratch.ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _libraries_of_python() -> Iterator[Path]:
    """What the tests need besides what the project does."""
    waiting, seen = list(_DISTRIBUTIONS), set[str]()
    while waiting:
        name = re.split(r"[^\w.-]", waiting.pop(), maxsplit=1)[0]
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform, or of an extra
        waiting += [one for one in distribution.requires or [] if "extra ==" not in one]
        for file in distribution.files or []:
            path = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and file.suffix != ".pyc" and path.is_file():
                yield path


def _init(busybox: str, modules: Sequence[Path], arguments: Sequence[str]) -> str:
    """The first process. The guest powers off whatever became of the tests."""
    command = [sys.executable, "-m", "pytest", "--color=no", *arguments]
    return "\n".join(
        [
            f"#!{busybox} sh",
            "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "export CLUSTERF_LAB=host PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8 HOME=/run",
            f"export PYTHONPATH={shlex.quote(f'{scratch.ROOT}:{scratch.ROOT}/plugins')}",
            f"b={busybox}",
            "$b mkdir -p /proc /sys /dev /run /tmp /var/tmp",
            "$b mount -t proc proc /proc",
            "$b mount -t sysfs sysfs /sys",
            "$b mount -t devtmpfs devtmpfs /dev",
            "$b mount -t tmpfs tmpfs /run",
            # All of it is in memory; and the project itself may lie below /tmp.
            "$b chmod 1777 /tmp /var/tmp",
            "$b mkdir -p /run/netns",
            "$b ln -s /proc/self/fd /dev/fd",
            *(f"$b insmod {shlex.quote(str(path))}" for path in modules),
            "$b ip link set lo up",
            f"cd {shlex.quote(str(scratch.ROOT))}",
            f"{shlex.join(command)} 2>&1",
            f'$b echo "{_END}$?"',
            "$b poweroff -f",
            "",
        ]
    )
