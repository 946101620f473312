"""Source ``docker``: labelled containers of one Docker engine become backends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import Configured, Examination, SourceType, hookimpl
from clusterf_docker.doctor import examinations
from clusterf_docker.settings import DockerSettings
from clusterf_docker.source import DockerSource

CLUSTERF_API = "1.0"


@hookimpl
def clusterf_register_sources() -> Iterable[SourceType[Any]]:
    """Register the type ``docker``."""
    return [
        SourceType(
            name="docker",
            settings=DockerSettings,
            create=DockerSource,
            summary="containers of a Docker engine that join services by label",
        )
    ]


@hookimpl
def clusterf_doctor(configuration: Configured | None) -> Iterable[Examination]:
    """Ask the engine of this host, where no configuration names one."""
    return examinations(configuration)
