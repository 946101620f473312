"""Under which address and ports a container is reached. Pure.

Three ways: its own address in one of its networks, the host's address where it shares the
host's network namespace, or a port of the host that is published for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from clusterf.model.address import Address, Family
from clusterf.model.service import Ports
from clusterf.model.table import Protocol
from clusterf_docker.container import Attachment, Binding, Container, Exposed
from clusterf_docker.labels import Label, PortLabel, shown
from clusterf_docker.settings import DockerSettings

_LOOPBACK6 = Address.parse("::1")


class NotReachable(Exception):
    """There is no address: ``reason`` for machines, the message for people."""

    def __init__(self, reason: str, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.hint = hint


class Place(NamedTuple):
    """Where one service of a container is reached."""

    ipv4: Address | None
    ipv6: Address | None
    ports: Ports


def own(container: Container, settings: DockerSettings, wanted: Label | None) -> Attachment:
    """Addresses of the container itself, or of the host that it shares the network with.

    The ports are the ones that it listens on.

    Raises:
        NotReachable: with what to do about it.
    """
    if container.on_host:
        if settings.host_ipv4 is None and settings.host_ipv6 is None:
            raise NotReachable(
                "no_address",
                "shares the network of its host, whose address is not known",
                "set host_ipv4 or host_ipv6",
            )
        return Attachment(settings.host_ipv4, settings.host_ipv6)
    if container.mode.startswith("container:"):
        raise NotReachable(
            "no_network",
            "shares the network of another container",
            "put the labels on the container that owns the network",
        )
    name = _network(container.networks, settings.network, wanted)
    attachment = container.networks[name]
    if attachment.ipv4 is None and attachment.ipv6 is None:
        raise NotReachable("no_address", f"has no address in network {shown(name)}")
    return attachment


def _network(networks: Mapping[str, Attachment], setting: str | None, wanted: Label | None) -> str:
    """Name of the network whose address counts: by label, by setting, bridge, or the only one."""
    attached = ", ".join(shown(name) for name in sorted(networks)) or "none"
    for name, origin in (
        (wanted and wanted.value, f"label {wanted.label}" if wanted else ""),
        (setting, "setting network"),
    ):
        if name is None:
            continue
        if name not in networks:
            raise NotReachable(
                "no_network",
                f"is not attached to network {shown(name)} ({origin})",
                f"attached: {attached}",
            )
        return name
    if "bridge" in networks:
        return "bridge"
    if len(networks) == 1:
        return next(iter(networks))
    if not networks:
        raise NotReachable("no_network", "is attached to no network")
    raise NotReachable(
        "no_network",
        f"is attached to several networks: {attached}",
        "choose one with the label clusterf.network or the setting network",
    )


def published(
    container: Container, ports: Mapping[Protocol, PortLabel], settings: DockerSettings
) -> tuple[Place, list[tuple[PortLabel, NotReachable]]]:
    """Where the host publishes these ports, and the ports for which there is no such place.

    A backend has one address of each family and one port of each protocol. So a port that is
    published on other addresses than the ones before it (TCP, UDP, SCTP) is left out, and of
    the families those remain in which all ports are published alike.
    """
    agreed: dict[Family, Address] | None = None
    numbers: dict[str, int] = {}
    left_out = []
    for protocol, label in ports.items():
        bindings = container.bindings.get(Exposed(label.port, protocol), ())
        try:
            usable = _usable(bindings, settings)
            agreed, numbers[str(protocol)] = _agree(agreed, usable)
        except NotReachable as no:
            left_out.append((label, no))
    agreed = agreed or {}
    place = Place(agreed.get(Family.INET), agreed.get(Family.INET6), Ports(**numbers))
    return place, left_out


def _usable(
    bindings: tuple[Binding, ...], settings: DockerSettings
) -> list[tuple[Family, Address, int]]:
    """Bindings as addresses that other hosts can reach, IPv4 first."""
    if not bindings:
        raise NotReachable(
            "not_published", "is not published on the host", "publish it (docker run -p)"
        )
    host = {Family.INET: settings.host_ipv4, Family.INET6: settings.host_ipv6}
    usable = [
        (binding.family, address, binding.port)
        for family in Family
        for binding in bindings
        if binding.family is family
        and (address := binding.address or host[family]) is not None
        and not _loopback(address)
    ]
    if not usable:
        raise NotReachable(
            "not_published",
            "is published, but on no address that is known and not loopback",
            "set host_ipv4 or host_ipv6, or publish it on an address of the host",
        )
    return usable


def _agree(
    agreed: dict[Family, Address] | None, usable: list[tuple[Family, Address, int]]
) -> tuple[dict[Family, Address], int]:
    """Addresses that serve this port as well as the ports before it, and the host's port."""
    fitting = [
        (family, address, port)
        for family, address, port in usable
        if agreed is None or agreed.get(family) == address
    ]
    if not fitting:
        raise NotReachable(
            "not_published", "is published on other addresses than the ports before it"
        )
    number = fitting[0][2]
    addresses: dict[Family, Address] = {}
    for family, address, port in fitting:
        if port == number:
            addresses.setdefault(family, address)
    return addresses, number


def _loopback(address: Address) -> bool:
    return address[0] == 127 if len(address) == 4 else address == _LOOPBACK6
