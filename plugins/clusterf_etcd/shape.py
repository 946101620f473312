"""The three kinds of values as typed settings, each with the way to its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, BackendRef, Frontend, Ports, Route, ServiceSpec
from clusterf.plugin import (
    BackendOverrides,
    Code,
    Fault,
    FlagNames,
    ServiceOverrides,
    Settings,
    TunnelSettings,
    raise_faults,
)
from clusterf_etcd.decoding import Object, fields, folded
from clusterf_etcd.field_types import (
    ENTRIES_MAX,
    VIP4,
    VIP6,
    AnyPort,
    Backend4,
    Backend6,
    Few,
    Gateway,
    Method,
    Port,
    Prefix,
    Table,
    Text,
)


class FrontendEntry(Settings):
    """One of the further frontends of a service."""

    ipv4: VIP4 = None
    ipv6: VIP6 = None
    tcp: AnyPort = None
    udp: AnyPort = None
    sctp: AnyPort = None
    fwmark: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = None
    family: Literal["inet", "inet6"] | None = None

    @model_validator(mode="after")
    def _check(self) -> FrontendEntry:
        if faults := list(self.faults()):
            raise_faults("frontend", faults)
        return self

    def faults(self) -> Iterator[Fault]:
        """What lacks an address or a port is told of later, with what the other sources say."""
        addressed = self.ipv4 is not None or self.ipv6 is not None
        ported = (self.tcp, self.udp, self.sctp) != (None, None, None)
        if self.fwmark is None and self.family is not None:
            yield Fault(("family",), "is for a fwmark only", code=Code.CONTRADICTION)
        if self.fwmark is not None and ported and not addressed:
            yield Fault(
                ("fwmark",), "has no ports of its own", "give an address", Code.CONTRADICTION
            )

    def frontend(self) -> Frontend:
        """As the record has it."""
        ports = Ports(self.tcp, self.udp, self.sctp)
        return Frontend(self.ipv4, self.ipv6, ports, self.fwmark, Family(self.family or "inet"))


class FrontendValue(ServiceOverrides, FrontendEntry):
    """The value of a service's key: its first frontend, where the original has its only one."""

    tcp: Port = None
    udp: Port = None
    sctp: Port = None
    frontends: Annotated[list[FrontendEntry] | None, Few] = None
    flags: Annotated[FlagNames | None, Few] = None
    health: Table | None = None

    def faults(self) -> Iterator[Fault]:
        """Those of a frontend, and those of the overrides."""
        yield from FrontendEntry.faults(self)
        yield from ServiceOverrides.faults(self)

    def record(self, name: str, provenance: Provenance) -> ServiceSpec:
        """The record of a service; without any frontend it says nothing of them."""
        first = self.frontend()
        further = tuple(one.frontend() for one in self.frontends or ())
        if first != _NOTHING:
            frontends: tuple[Frontend, ...] | None = (first, *further)
        else:
            frontends = None if self.frontends is None else further
        return self.over_service(ServiceSpec(name, provenance, frontends=frontends))


_NOTHING = Frontend()


class BackendValue(BackendOverrides):
    """The value of a backend's key. ``agent``: who published it."""

    ipv4: Backend4 = None
    ipv6: Backend6 = None
    tcp: Port = None
    udp: Port = None
    sctp: Port = None
    quiesced: Text = None
    agent: Text = None

    def record(self, ref: BackendRef, provenance: Provenance) -> Backend:
        """The record of a backend."""
        return self.over(
            Backend(
                service=ref.service,
                id=ref.id,
                ports=Ports(self.tcp, self.udp, self.sctp),
                provenance=provenance,
                quiesced=self.quiesced,
                ipv4=self.ipv4,
                ipv6=self.ipv6,
            )
        )


class RouteValue(Settings):
    """The value of a route's key. The original up to 0.4 wrote Prefix4 and Gateway4."""

    prefix: Prefix = Field(default=None, alias="Prefix")
    gateway: Gateway = Field(default=None, alias="Gateway")
    method: Method = Field(default=None, alias="IPVSMethod")
    prefix4: Prefix = Field(default=None, alias="Prefix4")
    gateway4: Gateway = Field(default=None, alias="Gateway4")
    tunnel: TunnelSettings | None = None
    agent: Text = None

    @model_validator(mode="after")
    def _check(self) -> RouteValue:
        prefix, gateway = self._reach()
        # Without a method the route filters out, and its gateway is of no use to anybody.
        if (
            prefix is not None
            and gateway is not None
            and gateway.family is not prefix.family
            and self.method not in {None, "tunnel"}
        ):
            fault = Fault(
                ("Gateway" if self.gateway is not None else "Gateway4",),
                f"is of another address family than {prefix}",
                "only a tunnel can do that",
                Code.FAMILY_MISMATCH,
            )
            raise_faults("route", [fault])
        return self

    def _reach(self) -> tuple[Network | None, Address | None]:
        return self.prefix or self.prefix4, self.gateway or self.gateway4

    def record(self, name: str, provenance: Provenance) -> Route:
        """The record of a route."""
        prefix, gateway = self._reach()
        return Route(name, provenance, prefix, self.method, gateway, self.tunnel)


OLD_NAMES = {"Prefix4": "Prefix", "Gateway4": "Gateway"}
"""Fields as the original called them up to 0.4, and as it calls them since."""


def _names(*written: str) -> dict[str, str]:
    return {folded(name): name for name in written}


def _names_of(model: type[Settings]) -> dict[str, str]:
    return _names(*(field.alias or name for name, field in model.model_fields.items()))


_WITHIN: Mapping[str, Mapping[str, str]] = {
    "frontends": _names_of(FrontendEntry),
    "persistence": _names("timeout", "netmask", "netmask6"),
    "tunnel": _names("type", "port", "flags"),
}
"""Names within the objects of an object."""

_NAMES: Mapping[type[Settings], Mapping[str, str]] = {
    model: _names_of(model) for model in (FrontendValue, BackendValue, RouteValue)
}


def table_of(found: Object, model: type[Settings]) -> dict[str, Any]:
    """The fields that a model knows, also in the objects within; old ones only where they count."""
    table = fields(found, _NAMES[model])
    for name in _WITHIN.keys() & table.keys():
        table[name] = _within(table[name], _WITHIN[name])
    for old, new in OLD_NAMES.items():
        if table.get(new):
            table.pop(old, None)
    return table


def _within(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Object):
        return fields(value, names)
    if isinstance(value, list) and len(value) <= ENTRIES_MAX:
        return [fields(one, names) if isinstance(one, Object) else one for one in value]
    return value
