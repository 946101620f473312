"""Source ``docker``: labelled containers of one Docker engine become backends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import (
    Configured,
    Context,
    Document,
    Examination,
    Problem,
    Source,
    SourceType,
    hookimpl,
)
from clusterf_docker.check import check_sources
from clusterf_docker.settings import DockerSettings

CLUSTERF_API = "1.0"


def _create(settings: DockerSettings, context: Context) -> Source:
    from clusterf_docker.source import DockerSource  # noqa: PLC0415 - Trio and the like, for who runs it

    return DockerSource(settings, context)


@hookimpl
def clusterf_register_sources() -> Iterable[SourceType[Any]]:
    """Register the type ``docker``."""
    return [
        SourceType(
            name="docker",
            settings=DockerSettings,
            create=_create,
            summary="containers of a Docker engine that join services by label",
        )
    ]


@hookimpl
def clusterf_check(configuration: Configured, document: Document) -> Iterable[Problem]:
    """Look for engines with two sources, and for routes that lead back to this host."""
    return check_sources(configuration, document)


@hookimpl
def clusterf_doctor(configuration: Configured | None) -> Iterable[Examination]:
    """Ask the engine of this host, where no configuration names one."""
    from clusterf_docker.doctor import examinations  # noqa: PLC0415 - as above

    return examinations(configuration)
