"""Sysctls through /proc/sys, and what this process may do. Blocking; runs in a worker thread."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from clusterf_addresses.needs import NAMES, RP_FILTER

PROC = Path("/proc")

_CAP_NET_ADMIN = 12
"""include/uapi/linux/capability.h."""


def path(proc: Path, name: str) -> Path:
    """File of a sysctl. As in sysctl(8), a slash in a name is a dot: an interface "eth0.7"."""
    return proc / "sys" / name.translate({ord("."): "/", ord("/"): "."})


def read(proc: Path = PROC) -> dict[str, int]:
    """All that `needs` may ask for, as far as this kernel has it.

    Missing ones are left out: without IPVS or IPv6 in the kernel there is nothing to be set.
    """
    return dict(_read(proc, (*NAMES, *_rp_filters(proc))))


def _read(proc: Path, names: Iterable[str]) -> Iterable[tuple[str, int]]:
    for name in names:
        try:
            text = path(proc, name).read_text("ascii")
        except OSError:
            # Gone with its interface, with its module, or not for this user to see: unknown.
            continue
        if (value := text.strip()).lstrip("-").isdigit():
            yield name, int(value)


def _rp_filters(proc: Path) -> Iterable[str]:
    """Of all interfaces but lo; "default" is for interfaces that are not there yet."""
    try:
        interfaces = [folder.name for folder in (proc / "sys/net/ipv4/conf").iterdir()]
    except OSError:
        return ()
    return [
        RP_FILTER.format(name.replace(".", "/"))
        for name in interfaces
        if name not in {"default", "lo"}
    ]


def write(name: str, value: int, proc: Path = PROC) -> tuple[str, str]:
    """Set one. Returns what went wrong and a hint; both empty when it was set."""
    try:
        path(proc, name).write_text(f"{value}\n", "ascii")
    except OSError as error:
        symbol = errno.errorcode.get(error.errno or 0, "error")
        return f"{name}: {os.strerror(error.errno or 0).lower()} ({symbol})", _hint(error, name)
    return "", ""


def _hint(error: OSError, name: str) -> str:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "run it as root or with CAP_NET_ADMIN"
    if error.errno == errno.EROFS:
        return "in a container /proc/sys is read-only: set it on the host"
    if error.errno == errno.ENOENT and ".vs." in name:
        return "modprobe ip_vs"
    return ""


def capable(proc: Path = PROC) -> bool:
    """Whether this thread has CAP_NET_ADMIN."""
    for line in (proc / "thread-self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_NET_ADMIN & 1)
    return False
