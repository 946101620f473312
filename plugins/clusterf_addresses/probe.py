"""What is missing on this host for an output of type ``addresses``, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clusterf.plugin import ProbeResult, Severity
from clusterf_addresses.marks import PROTOCOL_SINCE, label
from clusterf_addresses.needs import Feature, needs, wrong
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.world import Link, World


def unusable(settings: AddressesSettings, world: World) -> ProbeResult | None:
    """Why the interface cannot hold VIPs, nor be made to by this output; None: it can."""
    if settings.create or world.link is Link.UP:
        return None
    name = settings.interface
    if world.link is Link.DOWN:
        return ProbeResult(
            Severity.ERROR, f"interface {name} is down", hint=f"ip link set {name} up"
        )
    return ProbeResult(
        Severity.ERROR,
        f"interface {name} is missing",
        hint=f"create = true, or ip link add {name} up type dummy",
    )


def findings(
    settings: AddressesSettings, world: World, features: set[Feature]
) -> Iterator[ProbeResult]:
    """All findings; ``features`` are those of the table, as far as it is known."""
    if (problem := unusable(settings, world)) is not None:
        yield problem
    if not world.capable:
        yield ProbeResult(
            Severity.ERROR,
            "this process must not change addresses: it has no CAP_NET_ADMIN",
            hint="run it as root, or with AmbientCapabilities=CAP_NET_ADMIN",
        )
    if world.kernel < PROTOCOL_SINCE and label(settings.interface) is None:
        yield ProbeResult(
            Severity.WARNING,
            f"interface {settings.interface}: its name leaves no room for a label, by which this "
            "kernel could tell our IPv4 addresses after a restart",
            hint="a name of at most 12 characters",
        )
    if not features and settings.arp == "silent":
        features = {Feature.VIP4}
    for one in wrong(needs(features, settings.arp, world.kernel), world.sysctls):
        if settings.sysctls == "check" or not world.capable:
            yield ProbeResult(Severity.WARNING, str(one), hint=one.command)
