"""The table of a source of type ``docker``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from clusterf.model.address import Family
from clusterf.model.table import Method
from clusterf.plugin import (
    Code,
    Duration,
    Fault,
    IPAddress,
    IPv4,
    IPv6,
    MethodName,
    Settings,
    TLSSettings,
    TunnelSettings,
    raise_faults,
    shown,
)


class RoutesTable(Settings):
    """Which of the engine's networks are told of, and as reached by way of which gateways."""

    gateway4: IPv4 | None = Field(None, description="this host, for IPv4 subnets")
    gateway6: IPv6 | None = Field(None, description="this host, for IPv6 subnets")
    method: MethodName = Field(
        Method.DROUTE, description="forwarding method by which directors reach the gateway"
    )
    tunnel: TunnelSettings | None = Field(None, description='encapsulation for method = "tunnel"')
    networks: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None, description="patterns of the networks; without it all bridges with a way out"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if faults := list(self._faults()):
            raise_faults("routes", faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.gateway4 is None and self.gateway6 is None:
            yield Fault(
                (),
                'missing key "gateway4" or "gateway6"',
                "the address at which directors reach this host",
                Code.MISSING_KEY,
                missing="gateway4",
            )
        for name, gateway in (("gateway4", self.gateway4), ("gateway6", self.gateway6)):
            if gateway is not None and not gateway.is_unicast:
                yield Fault((name,), f"{gateway} is no address of a host")
        if self.tunnel is not None and self.method is not Method.TUNNEL:
            yield Fault(("tunnel",), 'is for method = "tunnel" only', code=Code.CONTRADICTION)


class DockerSettings(Settings):
    """Which engine, and how its containers are addressed."""

    host: str = Field(
        "unix:///var/run/docker.sock", description="unix:///PATH or tcp://HOST:PORT of the engine"
    )
    tls: TLSSettings | None = Field(None, description="speak TLS; only with tcp://")
    timeout: Annotated[Duration, Field(ge=0.05, le=600)] = Field(
        10.0, description="how long one answer of the engine may take"
    )
    relist: Annotated[Duration, Field(ge=0.05)] = Field(
        60.0, description="time between two looks at all containers, which heal lost events"
    )
    grace: Duration = Field(
        120.0,
        description="after the engine was away: how long a container that it does not know "
        "again yet keeps its last known state",
    )
    stop_patience: Duration = Field(
        60.0,
        description="beyond its stop timeout: how long a container that was told to stop and "
        "still runs stays quiesced",
    )
    services: list[str] | None = Field(
        None, description="patterns of the services that labels may join; without it all"
    )
    network: str | None = Field(
        None, description="network whose address counts, unless a label says otherwise"
    )
    addressing: Literal["container", "published"] = Field(
        "container", description="the container's own address, or the host's published port"
    )
    host_ipv4: IPAddress | None = Field(None, description="IPv4 address of the engine's host")
    host_ipv6: IPAddress | None = Field(None, description="IPv6 address of the engine's host")
    health: bool = Field(
        default=True, description="quiesce containers whose HEALTHCHECK does not say healthy"
    )
    routes: RoutesTable | None = Field(
        None, description="publish routes to the engine's networks; without it none"
    )

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        form = f"{shown(value)} is not unix:///PATH or tcp://HOST:PORT"
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError(form) from None
        if parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/"):
            return value
        bare = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
        if parts.scheme == "tcp" and parts.hostname and port and bare:
            return value.rstrip("/")
        raise ValueError(form)

    @field_validator("host_ipv4", "host_ipv6")
    @classmethod
    def _family(cls, value: IPAddress | None) -> IPAddress | None:
        if value is not None and not any(value):
            raise ValueError("an unspecified address is no destination")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.tls is not None and not self.host.startswith("tcp://"):
            message = "needs a host of the form tcp://HOST:PORT"
            raise_faults("docker", [Fault(("tls",), message, code=Code.CONTRADICTION)])
        if self.host_ipv4 is not None and self.host_ipv4.family is not Family.INET:
            raise ValueError(f"host_ipv4: {self.host_ipv4} is not an IPv4 address")
        if self.host_ipv6 is not None and self.host_ipv6.family is not Family.INET6:
            raise ValueError(f"host_ipv6: {self.host_ipv6} is not an IPv6 address")
        return self
