"""The tables of a static file, as typed settings: [services.NAME] and [routes.NAME]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clusterf.model.address import Address, Family
from clusterf.model.service import Frontend, Ports
from clusterf.plugin import (
    BackendOverrides,
    Code,
    Fault,
    IPAddress,
    IPNetwork,
    IPv4,
    IPv6,
    MethodName,
    ServiceOverrides,
    Settings,
    TunnelSettings,
    raise_faults,
    route_faults,
    schema_type,
)

FrontendPort = Annotated[int, Field(ge=0, le=65535)]
"""A port of a VIP; 0 stands for all ports and needs persistence."""

BackendPort = Annotated[int, Field(ge=0, le=65535)]
"""A port of a backend; 0 is the port that the packet came for (ip_vs_core.c, ip_vs_schedule)."""


_FRONTEND_PORT = Field(description="port of the VIP; 0 is all ports, and needs persistence")
_BACKEND_PORT = Field(description="port of this protocol; 0 is the one that the client asked for")


class FrontendTable(Settings):
    """VIPs with ports, or a firewall mark: either or."""

    ipv4: Annotated[IPv4 | None, Field(description="VIP")] = None
    ipv6: Annotated[IPv6 | None, Field(description="VIP of IPv6, with the same ports")] = None
    tcp: Annotated[FrontendPort | None, _FRONTEND_PORT] = None
    udp: Annotated[FrontendPort | None, _FRONTEND_PORT] = None
    sctp: Annotated[FrontendPort | None, _FRONTEND_PORT] = None
    fwmark: Annotated[
        Annotated[int, Field(ge=1, le=2**32 - 1)] | None,
        Field(description="firewall mark of the packets, instead of a VIP"),
    ] = None
    family: Annotated[
        Literal["inet", "inet6"] | None,
        Field(description="address family of a firewall mark; without it inet"),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> FrontendTable:
        addressed = self.ipv4 is not None or self.ipv6 is not None
        ported = (self.tcp, self.udp, self.sctp) != (None, None, None)
        faults = []
        if self.fwmark is None:
            if not addressed:
                faults.append(_missing("ipv4", "a frontend has ipv4 or ipv6, or a fwmark"))
            elif not ported:
                faults.append(_missing("tcp", "a frontend at an address has tcp, udp or sctp"))
            if self.family is not None:
                faults.append(Fault(("family",), "is for a fwmark only", code=Code.CONTRADICTION))
        elif addressed:
            hint = 'two frontends: frontends = [{ fwmark = 7 }, { ipv4 = "192.0.2.1", tcp = 80 }]'
            faults.append(Fault(("fwmark",), "stands beside an address", hint, Code.CONTRADICTION))
        elif ported:
            faults.append(Fault(("fwmark",), "has no ports of its own", code=Code.CONTRADICTION))
        if faults:
            raise_faults("frontend", faults)
        return self

    def value(self) -> Frontend:
        """As the record has it."""
        return Frontend(
            ipv4=self.ipv4,
            ipv6=self.ipv6,
            ports=Ports(self.tcp, self.udp, self.sctp),
            fwmark=self.fwmark,
            family=Family(self.family or "inet"),
        )


class BackendTable(BackendOverrides):
    """A backend that is more than ``address:port``."""

    id: Annotated[
        Annotated[str, Field(min_length=1, max_length=255)] | None,
        Field(description="its name in the service; without it address and port"),
    ] = None
    address: Annotated[IPAddress | None, Field(description="where it listens")] = None
    ipv4: Annotated[IPv4 | None, Field(description="the same, if it has one of each family")] = None
    ipv6: Annotated[IPv6 | None, Field(description="the same, if it has one of each family")] = None
    port: Annotated[BackendPort | None, Field(description="port of every protocol")] = None
    tcp: Annotated[BackendPort | None, _BACKEND_PORT] = None
    udp: Annotated[BackendPort | None, _BACKEND_PORT] = None
    sctp: Annotated[BackendPort | None, _BACKEND_PORT] = None

    def faults(self) -> Iterator[Fault]:
        """Those of the overrides, and addresses and ports told in two ways or in none."""
        yield from super().faults()
        own = self.ipv4 is not None or self.ipv6 is not None
        ports = (self.tcp, self.udp, self.sctp) != (None, None, None)
        if self.address is None and not own:
            yield _missing("address", "or ipv4, or ipv6")
        elif self.address is not None and own:
            yield Fault(("address",), "stands beside ipv4 or ipv6", code=Code.CONTRADICTION)
        if self.port is None and not ports:
            yield _missing("port", "or tcp, udp or sctp")
        elif self.port is not None and ports:
            yield Fault(("port",), "stands beside tcp, udp or sctp", code=Code.CONTRADICTION)

    def addresses(self) -> tuple[Address | None, Address | None]:
        """Own addresses, IPv4 and IPv6."""
        if self.address is None:
            return self.ipv4, self.ipv6
        return (self.address, None) if len(self.address) == 4 else (None, self.address)

    def ports(self) -> Ports:
        """Own ports; ``port`` is of every protocol."""
        if self.port is not None:
            return Ports(self.port, self.port, self.port)
        return Ports(self.tcp, self.udp, self.sctp)


_Endpoint: Any = schema_type(
    {"type": "string", "pattern": r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]{1,5}$"}
)


class ServiceTable(ServiceOverrides):
    """[services.NAME], without its backends: of those there may be very many."""

    frontend: Annotated[FrontendTable | None, Field(description="where clients reach it")] = None
    frontends: Annotated[
        list[FrontendTable] | None,
        Field(description="where clients reach it, if in several places"),
    ] = None
    backends: Annotated[
        Any,
        BeforeValidator(lambda value: value, json_schema_input_type=list[_Endpoint | BackendTable]),
        Field(description="each address:port, or a table"),
    ] = None

    def faults(self) -> Iterator[Fault]:
        """Those of the overrides, and frontends told in two ways."""
        yield from super().faults()
        if self.frontend is not None and self.frontends is not None:
            yield Fault(
                ("frontend",), "stands beside frontends", "use one of them", Code.CONTRADICTION
            )

    def values(self) -> tuple[Frontend, ...] | None:
        """All frontends; None where the table says nothing of them."""
        if self.frontend is not None:
            return (self.frontend.value(),)
        if self.frontends is None:
            return None
        return tuple(frontend.value() for frontend in self.frontends)


class RouteTable(Settings):
    """[routes.NAME]."""

    prefix: Annotated[
        IPNetwork | None, Field(description="addresses of the backends that it is for; or all")
    ] = None
    method: Annotated[
        MethodName | None, Field(description="how packets reach them; without it they are left out")
    ] = None
    gateway: Annotated[
        IPAddress | None, Field(description="where their packets go, instead of to each backend")
    ] = None
    tunnel: Annotated[
        TunnelSettings | None, Field(description="encapsulation of the method tunnel")
    ] = None

    @model_validator(mode="after")
    def _check(self) -> RouteTable:
        if faults := list(route_faults(self)):
            raise_faults("route", faults)
        return self


def _missing(key: str, hint: str) -> Fault:
    return Fault((), f'missing key "{key}"', hint, Code.MISSING_KEY, missing=key)
