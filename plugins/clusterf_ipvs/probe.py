"""Probe: what this host lacks for IPVS, read from files, changing nothing.

Not even a module is asked for: asking the kernel for the family IPVS, or for a scheduler, would
load it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from clusterf.model.table import SCHEDULERS, Method, ServiceKey, VirtualService
from clusterf.plugin import ProbeResult, Severity
from clusterf_ipvs.modules import Modules, read_text, release

THIS_HOST: Final = Path("/")

_CAP_NET_ADMIN = 12
_MANY_ENTRIES = 10_000
_UNUSUAL = frozenset({"twos"})
"""Schedulers that distributions (Debian 12 for one) do not build: who asks for one is told by
the refusal of that service."""

Known = Mapping[ServiceKey, VirtualService] | None


def examine(root: Path, known: Known) -> list[ProbeResult]:
    """Look at the host below ``root``. ``known``: the kernel's table, None when it is not known.

    Blocking, for a moment: some small files.
    """
    return [*modules_missing(root), *not_capable(root), *sysctls_amiss(root, known)]


def _error(message: str, hint: str) -> ProbeResult:
    return ProbeResult(Severity.ERROR, message, hint)


def _warning(message: str, hint: str) -> ProbeResult:
    return ProbeResult(Severity.WARNING, message, hint)


def modules_missing(root: Path) -> Iterator[ProbeResult]:
    """What the kernel has no module for, or has not loaded."""
    modules = Modules.read(root)
    if "ip_vs" not in modules.running:
        if "ip_vs" in (modules.loadable or ()):
            yield _error("ip_vs: the kernel module is not loaded", "modprobe ip_vs")
        else:
            yield _error(
                "ip_vs: the kernel module is not there",
                "install the modules of the running kernel (Debian: apt install linux-image-amd64,"
                " and boot it), or a kernel with CONFIG_IP_VS",
            )
        return
    if modules.loadable is None:
        # In a container the modules may be out of sight, and the kernel still finds them.
        return
    present = modules.running | modules.loadable
    missing = [name for name in sorted(SCHEDULERS) if f"ip_vs_{name}" not in present | _excused()]
    if missing:
        yield _warning(
            f"schedulers {', '.join(missing)}: not available in this kernel",
            "services that ask for one of them will be refused",
        )


def _excused() -> set[str]:
    return {f"ip_vs_{name}" for name in _UNUSUAL}


def not_capable(root: Path) -> Iterator[ProbeResult]:
    """That this process may not program the kernel."""
    status = read_text(root / "proc/self/status") or ""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff" and not int(value.strip(), 16) >> _CAP_NET_ADMIN & 1:
            yield _error(
                "ip_vs: this process may not program the kernel",
                "run as root, or give it the capability CAP_NET_ADMIN",
            )


def sysctls_amiss(root: Path, known: Known) -> Iterator[ProbeResult]:
    """Warnings only: what is right depends on things that clusterf cannot know."""
    vs = {
        name: read_text(root / "proc/sys/net/ipv4/vs" / name)
        for name in (
            "conn_reuse_mode",
            "conntrack",
            "expire_nodest_conn",
            "expire_quiescent_template",
            "run_estimation",
        )
    }
    value = {name: int(text) for name, text in vs.items() if text and text.strip().isdigit()}
    if value.get("expire_nodest_conn") == 0:
        yield _warning(
            "net.ipv4.vs.expire_nodest_conn is 0: connections that outlive a drain's deadline"
            " hang instead of ending",
            "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
        )
    if value.get("expire_quiescent_template") == 0 and _some_persistent(known):
        yield _warning(
            "net.ipv4.vs.expire_quiescent_template is 0: persistent clients keep going to a"
            " destination that drains",
            "sysctl -w net.ipv4.vs.expire_quiescent_template=1",
        )
    if value.get("conn_reuse_mode") == 0:
        yield _warning(
            "net.ipv4.vs.conn_reuse_mode is 0: a client that uses a port again can be sent to a"
            " destination that drains",
            "sysctl -w net.ipv4.vs.conn_reuse_mode=1",
        )
    elif value.get("conntrack") == 1 and _version(root) < (5, 9):
        yield _warning(
            "net.ipv4.vs.conntrack is 1: before Linux 5.9 a client that uses a port again waits"
            " a second",
            "sysctl -w net.ipv4.vs.conntrack=0, or a newer kernel",
        )
    size = sum(1 + len(service.destinations) for service in (known or {}).values())
    if value.get("run_estimation") == 1 and size > _MANY_ENTRIES and _version(root) < (6, 2):
        yield _warning(
            f"net.ipv4.vs.run_estimation is 1: before Linux 6.2 the statistics of {size} entries"
            " stall packets every two seconds",
            "sysctl -w net.ipv4.vs.run_estimation=0",
        )
    if (read_text(root / "proc/sys/net/ipv4/ip_forward") or "").strip() == "0" and _some_masq(
        known
    ):
        yield _warning(
            "net.ipv4.ip_forward is 0: destinations on other hosts by masq get no packets",
            "sysctl -w net.ipv4.ip_forward=1",
        )


def _some_persistent(known: Known) -> bool:
    return known is not None and any(service.persistence for service in known.values())


def _some_masq(known: Known) -> bool:
    return known is None or any(
        destination.method is Method.MASQ
        for service in known.values()
        for destination in service.destinations.values()
    )


def _version(root: Path) -> tuple[int, int]:
    """Major and minor of the running kernel; a strange one counts as new."""
    major, _, rest = release(root).partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    if not (major.isdigit() and minor.isdigit()):
        return (99, 0)
    return (int(major), int(minor))
