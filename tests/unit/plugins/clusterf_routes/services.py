"""Services and routes for the tests of this plugin, in few words."""

from __future__ import annotations

from clusterf.model.address import Address, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Frontend, Ports, Route, Service, ServiceSpec
from clusterf.model.table import Method, Tunnel

SOURCE = Provenance("sources.test", "here")


def address(text: str | None) -> Address | None:
    return None if text is None else Address.parse(text)


def backend(
    identity: str,
    ipv4: str | None = None,
    ipv6: str | None = None,
    *,
    port: int = 8080,
    weight: int | None = None,
    method: Method | None = None,
) -> Backend:
    return Backend(
        service="web",
        id=identity,
        ipv4=address(ipv4),
        ipv6=address(ipv6),
        ports=Ports(tcp=port),
        weight=weight,
        method=method,
        provenance=SOURCE,
    )


BOTH_FAMILIES = Frontend(
    ipv4=Address.parse("198.51.100.1"),
    ipv6=Address.parse("2001:db8:ffff::1"),
    ports=Ports(tcp=80),
)


def service(
    *backends: Backend, frontend: Frontend = BOTH_FAMILIES, method: Method | None = None
) -> Service:
    spec = ServiceSpec(name="web", frontends=(frontend,), method=method, provenance=SOURCE)
    return Service(
        name="web", order=(0, 0, "web"), spec=spec, backends={one.id: one for one in backends}
    )


def route(
    name: str,
    prefix: str | None = None,
    method: Method | None = Method.DROUTE,
    gateway: str | None = None,
    *,
    tunnel: Tunnel | None = None,
    source: str = "sources.test",
) -> Route:
    return Route(
        name=name,
        prefix=None if prefix is None else Network.parse(prefix),
        method=method,
        gateway=address(gateway),
        tunnel=tunnel,
        provenance=Provenance(source, name),
    )
