"""What ``clusterf doctor`` finds of IPVS on this host; what can be amiss is told by the probe.

Reads files only, below ``root``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from clusterf.model.table import SCHEDULERS
from clusterf.plugin import Configured, Context, Examination, Finding, ProbeResult, Verdict
from clusterf_ipvs.modules import Modules, read_text
from clusterf_ipvs.probe import THIS_HOST, modules_missing, not_capable, sysctls_amiss

_SYSCTLS = (
    "conn_reuse_mode",
    "conntrack",
    "expire_nodest_conn",
    "expire_quiescent_template",
)
_BITS_MAX = 20
"""What every kernel takes; newer ones of 64 bits take up to 27 (net/netfilter/ipvs/Kconfig)."""
_MEMORY_FOR_ONE_BUCKET = 16 * 2**10
"""Bytes of the host's memory: 1 GiB makes 65,536 buckets, which take a 2,000th of it."""
_BUCKET: Final = 8
"""Bytes, one pointer (struct hlist_head)."""
_NEARLY_FULL = 0.8


def examinations(configuration: Configured | None, root: Path = THIS_HOST) -> list[Examination]:
    """One, where there is an output of type ipvs or no configuration at all."""

    async def examine(context: Context) -> Iterable[Finding]:
        return await context.run_blocking(findings, root)

    if configuration is not None and all(
        output.type.name != "ipvs" for output in configuration.outputs.values()
    ):
        return []
    return [Examination(name="ipvs", examine=examine)]


def findings(root: Path) -> list[Finding]:
    """Everything. Blocking, for a moment."""
    modules = Modules.read(root)
    return [
        *_or_well(modules_missing(root), _modules(modules)),
        *_or_well(not_capable(root), ["this process may program the kernel (CAP_NET_ADMIN)"]),
        *_or_well(sysctls_amiss(root, None), _sysctls(root)),
        *_connection_table(root, modules),
        *_conntrack(root),
    ]


def _or_well(amiss: Iterable[ProbeResult], well: Iterable[str]) -> Iterator[Finding]:
    """What is amiss; and what is well, of which errors leave nothing to say."""
    found = [Finding.of(result) for result in amiss]
    if not any(one.verdict is Verdict.ERROR for one in found):
        yield from (Finding(Verdict.OK, message) for message in well)
    yield from found


def _modules(modules: Modules) -> Iterator[str]:
    how = "built into the kernel" if "ip_vs" in modules.builtin else "loaded"
    yield f"ip_vs: {how}"
    running = [name for name in SCHEDULERS if f"ip_vs_{name}" in modules.running]
    loadable = [
        name
        for name in SCHEDULERS
        if name not in running and f"ip_vs_{name}" in (modules.loadable or ())
    ]
    parts = [f"{', '.join(running)} there"] if running else []
    parts += [f"{', '.join(loadable)} loaded when asked for"] if loadable else []
    if parts:
        yield f"schedulers: {'; '.join(parts)}"
    elif modules.loadable is None:
        yield "schedulers: the kernel's list of modules is out of sight, as in a container"


def _sysctls(root: Path) -> Iterator[str]:
    values = {name: read_text(root / "proc/sys/net/ipv4/vs" / name) for name in _SYSCTLS}
    seen = [f"{name} {text.strip()}" for name, text in values.items() if text]
    if seen:
        yield f"net.ipv4.vs: {', '.join(seen)}"


def _connection_table(root: Path, modules: Modules) -> Iterator[Finding]:
    """Buckets of the hash of connections: each holds a list that every packet is searched in."""
    bits = _number(root / "sys/module/ip_vs/parameters/conn_tab_bits")
    memory = _memory(root)
    if bits is None or not memory:
        return
    buckets = 2**bits
    size = f"connection table: {buckets} buckets, {buckets * _BUCKET // 1024} KiB"
    wanted = min(_BITS_MAX, (memory // _MEMORY_FOR_ONE_BUCKET).bit_length() - 1)
    if bits >= wanted:
        yield Finding(Verdict.OK, size)
        return
    option = f"ip_vs conn_tab_bits={wanted}"
    if "ip_vs" in modules.builtin:
        hint = f"boot the kernel with {option.replace(' ', '.')}"
    else:
        hint = f"echo options {option} > /etc/modprobe.d/ip_vs.conf, and reboot"
    message = (
        f"{size}, which is little for a host of {memory / 2**30:.1f} GiB: above some"
        f" {buckets * 8} connections each packet is looked for in a long list"
    )
    yield Finding(Verdict.WARNING, message, hint)


def _memory(root: Path) -> int:
    """Bytes of this host's memory; 0: it is not told."""
    for line in (read_text(root / "proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            return int(value.split()[0]) * 1024
    return 0


def _conntrack(root: Path) -> Iterator[Finding]:
    """Connection tracking: IPVS does without, NAT by iptables and nftables does not."""
    folder = root / "proc/sys/net/netfilter"
    count, most = _number(folder / "nf_conntrack_count"), _number(folder / "nf_conntrack_max")
    if count is None or not most:
        yield Finding(Verdict.OK, "conntrack: not in use")
        return
    message = f"conntrack: {count} of at most {most} connections"
    if count < most * _NEARLY_FULL:
        yield Finding(Verdict.OK, message)
        return
    hint = f"sysctl -w net.netfilter.nf_conntrack_max={most * 4}"
    yield Finding(Verdict.WARNING, f"{message}: new ones are dropped when it is full", hint)


def _number(path: Path) -> int | None:
    text = (read_text(path) or "").strip()
    return int(text) if text.isdecimal() else None
