"""Which kernel the lab uses here, and why not where it can use none."""

from __future__ import annotations

import functools
import os
import platform
import shutil
from dataclasses import dataclass
from typing import Literal

from tests.lab import kernel, scratch, uml

Kind = Literal["host", "uml", "none"]

MARK = "CLUSTERF_LAB_INSIDE"
"""Set to 1 in the environment of every program in a guest."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``reason`` is a sentence for a person: why this one, or why none."""

    kind: Kind
    reason: str


def inside() -> bool:
    """Whether this process already runs in a guest that the lab booted."""
    return os.environ.get(MARK) == "1"


@functools.cache
def choose() -> Choice:
    """Decide once a process; ``CLUSTERF_LAB=host|uml|none`` forces the answer.

    The host's own kernel comes first: it is what the user runs, and the fastest.
    """
    forced = os.environ.get("CLUSTERF_LAB", "")
    if forced not in {"", "host", "uml", "none"}:
        return Choice("none", f"CLUSTERF_LAB={forced} is none of host, uml and none")
    if inside():
        return Choice("host", "inside a guest of the lab")
    if forced == "none":
        return Choice("none", "CLUSTERF_LAB=none")
    why_not_host = None if forced == "uml" else _host_lacks()
    if forced != "uml" and why_not_host is None:
        return Choice("host", "the host's kernel has IPVS and the caller is root")
    why_not_uml = None if forced == "host" else _uml_lacks()
    if forced != "host" and why_not_uml is None:
        return Choice("uml", why_not_host or "CLUSTERF_LAB=uml")
    reasons = [reason for reason in (why_not_host, why_not_uml) if reason]
    return Choice("none", "no IPVS kernel for the lab: " + "; ".join(reasons))


def _host_lacks() -> str | None:
    if os.geteuid() != 0:
        return "not root, so not in the host's kernel"
    if missing := _missing("ip", "ipvsadm", "nsenter", "setpriv"):
        return f"{missing} not installed"
    if not kernel.has_ipvs():
        return "the host's kernel has no ip_vs"
    return None


def _uml_lacks() -> str | None:
    if platform.machine() != "x86_64":
        return f"no user-mode Linux for {platform.machine()}"
    if uml.program() is None or not uml.MODULES.is_dir():
        return "user-mode Linux not installed (packaging/setup/system.sh installs it)"
    if missing := _missing("ip", "ipvsadm", "modprobe", "nsenter", "setpriv"):
        return f"{missing} not installed (packaging/setup/system.sh installs it)"
    if os.geteuid() != 0:
        return "not root, so user-mode Linux cannot mount and use taps"
    if any(character.isspace() for character in str(scratch.ROOT)):
        return "the project's path has a space, which a kernel's command line cannot carry"
    return None


def _missing(*programs: str) -> str:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return ", ".join(name for name in programs if shutil.which(name, path=path) is None)
