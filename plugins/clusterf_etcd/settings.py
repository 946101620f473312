"""Tables of the configuration: the connection to etcd, a source and an output of type ``etcd``."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from clusterf.plugin import (
    Code,
    Duration,
    Fault,
    PathName,
    Settings,
    TLSSettings,
    raise_faults,
    shown,
)
from clusterf_etcd.field_types import Text

_PORT = 2379
_URL = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?/?", re.IGNORECASE)
_Name = Annotated[str, Field(min_length=1, max_length=253)]


class ConnectionSettings(Settings):
    """Which etcd, as whom, and what of it."""

    endpoints: list[str] = Field(
        ["http://127.0.0.1:2379"],
        description="http://HOST[:PORT] or https://HOST[:PORT] of each member; one that fails is "
        "exchanged for the next",
    )
    prefix: str = Field("/clusterf", description="keys below this path belong to clusterf")
    user: _Name | None = Field(None, description="user of etcd, where it asks for one")
    password_file: PathName | None = Field(
        None, description="file with the user's password; a line end after it does not count"
    )
    tls: TLSSettings | None = Field(
        None, description="certificates; without it https trusts the system's authorities"
    )
    timeout: Annotated[Duration, Field(ge=0.05, le=600)] = Field(
        5.0, description="how long a connection, and how long the answer to one request may take"
    )

    @field_validator("endpoints")
    @classmethod
    def _endpoints(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("at least one endpoint is needed")
        endpoints = [_endpoint(one) for one in value]
        for number, one in enumerate(endpoints):
            if one in endpoints[:number]:
                raise ValueError(f"{one} is given twice")
        if len({one.partition(":")[0] for one in endpoints}) > 1:
            raise ValueError("all endpoints are http, or all are https")
        return endpoints

    @field_validator("prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        path = value.rstrip("/")
        if not path.startswith("/") or not path.isprintable() or "" in path[1:].split("/"):
            raise ValueError(f"{shown(value)} is not an absolute path such as /clusterf")
        return path

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file belong together: give both or neither")
        if self.tls is not None and not self.endpoints[0].startswith("https://"):
            message = "needs endpoints of the form https://HOST[:PORT]"
            raise_faults("etcd", [Fault(("tls",), message, code=Code.CONTRADICTION)])
        return self


class EtcdSourceSettings(ConnectionSettings):
    """What is read from etcd."""

    relist: Annotated[Duration, Field(ge=0)] = Field(
        600.0, description="time between two looks at all keys, which heal what was missed; 0: none"
    )
    grace: Duration = Field(
        15.0, description="after an interruption: how long what is gone keeps its last known state"
    )
    agent: Text | None = Field(
        None,
        description="leave out what the agent of this name published: this process knows it itself",
    )


class EtcdOutputSettings(ConnectionSettings):
    """What is published to etcd."""

    sources: list[_Name] = Field(
        min_length=1, description="patterns of the sources whose backends are published"
    )
    routes: bool = Field(default=False, description="publish the routes of these sources as well")
    agent: Text | None = Field(
        None, description="name of this agent; without it the name of the host"
    )
    ttl: Annotated[Duration, Field(ge=2, le=3600)] = Field(
        10.0, description="after the agent is gone: how long its keys stay, in whole seconds"
    )
    on_stop: Literal["expire", "withdraw"] = Field(
        "expire", description="when the agent ends: let its keys expire, or withdraw them at once"
    )

    @field_validator("ttl")
    @classmethod
    def _whole(cls, value: float) -> float:
        if value != int(value):
            raise ValueError("etcd counts the ttl in whole seconds")
        return value


def _endpoint(value: str) -> str:
    """``https://host:port`` with everything written out.

    Raises:
        ValueError: it is not the URL of an endpoint.
    """
    form = f"{shown(value)} is not http://HOST[:PORT] or https://HOST[:PORT]"
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname
        if host and ":" in host:
            host = f"[{IPv6Address(host).compressed}]"
    except ValueError:
        raise ValueError(form) from None
    if _URL.fullmatch(value) is None or not host or port == 0:
        raise ValueError(form)
    return f"{parts.scheme}://{host}:{_PORT if port is None else port}"
