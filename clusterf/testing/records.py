"""Records in one line each, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Frontend, Ports, Route, ServiceSpec
from clusterf.model.table import Method

SOURCE = "sources.under-test"
"""The source that the records are of."""


def service(
    name: str,
    vip: str | None = None,
    *,
    tcp: int | None = None,
    udp: int | None = None,
    sctp: int | None = None,
    **settings: Any,
) -> ServiceSpec:
    """A service at one VIP; on TCP port 80 if no port is named. ``settings`` as of `ServiceSpec`.

    Without a VIP it says nothing of frontends, as one that completes what another source says.
    """
    if vip is not None:
        ipv4, ipv6 = _families(vip)
        frontend = Frontend(ipv4=ipv4, ipv6=ipv6, ports=_ports(tcp, udp, sctp))
        settings.setdefault("frontends", (frontend,))
    return ServiceSpec(name=name, provenance=Provenance(SOURCE, f"services.{name}"), **settings)


def backend(
    service: str,
    name: str,
    address: str,
    *,
    tcp: int | None = None,
    udp: int | None = None,
    sctp: int | None = None,
    **facts: Any,
) -> Backend:
    """A backend of a service; on TCP port 80 if no port is named. ``facts`` as of `Backend`."""
    ipv4, ipv6 = _families(address)
    return Backend(
        service=service,
        id=name,
        ports=_ports(tcp, udp, sctp),
        provenance=facts.pop("provenance", Provenance(SOURCE, name)),
        ipv4=ipv4,
        ipv6=ipv6,
        **facts,
    )


def route(
    name: str, prefix: str | None = None, *, method: str | None = None, gateway: str | None = None
) -> Route:
    """A route; the words are those of clusterf.toml."""
    return Route(
        name=name,
        provenance=Provenance(SOURCE, f"routes.{name}"),
        prefix=None if prefix is None else Network.parse(prefix),
        method=None if method is None else Method(method),
        gateway=None if gateway is None else Address.parse(gateway),
    )


def _families(text: str) -> tuple[Address | None, Address | None]:
    address = Address.parse(text)
    return (address, None) if address.family is Family.INET else (None, address)


def _ports(tcp: int | None, udp: int | None, sctp: int | None) -> Ports:
    if tcp is udp is sctp is None:
        return Ports(tcp=80)
    return Ports(tcp, udp, sctp)
