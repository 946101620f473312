"""The plugins that golden files are checked with: static and the policies are the real ones.

The others stand in, so that a new option of theirs changes no golden file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

import clusterf_local
import clusterf_routes
import clusterf_static
from clusterf.plugin import (
    Duration,
    IPAddress,
    OutputType,
    PathName,
    Settings,
    SourceType,
)
from clusterf.plugin.loader import Registry


class DockerStandIn(Settings):
    """A few options of every kind."""

    host: str = "unix:///var/run/docker.sock"
    timeout: Annotated[Duration, Field(ge=0.05, le=600)] = 10.0
    addressing: Literal["container", "published"] = "container"
    host_ipv4: IPAddress | None = None
    tls: TLSStandIn | None = None
    services: list[str] | None = None


class TLSStandIn(Settings):
    """A table within a table."""

    ca: PathName
    verify: bool = True


class IpvsStandIn(Settings):
    """Options of an output."""

    drain: Duration = 300.0
    batch: Annotated[int, Field(ge=1, le=1024)] = 512


class NoOptions(Settings):
    """No options."""


def _never(*_: object) -> Any:
    raise AssertionError("an offline check makes no instance")


def registry() -> Registry:
    """The plugins by hand, without the loader."""
    found = Registry()
    found.manager.register(clusterf_static, name="clusterf_static")
    found.sources = {kind.name: kind for kind in clusterf_static.clusterf_register_sources()}
    found.sources["docker"] = SourceType(
        name="docker", settings=DockerStandIn, create=_never, summary=""
    )
    found.policies = {
        kind.name: kind
        for plugin in (clusterf_routes, clusterf_local)
        for kind in plugin.clusterf_register_policies()
    }
    found.outputs["ipvs"] = OutputType(name="ipvs", settings=IpvsStandIn, create=_never, summary="")
    found.outputs["addresses"] = OutputType(
        name="addresses", settings=NoOptions, create=_never, summary=""
    )
    return found
