"""A container as the engine describes it: inspect JSON in, one checked value out. Pure.

Only the fields that decide something are read, and they are read strictly: what is not as the
Docker Engine API (1.24 and later, ``GET /containers/{id}/json``) says is one `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)

from clusterf.model.address import Address, Family
from clusterf.model.table import Protocol

DEFAULT_STOP_TIMEOUT = 10.0
"""Seconds that ``docker stop`` waits where neither it nor the container says otherwise."""

ID = re.compile(r"[0-9a-f]{12,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_EXPOSED = re.compile(r"([1-9][0-9]{0,4})(?:/(tcp|udp|sctp))?")


class Unreadable(Exception):
    """An answer about one container is not what the API promises."""


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


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


def _encodable(text: str) -> str:
    """JSON can carry halves of surrogate pairs, which no file and no log can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not Unicode text") from None
    return text


_Text = Annotated[StrictStr, AfterValidator(_encodable)]


class _Health(_Part):
    Status: _Text = ""


class _State(_Part):
    Status: _Text
    StartedAt: _Text = ""
    Health: _Health | None = None


class _Config(_Part):
    Labels: dict[_Text, _Text] | None = None
    # Maps a port to an empty object; what stands there has no meaning.
    ExposedPorts: dict[_Text, object] | None = None
    StopSignal: _Text | None = None
    StopTimeout: Annotated[StrictInt, Field(ge=-1, le=10**9)] | None = None


class _HostConfig(_Part):
    NetworkMode: _Text = ""


class _Binding(_Part):
    HostIp: _Text = ""
    HostPort: _Text = ""


class _Network(_Part):
    IPAddress: _Text = ""
    GlobalIPv6Address: _Text = ""


class _NetworkSettings(_Part):
    Ports: dict[_Text, list[_Binding] | None] | None = None
    Networks: dict[_Text, _Network | None] | None = None


class _Inspected(_Part):
    Id: Annotated[_Text, Field(pattern=f"^{ID.pattern}$")]
    Name: _Text = ""
    State: _State
    Config: _Config
    HostConfig: _HostConfig | None = None
    NetworkSettings: _NetworkSettings


def read(answer: object, identifier: str) -> Container:
    """Read the JSON of one inspect of this container.

    Raises:
        Unreadable: saying where it is not as the API has it.
    """
    try:
        container = _container(_Inspected.model_validate(answer))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"] if str(step).isprintable())[:100]
        raise Unreadable(f"{place or 'answer'}: {first['msg'].lower()}") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
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
    return name if _NAME.fullmatch(name) else identifier[:12]


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
