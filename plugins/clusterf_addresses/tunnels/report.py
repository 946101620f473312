"""What there is to say of the receiving end of tunnels: in status, and in a probe. Pure."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from clusterf.model.address import Family
from clusterf.model.table import TunnelType
from clusterf.plugin import ProbeResult, Severity
from clusterf_addresses.netlink import RefusedError
from clusterf_addresses.tunnels.modules import Modules
from clusterf_addresses.tunnels.mss import segments
from clusterf_addresses.tunnels.planning import TunnelRules
from clusterf_addresses.tunnels.receiving import module
from clusterf_addresses.tunnels.world import TunnelWorld

_INSTALL = "install the modules of the running kernel"


def detail(rules: TunnelRules, seen: TunnelWorld) -> Iterator[str]:
    """What arrives and which segments are asked for; nothing where nothing is configured."""
    if rules.tunnels:
        types = (
            f"{one.type} at port {one.port}" if one.type is TunnelType.GUE else str(one.type)
            for one in rules.tunnels
        )
        yield f"takes {', '.join(types)}"
    for device in rules.wanted.devices:
        serving = seen.serving(device)
        if serving is not None and not serving.ours:
            yield f"{serving.name}, which takes {device.kind} here, is not ours and not guarded"
    largest = segments(rules.mss, rules.tunnels, rules.underlay, seen.mtu)
    if largest and rules.wanted.table and not seen.refused:
        ipv4, ipv6 = (largest[family] for family in Family)
        yield f"segments of at most {ipv4} bytes, of IPv6 {ipv6}"


def problems(rules: TunnelRules, seen: TunnelWorld) -> Iterator[str]:
    """What is wrong and no operation can mend."""
    if seen.refused and rules.wanted.table:
        said, hint = _without_table(seen.refused)
        yield f"{said} (hint: {hint})"


def findings(rules: TunnelRules, seen: TunnelWorld, modules: Modules) -> Iterator[ProbeResult]:
    """What is missing on this host, as far as that can be told without loading modules."""
    wanted = rules.wanted
    needed = {module(device): f"{device.kind} devices" for device in wanted.devices}
    if wanted.ports:
        needed["fou"] = "GUE"
    for name in modules.missing(needed):
        yield ProbeResult(
            Severity.ERROR, f"{needed[name]}: the kernel module {name} is not there", hint=_INSTALL
        )
    if wanted.table and modules.missing(["nf_tables"]):
        said, hint = _without_table(errno.EOPNOTSUPP)
        yield ProbeResult(Severity.WARNING, said, hint=hint)
    elif wanted.table and seen.refused:
        said, hint = _without_table(seen.refused)
        yield ProbeResult(Severity.WARNING, said, hint=hint)


def _without_table(code: int) -> tuple[str, str]:
    said = (
        f"nftables: {RefusedError(code)}: packets to other addresses than VIPs are not kept from"
        " coming out of tunnels, and segment sizes are not lowered"
    )
    if code == errno.EPERM:
        return said, "run it as root or with CAP_NET_ADMIN"
    return said, (
        "modprobe nf_tables, or a kernel with CONFIG_NF_TABLES_INET; large packets also fit with"
        " a smaller MTU in the containers' networks"
    )
