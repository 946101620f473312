"""A container as the engine describes it: inspect JSON in, one checked value out. Pure.

Only the fields that decide something are read, and they are read strictly: what is not as the
Docker Engine API (1.24 and later, ``GET /containers/{id}/json``) says is one `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import Field, StrictInt

from clusterf.model.address import Address, Family
from clusterf.model.table import Protocol
from clusterf_docker.answer import ID, NAME, Part, Text, Unreadable, reading

DEFAULT_STOP_TIMEOUT = 10.0
"""Seconds that ``docker stop`` waits where neither it nor the container says otherwise."""

_EXPOSED = re.compile(r"([1-9][0-9]{0,4})(?:/(tcp|udp|sctp))?")


class Exposed(NamedTuple):
    """A port of the container that image or command line declare."""

    port: int
    protocol: Protocol


class Binding(NamedTuple):
    """A port of the host that leads to a port of the container; None: on all addresses."""

    family: Family
    address: Address | None
    port: int


class Attachment(NamedTuple):
    """Addresses of a container in one network."""

    ipv4: Address | None
    ipv6: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container. ``run`` tells one run of it from the next: when it was started.

    ``status``: created, running, paused, restarting, removing, exited or dead.
    ``health``: starting, healthy, unhealthy; None without a HEALTHCHECK.
    """

    id: str
    name: str
    status: str
    health: str | None
    run: str
    stop_signal: str
    stop_timeout: float
    labels: Mapping[str, str]
    exposed: frozenset[Exposed]
    bindings: Mapping[Exposed, tuple[Binding, ...]]
    networks: Mapping[str, Attachment]
    mode: str

    @property
    def runs(self) -> bool:
        """Whether its processes exist; a paused one's do."""
        return self.status in {"running", "paused"}

    @property
    def ended(self) -> bool:
        """Whether the engine says for certain that it does not run."""
        return self.status in {"exited", "dead", "removing"}

    @property
    def on_host(self) -> bool:
        """Whether it lives in the host's own network namespace."""
        return self.mode == "host"


class _Health(Part):
    Status: Text = ""


class _State(Part):
    Status: Text
    StartedAt: Text = ""
    Health: _Health | None = None


class _Config(Part):
    Labels: dict[Text, Text] | None = None
    # Maps a port to an empty object; what stands there has no meaning.
    ExposedPorts: dict[Text, object] | None = None
    StopSignal: Text | None = None
    StopTimeout: Annotated[StrictInt, Field(ge=-1, le=10**9)] | None = None


class _HostConfig(Part):
    NetworkMode: Text = ""


class _Binding(Part):
    HostIp: Text = ""
    HostPort: Text = ""


class _Network(Part):
    IPAddress: Text = ""
    GlobalIPv6Address: Text = ""


class _NetworkSettings(Part):
    Ports: dict[Text, list[_Binding] | None] | None = None
    Networks: dict[Text, _Network | None] | None = None


class _Inspected(Part):
    Id: Annotated[Text, Field(pattern=f"^{ID.pattern}$")]
    Name: Text = ""
    State: _State
    Config: _Config
    HostConfig: _HostConfig | None = None
    NetworkSettings: _NetworkSettings


def read(answer: object, identifier: str) -> Container:
    """Read the JSON of one inspect of this container.

    Raises:
        Unreadable: saying where it is not as the API has it.
    """
    with reading():
        container = _container(_Inspected.model_validate(answer))
    if container.id != identifier:
        raise Unreadable("Id: it is another container's")
    return container


def _container(inspected: _Inspected) -> Container:
    config, settings = inspected.Config, inspected.NetworkSettings
    ports = settings.Ports or {}
    exposed = {_exposed(text) for text in (*(config.ExposedPorts or ()), *ports)}
    health = inspected.State.Health.Status if inspected.State.Health is not None else ""
    timeout = config.StopTimeout
    return Container(
        id=inspected.Id,
        name=_name(inspected.Name, inspected.Id),
        status=inspected.State.Status,
        health=health if health not in {"", "none"} else None,
        run=inspected.State.StartedAt,
        stop_signal=config.StopSignal or "",
        stop_timeout=DEFAULT_STOP_TIMEOUT if timeout is None or timeout < 0 else float(timeout),
        labels=config.Labels or {},
        exposed=frozenset(one for one in exposed if one is not None),
        bindings={
            port: tuple(bound for one in bindings if (bound := _binding(one)) is not None)
            for text, bindings in ports.items()
            if bindings and (port := _exposed(text)) is not None
        },
        networks={
            name: Attachment(_address(one.IPAddress), _address(one.GlobalIPv6Address))
            for name, one in (settings.Networks or {}).items()
            if one is not None
        },
        mode=inspected.HostConfig.NetworkMode if inspected.HostConfig is not None else "",
    )


def _name(name: str, identifier: str) -> str:
    """Name without the engine's slash; the short id where that is no name of a container."""
    name = name.removeprefix("/")
    return name if NAME.fullmatch(name) else identifier[:12]


def _exposed(text: str) -> Exposed | None:
    """``80/tcp``; without a protocol it is TCP. None for what is no port, such as ``80/xyz``."""
    match = _EXPOSED.fullmatch(text)
    if match is None or int(match[1]) > 65535:
        return None
    return Exposed(int(match[1]), Protocol(match[2] or "tcp"))


def _binding(one: _Binding) -> Binding | None:
    match = _EXPOSED.fullmatch(one.HostPort)
    if match is None or match[2] or int(match[1]) > 65535:
        return None
    if not one.HostIp:
        return Binding(Family.INET, None, int(match[1]))
    address = Address.parse(one.HostIp)
    return Binding(address.family, address if any(address) else None, int(match[1]))


def _address(text: str) -> Address | None:
    return Address.parse(text) if text else None
