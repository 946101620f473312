"""Debian's kernel for virtual machines: its package unpacked, not installed."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.rootfs import BUILD, program

if TYPE_CHECKING:
    from collections.abc import Iterable

_META_PACKAGE: Final = "linux-image-cloud-amd64"
_WANTED: Final = (
    *("veth", "crc32c_generic", "ip_vs"),
    *("ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_fo", "ip_vs_ovf", "ip_vs_lblc"),
    *("ip_vs_lblcr", "ip_vs_dh", "ip_vs_sh", "ip_vs_mh", "ip_vs_sed", "ip_vs_nq"),
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A bootable image and the modules to insert, each after those that it needs."""

    version: str
    image: Path
    modules: tuple[Path, ...]


def debian() -> Kernel:
    """Give the kernel; downloaded once, kept in build/bench/kernel.

    Raises:
        FileNotFoundError, subprocess.CalledProcessError: apt could not give the package.
    """
    root = BUILD / "kernel"
    if not list(root.glob("boot/vmlinuz-*")):
        root.mkdir(parents=True, exist_ok=True)
        depends = _output("apt-cache", "depends", "--important", _META_PACKAGE)
        found = re.search(r"Depends: (linux-image-\S+)", depends)
        if found is None:
            raise FileNotFoundError(f"apt knows no {_META_PACKAGE}")
        subprocess.run(["apt-get", "--quiet", "download", found[1]], cwd=root, check=True)
        (package,) = root.glob("linux-image-*.deb")
        subprocess.run(["dpkg", "-x", package, root], check=True)
        package.unlink()
    image = max(root.glob("boot/vmlinuz-*"))
    version = image.name.removeprefix("vmlinuz-")
    modules = root / "lib" / "modules" / version
    if not (modules / "modules.dep").exists():  # the package leaves it to its installation
        subprocess.run([program("depmod"), "-b", root, version], check=True)
    return Kernel(version, image, in_order(modules, _WANTED))


def in_order(root: Path, wanted: Iterable[str]) -> tuple[Path, ...]:
    """The wanted modules after their dependencies; what is built in has no line in modules.dep."""
    needs: dict[str, tuple[str, list[str]]] = {}
    for line in (root / "modules.dep").read_text().splitlines():
        module, _, others = line.partition(":")
        needs[Path(module).stem] = (module, others.split())
    order: dict[str, None] = {}
    for name in wanted:
        if name in needs:
            path, dependencies = needs[name]
            # modules.dep names the nearest first.
            order.update(dict.fromkeys([*reversed(dependencies), path]))
    return tuple(root / path for path in order)


def _output(*argv: str) -> str:
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
