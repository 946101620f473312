"""What ``clusterf doctor`` finds of this host's network: forwarding, ARP, rp_filter, tunnels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from clusterf.model.table import Method
from clusterf.plugin import Configured, Context, Examination, Finding, Verdict
from clusterf_addresses import sysctls
from clusterf_addresses.needs import RP_FILTER, Arp, Feature, needs, wrong
from clusterf_addresses.rtnetlink import kernel_version
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.tunnels import modules
from clusterf_addresses.tunnels.modules import Modules

_MODULES = ("dummy", "ipip", "sit", "ip6_tunnel", "ip_gre", "ip6_gre", "fou", "nf_tables")
"""For VIPs on a device of their own, for tunnels, and for what guards those."""
_BEFORE, _, _AFTER = RP_FILTER.partition("{}")
_STRICT = 1
_NAMED = 6


def examinations(configuration: Configured | None) -> list[Examination]:
    """One, for hosts that forward: not where all outputs only publish."""
    if configuration is not None and all(
        getattr(output.type, "publishes", False) for output in configuration.outputs.values()
    ):
        return []

    async def examine(context: Context) -> Iterable[Finding]:
        return await context.run_blocking(findings, configuration)

    return [Examination(name="network", examine=examine)]


def findings(configuration: Configured | None, root: Path = modules.THIS_HOST) -> list[Finding]:
    """Everything. Blocking, for a moment."""
    features = _features(configuration)
    values = sysctls.read(root / "proc")
    return [
        *_sysctls(features, _arp(configuration), values),
        *_rp_filter(features, values),
        *_modules(modules.read(root), root),
    ]


def _features(configuration: Configured | None) -> set[Feature]:
    """What a table here will have, as far as the configuration tells: few services are known."""
    found = {Feature.SERVICE, Feature.VIP4}
    if configuration is None:
        return found | {Feature.MASQ4}
    masq = configuration.defaults.method is Method.MASQ
    found |= {Feature.MASQ4} if masq else {Feature.DIRECT, Feature.DIRECT4}
    if any(policy.type.name == "routes" for policy in configuration.policies):
        found |= {Feature.DIRECT, Feature.DIRECT4}
    if configuration.defaults.persistence is not None:
        found.add(Feature.PERSISTENCE)
    return found


def _arp(configuration: Configured | None) -> Arp:
    for output in configuration.outputs.values() if configuration is not None else ():
        if isinstance(output.settings, AddressesSettings):
            return output.settings.arp
    # Without such an output nothing here says whether others of the segment have the VIPs too.
    return "answer"


def _sysctls(features: set[Feature], arp: Arp, values: Mapping[str, int]) -> Iterator[Finding]:
    asked = [
        need
        for need in needs(features, arp, kernel_version())
        if not need.name.startswith(_BEFORE) or not need.name.endswith(_AFTER)
    ]
    amiss = {one.need.name: one for one in wrong(asked, values)}
    well = [
        f"{need.name} {values[need.name]}"
        for need in asked
        if need.name in values and need.name not in amiss
    ]
    if well:
        yield Finding(Verdict.OK, f"as needed: {', '.join(well)}")
    for one in amiss.values():
        yield Finding(Verdict.WARNING, str(one), one.command)


def _rp_filter(features: set[Feature], values: Mapping[str, int]) -> Iterator[Finding]:
    """Of "all" and an interface's own the larger one counts; 1 is strict (ip-sysctl.rst)."""
    filters = {
        name.removeprefix(_BEFORE).removesuffix(_AFTER): value
        for name, value in values.items()
        if name.startswith(_BEFORE) and name.endswith(_AFTER)
    }
    overall = filters.pop("all", 0)
    strict = sorted(name for name, value in filters.items() if max(overall, value) == _STRICT)
    if not strict:
        if filters:
            yield Finding(Verdict.OK, "rp_filter: strict on no interface")
        return
    shown = ", ".join(strict[:_NAMED])
    if len(strict) > _NAMED:
        shown += f" and {len(strict) - _NAMED} more"
    if Feature.DIRECT4 not in features:
        message = f"rp_filter: strict on {shown}, which matters with droute and tunnel only"
        yield Finding(Verdict.OK, message)
        return
    yield Finding(
        Verdict.WARNING,
        f"rp_filter: strict on {shown}: packets of droute and tunnel are dropped",
        "sysctl -w net.ipv4.conf.all.rp_filter=2",
    )


def _modules(found: Modules, root: Path) -> Iterator[Finding]:
    """What tunnels would find. That one is missing is amiss for who needs it, and he tells."""
    in_sysfs = {name for name in _MODULES if (root / "sys/module" / name).exists()}
    there = [name for name in _MODULES if name in found.running | in_sysfs]
    rest = [name for name in _MODULES if name not in there]
    if there:
        yield Finding(Verdict.OK, f"modules there: {', '.join(there)}")
    if found.loadable is None:
        if rest:
            message = f"modules out of sight, as in a container: {', '.join(rest)}"
            yield Finding(Verdict.OK, message)
        return
    if loadable := [name for name in rest if name in found.loadable]:
        yield Finding(Verdict.OK, f"modules loaded when asked for: {', '.join(loadable)}")
    if missing := [name for name in rest if name not in found.loadable]:
        yield Finding(
            Verdict.OK,
            f"modules not there, needed for tunnels or create only: {', '.join(missing)}",
        )
